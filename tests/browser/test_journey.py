"""The whole journey by browser alone, on a phone: the municipality asks, advisors accept, record and close, and the
municipality says how it was. With JavaScript, and without."""

import asyncio
import re
from datetime import datetime
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, Page, expect

from deploy.local.journey import Journey
from shared.ids import new_id
from tests.browser.drafts import fill_contact, fill_what
from tests.browser.window import Window, opened
from tests.browser.world import World

NEED = "Zum Fest der Nationen erreichen wir die Vereine <b>nicht</b> mehr. مرحبا 🎉"
OPTION = "Vereine früh einladen <b>wirklich</b> 😀"


async def _press(page: Page, name: str) -> None:
    """A tap that leads to another page, awaited."""
    async with page.expect_navigation():
        await page.get_by_role("button", name=name, exact=True).click()


async def _follow(page: Page, name: str) -> None:
    async with page.expect_navigation():
        await page.get_by_role("link", name=name, exact=True).first.click()


async def _arrange(page: Page, minutes: str) -> None:
    now = datetime.now(ZoneInfo("Europe/Berlin"))
    await _follow(page, "Termin vereinbaren")
    for label, value in (("Tag", now.day), ("Monat", now.month), ("Jahr", now.year)):
        await page.get_by_label(label, exact=True).fill(str(value))
    await page.get_by_label("Uhrzeit").fill(now.strftime("%H:%M"))
    await page.get_by_label("Dauer in Minuten").fill(minutes)
    await page.get_by_label("online", exact=True).check()
    await _press(page, "Termin vereinbaren")
    await expect(page.get_by_text("Der Termin ist vereinbart.")).to_be_visible()


async def _record(page: Page, people: str, option: str | None = None) -> None:
    await _follow(page, "Erfassen")
    await page.get_by_label("Wie viele Menschen waren dabei?").fill(people)
    if option:
        await page.get_by_label("In Worten").first.fill(option)
    await _press(page, "Sitzung erfassen")
    await expect(page.get_by_text("Die Sitzung ist erfasst.")).to_be_visible()


async def _ask(page: Page, email: str) -> str:
    """The municipality fills in the form and sends it; the case number that it reads."""
    await page.goto("/")
    await _follow(page, "Anfrage beginnen")
    await page.get_by_label("Name der Gemeinde").fill("Salach")
    await _press(page, "Weiter")
    await fill_what(page, NEED)
    await page.get_by_label("Faire Woche").check()
    await _press(page, "Weiter")
    await page.get_by_role("radiogroup", name="Wie soll die Beratung").get_by_label("online", exact=True).check()
    await page.get_by_label("Deutsch").check()
    await page.get_by_label("zu zweit").check()
    await _press(page, "Weiter")
    await fill_contact(page, "Erika Beispiel", "Hauptamt", email)
    await _press(page, "Weiter")
    await expect(page.get_by_role("heading", name="Angaben prüfen und absenden")).to_be_visible()
    await expect(page.get_by_text(NEED)).to_be_visible()
    await _press(page, "Anfrage absenden")
    return (await page.get_by_text("Nummer MG-").inner_text()).removeprefix("Nummer ")


def _named(url: str) -> tuple[str, str]:
    """Request and token of a status page's address."""
    parts = urlsplit(url)
    return parts.path.split("/")[2], parse_qs(parts.query)["token"][0]


async def _until_shown(page: Page, path: str, text: str) -> None:
    for _each in range(100):
        await page.goto(path)
        if await page.get_by_text(text).count():
            return
        await asyncio.sleep(0.2)
    await expect(page.get_by_text(text)).to_be_visible()


async def _sessions(page: Page) -> int:
    """The figure of the sessions, as the funder reads it."""
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Termine", exact=True))
    return int(await row.locator("td").first.inner_text())


async def _mailed(journey: Journey, to: str, part: str) -> str:
    """The path of the link with `part` in it, out of the mail to `to` about this case."""

    def found() -> str | None:
        for mail in journey.mails():
            body = mail.get_body(("plain",))
            if to in str(mail["to"]) and body:
                for link in re.findall(r"https?://[^/\s]+(/\S*)", str(body.get_content())):
                    if part in link:
                        return str(link)
        return None

    return await asyncio.to_thread(journey.until, f"the mail to {to} with {part}", found)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("script", [True, False], ids=["script", "noscript"])
