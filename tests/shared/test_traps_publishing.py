"""Traps 6, 7, 12, 14, 15 and 16: what goes out, in which order, and what is left when something was away."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka.errors import KafkaError

from deploy.local.stack import Stack
from shared import outbox, topics, waking
from shared.commit import Change, Insert
from shared.events import Event, RequestDossier
from shared.mongo import Document, Mongo
from shared.outbox import Tombstone
from shared.publisher import Message, Publisher
from shared.settings import Settings
from tests.shared.consuming import count, dead, listening, per_event
from tests.shared.kafka import everything, message, records, send
from tests.shared.relaying import no_pending, relaying, store
from tests.shared.samples import created, withdrawn
from tests.shared.serving import running
from tests.waiting import until


async def test_trap_06_in_a_batch_each_message_keeps_its_key_and_each_key_its_partition(settings: Settings) -> None:
    """An empty key stays an empty one, none stays none."""
    topic = f"{settings.prefix}request.created"
    keys = [b"key-%d" % (number % 10) for number in range(100)] + [b"", b"", None]
    publisher = Publisher(settings.kafka, "test-keys")
    batch = [Message(topic, key, b"%d" % place, []) for place, key in enumerate(keys)]

    async def published() -> bool:
        with suppress(TimeoutError, KafkaError):
            await publisher.publish(batch)
            return True
        return False

    await until(published)
    await publisher.close()
    found = await records(settings.kafka, topic)
    assert {int(record.value or b""): record.key for record in found} == dict(enumerate(keys))
    for key in {b"", *keys} - {None}:
        ours = [record for record in found if record.key == key]
        places = list(dict.fromkeys(int(record.value or b"") for record in ours))
        assert places == sorted(places)
        assert len({record.partition for record in ours}) == 1
    assert len({record.partition for record in found}) == settings.partitions


async def test_trap_07_what_a_handler_emits_keeps_key_correlation_and_null(mongo: Mongo, settings: Settings) -> None:
    """FastStream's publishers are not used: events go by the outbox."""
    event = created()
    cause = message(event, settings.prefix)
    async with relaying(mongo, settings), listening(mongo, settings) as effects:
        assert effects.inlet.broker.publishers == []

        async def on_created(event: Event, mark: Insert) -> None:
            emitted = (withdrawn(event.key), Tombstone(RequestDossier, event.key))
            await effects.commits.commit(Change(events=emitted, mark=mark))

        effects.react = on_created
        await send(settings.kafka, [cause])
        [(key, _, headers), *_] = await until(lambda: everything(settings.kafka, f"{settings.prefix}request.withdrawn"))
        erased = await until(lambda: everything(settings.kafka, f"{settings.prefix}request.dossier"))
    before = dict(cause.headers)
    assert key == event.key.encode()
    assert headers["ce_correlationid"] == before["ce_correlationid"]
    assert headers["ce_causationid"] == before["ce_id"]
    assert {(key, value) for key, value, _ in erased} == {(event.key.encode(), None)}


def first_arrivals(found: Sequence[tuple[bytes | None, bytes | None, dict[str, bytes]]]) -> dict[bytes, list[str]]:
    """Key → ids in the order in which each came first."""
    order: dict[bytes, dict[str, None]] = {}
    for key, _, headers in found:
        order.setdefault(key or b"", {})[headers["ce_id"].decode()] = None
    return {key: list(ids) for key, ids in order.items()}


async def in_order(mongo: Mongo) -> dict[bytes, list[str]]:
    """Key → ids of the outbox, in the order of the aggregate's versions."""
    found: dict[bytes, list[str]] = {}
    for row in await mongo[outbox.COLLECTION].find().sort([("order", 1)]).to_list(None):
        found.setdefault(row["key"].encode(), []).append(row["_id"])
    return found


