"""What a page sends must be meant by who is signed in; what came too late is kept, and offered again."""

import httpx
import pytest

from shared.login.sessions import KEPT, SESSIONS
from tests.login.world import Browser, World, field, link

LONG = "Der Verein möchte <b>im Herbst</b> beginnen & braucht Räume.\nZweite Zeile: „so“ 🌍 " + "x" * 3000


async def coordinator(here: World) -> tuple[Browser, str]:
    browser = here.browser()
    return browser, (await browser.log_in("koordination")).json()["csrf"]


async def test_a_form_with_its_token_from_this_site_is_carried_out(here: World) -> None:
    browser, csrf = await coordinator(here)
    assert (await browser.post("/notes", {"text": LONG, "csrf": csrf})).json() == {"text": LONG}
    assert here.notes == [("koordination", LONG)]


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "origin": "https://other.example"},
        {"sec-fetch-site": "same-site", "origin": "https://sister.site.example"},
        {"sec-fetch-site": "cross-site", "origin": "null"},
        {"sec-fetch-site": "none", "origin": "https://site.example.other.example"},
    ],
)
async def test_another_sites_form_is_refused_even_with_the_token(here: World, headers: dict[str, str]) -> None:
    browser, csrf = await coordinator(here)
    answer = await browser.post("/notes", {"text": "x", "csrf": csrf}, **headers)
    assert answer.status_code == 403
    assert not here.notes


async def test_a_browser_without_fetch_metadata_is_judged_by_origin(here: World) -> None:
    browser, csrf = await coordinator(here)
    for origin, status in (("https://other.example", 403), ("null", 403), (here.site, 200)):
        answer = await browser.http.post("/notes", data={"text": "x", "csrf": csrf}, headers={"origin": origin})
        assert answer.status_code == status, origin


async def test_without_a_token_or_with_a_forged_one_nothing_is_carried_out(here: World) -> None:
    browser, csrf = await coordinator(here)
    for token in ({}, {"csrf": ""}, {"csrf": csrf[:-2] + "AA"}, {"csrf": "a.b.c"}):
        assert (await browser.post("/notes", {"text": "x", **token})).status_code == 403
    assert not here.notes


async def test_a_scripts_token_comes_in_a_header(here: World) -> None:
    browser, csrf = await coordinator(here)
    assert (await browser.post("/notes", {"text": "x"}, **{"x-csrf-token": csrf})).status_code == 200


async def test_a_form_of_an_earlier_session_is_shown_again_with_what_was_typed(here: World) -> None:
    """Somebody logged in anew in another tab."""
    browser, csrf = await coordinator(here)
    browser.http.cookies.delete("__Host-matching-session")
    await browser.get("/mine")
    asked = await browser.post("/notes", {"text": LONG, "csrf": csrf})
    assert asked.status_code == 409
    assert "aus einer früheren Sitzung" in asked.text
    assert "&lt;b&gt;im Herbst&lt;/b&gt;" in asked.text
    assert not here.notes
    await browser.post("/notes", {"text": LONG, "csrf": field(asked, "csrf")})
    assert here.notes == [("koordination", LONG)]


async def test_a_form_of_another_account_is_not_carried_out(here: World) -> None:
    _, csrf = await coordinator(here)
    other = here.browser()
    await other.log_in("skew")
    answer = await other.post("/notes", {"text": "x", "csrf": csrf})
    assert answer.status_code == 403
    assert "Inzwischen ist jemand anderes angemeldet" in answer.text


async def late(here: World, text: str = LONG) -> tuple[Browser, httpx.Response]:
    browser, csrf = await coordinator(here)
    await here.mongo[SESSIONS].delete_many({})  # as the database does when it has ended
    return browser, await browser.post("/notes?again=1", {"text": text, "csrf": csrf, "choice": "a"})


async def test_a_form_after_the_sessions_end_is_kept_and_sent_after_the_login(here: World) -> None:
    browser, told = await late(here)
    assert told.status_code == 401
    assert "eine halbe Stunde lang aufgehoben" in told.text
    assert not here.notes
    offered = await browser.get(link(told, "Neu anmelden"))
    assert offered.url.path == "/matching/kept"
    assert 'action="/notes?again=1"' in offered.text
    assert "&lt;b&gt;im Herbst&lt;/b&gt;" in offered.text
    assert field(offered, "choice") == "a"
    await browser.post(
        "/notes?again=1", {"text": LONG, "csrf": field(offered, "csrf"), "kept-form": field(offered, "kept-form")}
    )
    assert here.notes == [("koordination", LONG)]
    assert "Hier wartet nichts mehr" in (await browser.get("/matching/kept")).text


async def test_what_is_kept_can_be_read_by_nobody_else(here: World) -> None:
    browser, told = await late(here, "Geheimes aus dem Gespräch")
    assert "Geheimes" not in str([form async for form in here.mongo[KEPT].find()])
    await browser.http.post(f"{here.settings.oidc_issuer}/oauth2/end_session/confirm")
    asked = await browser.get(link(told, "Neu anmelden"))
    offered = await browser.http.post(asked.url, data={"sub": "A05"})  # the next one at the same computer
    assert "Hier wartet nichts mehr" in offered.text
    assert "Geheimes" not in offered.text


async def test_the_kept_form_needs_the_token_too(here: World) -> None:
    """Another site could otherwise put words into somebody's mouth."""
    browser, _ = await coordinator(here)
    await here.mongo[SESSIONS].delete_many({})
    for token in ({}, {"csrf": "a.b.c"}):
        assert (await browser.post("/notes", {"text": "x", **token})).status_code == 403
    assert await here.mongo[KEPT].count_documents({}) == 0


async def test_what_is_too_long_is_not_kept_and_the_page_says_what_to_do(here: World) -> None:
    _, told = await late(here, "x" * 70_000)
    assert told.status_code == 401
    assert "zu lang, um sie aufzuheben" in told.text
    assert await here.mongo[KEPT].count_documents({}) == 0


async def test_forms_of_several_tabs_are_all_kept(here: World) -> None:
    browser, csrf = await coordinator(here)
    await here.mongo[SESSIONS].delete_many({})
    for text in ("die erste Notiz", "die zweite Notiz"):
        told = await browser.post("/notes", {"text": text, "csrf": csrf})
    offered = await browser.get(link(told, "Neu anmelden"))
    assert "die erste Notiz" in offered.text
    assert "die zweite Notiz" in offered.text
