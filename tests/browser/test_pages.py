"""Each page of the site in real Chromium: by axe, light and dark, narrow, without JavaScript, and what it weighs."""

import os
from itertools import product
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.browser.routes import ROUTES, Shown
from tests.browser.window import Window, axe, opened
from tests.browser.world import World

pytestmark = pytest.mark.timeout(120, func_only=True)
SCREENS = os.environ.get("SCREENS", "")
"""A folder: then each page is also taken a picture of, `make screens`."""
WITH_FONTS, WITHOUT_FONTS = 150_000, 80_000
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
        assert await page.locator("h1").count() == 1
        assert seen.weight(fonts=True) <= WITH_FONTS, seen.weights
        assert seen.weight(fonts=False) <= WITHOUT_FONTS, seen.weights
        assert await axe(page) == []
        await page.emulate_media(color_scheme="dark")
        await page.set_viewport_size({"width": 320, "height": 800})
        assert await page.evaluate(_WIDER) <= 0, "scrolls sideways"
        assert await axe(page) == []
        said = await page.locator("main").inner_text()
        scripted = await page.locator("script").count()
        if SCREENS:
            await _pictures(page, shown)
    if scripted:
        async with opened(chromium, site, Window("dark", 320, script=False), storage_state=cookies) as (page, _):
            await page.goto(path)
            assert await page.locator("main").inner_text() == said


async def _pictures(page: Page, shown: Shown) -> None:
    for scheme, width in product(("light", "dark"), (390, 1280)):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await page.set_viewport_size({"width": width, "height": 800})
        place = Path(SCREENS) / f"{shown.service}-{shown.name}-{scheme}-{width}.png"
        await page.screenshot(path=place, full_page=True)
