"""A relay between the real MongoDB and the real Kafka."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from shared import outbox
from shared.commit import Change, Committer, committing
from shared.events import Event
from shared.ids import new_id
from shared.mongo import Mongo
from shared.publisher import Publisher
from shared.settings import Settings
from shared.tasks import end


@asynccontextmanager
async def relaying(mongo: Mongo, settings: Settings, carriers: Sequence[str] = ()) -> AsyncIterator[outbox.Relay]:
    await outbox.prepare(mongo)
    publisher = Publisher(settings.kafka, "test-relay")
    relay = outbox.Relay(mongo, publisher, settings.prefix, new_id(), carriers=carriers)
    running = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        await end(running)
        await relay.close()
        await publisher.close()


async def store(mongo: Mongo, *events: Event | outbox.Tombstone, version: int = 1) -> None:
    async with committing(Committer(mongo, "test")) as commits:
        await commits.commit(Change(events=events, version=version))


async def no_pending(mongo: Mongo) -> bool:
    return await mongo[outbox.COLLECTION].count_documents({"pending": True}) == 0
