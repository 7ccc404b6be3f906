"""Whatever is typed into whichever field: HTML, right-to-left names, emoji, 4,000 characters. Shown as typed, run
nowhere, and kept where it can't be taken."""

import pytest
from playwright.async_api import Browser, Locator, Page

from tests.browser.drafts import LONG, STRANGE
from tests.browser.routes import ROUTES, Shown
from tests.browser.window import Window, opened
from tests.browser.world import World

pytestmark = pytest.mark.timeout(180, func_only=True)
_TEXTS = "input:not([type]), input[type=text], input[type=search], input[type=email], input[type=tel], textarea"
_OPEN = "document.querySelectorAll('details').forEach(each => { each.open = true; })"
_THERE = """[...document.querySelectorAll("main input, main textarea")].map(each => each.value)
  .concat(document.querySelector("main").innerText).map(each => each.replace(/\\s+/g, " "))"""
PAGES = (
    *("form-who", "form-what", "form-contact", "form-save", "barrier", "feedback", "withdraw"),
    *("advisor-asked", "advisor-arrange", "advisor-record", "advisor-me", "advisor-engagement"),
    *("coordination-search-empty", "coordination-engaged", "coordination-asked", "coordination-assign"),
    *("coordination-leaving", "coordination-advisors-none", "coordination-advisor-new", "coordination-import"),
    *("messages", "periods"),
)


def test_all_these_pages_are_there() -> None:
    assert set(PAGES) <= {shown.name for shown in ROUTES}


@pytest.mark.parametrize("name", PAGES)
async def test_what_is_typed_is_text_and_nothing_else(world: World, chromium: Browser, name: str) -> None:
    shown = next(one for one in ROUTES if one.name == name and one.act is None)
    cookies = await world.login(chromium, await shown.who(world)) if shown.who else None
    async with opened(chromium, world.site(shown.service), Window(width=390), storage_state=cookies) as (page, _):
        path, turn = await shown.path(world), 0
        while True:
            await page.goto(path)
            await page.evaluate(_OPEN)
            forms = page.locator("main form")
            if turn >= await forms.count():
                break
            await _try(page, forms.nth(turn), shown)
            turn += 1


async def _try(page: Page, form: Locator, shown: Shown) -> None:
    typed = {}
    for field in await form.locator(_TEXTS).all():
        most = int(await field.get_attribute("maxlength") or 4000)
        is_area = await field.evaluate("each => each.tagName === 'TEXTAREA'")
        text = (LONG if is_area else STRANGE)[: most - 2].strip()
        await field.fill(text)
        typed[str(await field.get_attribute("name"))] = " ".join(text.split())
    if not typed:
        return
    async with page.expect_navigation() as navigation:
        await form.locator("button[type=submit]").first.click()
    answer = await navigation.value
    assert answer is not None
    assert answer.status < 500, await page.locator("main").inner_text()
    assert "ran" not in (await page.title()).split(), "a script that was typed"
    there = await page.evaluate(_THERE)
    if answer.status >= 400 or "note" in typed:
        for name, text in typed.items():
            assert any(text in one for one in there), f"{shown.name}: {name} is lost"
