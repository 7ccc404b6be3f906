"""The live page of operations: fresh by itself with a script, whole without one."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.window import SCREENS, Window, axe, opened, pictures
from tests.browser.world import World

pytestmark = pytest.mark.timeout(120, func_only=True)


async def test_operations_keeps_itself_fresh_and_is_whole_without_a_script(world: World, chromium: Browser) -> None:
    site, cookies = world.site("reporting"), await world.login(chromium, "betrieb")
    async with opened(chromium, site, Window(), storage_state=cookies) as (page, _):
        await page.goto("/operations")
        await expect(page.locator("#live")).to_contain_text("alle fünf Sekunden")
        await page.evaluate("document.getElementById('look').textContent = ''")
        await expect(page.get_by_role("table", name="Nachrichten je Thema")).to_be_visible()
        assert await axe(page) == []
        if SCREENS:
            await pictures(page, "reporting-operations")
    async with opened(chromium, site, Window("dark", 320, script=False), storage_state=cookies) as (page, _):
        await page.goto("/operations")
        await expect(page.get_by_role("table", name="Nachrichten je Thema")).to_be_visible()
        await expect(page.locator("#live")).to_be_empty()
