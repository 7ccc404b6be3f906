"""Unfinished requests, typed in by the form's own POSTs, and filled in by hand in a browser."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx
from playwright.async_api import Page

from shared import auth
from shared.ids import new_id
from tests.browser.world import World

Typed = Mapping[str, Mapping[str, str | list[str]]]
"""Step → field → what is typed."""

FILLED: Typed = {
    "who": {"municipality": "Salach"},
    "what": {"fields": ["fair_week", "other"], "need": "Zum Fest der Nationen erreichen wir die Vereine nicht mehr."},
    "how": {"mode": "either", "languages": ["de", "tr"], "tandem": "wanted"},
    "contact": {"name": "Erika Beispiel", "email": "erika@rathaus.example", "phone": "07161 6500", "consent": "true"},
}
STRANGE = "Öznur <script>document.title='ran'</script> \"'& محمد الأمين שלום 🎉"
LONG = (f"{STRANGE}\n\nZweiter Absatz: " + "Wörter über die Lage vor Ort, ohne Ende. " * 100)[:4000]
ODD: Typed = {
    **FILLED,
    "what": {"fields": ["other"], "need": LONG},
    "contact": {"name": STRANGE, "office": f"Amt {STRANGE}", "email": "erika@rathaus.example", "consent": "true"},
}


def path(world: World, draft_id: str, page: str = "") -> str:
    return f"/request/{draft_id}{page}?token={auth.sign(world.secret, 'draft', draft_id)}"


async def typed(world: World, steps: Typed) -> str:
    """The id of a draft with these steps filled in."""
    draft_id = new_id()
    async with httpx.AsyncClient(base_url=world.site("intake"), trust_env=False, timeout=30) as client:
        for step, fields in steps.items():
            answer = await client.post(path(world, draft_id, f"/{step}"), data={**fields, "action": "next"})
            assert answer.status_code == 303, answer.text
    return draft_id


async def sent(world: World, steps: Typed = FILLED) -> str:
    """The id of a request that was made by the form."""
    draft_id = await typed(world, steps)
    async with httpx.AsyncClient(base_url=world.site("intake"), trust_env=False, timeout=30) as client:
        check = await client.get(path(world, draft_id, "/check"))
        seal = check.text.partition('name="seen" value="')[2].partition('"')[0]
        answer = await client.post(path(world, draft_id, "/send"), data={"seen": seal})
    assert urlsplit(answer.headers["location"]).path == f"/requests/{draft_id}/sent", answer.text
    return draft_id


async def further(page: Page, name: str = "Weiter") -> None:
    await page.get_by_role("button", name=name, exact=True).click()


async def fill_what(page: Page, need: str) -> None:
    await page.get_by_label("Etwas anderes").check()
    await page.get_by_label("Wie ist die Situation").fill(need)


async def fill_how(page: Page) -> None:
    await page.get_by_role("radiogroup", name="Wie soll die Beratung").get_by_label("online").check()
    await page.get_by_label("Deutsch").check()
    await page.get_by_label("Noch eine Sprache").select_option("so")
    for part, value in (("Tag", "1"), ("Monat", "2"), ("Jahr", "2027")):
        await page.get_by_label(part, exact=True).fill(value)
    await page.get_by_label("zu zweit").check()


async def fill_contact(page: Page, name: str, office: str = "", email: str = "erika@rathaus.example") -> None:
    await page.get_by_label("Vor- und Nachname").fill(name)
    await page.get_by_label("Amt oder Stelle").fill(office)
    await page.get_by_label("E-Mail").fill(email)
    await page.locator("#consent").check()
