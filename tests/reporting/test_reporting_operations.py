"""One look at the flow over the real Kafka and database, and the stream of looks."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from services.reporting import api_operations, handlers
from services.reporting.app import build
from services.reporting.operations import SAMPLES
from services.reporting.settings import Settings
from shared import topics
from shared.auth import token
from shared.mongo import Mongo
from shared.publisher import Message
from tests.conftest import SECRET
from tests.reporting.conftest import Kept
from tests.reporting.journeys import RULES, START, Journey, whole
from tests.reporting.live import on_the_wire
from tests.shared.kafka import send
from tests.waiting import until


@pytest.fixture
async def settings(settings_for: Callable[..., Settings]) -> AsyncIterator[Settings]:
    made = settings_for(Settings)
    await topics.apply(made)
    yield made
    mongo = Mongo(made.mongo, made.database("reporting"))
    await mongo.client.drop_database(mongo.db.name)
    await mongo.close()


async def test_a_look_tells_flow_lag_dead_letters_waiting_requests_and_mails(settings: Settings) -> None:
    """Two engagements, one of them waiting; a broken message; matching has read one of three."""
    done, waiting = whole(), Journey("08115001")
    waiting.created(START - timedelta(days=2))
    sent = [on_the_wire(fact, settings.prefix) for journey in (done, waiting) for fact in journey.facts]
    broken = Message(sent[0].topic, b"k", b"{", list(sent[0].headers))
    await send(settings.kafka, [*sent, broken])
    await _has_read(settings, "matching", f"{settings.prefix}request.created", 1)
    app = build(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:

            async def look(role: str = "ops") -> httpx.Response:
                bearer = token(SECRET, role, "x")  # type: ignore[arg-type]
                return await client.get("/api/operations", headers={"Authorization": f"Bearer {bearer}"})

            async def all_there() -> dict[str, Any]:
                found: dict[str, Any] = (await look()).json()
                settled = found["ledger"]["projected"] == 10 and sum(one["waiting"] for one in found["dead_letters"])
                lag = sum(one["lag"] for one in found["consumers"] if one["service"] == "reporting")
                return found if settled and not lag else {}

            found = await until(all_there)
            assert (await look("advisor")).status_code == 403
            assert (await look("coordinator")).status_code == 200
            metrics = (await client.get("/metrics")).text
    assert found["kafka_error"] is None
    flow = {one["topic"]: one for one in found["flow"]}
    assert flow["request.created"]["ever"] == 3
    assert flow["request.created"]["service"] == "intake"
    assert flow["session.completed"]["last_at"] is not None
    assert flow["advisor.dossier"]["last_at"] is None
    lag = {(one["service"], one["topic"]): one["lag"] for one in found["consumers"]}
    assert lag["matching", "request.created"] == 2
    assert lag["notifications", "advisor.answered"] == 2
    dead = {(d["service"], d["topic"]): d["waiting"] for d in found["dead_letters"]}
    assert {place: count for place, count in dead.items() if count} == {("reporting", "request.created"): 1}
    oldest = found["waiting"]["oldest"]
    assert oldest["request_id"] == waiting.request_id
    assert datetime.fromisoformat(oldest["since"]) == START - timedelta(days=2)
    assert found["waiting"]["count"] == 1
    assert 'miglobe_group_lag{service="matching",topic="request.created"} 2.0' in metrics
    assert 'miglobe_dead_letters{service="reporting",topic="request.created"} 1.0' in metrics
    assert "miglobe_requests_waiting 1.0" in metrics


async def _has_read(settings: Settings, service: str, topic: str, count: int) -> None:
    """Commits as if the service had read `count` of all messages of `topic`."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka, group_id=f"{settings.prefix}{service}", enable_auto_commit=False
    )
    await consumer.start()
    places = [TopicPartition(topic, number) for number in range(settings.partitions)]
    ends = await consumer.end_offsets(places)
    consumer.assign(places)
    place = next(place for place in places if ends[place] >= count)
    await consumer.commit({place: OffsetAndMetadata(count, "")})
    await consumer.stop()


async def test_windows_count_from_the_last_sample_before_them(settings: Settings) -> None:
    mongo = Mongo(settings.mongo, settings.database("reporting"))
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    samples = {timedelta(days=2): 0, timedelta(minutes=90): 4, timedelta(minutes=7): 7}
    await mongo[SAMPLES].insert_many(
        [{"_id": minute - ago, "at": minute - ago, "ever": [["feedback.given", n]]} for ago, n in samples.items()]
    )
    journeys = [whole() for _ in range(9)]
    feedback = [fact for journey in journeys for fact in journey.facts if fact.topic == "feedback.given"]
    await send(settings.kafka, [on_the_wire(fact, settings.prefix) for fact in feedback])
    app = build(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            headers = {"Authorization": f"Bearer {token(SECRET, 'ops', 'x')}"}

            async def flow_there() -> dict[str, Any]:
                """Empty while Kafka has not answered."""
                found = (await client.get("/api/operations", headers=headers)).json()
                return next(one["flow"] for one in found["flow"] if one["topic"] == "feedback.given")

            flow = await until(flow_there)
    counted = {name: window["messages"] for name, window in flow.items()}
    assert counted == {"last_5_minutes": 2, "last_hour": 5, "last_day": 9}
    await mongo.close()


class Looked:
    """A watch that counts, in place of the real one."""

    def __init__(self) -> None:
        self.times = 0

    async def snapshot(self) -> "Looked":
        self.times += 1
        return self

    def model_dump_json(self) -> str:
        return json.dumps({"times": self.times})


async def test_the_stream_looks_again_and_again_and_ends_when_the_process_leaves() -> None:
    leaving, heard = asyncio.Event(), []
    async with asyncio.timeout(20):
        async for event in api_operations.looks(Looked(), 0.01, leaving):  # type: ignore[arg-type]
            heard.append(event)
            if len(heard) == 4:
                leaving.set()
    assert heard[0].startswith("retry:")
    assert [json.loads(event.split("data: ")[1])["times"] for event in heard[1:]] == [1, 2, 3]


async def test_a_request_waits_until_somebody_has_accepted_withdrawn_or_closed_it(kept: Kept) -> None:
    asked, taken, closed = Journey(), whole(), Journey()
    asked.created(START)
    closed.created(START - timedelta(days=9))
    closed.closed("no_longer_possible")
    await kept.ledger.record([fact for journey in (asked, taken, closed) for fact in journey.facts])
    await handlers.step(kept.ledger, kept.store, RULES)
    count, oldest = await kept.queries.waiting()
    assert count == 1
    assert oldest is not None
    assert (oldest.request_id, oldest.since, oldest.case_number) == (asked.request_id, START, "MG-2345-6789")
    asked.assigned("A01")
    asked.answered("A01", complete=True)
    await kept.ledger.record(asked.facts)
    await handlers.step(kept.ledger, kept.store, RULES)
    assert await kept.queries.waiting() == (0, None)
