"""A page in real Chromium that tells of everything a person wouldn't see: errors, refusals, foreign hosts, weight."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.async_api import Browser, ConsoleMessage, Page, Request

from deploy.local.tools import ROOT

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
SCREENS = os.environ.get("SCREENS", "")
"""A folder: then each page is also taken a picture of, `make screens`."""
_AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
_AXE_RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
  v => `${v.id}: ${v.help} — ` + v.nodes.map(n => n.target.join(" ") + " " + n.html.slice(0, 160)).join(" | "))"""


@dataclass(frozen=True)
class Window:
    """How a page is looked at; `width` in CSS pixels: 320 is also 1,280 at a zoom of 400 %."""

    scheme: Literal["light", "dark"] = "light"
    width: int = 1280
    script: bool = True

    def __str__(self) -> str:
        return f"{self.scheme}-{self.width}{'' if self.script else '-noscript'}"


@dataclass
class Seen:
    """What went on behind a page. `weights`: bytes over the wire by address, of everything that was loaded.

    `login`: the provider's host, to which whoever logs in is led.
    """

    host: str
    login: str = ""
    faults: list[str] = field(default_factory=list)
    weights: dict[str, int] = field(default_factory=dict)
    documents: set[str] = field(default_factory=set)

    def request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if request.is_navigation_request():
            self.documents.add(request.url)
        if parts.scheme not in ("data", "about") and parts.netloc not in (self.host, self.login):
            self.faults.append(f"asks another host: {request.url}")

    def failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # what was still on its way when the page was left
            self.faults.append(f"failed: {request.url} {request.failure}")

    def console(self, message: ConsoleMessage) -> None:
        # Chromium reports the status of a document that is an error page; everything else counts
        its_own = message.location.get("url") in self.documents and message.text.startswith("Failed to load resource")
        if message.type in ("error", "warning") and not its_own:
            self.faults.append(f"console: {message.text}")

    def weight(self, *, fonts: bool) -> int:
        return sum(size for address, size in self.weights.items() if fonts or not address.endswith(".woff2"))


@asynccontextmanager
async def opened(
    browser: Browser, site: str, window: Window, *, login: str = "", **options: Any
) -> AsyncIterator[tuple[Page, Seen]]:
    """A fresh page, without any cache, whose addresses begin at `site`. Fails at the end if anything was amiss.

    `login`: the provider's address, for those who log in.
    """
    context = await browser.new_context(
        base_url=site,
        color_scheme=window.scheme,
        viewport={"width": window.width, "height": 900},
        java_script_enabled=window.script,
        locale="de-DE",
        **options,
    )
    try:
        page, seen = await context.new_page(), Seen(urlsplit(site).netloc, urlsplit(login).netloc)
        page.on("request", seen.request)
        page.on("console", seen.console)
        page.on("pageerror", lambda error: seen.faults.append(f"script: {error}"))
        page.on("requestfailed", seen.failed)
        await _weigh(page, seen)
        yield page, seen
        assert not seen.faults, "\n".join(seen.faults)
    finally:
        await context.close()


async def _weigh(page: Page, seen: Seen) -> None:
    asked: dict[str, str] = {}
    session = await page.context.new_cdp_session(page)
    await session.send("Network.enable")
    session.on("Network.requestWillBeSent", lambda told: asked.update({told["requestId"]: told["request"]["url"]}))

    def loaded(told: dict[str, Any]) -> None:
        address = asked.get(told["requestId"], "")
        if not address.startswith("data:"):
            seen.weights[address] = seen.weights.get(address, 0) + int(told["encodedDataLength"])

    session.on("Network.loadingFinished", loaded)


async def pictures(page: Page, name: str) -> None:
    """Of the page as it is now: light and dark, on a phone and on a desk."""
    for scheme, width in product(("light", "dark"), (390, 1280)):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await page.set_viewport_size({"width": width, "height": 800})
        await page.screenshot(path=Path(SCREENS) / f"{name}-{scheme}-{width}.png", full_page=True)


async def axe(page: Page) -> list[str]:
    """What axe finds on the page as it is now. It comes by the debugger, past the page's own policy."""
    await page.evaluate(_AXE.read_text(encoding="utf-8"))
    found: list[str] = await page.evaluate(_AXE_RUN)
    return found
