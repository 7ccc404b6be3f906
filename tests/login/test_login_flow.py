"""Logging in, staying in, and out again, with a real provider and the real database."""

from urllib.parse import parse_qs, urlsplit

import httpx

from shared.login.sessions import SESSIONS
from tests.login.world import Browser, World, link


async def test_whoever_opens_a_page_logs_in_and_comes_back_to_it(here: World) -> None:
    page = await here.browser().log_in("koordination", "/worklist?state=parked&after=%C3%BC")
    assert str(page.url) == f"{here.site}/worklist?state=parked&after=%C3%BC"
    assert page.json()["by"] == "koordination"


async def test_the_way_out_bears_state_nonce_and_a_pkce_challenge(here: World) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(here.app), base_url=here.site) as http:
        sent = await http.get("/matching/login", params={"to": "/worklist"})
    asked = {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    assert asked["redirect_uri"] == f"{here.site}/matching/login/back"
    assert asked["code_challenge_method"] == "S256"
    assert asked["response_type"] == "code"
    assert all(len(asked[name]) >= 32 for name in ("state", "nonce", "code_challenge"))
    assert "openid" in asked["scope"]


async def test_only_paths_of_this_site_are_come_back_to(here: World) -> None:
    for elsewhere in ("https://other.example/", "//other.example/", "/\\other.example", "javascript:alert(1)", "/a\nb"):
        browser = here.browser()
        asked = await browser.get("/matching/login", params={"to": elsewhere})
        page = await browser.http.post(asked.url, data={"sub": "koordination"}, follow_redirects=False)
        back = await browser.http.get(page.headers["location"], follow_redirects=False)
        assert back.headers["location"] == "/", elsewhere


async def test_the_cookie_is_bound_to_the_host_and_kept_from_scripts_and_other_sites(here: World) -> None:
    browser = here.browser()
    asked = await browser.get("/mine")
    page = await browser.http.post(asked.url, data={"sub": "koordination"}, follow_redirects=False)
    back = await browser.http.get(page.headers["location"], follow_redirects=False)
    (cookie,) = [one for one in back.headers.get_list("set-cookie") if one.startswith("__Host-matching-session=")]
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert "Max-Age" not in cookie


async def test_the_database_knows_the_session_by_its_hash_only(here: World) -> None:
    browser = here.browser()
    await browser.log_in("koordination")
    stored = str([found async for found in here.mongo[SESSIONS].find()])
    assert browser.cookies["__Host-matching-session"] not in stored
    assert "eyJhbGciOiJSUzI1NiIs" not in stored  # no ID token in clear


async def test_a_login_renews_the_id_and_ends_the_earlier_session(here: World) -> None:
    browser = here.browser()
    await browser.log_in("koordination")
    first = browser.cookies["__Host-matching-session"]
    browser.http.cookies.delete("__Host-matching-session")
    browser.http.cookies.set("__Host-matching-session", "chosen-by-somebody-else", domain="site.example")
    page = await browser.get("/mine")  # the provider remembers: no second choice
    assert page.json()["name"] == "Beispiel Koordination"
    assert browser.cookies["__Host-matching-session"] not in (first, "chosen-by-somebody-else")


async def test_each_role_sees_its_pages_and_a_plain_sentence_at_others(here: World) -> None:
    advisor, ops, nobody = here.browser(), here.browser(), here.browser()
    assert (await advisor.log_in("A05", "/offers")).json() == {"by": "A05"}
    refused = await advisor.get("/worklist")
    assert refused.status_code == 403
    assert "Diese Seite ist für: Koordination." in refused.text
    assert "Sie sind angemeldet als: Beratung." in refused.text
    assert (await ops.log_in("betrieb", "/worklist")).status_code == 403
    stranger = await nobody.log_in("jemand@fremd.example", "/mine")
    assert stranger.status_code == 403
    assert "hat hier noch keine Rolle" in stranger.text


async def test_logging_out_ends_the_session_here_and_at_the_provider(here: World) -> None:
    browser = here.browser()
    mine = (await browser.log_in("koordination")).json()
    page = await browser.post(mine["logout"], {"csrf": mine["csrf"]})
    assert await here.mongo[SESSIONS].count_documents({}) == 0
    assert "__Host-matching-session" not in browser.cookies
    onward = page.headers["refresh"].partition("url=")[2]
    assert onward == link(page, "Weiter zum Anmeldedienst")
    asked = parse_qs(urlsplit(onward).query)
    assert asked["post_logout_redirect_uri"] == [f"{here.site}/matching/logged-out"]
    assert asked["id_token_hint"][0].startswith("eyJ")
    done = await _confirm(browser, onward)
    assert "Sie sind abgemeldet" in done.text
    assert (await browser.get("/mine")).url.path == "/oauth2/authorize"


async def test_nobody_else_can_log_somebody_out(here: World) -> None:
    browser = here.browser()
    mine = (await browser.log_in("koordination")).json()
    elsewhere = {"sec-fetch-site": "cross-site", "origin": "https://other.example"}
    assert (await browser.post(mine["logout"], {"csrf": mine["csrf"]}, **elsewhere)).status_code == 403
    assert (await browser.post(mine["logout"], {"csrf": "a.b.c"})).status_code == 403
    assert (await browser.get("/mine")).json() == mine


async def test_long_addresses_in_many_tabs_do_not_outgrow_the_cookie(here: World) -> None:
    browser = here.browser()
    for tab in range(6):
        asked = await browser.get("/mine", params={"tab": tab, "long": "x" * 1900})
    assert len(browser.cookies["__Host-matching-login"]) < 4000
    page = await browser.http.post(asked.url, data={"sub": "koordination"})
    assert page.url.params["tab"] == "5"


async def _confirm(browser: Browser, onward: str) -> httpx.Response:
    asked = await browser.get(onward)
    there = parse_qs(asked.url.query.decode())["post_logout_redirect_uri"][0]
    return await browser.http.post(asked.url.join("/oauth2/end_session/confirm"), data={"redirect_uri": there})
