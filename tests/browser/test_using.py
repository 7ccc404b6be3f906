"""What a person does with hands, eyes and keys: tab order, focus, zoom, print, language; and that the harness sees."""

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.browser.routes import ROUTES
from tests.browser.window import Window, axe, opened
from tests.browser.world import World

pytestmark = pytest.mark.timeout(120, func_only=True)
_STOPS = 'a[href], summary, button, input:not([type="hidden"]), select, textarea, [tabindex="0"]'
_FOCUSED = """(stops) => {
  const found = document.activeElement, box = found.getBoundingClientRect(), style = getComputedStyle(found);
  return {
    number: [...document.querySelectorAll(stops)].indexOf(found),
    shown: box.bottom > 0 && box.top < innerHeight && box.width > 0,
    what: found.outerHTML.slice(0, 160),
    ring: style.outlineStyle !== "none" || style.boxShadow !== "none",
  };
}"""


_ROWS = """found => new Set(
  found.filter(e => e.checkVisibility()).map(e => Math.round(e.getBoundingClientRect().top))
).size"""


async def _feedback(world: World, page: Page) -> None:
    await page.goto(world.request(await world.at("close"), "/feedback"))


@pytest.mark.parametrize("name", ["status-received", "form-contact", "advisor-asked", "coordination-engaged"])
async def test_the_first_key_leads_past_the_head_and_the_rest_in_reading_order(
    world: World, chromium: Browser, name: str
) -> None:
    shown = next(one for one in ROUTES if one.name == name)
    cookies = await world.login(chromium, await shown.who(world)) if shown.who else None
    # without motion: what has the focus is in sight at once
    async with opened(
        chromium, world.site(shown.service), Window(width=390), reduced_motion="reduce", storage_state=cookies
    ) as (page, _):
        await page.goto(await shown.path(world))
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.className") == "skip"
        visited = []
        for _each in range(await page.locator(_STOPS).count()):
            focused = await page.evaluate(_FOCUSED, _STOPS)
            if focused["number"] < 0:  # past the last: radio buttons of a group are one stop
                break
            assert focused["shown"], focused
            assert focused["ring"], focused
            visited.append(focused["number"])
            await page.keyboard.press("Tab")
        assert visited == sorted(visited)
        assert len(visited) > 10
        await page.locator(".skip").focus()
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "content"


@pytest.mark.parametrize("script", [True, False], ids=["script", "noscript"])
async def test_places_one_level_down_are_reached_by_keyboard_on_the_smallest_phone(
    world: World, chromium: Browser, script: bool
) -> None:
    cookies = await world.login(chromium, "koordination")
    async with opened(chromium, world.site("matching"), Window("dark", 320, script), storage_state=cookies) as (
        page,
        _,
    ):
        await page.goto("/coordination")
        places = page.get_by_role("navigation", name="Bereiche")
        assert await places.locator("li").evaluate_all(_ROWS) == 2
        for group, link in (("Mehr", "Barrieren"), ("Berichte", "Honorare")):
            await places.get_by_text(group, exact=True).focus()
            await page.keyboard.press("Enter")
            await expect(places.get_by_role("link", name=link)).to_be_visible()
        if script:
            assert await axe(page) == []
        assert await page.evaluate("document.scrollingElement.scrollWidth") <= 320
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1, name="Honoraransprüche")).to_be_visible()
        await expect(places.get_by_text("Berichte", exact=True)).to_have_attribute("aria-current", "true")


@pytest.mark.parametrize("script", [True, False], ids=["script", "noscript"])
async def test_what_is_wrong_takes_the_focus_and_leads_to_its_field(
    world: World, chromium: Browser, script: bool
) -> None:
    async with opened(chromium, world.site("intake"), Window("dark", 390, script)) as (page, _):
        await _feedback(world, page)
        await page.get_by_label("Wie viele der vereinbarten").fill("viele")
        await page.get_by_label("Was möchten Sie uns noch sagen?").fill("<b>Danke</b> 🎉 شكراً")
        await page.get_by_role("button", name="Rückmeldung senden").click()
        await expect(page.locator("#errors")).to_be_focused()
        assert (await page.title()).startswith("Fehler:")
        assert await page.get_by_label("Was möchten Sie uns noch sagen?").input_value() == "<b>Danke</b> 🎉 شكراً"
        if script:
            assert await axe(page) == []
        await page.get_by_role("link", name="Bitte eine ganze Zahl.").click()
        assert page.url.endswith("#options_taken_up")
        described = await page.locator("#options_taken_up").get_attribute("aria-describedby")
        assert "Bitte eine ganze Zahl." in await page.locator(f"#{described}").inner_text()


