"""The relay between the real MongoDB and the real Kafka."""

import asyncio
import json
from collections.abc import Callable

from aiokafka.partitioner import DefaultPartitioner

from deploy.local.stack import Stack
from shared import outbox
from shared.events import RequestDossier
from shared.mongo import Mongo
from shared.publisher import MANY
from shared.settings import Settings
from tests.shared.kafka import everything, records
from tests.shared.relaying import no_pending, relaying, store
from tests.shared.samples import created, dossier, withdrawn
from tests.waiting import until


async def test_events_go_out_once_with_their_headers_and_key(mongo: Mongo, settings: Settings) -> None:
    event = created()
    async with relaying(mongo, settings):
        await store(mongo, event, dossier(event.request_id))
        await until(lambda: no_pending(mongo))
    [(key, value, headers)] = await everything(settings.kafka, settings.prefix + "request.created")
    row = await mongo[outbox.COLLECTION].find_one({"topic": "request.created"})
    assert row is not None
    assert key == event.key.encode()
    assert value is not None
    assert json.loads(value) == event.model_dump(mode="json")
    assert headers["ce_id"] == row["_id"].encode()
    assert headers["ce_type"] == b"de.miglobe.request.created.v1"
    assert headers["content-type"] == b"application/json"
    assert row["published_at"]
    assert "pending" not in row


async def test_an_erasure_goes_out_as_a_tombstone(mongo: Mongo, settings: Settings) -> None:
    event = created()
    async with relaying(mongo, settings):
        await store(mongo, outbox.Tombstone(RequestDossier, event.request_id))
        await until(lambda: no_pending(mongo))
    [(key, value, _)] = await everything(settings.kafka, settings.prefix + "request.dossier")
    assert (key, value) == (event.request_id.encode(), None)


async def test_rows_of_a_key_keep_the_order_of_their_versions(mongo: Mongo, settings: Settings) -> None:
    """Also when a later version was made on a machine whose clock, and so whose ids, run behind."""
    request_id = created().request_id
    await store(mongo, *(withdrawn(request_id) for _ in range(3)), version=2)
    await store(mongo, *(withdrawn(request_id) for _ in range(3)), version=1)
    rows = await mongo[outbox.COLLECTION].find().sort("order", 1).to_list(None)
    async with relaying(mongo, settings):
        await until(lambda: no_pending(mongo))
    sent = await everything(settings.kafka, settings.prefix + "request.withdrawn")
    assert [headers["ce_id"].decode() for _, _, headers in sent] == [row["_id"] for row in rows]


async def test_two_relays_publish_each_row_once(mongo: Mongo, settings: Settings) -> None:
    async with relaying(mongo, settings), relaying(mongo, settings):
        for _ in range(20):
            await store(mongo, created(), created())
        await until(lambda: no_pending(mongo))
    sent = await everything(settings.kafka, settings.prefix + "request.created")
    ids = [headers["ce_id"] for _, _, headers in sent]
    assert len(ids) == len(set(ids)) == 40


async def test_a_row_too_large_for_kafka_blocks_its_own_key_only(mongo: Mongo, settings: Settings) -> None:
    huge = dossier(created().request_id)
    huge = huge.model_copy(update={"need": "x" * 5_000_000})
    async with relaying(mongo, settings) as relay:
        await store(mongo, huge, created(huge.request_id))
        fine = created()
        await store(mongo, fine)
        await until(lambda: relay.blocked)
        await until(lambda: everything(settings.kafka, settings.prefix + "request.created"))
    [(key, _, _)] = await everything(settings.kafka, settings.prefix + "request.created")
    assert key == fine.key.encode()


async def test_without_kafka_rows_wait_and_stopping_does_not_hang(
    stack: Stack, mongo: Mongo, settings_for: Callable[..., Settings]
) -> None:
    away = settings_for(kafka="127.0.0.1:1")
    async with asyncio.timeout(20):
        async with relaying(mongo, away) as relay:
            await store(mongo, created())
            await until(lambda: relay.failing)
    assert not await no_pending(mongo)


async def test_many_at_once_go_out_on_the_partitions_of_their_keys(mongo: Mongo, settings: Settings) -> None:
    """We put them into batches, and the producer single ones: a key must keep its partition, and so its order."""
    keys = [created().request_id for _ in range(MANY)]
    async with relaying(mongo, settings):
        await store(mongo, withdrawn(keys[0]))
        await until(lambda: no_pending(mongo))
        await store(mongo, *(withdrawn(key) for key in keys), version=2)
        await until(lambda: no_pending(mongo))
    sent = await records(settings.kafka, settings.prefix + "request.withdrawn")
    assert {record.key.decode() for record in sent if record.key} == set(keys)
    assert len({record.partition for record in sent if record.key == keys[0].encode()}) == 1
    every = list(range(settings.partitions))
    assert all(record.partition == DefaultPartitioner()(record.key, every, every) for record in sent)
