"""A barrier that somebody reports reaches the coordinators: by a mail that says where, and nothing of what it says."""

from email import message_from_bytes
from email.policy import default

import httpx
import pytest
from playwright.async_api import Browser, expect

from tests.browser.test_login import log_in
from tests.browser.test_request_form import database
from tests.browser.window import Window, opened
from tests.browser.world import World
from tests.waiting import until

PROBLEM = "Die Vorlesesoftware sagt nur „Knopf“ <b>ohne</b> Namen. 😀"


@pytest.mark.timeout(180, func_only=True)
async def test_the_office_is_mailed_a_link_to_what_was_reported(world: World, chromium: Browser) -> None:
    async with opened(chromium, world.site("intake"), Window("dark", 320, script=False)) as (page, _):
        await page.goto("/privacy")
        await page.get_by_role("link", name="Barriere melden").click()
        assert await page.get_by_label("Auf welcher Seite?").input_value() == "/privacy"
        await page.get_by_label("Was geht nicht?").fill(PROBLEM)
        await page.get_by_role("button", name="Meldung senden").click()
        await expect(page.get_by_text("innerhalb von 10 Arbeitstagen")).to_be_visible()
    async with database(world, "intake") as intake:
        barrier = await intake["barriers"].find_one({"problem": PROBLEM, "settled_at": None})
    assert barrier is not None
    link = f"/barriers?barrier={barrier['_id']}#b-{barrier['_id']}"
    await until(lambda: _mailed(world, link), what="the mail to the coordinators")
    async with opened(chromium, world.site("intake"), Window(width=390), login=world.stack.issuer) as (page, _):
        await log_in(page, "koordination", "/barriers")
        await page.goto(link)
        told = page.locator(f"article[aria-labelledby='b-{barrier['_id']}']")
        await expect(told.get_by_text(PROBLEM)).to_be_visible()
        await told.get_by_role("button", name="Erledigt").dblclick()
        await expect(told).to_have_count(0)
        await expect(page.get_by_text(PROBLEM)).to_be_visible()


async def _mailed(world: World, link: str) -> bool:
    async with httpx.AsyncClient(base_url=world.stack.urls["mail"], trust_env=False) as inbox:
        for listed in (await inbox.get("/api/mails")).json():
            if "koordination@" in str(listed["recipients"]):
                raw = (await inbox.get(f"/api/mails/{listed['file']}")).content
                body = message_from_bytes(raw, policy=default).get_body(("plain",))
                assert body is not None
                if link in body.get_content():
                    assert b"Vorlesesoftware" not in raw
                    return True
    return False
