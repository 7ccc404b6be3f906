"""The whole journey by browser alone, on a phone: the municipality asks, advisors accept, record and close, and the
municipality says how it was. With JavaScript, and without."""

import asyncio
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, Page, expect

from deploy.local.journey import Journey
from tests.browser.window import Window, opened
from tests.browser.world import World

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


@pytest.mark.timeout(240)
@pytest.mark.parametrize("script", [True, False], ids=["script", "noscript"])
async def test_the_whole_journey_by_browser_alone(world: World, chromium: Browser, script: bool) -> None:
    journey = Journey(world.stack.urls, world.secret, seconds=150)
    phone = Window(width=390, script=script)

    def ask() -> None:
        journey.submit()
        journey.await_assignment()
        journey.await_mails()

    await asyncio.to_thread(ask)
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
        await page.goto(world.answer(journey, 1))  # as the mail has it, without logging in
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
    await asyncio.to_thread(journey.until, "intake to hear", lambda: journey.status()["state"] == "closed")
    async with opened(chromium, world.site("intake"), phone) as (page, _):
        await page.goto(world.request(journey, "/feedback"))
        await page.get_by_label("sehr zufrieden").check()
        await page.get_by_label("Ja", exact=True).check()
        await page.get_by_label("Wie viele der vereinbarten").fill("1")
        await _press(page, "Rückmeldung senden")
    async with opened(
        chromium, world.site("matching"), phone, storage_state=await world.login(chromium, "koordination")
    ) as (page, _):
        found = page.get_by_text("5 von 5")
        for _each in range(50):  # until the feedback has reached matching
            await page.goto(f"/coordination/requests/{journey.request_id}")
            if await found.count():
                break
            await asyncio.sleep(0.2)
        await expect(found).to_be_visible()
        said = await page.locator("main").inner_text()
    assert re.search(rf"12 Personen erreicht.*{co}", said, re.DOTALL)
