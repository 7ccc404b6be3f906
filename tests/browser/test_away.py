"""The database is away just when somebody sends a form: the page says so, keeps what was typed, and later takes it."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from deploy.local.stack import Stack
from tests.browser.drafts import STRANGE
from tests.browser.window import Window, axe, opened
from tests.browser.world import World
from tests.waiting import until

ASKED = "Während die Datenbank fort ist, sagt jemand zu."
HELD = "Während die Datenbank fort ist, wird eine Sitzung erfasst."
OVER = "Während die Datenbank fort ist, gibt jemand Rückmeldung."
STILL_HERE = "Was Sie eingegeben haben, steht noch hier."


async def _sent(page: Page, button: str) -> int:
    """The status of the answer."""
    async with page.expect_response(lambda one: one.request.method == "POST", timeout=60_000) as answered:
        await page.get_by_role("button", name=button, exact=True).click()
    answer = await answered.value
    await page.wait_for_load_state()
    return answer.status


async def _taken(page: Page, button: str, shown: str) -> None:
    """Sent again until it is."""

    async def there() -> bool:
        again = page.get_by_role("button", name=button, exact=True)
        if not await page.get_by_text(shown).count() and await again.count():
            await _sent(page, button)
        return bool(await page.get_by_text(shown).count())

    await until(there, what=f"“{shown}” once the database is back")


@pytest.mark.timeout(300, func_only=True)
async def test_portal_feedback_and_barrier_form_say_so_and_take_it_later(
    world: World, chromium: Browser, stack: Stack
) -> None:
    asked = await world.at("await_assignment", ASKED)
    held, over = await world.at("accept", HELD), await world.at("close", OVER)
    session_id = await world.planned(held)
    async with AsyncExitStack() as closing:

        async def open_at(path: str, window: Window, account: str | None = None) -> Page:
            cookies: Any = {"storage_state": await world.login(chromium, account)} if account else {}
            page, _ = await closing.enter_async_context(opened(chromium, world.site("matching"), window, **cookies))
            await page.goto(path)
            return page

        portal = await open_at(f"/advisor/requests/{asked.assignment_id}", Window(width=390), asked.advisors[0])
        record = await open_at(f"/advisor/sessions/{session_id}/record", Window("dark", 390), held.advisors[0])
        feedback = await open_at(world.request(over, "/feedback"), Window("dark", 320))
        barrier = await open_at("/barrier", Window(script=False))
        await record.get_by_label("Wie viele Menschen waren dabei?").fill("17")
        await record.get_by_label("In Worten").first.fill(STRANGE)
        await feedback.get_by_label("sehr zufrieden").check()
        await feedback.get_by_label("Ja", exact=True).check()
        await feedback.get_by_label("Wie viele der vereinbarten").fill("1")
        await feedback.get_by_label("Was möchten Sie uns noch sagen?").fill(STRANGE)
        await barrier.get_by_label("Was geht nicht?").fill(STRANGE)

        await asyncio.to_thread(stack.pause, "mongo")
        try:
            codes = await asyncio.gather(
                _sent(portal, "Ich sage zu"),
                _sent(record, "Sitzung erfassen"),
                _sent(feedback, "Rückmeldung senden"),
                _sent(barrier, "Meldung senden"),
            )
            assert set(codes) == {503}
            for page in (portal, record):
                await expect(page.get_by_text("Noch nicht gespeichert")).to_be_visible()
            await expect(record.get_by_text(STRANGE)).to_be_visible()
            for page in (feedback, barrier):
                await expect(page.get_by_text(STILL_HERE)).to_be_visible()
            assert await feedback.get_by_label("sehr zufrieden").is_checked()
            assert await feedback.get_by_label("Was möchten Sie uns noch sagen?").input_value() == STRANGE
            assert await barrier.get_by_label("Was geht nicht?").input_value() == STRANGE
            assert [await axe(page) for page in (portal, record, feedback)] == [[], [], []]
        finally:
            await asyncio.to_thread(stack.resume, "mongo")

        await _taken(portal, "Noch einmal senden", "Sie haben zugesagt")
        await _taken(record, "Noch einmal senden", "Die Sitzung ist erfasst.")
        await _taken(feedback, "Rückmeldung senden", "Sie haben Ihre Rückmeldung gegeben.")
        await _taken(barrier, "Meldung senden", "Ihre Meldung ist bei der Geschäftsstelle.")
        await record.goto(f"/advisor/engagements/{held.request_id}")
        await expect(record.get_by_text(STRANGE)).to_be_visible()
