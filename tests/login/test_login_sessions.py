"""How long a session lasts, by the database's clock; and what happens while the provider is away."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.auth import Person
from shared.login.provider import Rejected
from shared.login.sealing import seal, unseal
from shared.login.sessions import KEPT, SESSIONS, Sessions
from shared.mongo import Mongo
from tests.conftest import FreshMongo
from tests.login.issuing import Issuer, issuing
from tests.login.world import Browser, World, world

PERSON = Person("koordination", "$name {{ <b>", ("coordinator",))


@pytest.fixture(params=["pymongo", "motor"])
async def sessions(request: pytest.FixtureRequest, fresh_mongo: FreshMongo) -> tuple[Sessions, Mongo]:
    """Of an hour, ten at most; on both drivers."""
    mongo = fresh_mongo("matching", request.param)
    made = Sessions(mongo, 3600, 36_000)
    await made.prepare()
    return made, mongo


async def test_a_session_is_found_by_its_id_and_no_other(sessions: tuple[Sessions, Mongo]) -> None:
    made, _ = sessions
    session_id = await made.begin(PERSON, "an id token")
    found = await made.find(session_id)
    assert found
    assert (found.person, found.left in (3599, 3600), found.final in (35_999, 36_000)) == (PERSON, True, True)
    assert await made.find(session_id[:-1]) is None
    assert await made.end(session_id) == "an id token"
    assert await made.find(session_id) is None
    assert await made.end(session_id) is None


async def test_use_prolongs_it_looking_does_not_and_nothing_beyond_its_longest(
    sessions: tuple[Sessions, Mongo],
) -> None:
    made, mongo = sessions
    session_id = await made.begin(PERSON, "")
    await _set(mongo, expires_at=600)
    peeked = await made.find(session_id, use=False)
    assert peeked
    assert 590 < peeked.left <= 600
    used = await made.find(session_id)
    assert used
    assert used.left in (3599, 3600)
    await _set(mongo, expires_at=600, ends_at=900)
    last = await made.find(session_id)
    assert last
    assert 890 < last.left <= 900
    await _set(mongo, expires_at=-1)
    assert await made.find(session_id) is None


async def test_the_database_forgets_what_has_ended(sessions: tuple[Sessions, Mongo]) -> None:
    _, mongo = sessions
    for collection in (SESSIONS, KEPT):
        indexes: Any = await mongo[collection].index_information()
        assert indexes["expires_at_1"]["expireAfterSeconds"] == 0


async def _set(mongo: Mongo, **seconds: int) -> None:
    times = {name: datetime.now(UTC) + timedelta(seconds=value) for name, value in seconds.items()}
    await mongo[SESSIONS].update_many({}, {"$set": times})


def test_what_is_sealed_opens_with_its_secret_and_purpose_only() -> None:
    text = seal("a" * 40, "form", {"text": "Größe 🎉"})
    assert unseal("a" * 40, "form", text) == {"text": "Größe 🎉"}
    for secret, purpose, given in (("b" * 40, "form", text), ("a" * 40, "login", text), ("a" * 40, "form", text[:-4])):
        assert unseal(secret, purpose, given) is None
    assert unseal("a" * 40, "form", "") is None


async def test_without_tls_the_cookie_has_no_prefix_and_is_not_marked_secure(
    fresh_mongo: FreshMongo, running_provider: str
) -> None:
    async with world(fresh_mongo("matching"), running_provider, "http://127.0.0.2:8002") as here:
        browser = here.browser()
        assert (await browser.log_in("koordination")).json()["name"] == "Beispiel Koordination"
        (cookie,) = [one for one in browser.http.cookies.jar if one.name.endswith("session")]
        assert (cookie.name, cookie.secure) == ("matching-session", False)


async def test_a_return_that_this_browser_did_not_begin_is_refused(here: World) -> None:
    asked = await here.browser().get("/mine")
    sent = await here.browser().http.post(asked.url, data={"sub": "koordination"}, follow_redirects=False)
    victim = here.browser()
    page = await victim.get(sent.headers["location"])  # somebody else's login, slipped in
    assert page.status_code == 400
    assert "Diese Anmeldung ist abgelaufen oder wurde schon benutzt" in page.text
    assert "__Host-matching-session" not in victim.cookies


async def test_a_return_counts_once_and_the_back_button_does_no_harm(here: World) -> None:
    browser = here.browser()
    asked = await browser.get("/mine")
    sent = await browser.http.post(asked.url, data={"sub": "koordination"}, follow_redirects=False)
    assert (await browser.get(sent.headers["location"])).json()["subject"] == "koordination"
    again = await browser.http.get(sent.headers["location"], follow_redirects=False)
    assert (again.status_code, again.headers["location"]) == (303, "/")
    browser.http.cookies.clear()
    assert (await browser.get(sent.headers["location"])).status_code == 400


async def test_two_tabs_may_log_in_at_once(here: World) -> None:
    browser = here.browser()
    first, second = await browser.get("/mine?tab=1"), await browser.get("/mine?tab=2")
    for asked, tab in ((first, "tab=1"), (second, "tab=2")):
        page = await browser.http.post(asked.url, data={"sub": "koordination"})
        assert page.url.query.decode() == tab


async def test_whoever_says_no_at_the_provider_reads_that_they_can_try_again(here: World) -> None:
    browser = here.browser()
    asked = await browser.get("/mine")
    state = asked.url.params["state"]
    page = await browser.get("/matching/login/back", params={"state": state, "error": "access_denied"})
    assert page.status_code == 403
    assert "abgebrochen oder nicht angenommen" in page.text
    assert "/matching/login?to=/mine" in page.text


@pytest.mark.parametrize("part", ["nonce", "verifier"])
async def test_a_code_is_worth_nothing_without_nonce_and_verifier(here: World, part: str) -> None:
    assert here.login.provider
    back = f"{here.site}/matching/login/back"
    departure = await here.login.provider.depart(back)
    sent = await Browser(here.app, here.site).http.post(
        departure.url, data={"sub": "koordination"}, follow_redirects=False
    )
    assert sent.next_request
    code = sent.next_request.url.params["code"]
    with pytest.raises(Rejected):
        await here.login.provider.arrive(back, code, replace(departure, **{part: "x" * 64}))


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as made:
        made.away = True
        yield made


async def test_with_the_provider_away_nobody_logs_in_and_sessions_go_on(
    fresh_mongo: FreshMongo, issuer: Issuer
) -> None:
    async with world(fresh_mongo("matching"), issuer.url) as here:
        page = await here.browser().get("/mine")
        assert (page.status_code, page.headers["retry-after"]) == (503, "10")
        assert "Der Anmeldedienst antwortet gerade nicht." in page.text
        inside = here.browser()
        session_id = await here.login.sessions.begin(PERSON, "an id token")
        inside.http.cookies.set("__Host-matching-session", session_id, domain="site.example")
        mine = (await inside.get("/mine")).json()
        assert mine["subject"] == "koordination"
        left = await inside.post(mine["logout"], {"csrf": mine["csrf"]})
        assert "Sie sind abgemeldet" in left.text
        assert await here.login.sessions.find(session_id) is None


async def test_without_a_provider_the_page_says_so(fresh_mongo: FreshMongo) -> None:
    async with world(fresh_mongo("matching"), "") as here:
        page = await here.browser().get("/mine")
        assert page.status_code == 503
        assert "Die Anmeldung ist hier nicht eingerichtet." in page.text
