"""The documents of the APIs and events in a real browser: their viewers run under the policy they have."""

import pytest
from playwright.async_api import Browser, expect

from deploy.local.stack import SERVICES
from tests.browser.window import Window, opened
from tests.browser.world import World

pytestmark = pytest.mark.timeout(120, func_only=True)


@pytest.mark.parametrize("service", SERVICES)
async def test_what_a_service_answers_and_emits_can_be_read(world: World, chromium: Browser, service: str) -> None:
    """At the service's own address and below its name on the site."""
    for site, prefix in ((world.stack.urls[service], ""), (world.site(service), f"/{service}")):
        async with opened(chromium, site, Window()) as (page, _):
            await page.goto(f"{prefix}/docs")
            await expect(page.locator(".opblock").first).to_be_visible()
            if prefix:  # the larger of the two once only
                await page.goto(f"{prefix}/asyncapi")
                await expect(page.get_by_role("heading", name="Operations")).to_be_visible()
