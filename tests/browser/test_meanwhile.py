"""What happens between two looks at a page: a double click, the way back, a second tab, somebody who was faster."""

import httpx
import pytest
from playwright.async_api import Browser, expect

from deploy.local.journey import Journey
from shared import auth
from shared.ids import new_id
from tests.browser.test_request_form import database
from tests.browser.window import Window, axe, opened
from tests.browser.world import World

pytestmark = pytest.mark.timeout(180, func_only=True)


async def _asked(world: World, need: str) -> Journey:
    """A request of which two were asked, of its own."""
    return await world.at("await_assignment", need)


async def _answers(world: World, journey: Journey) -> list[str]:
    async with database(world, "matching") as matching:
        rows = await matching["outbox"].find({"topic": "advisor.answered", "key": journey.request_id}).to_list(None)
    return [row["body"].decode() for row in rows]


async def test_two_clicks_the_way_back_and_another_tab_answer_once(world: World, chromium: Browser) -> None:
    journey = await _asked(world, "Zweimal geklickt, in zwei Fenstern, und einmal zurück.")
    async with opened(chromium, world.site("matching"), Window(width=390)) as (page, _):
        await page.goto(world.answer(journey))
        other = await page.context.new_page()
        await other.goto(world.answer(journey))
        await page.get_by_role("button", name="Ich sage zu").dblclick()
        await expect(page.get_by_text("Sie haben zugesagt")).to_be_visible()
        await page.go_back()
        await page.reload()
        await expect(page.get_by_text("Sie haben zugesagt")).to_be_visible()
        await other.get_by_text("Ich sage ab").click()
        await other.get_by_role("button", name="Keine Zeit").click()
        await expect(other.get_by_text("zugesagt").first).to_be_visible()
        assert await axe(other) == []
    [told] = await _answers(world, journey)
    assert '"accepted"' in told


async def test_an_answer_to_what_others_were_asked_meanwhile_says_so(world: World, chromium: Browser) -> None:
    journey = await _asked(world, "Inzwischen hat die Koordination andere gefragt.")
    someone = next(number for number in ("A12", "A13", "A14", "A15") if number not in journey.advisors)
    async with opened(chromium, world.site("matching"), Window("dark", 390, script=False)) as (page, _):
        await page.goto(world.answer(journey))
        headers = {
            "Authorization": f"Bearer {auth.token(world.secret, 'coordinator', 'tests')}",
            "Idempotency-Key": new_id(),
        }
        async with httpx.AsyncClient(base_url=world.stack.urls["matching"], headers=headers, trust_env=False) as http:
            chosen = {"lead": someone, "reason": "Kennt die Vereine dort"}
            (await http.post(f"/api/requests/{journey.request_id}/assign", json=chosen)).raise_for_status()
        await page.get_by_role("button", name="Ich sage zu").click()
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        said = await page.locator("main").inner_text()
        assert said.count("Inzwischen gibt es eine neue Zusammenstellung.") == 1
        assert await page.get_by_role("button", name="Ich sage zu").count() == 0
    assert await _answers(world, journey) == []


async def test_a_coordinator_who_is_late_reads_what_was_decided_and_keeps_the_words(
    world: World, chromium: Browser
) -> None:
    journey = await _asked(world, "Zwei in der Koordination entscheiden zur selben Zeit.")
    cookies = await world.login(chromium, "koordination")
    path = f"/coordination/requests/{journey.request_id}"
    words = "Wegen der Nähe <b>zum</b> Ort 🎉"
    async with opened(chromium, world.site("matching"), Window(width=390), storage_state=cookies) as (page, _):
        await page.goto(f"{path}/assign")
        await page.get_by_label("Leitung").fill("A12")
        await page.get_by_label("Grund").fill(words)
        other = await page.context.new_page()
        await other.goto(path)
        await other.get_by_text("Abschließen", exact=True).first.click()
        await other.get_by_label("Nicht mehr möglich").check()
        async with other.expect_navigation():
            await other.get_by_role("button", name="Abschließen").dblclick()
        await expect(other.get_by_text("Abgeschlossen").first).to_be_visible()
        await page.get_by_role("button", name="Fragen").click()
        await expect(page.get_by_text("Das ging nicht")).to_be_visible()
        assert await page.get_by_label("Grund").input_value() == words
        assert await axe(page) == []
