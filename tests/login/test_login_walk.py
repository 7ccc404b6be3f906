"""Every route of every service, tried by everybody: nothing opens that shouldn't."""

import secrets
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast, get_args

import httpx
import pytest
from fastapi import APIRouter
from joserfc.jwk import RSAKey

from deploy.local.stack import Stack
from services.matching.store import Store as Matching
from services.reporting import handlers
from services.reporting.ledger import Ledger
from services.reporting.store import Store as Reporting
from shared.access import ROLES, Role, routes, unstated
from shared.auth import token
from shared.ids import new_id
from shared.inbox import mark
from shared.settings import ServiceName
from tests.conftest import SECRET
from tests.login.issuing import Issuer, issuing
from tests.login.walking import FOREIGN, OWNER, Door, Walker, walking
from tests.matching.play import Play
from tests.matching.samples import FAIR, PARTNERS, advisor, dossier
from tests.reporting.journeys import RULES, whole

SERVICES: tuple[ServiceName, ...] = get_args(ServiceName)
DOCUMENTS = {"/openapi.json", "/static", "/assets"}
"""Files and documents that are open to all: no code of ours decides there."""
BODIES: dict[str, Any] = {
    "/api/advisors/{advisor_id}/absences": {"absences": []},
    "/api/requests/{request_id}/close": {"outcome": "completed"},
    "/api/assignments/{assignment_id}/decline": {"reason": "too_far"},
    "/api/assignments/{assignment_id}/sessions": {
        "kind": "consultation",
        "mode": "online",
        "starts_at": "2027-03-01T10:00:00Z",
        "minutes": 60,
    },
    "/api/sessions/{session_id}/complete": {
        "held_on": "2026-11-24",
        "minutes": 60,
        "mode": "online",
        "participants": 3,
        "members": [{"advisor_id": OWNER, "minutes": 60}],
    },
    "/api/sessions/{session_id}/reschedule": {"starts_at": "2027-03-02T10:00:00Z", "minutes": 60},
}
"""What would be carried out, were it let in."""


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing() as made:
        yield made


@pytest.fixture(params=SERVICES)
async def walker(request: pytest.FixtureRequest, stack: Stack, issuer: Issuer) -> AsyncIterator[Walker]:
    async with walking(request.param, stack.mongo, f"t{secrets.token_hex(4)}-", issuer) as made:
        yield made


def unbelievable(issuer: Issuer) -> dict[str, str]:
    """Tokens that name a coordinator and must open nothing."""
    stranger = RSAKey.generate_key(2048, {"kid": issuer.keys[0].kid or ""})
    return {
        "stale": issuer.token(exp=int(time.time()) - 300),
        "forged": issuer.token(key=stranger),
        "of another provider": issuer.token(iss="https://other.example"),
        "for another audience": issuer.token(aud="miglobe"),
        "of the command line": token(SECRET, "coordinator", "x"),
    }


def bearer(issuer: Issuer, role: Role, number: str = OWNER) -> str:
    if role == "advisor":
        return issuer.token(role, advisor_id=number, preferred_username=number)
    return issuer.token(role)


async def test_every_route_says_who_may_use_it(walker: Walker) -> None:
    assert unstated(walker.app.routes) == []
    assert {one.path for one in routes(walker.app.routes) if one.plain} <= DOCUMENTS


async def test_a_service_with_a_silent_route_does_not_start(walker: Walker) -> None:
    inner, outer = APIRouter(), APIRouter(prefix="/api")

    @inner.get("/secrets")
    async def silent() -> None: ...

    outer.include_router(inner)
    with pytest.raises(TypeError, match="GET /api/secrets"):
        walker.service.routes(outer)


async def test_apis_want_a_believable_token_with_the_role(walker: Walker, issuer: Issuer) -> None:
    wrong = unbelievable(issuer)
    for door in walker.doors(None, "bearer"):
        assert door.access
        body = BODIES.get(door.path)
        nobody = await walker.bearing(door, None, json=body)
        assert nobody.status_code == 401, door.name
        assert nobody.headers["content-type"] == "application/problem+json", door.name
        for name, each in wrong.items():
            assert (await walker.bearing(door, each, json=body)).status_code == 401, (door.name, name)
        for role in ROLES:
            if role not in door.access.roles:
                assert (await walker.bearing(door, bearer(issuer, role), json=body)).status_code == 403, (
                    door.name,
                    role,
                )
        let_in = next(role for role in door.access.roles if role != "advisor")  # whose own matters these ids are not
        answer = await walker.bearing(door, bearer(issuer, let_in), json=body)
        assert answer.status_code not in (401, 403), (door.name, let_in, answer.text)


async def test_pages_want_a_living_session_with_the_role(walker: Walker) -> None:
    ended = await walker.session("coordinator")
    await walker.login.sessions.end(ended)
    sessions = {role: await walker.session(role, OWNER if role == "advisor" else None) for role in ROLES}
    nameless, numberless = await walker.session(None), await walker.session("advisor")
    for door in walker.doors(None, "session"):
        assert door.access
        for session in (None, ended, "made-up"):
            stranger = await walker.seated(door, session)
            if door.method == "GET":
                assert stranger.status_code == 303, door.name
                assert stranger.headers["location"].startswith(f"/{walker.login.service}/login?to="), door.name
            else:
                assert stranger.status_code in (401, 403), door.name
        for session in (nameless, numberless):
            assert (await walker.seated(door, session)).status_code == 403, door.name
        for role in ROLES:
            if role not in door.access.roles:
                assert (await walker.seated(door, sessions[role])).status_code == 403, (door.name, role)
            elif role == door.access.roles[0]:  # one is enough: pages are slow
                answer = await walker.seated(door, sessions[role])
                assert answer.status_code not in (401, 403), (door.name, role, answer.text)
            if door.method != "GET":
                forged = await walker.seated(door, sessions[role], csrf=False)
                assert forged.status_code == 403, (door.name, role)