async def test_the_whole_journey_by_browser_alone(world: World, chromium: Browser, script: bool) -> None:
    """From the form to the figure that the funder reads; a coordinator looks before anybody is asked."""
    journey, phone = Journey(world.stack.urls, world.secret, seconds=150), Window(width=390, script=script)
    email = f"{new_id()}@rathaus.example"
    office, skew = [await world.login(chromium, account) for account in ("koordination", "skew")]
    year = datetime.now(ZoneInfo("Europe/Berlin")).year
    figures = f"/reporting?from={year}-01-01&to={year}-12-31"

    async with opened(chromium, world.site("reporting"), phone, storage_state=skew) as (page, _):
        await page.goto(figures)
        before = await _sessions(page)
    async with world.looking_first():
        async with opened(chromium, world.site("intake"), phone) as (page, _):
            journey.case_number = await _ask(page, email)
            await page.goto(await _mailed(journey, email, "/requests/"))
            await expect(page.get_by_text("Ihre Anfrage ist eingegangen.")).to_be_visible()
            journey.request_id, journey.status_token = _named(page.url)
        async with opened(chromium, world.site("matching"), phone, storage_state=office) as (page, _):
            await _until_shown(page, f"/coordination/requests/{journey.request_id}", "wartet auf Ihre Freigabe")
            await _press(page, "Freigeben: jetzt fragen")
            await expect(page.get_by_text("Der Vorschlag ist freigegeben")).to_be_visible()
    await asyncio.to_thread(journey.await_assignment)
    lead, co = journey.advisors
    async with opened(chromium, world.site("matching"), phone, storage_state=await world.login(chromium, lead)) as (
        page,
        _,
    ):
        await page.goto("/advisor")
        async with page.expect_navigation():
            await page.locator(f"a[href$='{journey.assignment_id}']").click()
        await _press(page, "Ich sage zu")
        await expect(page.get_by_text("Sobald auch die andere Person zugesagt hat")).to_be_visible()
    async with opened(chromium, world.site("matching"), phone) as (page, _):
        await page.goto(await _mailed(journey, "", f"advisor={co}"))  # without logging in
        await _press(page, "Ich sage zu")
        await expect(page.get_by_text("Die Beratung kann beginnen")).to_be_visible()
    async with opened(chromium, world.site("matching"), phone, storage_state=await world.login(chromium, lead)) as (
        page,
        _,
    ):
        await page.goto(f"/advisor/engagements/{journey.request_id}")
        await _arrange(page, "60")
        await _record(page, "3")
        await _arrange(page, "150")
        await _record(page, "12", OPTION)
        await expect(page.get_by_text(OPTION)).to_be_visible()
        await page.locator("summary").click()
        await page.get_by_label("Durchgeführt").check()
        await _press(page, "Abschließen")
        await expect(page.get_by_text("Abgeschlossen: Durchgeführt")).to_be_visible()
    async with opened(chromium, world.site("intake"), phone) as (page, _):
        await page.goto(await _mailed(journey, email, "/feedback"))
        await page.get_by_label("sehr zufrieden").check()
        await page.get_by_label("Ja", exact=True).check()
        await page.get_by_label("Wie viele der vereinbarten").fill("1")
        await _press(page, "Rückmeldung senden")
    async with opened(chromium, world.site("matching"), phone, storage_state=office) as (page, _):
        await _until_shown(page, f"/coordination/requests/{journey.request_id}", "5 von 5")
        said = await page.locator("main").inner_text()
    assert re.search(rf"12 Personen erreicht.*{co}", said, re.DOTALL)
    async with opened(chromium, world.site("reporting"), phone, storage_state=skew) as (page, _):
        for _each in range(100):  # until the ledger has it and it is projected
            await page.goto(figures)
            if await _sessions(page) >= before + 2:
                break
            await asyncio.sleep(0.2)
        assert await _sessions(page) >= before + 2, "the two sessions"
