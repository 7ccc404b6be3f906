"""Server time of matching's pages on 10,000 requests and 500 advisors: one process, one reader after another.

The requests are stored as the product stores them, in every state and with their sessions; the pages are those that
advisors and coordinators open all day.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import httpx

from services.matching import entries
from services.matching.domain.basis import Basis
from services.matching.domain.budget import Budget
from services.matching.domain.model import (
    Advisor,
    Audit,
    Engagement,
    Facts,
    Presence,
    Record,
    Reserved,
    Round,
    Seat,
    Session,
    State,
)
from services.matching.domain.policy import OPTIMAL, seeker
from services.matching.domain.worklist import Rules
from services.matching.finding import Finder
from services.matching.handlers import matching
from services.matching.store import Store
from shared import register
from shared.auth import Person
from shared.commit import Committer, committing
from shared.events.base import Mode, Role, SessionKind, Tandem, moment
from shared.ids import new_id
from shared.login.sessions import Sessions
from shared.mongo import Mongo
from tests.bench import opening, samples
from tests.bench.figures import Board
from tests.bench.place import Place

REQUESTS, ADVISORS = 10_000, 500
_BUDGET = "now"
_STATES: tuple[State, ...] = ("closed", "closed", "closed", "closed", "closed", "withdrawn", "engaged", "proposed")
"""As a programme looks that has run for years."""


@dataclass(frozen=True)
class Filled:
    """What was stored: the advisor with most to do, one of their engagements, one round where they are asked;
    one engagement that was decided together with others."""

    advisor_id: str
    engagement_id: str
    asked_id: str
    session_id: str
    explained_id: str


async def measure(place: Place, board: Board) -> None:
    async with place.mongo("matching") as mongo:
        filled = await _fill(mongo)
        sessions = Sessions(mongo, 3600, 3600)
        people = {
            "advisor": Person(filled.advisor_id, "Beispiel", ("advisor",), filled.advisor_id),
            "coordinator": Person("koordination", "Beispiel", ("coordinator",)),
        }
        cookies = {role: await sessions.begin(person, "") for role, person in people.items()}
    place.miglobe("topics", "apply")
    async with place.service("matching") as process:
        for name, role, path in _pages(filled):
            client = httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{process.port}",
                cookies={"matching-session": cookies[role]},
                headers={"accept": "text/html"},
                timeout=30,
            )
            async with client:
                await opening.page(board, client, process, name, path)


_GOVERNING = {
    "policies": "/policies",
    "a policy": "/policies/versions/optimal.1",
    "a new policy": "/policies/new",
    "simulations": "/simulations",
    "budgets": "/budgets",
    "hand-overs": "/hand-overs",
    "what was decided": "/decisions",
    "what one person decided": "/decisions?by=koordination",
}


def _pages(filled: Filled) -> Iterator[tuple[str, str, str]]:
    office = "/coordination"
    yield "advisor's overview", "advisor", "/advisor"
    yield "advisor's request", "advisor", f"/advisor/requests/{filled.asked_id}"
    yield "advisor's engagement", "advisor", f"/advisor/engagements/{filled.engagement_id}"
    yield "record a session", "advisor", f"/advisor/sessions/{filled.session_id}/record"
    yield "advisor's former requests", "advisor", "/advisor/past"
    yield "advisor's own data and load", "advisor", "/advisor/me"
    yield "worklist", "coordinator", office
    yield "worklist, silent", "coordinator", f"{office}?kind=silent"
    yield "search by municipality", "coordinator", f"{office}/search?q=stuttgart"
    yield "search by advisor", "coordinator", f"{office}/search?q={filled.advisor_id}"
    yield "one request", "coordinator", f"{office}/requests/{filled.engagement_id}"
    yield "choose yourself", "coordinator", f"{office}/requests/{filled.engagement_id}/assign"
    yield "advisors", "coordinator", f"{office}/advisors"
    yield "one advisor", "coordinator", f"{office}/advisors/{filled.advisor_id}"
    yield "why this advisor, chosen by a person", "coordinator", f"{office}/requests/{filled.engagement_id}/why"
    why = f"{office}/requests/{filled.explained_id}/why"
    yield "why this advisor, decided by the policy", "coordinator", why
    yield "why not another advisor", "coordinator", f"{why}?advisor={filled.advisor_id}"
    yield "an advisor's last day", "coordinator", f"{office}/advisors/{filled.advisor_id}/leave"
    for name, path in _GOVERNING.items():
        yield name, "coordinator", f"{office}/governing{path}"


async def _fill(mongo: Mongo) -> Filled:
    people = _people()
    async with committing(Committer(mongo, "matching")) as commits:
        store = Store(mongo, commits, Rules())
        await store.prepare()
        await Finder(mongo).prepare()
        await store.save_advisors(people, (), None, (await store.signals()).fence)
        made = list(_engagements(people))
        days = [one.asked.submitted_at.date() for one in made]
        await store.save_budget(Budget(_BUDGET, min(days), max(days), 10_000_000), (await store.signals()).fence)
        for start in range(0, len(made), 400):
            await store.save(*made[start : start + 400], events=())
        explained_id = await _explained(store)
    mine = people[0].id
    own = [one for one in made if one.current and one.current.seat(mine)]
    running = next(one for one in own if one.state == "engaged")
    asked = next(one for one in own if one.state == "proposed")
    assert asked.current is not None
    return Filled(mine, running.id, asked.current.assignment_id, running.sessions[-1].id, explained_id)


async def _explained(store: Store) -> str:
    """A hundred requests as one pass has decided them; one of them has its explanation from that."""
    now = datetime.now(UTC)
    together = await store.waiting(("engaged",), "", 100)
    pool = await matching.pool(store, await store.signals(), now.date(), OPTIMAL)
    basis = Basis(
        new_id(),
        now,
        now.date(),
        OPTIMAL,
        OPTIMAL.version,
        pool.candidates,
        tuple(replace(seeker(one), tandem=Tandem.WANTED) for one in together),
        {one.id: tuple(seat.advisor_id for seat in one.rounds[0].seats) for one in together},
        {},
        0,
        True,
        0.0,
    )
    one = together[0]
    await store.save(replace(one, rounds=(replace(one.rounds[0], basis=basis.id),)), events=(), basis=basis)
    return one.id


def _people() -> list[Advisor]:
    found, wrong = entries.read(samples.advisors(ADVISORS), register.load())
    assert not wrong
    return [one.advisor(one.id, None) for one in found]


def _engagements(people: list[Advisor]) -> Iterator[Engagement]:
    now = moment(datetime.now(UTC))
    for number, request in enumerate(samples.created(REQUESTS, 365)):
        state = _STATES[number % len(_STATES)]
        since = now - timedelta(days=number % 30) if state in ("engaged", "proposed") else request.submitted_at
        pair = (people[number // 8 % ADVISORS], people[(number // 8 + 1) % ADVISORS])
        answer = "open" if state == "proposed" else "accepted"
        points = {"expertise": 250, "region": 160, "languages": 100, "fairness": 120, "load": 25, "tandem": 0}
        seats = tuple(
            Seat(one.id, role, points, answer=answer)  # type: ignore[arg-type]
            for one, role in zip(pair, (Role.LEAD, Role.CO), strict=True)
        )
        day = (now + timedelta(days=5)).date()
        asked = Round(new_id(), 1, seats, (), "plain.1", "policy", day, since)
        yield Engagement(
            request.request_id,
            state,
            since,
            Facts(
                request.case_number,
                request.municipality_ags,
                request.fields,
                request.languages,
                request.mode,
                request.wanted_from,
                request.tandem,
                request.submitted_at,
                request.channel,
            ),
            rounds=(asked,),
            audit=tuple(_decided(asked, since, number)),
            reserved=Reserved(_BUDGET, 960, 2),
            sessions=tuple(_sessions(asked, since)) if state in ("closed", "engaged") else (),
        )


def _decided(asked: Round, since: datetime, number: int) -> Iterator[Audit]:
    """What people have decided about it: a note, and whatever the two of the tandem did."""
    yield Audit(since, "koordination" if number % 3 else "leitung", "noted", "Bitte vorher anrufen.")
    for days, seat in enumerate(asked.seats * 2, 1):
        what = "accepted" if days <= len(asked.seats) else "session_recorded"
        yield Audit(since + timedelta(days=days), seat.advisor_id, what, "")


def _sessions(asked: Round, since: datetime) -> Iterator[Session]:
    """A first talk and a consultation that were held, and one to come."""
    ids = tuple(seat.advisor_id for seat in asked.seats)
    for kind, days in ((SessionKind.FIRST_TALK, 3), (SessionKind.CONSULTATION, 9)):
        starts = since + timedelta(days=days)
        held = Record(starts.date(), 90, Mode.ON_SITE, 12, tuple(Presence(one, 90, 40) for one in ids), (), starts)
        yield Session(new_id(), asked.assignment_id, kind, Mode.ON_SITE, starts, 90, ids, 0, "completed", held)
    starts = since + timedelta(days=40)
    yield Session(new_id(), asked.assignment_id, SessionKind.CONSULTATION, Mode.ON_SITE, starts, 90, ids)
