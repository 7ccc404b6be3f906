"""Each page of the site in real Chromium: by axe, light and dark, narrow, without JavaScript, and what it weighs."""

import pytest
from playwright.async_api import Browser, Page, Response

from tests.browser.routes import ROUTES, Shown
from tests.browser.window import SCREENS, Window, axe, opened, pictures
from tests.browser.world import World

pytestmark = pytest.mark.timeout(120, func_only=True)
WITH_FONTS, WITHOUT_FONTS = 150_000, 80_000
_PALE = """[...document.querySelectorAll("main *")].filter(e => {
  const text = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  if (!text || !e.checkVisibility() || e.closest("svg, .kern-sr-only, select")) return false;
  const [r, g, b] = getComputedStyle(e).color.match(/[\\d.]+/g).map(Number);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 150;
}).map(e => e.outerHTML.slice(0, 120))"""
"""Texts too light for paper, where no background is printed."""
_WIDER = "document.scrollingElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("shown", ROUTES, ids=lambda shown: shown.name)
async def test_a_page_can_be_used_by_everybody(world: World, chromium: Browser, shown: Shown) -> None:
    """Whatever the light, the width, the script: nothing for axe to find, nothing cut off, nothing from elsewhere."""
    site, path = world.site(shown.service), await shown.path(world)
    cookies = await world.login(chromium, await shown.who(world)) if shown.who else None
    async with opened(chromium, site, Window(), storage_state=cookies) as (page, seen):
        answer = await page.goto(path)
        assert answer is not None
        assert answer.status == shown.status
        assert seen.weight(fonts=True) <= WITH_FONTS, seen.weights
        assert seen.weight(fonts=False) <= WITHOUT_FONTS, seen.weights
        if shown.act:
            await _act(page, shown)
        assert await page.locator("h1").count() == 1
        assert await axe(page) == []
        await page.emulate_media(color_scheme="dark")
        await page.set_viewport_size({"width": 320, "height": 800})
        assert await page.evaluate(_WIDER) <= 0, "scrolls sideways"
        assert await axe(page) == []
        said = await page.locator("main").inner_text()
        await page.emulate_media(media="print")
        await page.set_viewport_size({"width": 720, "height": 1000})  # A4 within its margins
        assert await page.evaluate(_WIDER) <= 0, "cut off on paper"
        assert await page.evaluate(_PALE) == [], "as good as white on white paper"
        await page.emulate_media(media="screen")
        scripted = await page.locator("script").count()
        if SCREENS:
            await pictures(page, f"{shown.service}-{shown.name}")
    if scripted:
        async with opened(chromium, site, Window("dark", 320, script=False), storage_state=cookies) as (page, _):
            await page.goto(path)
            if shown.act:
                await _act(page, shown)
            assert await page.locator("main").inner_text() == said


async def _act(page: Page, shown: Shown) -> None:
    assert shown.act is not None
    answered: list[int] = []

    def note(answer: Response) -> None:
        if answer.request.is_navigation_request():
            answered.append(answer.status)

    page.on("response", note)
    await shown.act(page)
    assert answered[-1] == shown.then
