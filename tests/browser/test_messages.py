"""What the office sees of the mails: found by number and outcome, read, and sent once more; the same without script."""

import pytest
from playwright.async_api import Browser, expect

from services.notifications import calls, words
from services.notifications.pages import typed
from shared.ids import new_id
from tests.browser.test_login import log_in
from tests.browser.test_request_form import database
from tests.browser.window import Window, axe, opened
from tests.browser.world import World
from tests.waiting import until

pytestmark = pytest.mark.timeout(180)


def test_every_message_has_its_name() -> None:
    assert words.TEMPLATES.keys() == calls.TEMPLATES.keys()


@pytest.mark.parametrize("text", ["MG-7K4M-2PQK", "mg 7k4m 2pqk", " 7K4M2PQK "])
def test_a_number_is_found_as_people_write_it(text: str) -> None:
    assert typed(text) == "MG-7K4M-2PQK"


@pytest.mark.parametrize("window", [Window("light", 1280), Window("dark", 320, script=False)], ids=str)
async def test_the_office_finds_a_mail_reads_it_and_sends_it_again(
    world: World, chromium: Browser, window: Window
) -> None:
    journey = await world.at("accept")
    async with opened(chromium, world.site("notifications"), window, login=world.stack.issuer) as (page, _):
        await log_in(page, "koordination", "/messages")
        await page.get_by_label("Nummer der Anfrage").fill(journey.case_number.lower())
        await page.get_by_label("Ausgang").select_option("sent")
        await page.get_by_role("button", name="Anzeigen").click()
        await expect(page.get_by_role("link", name="Eingangsbestätigung")).to_have_count(1)
        if window.script:
            assert await axe(page) == []
        await page.get_by_role("link", name="Anfrage an Beratende").first.click()
        letter = await page.locator(".panel").inner_text()
        assert journey.case_number in letter
        assert "token=…" in letter
        if window.script:
            assert await axe(page) == []
        message_id = page.url.split("?")[0].rpartition("/")[2]
        again = page.get_by_role("button", name="Noch einmal verschicken")
        await (again.dblclick() if window.script else again.click())
        await expect(page.get_by_text("Die Nachricht wird noch einmal verschickt")).to_be_visible()

    async with database(world, "notifications") as notifications:

        async def sent_again() -> bool:
            message = await notifications["messages"].find_one({"_id": message_id})
            return bool(message and message["state"] == "sent" and message["resends"])

        await until(sent_again, what="the mail to go out once more")
        message = await notifications["messages"].find_one({"_id": message_id})
        assert message is not None
        assert len(message["resends"]) in ((1,) if window.script else (1, 2)), "a second click sends nothing"


async def test_a_number_without_messages_and_a_mail_that_is_none(world: World, chromium: Browser) -> None:
    site = world.site("notifications")
    async with opened(chromium, site, Window("dark", 390), login=world.stack.issuer) as (page, _):
        await log_in(page, "koordination", "/messages")
        await page.get_by_label("Nummer der Anfrage").fill("<b>MG</b> 🎉")
        await page.get_by_role("button", name="Anzeigen").click()
        await expect(page.get_by_text("Dazu gibt es keine Nachrichten")).to_be_visible()
        assert await page.get_by_label("Nummer der Anfrage").input_value() == "<b>MG</b> 🎉"
        assert await axe(page) == []
        await page.goto("/messages/nonsense")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await page.goto(f"/messages/{new_id()}")
        await expect(page.get_by_text("Diese Nachricht gibt es nicht.")).to_be_visible()
        assert await axe(page) == []


async def test_hundreds_of_messages_come_in_pages(world: World, chromium: Browser) -> None:
    await world.at("accept")
    async with database(world, "notifications") as notifications:
        (one,) = await notifications["messages"].find({"template": "receipt"}).limit(1).to_list(None)
        many = [{**one, "_id": f"00000000-0000-7000-8000-{number:012}", "request_id": "many"} for number in range(200)]
        await notifications["messages"].insert_many(many)
    try:
        site = world.site("notifications")
        async with opened(chromium, site, Window("dark", 320), login=world.stack.issuer) as (page, _):
            await log_in(page, "koordination", "/messages")
            for _each in range(3):
                await page.get_by_role("link", name="Ältere").click()
            await expect(page.locator("tbody tr")).to_have_count(50)
            assert await axe(page) == []
            wide = "document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(wide) <= 0
            await page.get_by_role("link", name="Zu den neuesten").click()
            await expect(page.get_by_role("link", name="Ältere")).to_be_visible()
    finally:
        async with database(world, "notifications") as notifications:
            await notifications["messages"].delete_many({"request_id": "many"})