async def test_print_leaves_out_what_is_of_no_use_on_paper(world: World, chromium: Browser) -> None:
    async with opened(chromium, world.site("intake"), Window("dark")) as (page, _):
        await page.goto(world.request(await world.at("submit")))
        await page.emulate_media(media="print")
        for unseen in (".skip", ".tongues", ".actions"):
            assert not await page.locator(unseen).first.is_visible(), unseen
        assert await page.locator(".timeline").is_visible()
        paper = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == "rgb(255, 255, 255)"


async def test_who_wants_no_motion_gets_none(world: World, chromium: Browser) -> None:
    async with opened(chromium, world.site("intake"), Window(), reduced_motion="reduce") as (page, _):
        await _feedback(world, page)
        moving = await page.evaluate(
            """[...document.querySelectorAll("*")].filter(e => {
              const s = getComputedStyle(e);
              return s.scrollBehavior === "smooth" || parseFloat(s.transitionDuration) > 0.001
                || parseFloat(s.animationDuration) > 0.001;
            }).map(e => e.outerHTML.slice(0, 80))"""
        )
        assert moving == []


async def test_at_four_times_the_size_all_is_there_and_nothing_moves_sideways(world: World, chromium: Browser) -> None:
    async with opened(chromium, world.site("intake"), Window(width=320), device_scale_factor=4) as (page, _):
        await page.set_viewport_size({"width": 320, "height": 256})  # 1,280 × 1,024 at 400 %
        await _feedback(world, page)
        beyond = await page.evaluate(
            """[...document.querySelectorAll("main *, header *, footer *")].filter(
              e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".skip, .kern-sr-only")
            ).map(e => e.outerHTML.slice(0, 80))"""
        )
        assert beyond == []


async def test_the_language_is_chosen_once(world: World, chromium: Browser) -> None:
    async with opened(chromium, world.site("intake"), Window()) as (page, _):
        await page.goto(world.request(await world.at("submit")))
        await page.get_by_role("link", name="English").click()
        assert await page.locator("html").get_attribute("lang") == "en"
        await page.get_by_role("link", name="Withdraw the request").click()
        assert await page.locator("h1").inner_text() == "Withdraw the request?"
        [cookie] = await page.context.cookies()
        assert (cookie["name"], cookie["sameSite"], cookie["httpOnly"]) == ("lang", "Lax", True)


_BAD = {
    "a script in the page": "<script>document.title = 'ran'</script>",
    "another host": '<img alt="" src="http://elsewhere.example/pixel.gif">',
    "a style in the page": '<p style="color: red">red</p>',
}


@pytest.mark.parametrize("body", _BAD.values(), ids=_BAD)
async def test_what_a_page_must_not_do_is_seen(world: World, chromium: Browser, body: str) -> None:
    path = world.request(await world.at("submit"))

    async def spoil(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, body=(await answer.text()).replace("</main>", f"{body}</main>"))

    async def look() -> None:
        async with opened(chromium, world.site("intake"), Window()) as (page, _):
            await page.route("**/requests/**", spoil)
            await page.goto(path)
            await page.wait_for_load_state("networkidle")

    with pytest.raises(AssertionError, match=r"Content Security Policy|another host"):
        await look()


async def test_axe_sees_what_it_is_there_for(chromium: Browser) -> None:
    async with opened(chromium, "http://none.example", Window()) as (page, _):
        await page.set_content('<main><h1>x</h1><input><p style="color:#aaa;background:#fff">pale</p></main>')
        found = "\n".join(await axe(page))
        assert "label:" in found
        assert "color-contrast:" in found
