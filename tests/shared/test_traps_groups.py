"""Traps 8, 9, 10, 11 and 13: coming, going and being thrown out of a consumer group."""

import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.errors import NotLeaderForPartitionError

from shared import broker
from shared.broker import Handler, On
from shared.commit import Insert
from shared.events import Event, RequestCreated
from shared.mongo import Mongo
from shared.service import Service
from shared.settings import Settings
from tests.shared.consuming import count, dead, listening, per_event
from tests.shared.kafka import committed, message, send
from tests.shared.samples import created
from tests.shared.serving import running
from tests.waiting import until


async def test_trap_08_sigterm_in_mid_handler_leaves_one_effect_after_the_restart(
    settings: Settings, unused_tcp_port: int
) -> None:
    await send(settings.kafka, [message(created(), settings.prefix) for _ in range(60)])
    command = [sys.executable, "-m", "tests.shared.slow_service", str(unused_tcp_port)]
    mongo = Mongo(settings.mongo, settings.database("matching"))
    try:
        with running(command, settings) as process:
            await until(lambda: mongo["begun"].find_one())
            assert await count(mongo, 0)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=40)
            assert process.returncode == 0
        with running(command, settings):
            await until(lambda: count(mongo, 60))
            last = created()
            await send(settings.kafka, [message(last, settings.prefix)])
            await until(lambda: mongo["effects"].find_one({"key": last.key}))
        assert set((await per_event(mongo)).values()) == {1}
        assert await count(mongo, 61)
        assert await dead(settings) == []
    finally:
        await mongo.client.drop_database(mongo.db.name)
        await mongo.close()


async def test_trap_08_stopping_in_mid_batch_leaves_one_effect(mongo: Mongo, settings: Settings) -> None:
    for _ in range(3):
        await send(settings.kafka, [message(created(), settings.prefix) for _ in range(60)])
        async with listening(mongo, settings) as effects:
            await until(lambda: effects.calls)
    async with listening(mongo, settings):
        await until(lambda: count(mongo, 180))
    assert set((await per_event(mongo)).values()) == {1}
    assert await dead(settings) == []


async def test_trap_09_a_rebalance_with_running_handlers_leaves_one_effect(mongo: Mongo, settings: Settings) -> None:
    """The newcomer handles what the first owner is still at; nobody waits for anybody."""
    await send(settings.kafka, [message(created(), settings.prefix) for _ in range(60)])
    async with listening(mongo, settings, held=True) as first:
        await until(lambda: first.calls)
        async with listening(mongo, settings) as second:
            await until(lambda: second.calls)
            first.gate.set()
            await until(lambda: count(mongo, 60))
            await until(lambda: _committed(settings, 60))
            assert first.calls + second.calls > 60
    assert set((await per_event(mongo)).values()) == {1}
    assert await dead(settings) == []


