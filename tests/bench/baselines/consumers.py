"""Bare consumers: an inbox mark and an effect for each event, and nothing published. Return events per second."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.events import RequestCreated
from shared.ids import new_id
from shared.mongo import Document, Mongo
from tests.waiting import until

Records: TypeAlias = "Sequence[ConsumerRecord[bytes | None, bytes | None]]"


async def transaction_per_batch(bootstrap: str, topic: str, mongo: Mongo, events: int, batch: int = 100) -> float:
    """One transaction for up to `batch` events: two insert_many."""
    async with _consumer(bootstrap, topic) as consumer:
        began, done = time.perf_counter(), 0
        while done < events:
            for records in (await consumer.getmany(timeout_ms=500, max_records=batch)).values():
                await _store(mongo, records)
                done += len(records)
            await consumer.commit()
        return done / (time.perf_counter() - began)


async def transaction_per_event(bootstrap: str, topic: str, mongo: Mongo, events: int) -> float:
    """The textbook way: each event its transaction and its commit."""
    async with _consumer(bootstrap, topic) as consumer:
        began = time.perf_counter()
        for _ in range(events):
            await _store(mongo, [await consumer.getone()])
            await consumer.commit()
        return events / (time.perf_counter() - began)


async def _store(mongo: Mongo, records: Records) -> None:
    marks: list[Document] = []
    effects: list[Document] = []
    for record in records:
        event = RequestCreated.model_validate_json(record.value or b"")
        marks.append({"_id": f"bare {dict(record.headers)['ce_id'].decode()}"})
        effects.append({**event.model_dump(mode="json"), "_id": event.request_id})

    async def store(session: AsyncClientSession) -> None:
        await mongo["inbox"].insert_many(marks, session=session)
        await mongo["effects"].insert_many(effects, session=session)

    await mongo.transaction(store)


@asynccontextmanager
async def _consumer(bootstrap: str, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A group of its own that has its partitions and reads from the beginning."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=f"bare-{new_id()}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        await until(consumer.assignment)
        yield consumer
    finally:
        await consumer.stop()


async def prepare(mongo: Mongo) -> None:
    """Empty collections."""
    for name in ("inbox", "effects"):
        await mongo[name].drop()
        await mongo.db.create_collection(name)
