"""Logging in, being warned, coming too late and logging out, as a coordinator does it in real Chromium."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection

from shared.login.sessions import SESSIONS
from tests.browser.window import Window, axe, opened
from tests.browser.world import World

pytestmark = pytest.mark.timeout(180, func_only=True)
IMPORT = "/coordination/advisors/import"
TYPED = "id,name\nA99,Ärztin <b>Beispiel</b> مرحبا 🎉 — die Zeile ist lang genug"


async def log_in(page: Page, account: str, to: str) -> None:
    """Opens `to`, chooses `account` at the provider and comes back."""
    await page.goto(to)
    await page.get_by_role("button", name=account, exact=True).click()
    await page.wait_for_url(f"**{to}")


@asynccontextmanager
async def sessions_of(world: World) -> AsyncIterator[AsyncCollection[dict[str, Any]]]:
    """Matching's sessions, to be shortened or ended behind the browser's back."""
    async with AsyncMongoClient[dict[str, Any]](world.stack.mongo) as client:
        yield client["browser-miglobe-matching"][SESSIONS]
    world.forget_logins()


@pytest.mark.parametrize("script", [True, False], ids=["script", "noscript"])
async def test_a_coordinator_logs_in_comes_back_and_logs_out(world: World, chromium: Browser, script: bool) -> None:
    site, issuer = world.site("matching"), world.stack.issuer
    async with opened(chromium, site, Window(width=390, script=script), login=issuer) as (page, _):
        await log_in(page, "koordination", "/coordination/search?q=Salach")
        await expect(page.get_by_text("Angemeldet: Beispiel Koordination")).to_be_visible()
        (cookie,) = [one for one in await page.context.cookies(site) if one["name"] == "matching-session"]
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["expires"]) == (True, "Lax", -1)
        await page.goto(f"{world.site('reporting')}/reporting/back-again")  # the provider asks nothing again
        await expect(page.get_by_role("heading", name="Sie sind wieder angemeldet")).to_be_visible()
        await page.get_by_role("button", name="Abmelden").click()
        await page.get_by_role("button", name="End session").click()
        await expect(page.get_by_role("heading", name="Sie sind abgemeldet")).to_be_visible()
        assert [one["name"] for one in await page.context.cookies() if "session" in one["name"]] == []
        await page.goto("/coordination")
        assert page.url.startswith(issuer)


async def test_who_may_not_see_a_page_reads_so_and_can_log_in_as_another(world: World, chromium: Browser) -> None:
    async with opened(chromium, world.site("matching"), Window("dark", 320), login=world.stack.issuer) as (page, _):
        await log_in(page, "A05", "/coordination")
        await expect(page.get_by_role("heading", name="Diese Seite ist nicht für Sie")).to_be_visible()
        await expect(page.get_by_text("Diese Seite ist für: Koordination.")).to_be_visible()
        assert await axe(page) == []


@pytest.mark.parametrize("script", [True, False], ids=["script", "noscript"])
async def test_what_is_sent_after_the_end_of_the_session_is_not_lost(
    world: World, chromium: Browser, script: bool
) -> None:
    site, issuer = world.site("matching"), world.stack.issuer
    async with opened(chromium, site, Window(width=390, script=script), login=issuer) as (page, _):
        await log_in(page, "koordination", IMPORT)
        async with sessions_of(world) as sessions:
            await page.locator("textarea").fill(TYPED)
            await sessions.delete_many({})
        await page.locator("main form button[type=submit]").first.click()
        await expect(page.get_by_role("heading", name="Ihre Sitzung war abgelaufen")).to_be_visible()
        if script:
            assert await axe(page) == []
        await page.get_by_role("link", name="Neu anmelden").click()
        await expect(page.get_by_role("heading", name="Ihre Eingaben sind noch da")).to_be_visible()
        assert await page.locator("textarea").input_value() == TYPED
        if script:
            assert await axe(page) == []
        await page.get_by_role("button", name="Jetzt absenden").click()
        await page.wait_for_url(f"**{IMPORT}*")
        assert "Beispiel</b>" in await page.locator("main").inner_text() + await page.locator("textarea").input_value()


async def test_before_the_end_it_warns_and_goes_on_if_asked(world: World, chromium: Browser) -> None:
    async with opened(chromium, world.site("matching"), Window(width=390), login=world.stack.issuer) as (page, _):
        await page.clock.install()
        await log_in(page, "koordination", "/matching/back-again")
        box = page.locator("#session-end")
        async with sessions_of(world) as sessions:
            await page.clock.fast_forward("56:00")  # another tab was used meanwhile: no word
            await expect(box).to_be_empty()
            await sessions.update_many({}, {"$set": {"expires_at": datetime.now(UTC) + timedelta(seconds=240)}})
            await page.clock.fast_forward("56:00")
            await expect(box).to_contain_text("Ihre Sitzung endet gleich")
            assert await axe(page) == []
            await box.get_by_role("button", name="Angemeldet bleiben").click()
            await expect(box).to_be_empty()
            ends = datetime.now(UTC) + timedelta(seconds=200)
            await sessions.update_many({}, {"$set": {"expires_at": ends, "ends_at": ends}})
            await page.clock.fast_forward("57:00")
            await box.get_by_role("button", name="Angemeldet bleiben").click()
            await expect(box).to_contain_text("lässt sich nicht verlängern")
            await sessions.delete_many({})
            await page.clock.fast_forward("05:00")
            await expect(box).to_contain_text("Ihre Sitzung ist zu Ende")
            assert await axe(page) == []
