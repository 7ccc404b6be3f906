"""Whatever comes in which order and how often: live, rebuilt from the ledger alone and from Kafka alone are the same.

Hypothesis makes engagements up; a plain model of half a page says what the figures have to come to.
"""

import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from services.reporting import handlers, rebuilding
from services.reporting.app import build
from services.reporting.facts import Fact, read
from services.reporting.figures import FigureId, Scope, parse
from services.reporting.indicators import INDICATORS
from services.reporting.ledger import FACTS, HEAD, Ledger
from services.reporting.replay import replay
from services.reporting.reports import Reports
from services.reporting.settings import Settings
from services.reporting.store import Store
from shared import register, topics
from shared.events import AdvisorAnswered, ConsultationClosed, FeedbackGiven, RequestCreated, SessionCompleted
from shared.mongo import Mongo
from shared.topics import FACTS as TOPICS
from tests.conftest import FreshMongo
from tests.reporting.conftest import Kept, in_database
from tests.reporting.journeys import AGS, START, Journey, changed, whole
from tests.reporting.live import on_the_wire
from tests.shared.kafka import send
from tests.waiting import until

SPAN = Scope(date(2026, 1, 1), date(2028, 12, 31))
PLACES = (AGS, "08115001", "08111000")
REGISTER = register.load()


@st.composite
def engagements(draw: st.DrawFn) -> Journey:
    """Any part of an engagement, with corrections; what is missing or contradictory is there too."""
    journey = Journey(
        draw(st.sampled_from(PLACES)),
        tuple(draw(st.lists(st.sampled_from(("fair_week", "other")), min_size=1, unique=True))),
    )
    advisors = draw(st.sampled_from((("A01",), ("A01", "A02"), ("A03", "A02"))))
    if draw(st.integers(0, 5)):
        journey.created(START)
    journey.assigned(*advisors)
    if draw(st.booleans()):
        journey.answered(advisors[-1], complete=True)
    for number in range(draw(st.integers(0, 3))):
        day = START.date() + timedelta(days=draw(st.integers(0, 300)))
        members = [(one, draw(st.integers(0, 240)), draw(st.integers(0, 700))) for one in advisors]
        kind = "first_talk" if number == 0 else draw(st.sampled_from(("consultation", "dialogue_forum", "keynote")))
        fact = journey.session(kind, day, members, participants=draw(st.integers(0, 40)))
        if draw(st.integers(0, 2)) == 0:
            later = datetime.fromisoformat(read(fact).event.completed_at.isoformat()) + timedelta(hours=5)  # type: ignore[attr-defined]
            journey.facts.append(changed(fact, participants=7, minutes=45, completed_at=later.isoformat()))
    if draw(st.booleans()):
        journey.closed()
        journey.feedback(draw(st.integers(1, 5)))
    return journey


def model(facts: Iterable[Fact]) -> dict[str, float | None]:
    """What the figures have to come to, straight from all facts, each once."""
    events = [read(fact).event for fact in {fact.id: fact for fact in facts}.values()]
    sessions: dict[str, SessionCompleted] = {}
    for one in sorted((e for e in events if isinstance(e, SessionCompleted)), key=lambda e: e.completed_at):
        sessions[one.session_id] = one
    held = list(sessions.values())
    begun = {e.request_id for e in events if isinstance(e, AdvisorAnswered) and e.complete}
    happy = [e.satisfaction for e in events if isinstance(e, FeedbackGiven)]
    cents = 0
    for one in held:
        cents += (2 * 7500 * sum(m.minutes for m in one.members) + 60) // 120
        cents += sum(min(30 * m.travel_km, 15000) for m in one.members)
    talked = {e.request_id: e.held_on for e in held if e.kind == "first_talk"}
    advised = {
        e.request_id for e in held if e.kind == "consultation" and e.held_on >= talked.get(e.request_id, date.max)
    }
    return {
        "requests": sum(isinstance(e, RequestCreated) for e in events),
        "accepted": len(begun),
        "sessions": len(held),
        "first_talks": len(talked),
        "minutes": sum(e.minutes for e in held),
        "participants": sum(e.participants for e in held),
        "closed": sum(isinstance(e, ConsultationClosed) for e in events),
        "satisfaction": round(sum(happy) / len(happy) + 1e-9, 2) if happy else None,
        "options_taken_up": len(happy),
        "conversion": round(100 * len(advised) / len(talked) + 1e-9, 2) if talked else None,
        "advisors_active": len({m.advisor_id for e in held for m in e.members if m.minutes}),
        "honoraria": cents,
    }


@pytest.fixture
async def settings(settings_for: Callable[..., Settings]) -> AsyncIterator[Settings]:
    made = settings_for(Settings)
    await topics.apply(made)
    yield made
    mongo = Mongo(made.mongo, made.database("reporting"))
    await mongo.client.drop_database(mongo.db.name)
    await mongo.close()


