"""Dossiers that a relay has in hand while they are erased: what it publishes late does not stay."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from shared import carried, outbox
from shared.commit import Change, Committer, Replace, committing
from shared.events import RequestDossier
from shared.ids import new_id
from shared.lease import LEASES
from shared.mongo import Mongo
from shared.outbox import Relay, Tombstone
from shared.publisher import Message, Publisher
from shared.settings import Settings
from shared.tasks import end
from tests.shared.kafka import everything
from tests.shared.relaying import relaying
from tests.shared.samples import created, dossier
from tests.waiting import until

THINGS = "things"
Told = Callable[[str], Awaitable[None]]


class Door(Publisher):
    """Stops before it hands the first dossier to Kafka, until it is let through; then fails, if it shall."""

    def __init__(self, settings: Settings, *, fails: bool = False) -> None:
        super().__init__(settings.kafka, "test-door")
        self.reached, self.opened = asyncio.Event(), asyncio.Event()
        self._fails = fails

    async def publish(self, messages: Sequence[Message]) -> None:
        first = not self.reached.is_set() and any(b"need" in (message.value or b"") for message in messages)
        if first:
            self.reached.set()
            await self.opened.wait()
        await super().publish(messages)
        if first and self._fails:
            raise TimeoutError


@pytest.fixture
async def commits(mongo: Mongo) -> AsyncIterator[Committer]:
    await outbox.prepare(mongo)
    await carried.prepare(mongo, THINGS)
    async with committing(Committer(mongo, "test")) as running:
        yield running


@pytest.fixture(params=["in rows of the outbox", "carried by its document"])
def tell(request: pytest.FixtureRequest, commits: Committer) -> Told:
    """Stores a request and its dossier, where the parameter says."""
    carries = request.param == "carried by its document"

    async def store(key: str) -> None:
        write = Replace(THINGS, {"_id": key, "version": 1}, was=0, carries=carries)
        await commits.commit(Change((write,), (created(key), dossier(key)), 1))

    return store


@asynccontextmanager
async def stopped(mongo: Mongo, settings: Settings, *, fails: bool = False) -> AsyncIterator[Door]:
    """A relay that has a dossier in hand and has lost its lease meanwhile."""
    door = Door(settings, fails=fails)
    relay = Relay(mongo, door, settings.prefix, new_id(), carriers=[THINGS])
    running = asyncio.create_task(relay.run())
    try:
        await door.reached.wait()
        await mongo[LEASES].delete_many({})
        yield door
    finally:
        await end(running)
        await door.close()


async def erase(mongo: Mongo, commits: Committer, key: str) -> None:
    """As services do it: the change, then what is still to be told of before."""
    await commits.commit(Change((), (Tombstone(RequestDossier, key),), 2))
    await outbox.forget(mongo, key, [RequestDossier.topic])
    await carried.forget(mongo, THINGS, key, [RequestDossier.topic])
    await commits.commit(Change((), (Tombstone(RequestDossier, key),), 2))


async def values(settings: Settings, key: str) -> list[bool]:
    """Of each message about `key`, in order: whether it says something."""
    found = await everything(settings.kafka, settings.prefix + RequestDossier.topic)
    return [value is not None for about, value, _ in found if about == key.encode()]


async def all_published(mongo: Mongo) -> bool:
    return (await outbox.backlog(mongo, [THINGS]))[0] == 0


@pytest.mark.parametrize("before", ["never published", "published by another"])
async def test_what_a_frozen_relay_publishes_after_an_erasure_is_erased_again(
    mongo: Mongo, settings: Settings, commits: Committer, tell: Told, before: str
) -> None:
    key, other = new_id(), new_id()
    await tell(key)
    async with stopped(mongo, settings) as door:
        await tell(other)
        if before == "published by another":
            async with relaying(mongo, settings, [THINGS]):
                await until(lambda: all_published(mongo))
        await erase(mongo, commits, key)
        async with relaying(mongo, settings, [THINGS]):
            await until(lambda: all_published(mongo))
        told = await values(settings, key)
        assert told[-1] is False
        door.opened.set()
        await until(lambda: _came_back_and_went(settings, key, len(told)))
    assert await values(settings, other) == [True]
    await _facts_are_all_there(settings, key, other)


async def test_what_reached_kafka_although_publishing_had_failed_is_erased_again(
    mongo: Mongo, settings: Settings, commits: Committer, tell: Told
) -> None:
    key = new_id()
    await tell(key)
    async with stopped(mongo, settings, fails=True) as door:
        await erase(mongo, commits, key)
        async with relaying(mongo, settings, [THINGS]):
            await until(lambda: all_published(mongo))
        told = await values(settings, key)
        door.opened.set()
        await until(lambda: _came_back_and_went(settings, key, len(told)))
    await _facts_are_all_there(settings, key)


async def test_who_was_only_overtaken_erases_nothing(mongo: Mongo, settings: Settings, tell: Told) -> None:
    """Its rows were published and marked by another; nobody was erased."""
    key, later = new_id(), new_id()
    await tell(key)
    async with stopped(mongo, settings) as door:
        async with relaying(mongo, settings, [THINGS]):
            await until(lambda: all_published(mongo))
        door.opened.set()
        await until(lambda: _said(settings, key, 2))
        await tell(later)
        await until(lambda: all_published(mongo))
    assert await values(settings, key) == [True, True]
    assert await values(settings, later) == [True]


async def test_a_row_that_was_emptied_is_kept_no_longer_than_others(mongo: Mongo, commits: Committer) -> None:
    key, now = new_id(), datetime.now(UTC)
    await commits.commit(Change((), (dossier(key),), 1))
    assert await outbox.forget(mongo, key, [RequestDossier.topic]) == 1
    assert await outbox.forget(mongo, key, [RequestDossier.topic]) == 0
    (row,) = await mongo[outbox.COLLECTION].find().to_list(None)
    assert (row["body"], "pending" in row) == (None, False)
    assert abs((row["published_at"].replace(tzinfo=UTC) - now).total_seconds()) < 60


async def _came_back_and_went(settings: Settings, key: str, before: int) -> bool:
    return (await values(settings, key))[before:] == [True, False]


async def _said(settings: Settings, key: str, times: int) -> bool:
    return len(await values(settings, key)) == times


async def _facts_are_all_there(settings: Settings, *keys: str) -> None:
    told = await everything(settings.kafka, settings.prefix + "request.created")
    assert {key.decode() for key, _, _ in told if key} == set(keys)