async def test_trap_12_kafka_frozen_publish_and_shutdown_return_and_nothing_is_lost(
    stack: Stack, mongo: Mongo, settings_for: Callable[..., Settings], tmp_path: Path
) -> None:
    elsewhere = {"MIGLOBE_KAFKA": "", "MIGLOBE_MONGO": stack.mongo, "MIGLOBE_SMTP": stack.smtp}
    own = await asyncio.to_thread(Stack(tmp_path, services=(), env=elsewhere).start)
    try:
        settings = settings_for(kafka=own.kafka)
        await topics.apply(settings)
        keys = [created().request_id for _ in range(4)]

        async def more(version: int) -> None:
            await store(mongo, *(withdrawn(key) for key in keys), version=version)

        publisher = Publisher(settings.kafka, "test-frozen")
        async with relaying(mongo, settings) as relay:
            await more(1)
            await until(lambda: no_pending(mongo))
            own.pause("kafka")
            for version in range(2, 6):
                await more(version)
            await until(lambda: relay.failing)
            loop = asyncio.get_running_loop()
            begun = loop.time()
            with pytest.raises((KafkaError, TimeoutError)):
                await publisher.publish([message(created(), settings.prefix)])
            assert loop.time() - begun < 30
            begun = loop.time()
        await publisher.close()
        assert loop.time() - begun < 30
        assert not await no_pending(mongo)
        own.resume("kafka")
        async with relaying(mongo, settings):
            await more(6)
            await until(lambda: no_pending(mongo))
        found = await everything(settings.kafka, f"{settings.prefix}request.withdrawn")
        assert first_arrivals(found) == await in_order(mongo)
    finally:
        await asyncio.to_thread(own.stop)


async def test_trap_14_a_relay_frozen_past_its_lease_does_no_harm_when_it_goes_on(
    mongo: Mongo, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may publish once more what it held: consumers know it, and each key stays in order."""
    monkeypatch.setattr(outbox, "LEASE_SECONDS", 2.0)
    keys = [created().request_id for _ in range(4)]
    rows = [row for key in keys for row in _versions(key, 250)]
    await outbox.prepare(mongo)
    await mongo[outbox.COLLECTION].insert_many(rows)
    command = [sys.executable, "-m", "tests.shared.relay_process", mongo.db.name]
    with running(command, settings) as leader:
        await until(lambda: mongo[outbox.COLLECTION].find_one({"published_at": {"$exists": True}}))
        os.kill(leader.pid, signal.SIGSTOP)
        assert not await no_pending(mongo)
        async with listening(mongo, settings):
            async with relaying(mongo, settings):
                await until(lambda: no_pending(mongo))
                os.kill(leader.pid, signal.SIGCONT)
            # once it has the lease again, it is past whatever it held
            await store(mongo, *(withdrawn(key) for key in keys), version=251)
            await until(lambda: no_pending(mongo))
            await until(lambda: count(mongo, len(rows) + len(keys)))
    assert set((await per_event(mongo)).values()) == {1}
    assert await dead(settings) == []
    handled: dict[bytes, list[str]] = {}
    for effect in await mongo["effects"].find().sort("n", 1).to_list(None):
        handled.setdefault(effect["key"].encode(), []).append(effect["event"])
    assert handled == await in_order(mongo)


def _versions(key: str, last: int) -> list[Document]:
    return [row for one in range(1, last + 1) for row in outbox.rows([withdrawn(key)], one, "test", datetime.now(UTC))]


async def test_trap_15_a_transaction_that_commits_late_is_published(mongo: Mongo, settings: Settings) -> None:
    """Ids are made before commit: a relay that only looks past the last id would skip the late one."""
    [late] = outbox.rows([created()], 1, "test", datetime.now(UTC))
    [early] = outbox.rows([created()], 1, "test", datetime.now(UTC))
    assert late["_id"] < early["_id"]
    await outbox.prepare(mongo)
    async with relaying(mongo, settings), mongo.client.start_session() as session:
        await session.start_transaction()
        await mongo[outbox.COLLECTION].insert_one(late, session=session)
        await mongo[outbox.COLLECTION].insert_one(early)
        await until(lambda: no_pending(mongo))
        await session.commit_transaction()
        await until(lambda: no_pending(mongo))
    sent = await everything(settings.kafka, settings.prefix + "request.created")
    assert {headers["ce_id"].decode() for _, _, headers in sent} == {late["_id"], early["_id"]}


async def test_trap_16_a_resume_token_that_is_refused_falls_back_to_the_scan(
    mongo: Mongo, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server refuses each stream; what another process stored is published all the same."""
    monkeypatch.setattr(waking, "SCAN_SECONDS", 0.5)
    refused = 0

    @asynccontextmanager
    async def watch(self: Mongo, collections: Sequence[str], pipeline: Sequence[Document]) -> AsyncIterator[object]:
        nonlocal refused
        refused += 1
        async with await self[collections[0]].watch(pipeline, resume_after={"_data": "8200000000"}) as stream:
            yield stream

    monkeypatch.setattr(Mongo, "watch", watch)
    async with relaying(mongo, settings):
        await until(lambda: refused > 1)
        await store(mongo, created())
        await until(lambda: no_pending(mongo))
        again = refused
        await until(lambda: refused > again)
    assert await everything(settings.kafka, f"{settings.prefix}request.created")