async def outcome(kept: Kept) -> tuple[str, str, dict[str, Any]]:
    """The digest of all read models, the summary as bytes, and its figures."""
    summary = (await Reports(kept.ledger, kept.store, kept.queries, REGISTER).summary(SPAN)).model_copy(
        update={"position": 0}
    )
    return await kept.store.digest(), summary.model_dump_json(), {f.indicator: f.value for f in summary.figures}


@asynccontextmanager
async def serving(settings: Settings, until_there: int) -> AsyncIterator[Kept]:
    """The service with its consumer, until so many facts are in the reports."""
    app, mongo = build(settings), Mongo(settings.mongo, settings.database("reporting"))
    async with app.router.lifespan_context(app), in_database(mongo) as kept:
        await until(lambda: _there(kept, until_there), seconds=120)
        yield kept
    await mongo.close()


async def _there(kept: Kept, count: int) -> bool:
    return (await kept.store.position()).seq >= count


SENT: list[Fact] = []
"""What lies on the topics by now; each example adds to it."""


@profile(
    max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(journeys=st.lists(engagements(), min_size=2, max_size=8), seed=st.integers(0, 10**9))
async def test_live_and_rebuilt_from_the_ledger_and_from_kafka_are_byte_equal(
    settings: Settings, fresh_mongo: FreshMongo, journeys: list[Journey], seed: int
) -> None:
    """Shuffled over topics and partitions, some twice, the service stopped and started in between; then replayed."""
    dice, rules = random.Random(seed), settings.rules()
    mine = [fact._replace(id=fact.id) for journey in journeys for fact in journey.facts]
    arriving = [*mine, *dice.choices([*SENT, *mine], k=len(mine) // 3)]
    dice.shuffle(arriving)
    half = len(arriving) // 2
    for part in (arriving[:half], arriving[half:]):
        await send(settings.kafka, [on_the_wire(fact, settings.prefix) for fact in part])
        SENT.extend(part)
        async with serving(settings, len({fact.id for fact in SENT})) as kept:
            live = await outcome(kept)
    assert kept.mongo is not None
    expected = model(SENT)
    assert {name: live[2][name] for name in expected} == expected

    from_ledger, from_kafka = fresh_mongo("ledger"), fresh_mongo("kafka")
    mongo = Mongo(settings.mongo, settings.database("reporting"))
    copied = await mongo[FACTS].find().to_list(None)
    await mongo.close()
    async with in_database(from_ledger) as alone:
        await from_ledger[FACTS].insert_many(copied)
        await from_ledger["counters"].update_one({"_id": HEAD}, {"$set": {"seq": len(copied)}})
        await rebuilding.renew(alone.ledger, alone.store, rules, lambda *_: None)
        assert await outcome(alone) == live
    async with in_database(from_kafka) as alone:
        counts = rebuilding.Completed()
        async for page in replay(settings, list(TOPICS)):
            await rebuilding.complete(alone.ledger, alone.store, page.arrivals, counts)
        await rebuilding.renew(alone.ledger, alone.store, rules, lambda *_: None)
        assert await outcome(alone) == live
        async for page in replay(settings, list(TOPICS)):
            await rebuilding.complete(alone.ledger, alone.store, page.arrivals, counts)
        while await handlers.step(alone.ledger, alone.store, rules):
            pass
        assert await outcome(alone) == live, "a replay changes nothing"


@pytest.mark.parametrize("count", [200, pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
async def test_every_figure_counts_as_many_contributions_as_its_link_lists(database: Kept, count: int) -> None:
    """Of all groups of a period: number and value."""
    ledger: Ledger = database.ledger
    store: Store = database.store
    places = [entry.ags for entry in REGISTER.entries if entry.eligible]
    rules = Settings.model_validate({"secret": "x" * 32}).rules()
    for some in handlers.chunks(range(count), 100):
        await ledger.record([fact for n in some for fact in whole(places[n * 7 % len(places)]).facts])
    await rebuilding.renew(ledger, store, rules, lambda *_: None)
    summary = await Reports(ledger, store, database.queries, REGISTER).summary(SPAN)
    figures = [*summary.figures, *(figure for group in summary.groups for figure in group.figures)]
    listed = 0
    for figure in figures:
        name: FigureId = parse(figure.id)
        rows = await database.queries.contributions(name, None, 10**7)
        assert len(rows) == figure.n, figure.id
        listed += len(rows)
        if INDICATORS[figure.indicator].kind == "sum":
            assert sum(row.value for row in rows) == figure.value, figure.id
        if INDICATORS[figure.indicator].kind == "heads":
            assert len({row.member for row in rows}) == figure.value, figure.id
        facts = {fact for row in rows[:20] for fact in row.facts}
        assert len(await ledger.by_ids(facts)) == len(facts), "each names facts that are there"
    assert listed > 40 * count