async def test_a_leader_that_is_none_any_more_is_not_asked_for_ever(
    mongo: Mongo, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It refuses to say where a partition begins; aiokafka would look for another only after five minutes."""
    refused: list[int] = []
    asked: list[int] = []
    begin, look = Fetcher._proc_offset_request, AIOKafkaClient.force_metadata_update

    async def refuse(self: Any, node: int, topics: Any) -> Any:
        if not asked:
            refused.append(node)
            raise NotLeaderForPartitionError
        return await begin(self, node, topics)

    def find(self: Any) -> Any:
        asked.extend(refused)
        return look(self)

    monkeypatch.setattr(Fetcher, "_proc_offset_request", refuse)
    monkeypatch.setattr(AIOKafkaClient, "force_metadata_update", find)
    await send(settings.kafka, [message(created(), settings.prefix)])
    async with listening(mongo, settings):
        await until(lambda: count(mongo, 1))
    assert refused


async def test_trap_10_a_handler_that_outstays_the_poll_interval_leaves_one_effect(
    mongo: Mongo, settings: Settings
) -> None:
    """It is put out of the group, another takes over; when it comes back it takes part again."""
    async with listening(mongo, settings, max_poll_interval_ms=1_500, rebalance_timeout_ms=30_000) as slow:
        slow.gate.clear()
        await send(settings.kafka, [message(created(), settings.prefix) for _ in range(20)])
        await until(lambda: slow.calls)
        async with listening(mongo, settings):
            await until(lambda: count(mongo, 20))
            await until(lambda: _committed(settings, 20))
        slow.gate.set()
        await send(settings.kafka, [message(created(), settings.prefix) for _ in range(20)])
        await until(lambda: count(mongo, 40))
        await until(lambda: _committed(settings, 40))
    assert set((await per_event(mongo)).values()) == {1}
    assert await dead(settings) == []


async def test_trap_10_a_batch_is_given_back_long_before_the_poll_interval_is_over(
    mongo: Mongo, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(mongo, settings) as effects:
        assert effects.inlet.subscriber.consumer is not None
        assert effects.inlet.subscriber.consumer._max_poll_interval_ms > 2 * 2_000 * broker.STALL_SECONDS
        monkeypatch.setattr(broker, "STALL_SECONDS", 0.5)
        effects.gate.clear()
        await send(settings.kafka, [message(created(), settings.prefix)])
        await until(lambda: effects.inlet.stalled)
        effects.gate.set()
        await until(lambda: count(mongo, 1))
    assert await dead(settings) == []


@asynccontextmanager
async def with_dead_coordination(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, handle: Handler
) -> AsyncIterator[Service]:
    """A ready service whose coordination task ends by a bug, as aiokafka's does."""

    async def broken() -> None:
        raise RuntimeError("a bug in the coordination")

    made = Service("matching", settings, title="test", summary="")
    made.consumes([On(RequestCreated, handle)])
    async with made.app.router.lifespan_context(made.app):
        await until(lambda: _asked(made, "/readyz", 200))
        assert await _asked(made, "/livez", 200)
        assert made.inlet is not None
        assert made.inlet.subscriber.consumer is not None
        coordinator = made.inlet.subscriber.consumer._coordinator
        monkeypatch.setattr(coordinator, "ensure_coordinator_known", broken)
        coordinator.coordinator_dead()
        yield made
    mongo = Mongo(settings.mongo, made.mongo.db.name)
    await mongo.client.drop_database(mongo.db.name)
    await mongo.close()


async def test_trap_11_a_dead_coordination_task_fails_liveness(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FastStream goes on logging with `running` true, Kafka answers pings, no message waits: nothing else tells."""
    monkeypatch.setattr(broker, "KEEP_SECONDS", 3600.0)
    async with with_dead_coordination(settings, monkeypatch, _nothing) as made:
        gone = await until(lambda: _asked(made, "/livez", 503))
        assert gone is not None
        assert "consumer group" in gone.json()["wrong"]
        assert made.inlet is not None
        assert made.inlet.subscriber.running
        assert await made.inlet.broker.ping(timeout=5)


async def test_trap_11_a_service_whose_coordination_died_joins_anew(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    async def handle(event: Event, mark: Insert) -> None:
        seen.append(event.key)

    event = created()
    async with with_dead_coordination(settings, monkeypatch, handle) as made:
        await send(settings.kafka, [message(event, settings.prefix)])
        await until(lambda: event.key in seen)
        assert await _asked(made, "/livez", 200)


async def test_trap_11_a_membership_that_has_not_begun_has_not_failed(settings: Settings) -> None:
    """While Kafka is slow to answer the first time."""
    made = Service("matching", settings, title="test", summary="")
    made.consumes([On(RequestCreated, _nothing)])
    assert made.inlet is not None
    made.inlet.subscriber.consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka)
    assert made.inlet.ended() is None
    await made.mongo.close()


async def test_trap_13_what_came_before_the_first_join_is_not_lost(mongo: Mongo, settings: Settings) -> None:
    await send(settings.kafka, [message(created(), settings.prefix) for _ in range(20)])
    async with listening(mongo, settings):
        await until(lambda: count(mongo, 20))


async def _nothing(event: Event, mark: Insert) -> None: ...


async def _asked(made: Service, path: str, status: int) -> httpx.Response | None:
    transport = httpx.ASGITransport(made.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://matching.test") as client:
        answer = await client.get(path)
        return answer if answer.status_code == status else None


async def _committed(settings: Settings, number: int) -> bool:
    offsets = await committed(settings.kafka, f"{settings.prefix}matching")
    return offsets.get(f"{settings.prefix}request.created") == number