async def test_a_links_routes_want_its_token(walker: Walker, issuer: Issuer) -> None:
    for door in walker.doors({"advisor": OWNER}, "link"):
        assert door.access
        for given in ({}, {"token": ""}, {"token": "A" * 43}):
            params = {"advisor": OWNER} | given
            answer = await walker.bearing(door, None, params=params, json=BODIES.get(door.path))
            assert answer.status_code in (401, 403), (door.name, given, answer.text)
        for name, each in unbelievable(issuer).items():
            answer = await walker.bearing(door, each, params={"advisor": OWNER}, json=BODIES.get(door.path))
            assert answer.status_code in (401, 403), (door.name, name)
        for role in ROLES:
            if role not in door.access.roles:
                answer = await walker.bearing(
                    door, bearer(issuer, role), params={"advisor": OWNER}, json=BODIES.get(door.path)
                )
                assert answer.status_code in (401, 403), (door.name, role)


async def test_what_is_open_asks_nobody(walker: Walker) -> None:
    for door in walker.doors(None, "open"):
        if door.method == "GET":
            assert (await walker.bearing(door, None)).status_code not in (401, 403), door.name


async def test_a_foreign_advisor_sees_and_changes_nothing_of_an_engagement(stack: Stack, issuer: Issuer) -> None:
    async with walking("matching", stack.mongo, f"t{secrets.token_hex(4)}-", issuer) as walker:
        ids = await engagement(walker)
        private = ["BW-7F3K-2", "Fest der Nationen", "kontakt@example.org", "a01@example.org", "Salach"]
        own = await foreign(walker, ids, private, OWNER)
        assert any("BW-7F3K-2" in text for text in own), "the owner sees it: the test looks for the right words"
        before = await walker.contents()
        await foreign(walker, ids, private, FOREIGN)
        assert await walker.contents() == before


async def test_a_foreign_advisor_sees_nothing_of_anothers_claims(stack: Stack, issuer: Issuer) -> None:
    async with walking("reporting", stack.mongo, f"t{secrets.token_hex(4)}-", issuer) as walker:
        ids = await claims(walker)
        before = await walker.contents()
        await foreign(walker, ids, [ids["claim"], OWNER], FOREIGN)
        assert await walker.contents() == before
        own = await foreign(walker, ids, [], OWNER)
        assert any(ids["claim"] in text for text in own)


async def foreign(walker: Walker, ids: dict[str, str], private: list[str], number: str) -> list[str]:
    """Tries all doors that are there for advisors, as `number`; returns what was answered.

    The owner only looks. Somebody else is held to see none of `private`, and to be turned away from each thing.
    """
    session, answers = await walker.session("advisor", number), []
    for door in walker.doors(ids, "bearer", "session", "link"):
        assert door.access
        if "advisor" not in door.access.roles or (number == OWNER and door.method != "GET"):
            continue
        answer = await _tries(walker, door, session, number)
        answers.append(answer.text)
        if number != OWNER:
            shown = [words for words in private if words in answer.text.replace(door.url, "")]
            assert not shown, (door.name, shown)
            if door.url != door.path:
                assert answer.status_code in (403, 404), (door.name, answer.status_code, answer.text[:500])
    return answers


async def _tries(walker: Walker, door: Door, session: str, number: str) -> httpx.Response:
    if door.access and door.access.by == "session":
        return await walker.seated(door, session)
    return await walker.bearing(door, bearer(walker.issuer, "advisor", number), json=BODIES.get(door.path))


async def engagement(walker: Walker) -> dict[str, str]:
    """One between A01 and A02, with a session; A03 is in the pool and has no part in it."""
    settings = cast("Any", walker.service.settings)
    store = Matching(walker.service.mongo, walker.service.commits, settings.rules())
    await store.prepare()
    play = Play(store, settings.rules())
    await play.pool(
        advisor("A01", levels={FAIR: 3}),
        advisor("A02", levels={PARTNERS: 3}),
        advisor(FOREIGN, levels={FAIR: 1, PARTNERS: 1}),
    )
    request_id = await play.engaged()
    await store.keep_dossier(dossier(request_id), mark("matching", new_id()))
    return {
        "request_id": request_id,
        "assignment_id": (await play.current(request_id)).assignment_id,
        "session_id": await play.arranged(request_id),
        "advisor_id": OWNER,
    }


async def claims(walker: Walker) -> dict[str, str]:
    """A whole engagement's facts, and the id of a claim of A01."""
    mongo = walker.service.mongo
    ledger, store = Ledger(mongo), Reporting(mongo, walker.service.commits)
    await ledger.prepare()
    await store.prepare()
    await ledger.record(whole().facts)
    while await handlers.step(ledger, store, RULES):
        pass
    token = bearer(walker.issuer, "advisor", OWNER)
    (door,) = [one for one in walker.doors(None, "bearer") if one.path == "/api/reports/honoraria"]
    found = (await walker.bearing(door, token, params={"from": "2026-01-01", "to": "2027-12-31"})).json()
    claim = found["items"][0]["claim_id"]
    figure = f"claim~{claim}"
    return {"claim": claim, "/api/figures/{id}/facts": figure, "id": claim, "advisor_id": OWNER, "month": "2026-11"}
