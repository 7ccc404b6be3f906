"""A service that takes the events of a topic at once where it can: what it leaves is handled one by one."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram

from shared import dlq, topics
from shared.broker import Inlet, Meters, On
from shared.commit import Change, Committer, Insert, committing
from shared.events import RequestCreated, RequestWithdrawn
from shared.mongo import Mongo
from shared.publisher import Message, Publisher
from shared.settings import Settings
from tests.conftest import FreshMongo
from tests.shared.kafka import message, send
from tests.shared.samples import created, withdrawn
from tests.waiting import until


@pytest.fixture
async def settings(settings_for: Callable[..., Settings]) -> Settings:
    made = settings_for()
    await topics.apply(made)
    return made


class Kept:
    """Stores an effect per event; of those that come at once only the first `takes`, or it raises."""

    def __init__(self, commits: Committer, takes: int, raises: Exception | None = None) -> None:
        self.commits = commits
        self.takes = takes
        self.raises = raises
        self.sizes: list[int] = []
        self.alone = 0

    async def many(self, arrived: Sequence[tuple[RequestCreated, Insert]]) -> int:
        self.sizes.append(len(arrived))
        if self.raises:
            raise self.raises
        taken = arrived[: self.takes]
        writes = (*(_effect(event) for event, _ in taken), *(mark for _, mark in taken))
        await self.commits.commit(Change(writes))
        return len(taken)

    async def one(self, event: RequestCreated | RequestWithdrawn, mark: Insert) -> None:
        self.alone += 1
        await self.commits.commit(Change((_effect(event),), mark=mark))


def _effect(event: RequestCreated | RequestWithdrawn) -> Insert:
    return Insert("effects", {"_id": f"{event.topic} {event.key}"})


@asynccontextmanager
async def listening(
    mongo: Mongo, settings: Settings, takes: int = 500, raises: Exception | None = None
) -> AsyncIterator[Kept]:
    registry = CollectorRegistry()
    publisher = Publisher(settings.kafka, "test-dlq")
    async with committing(Committer(mongo, "matching")) as commits:
        kept = Kept(commits, takes, raises)
        inlet = Inlet(
            "matching",
            [On(RequestCreated, kept.one, many=kept.many), On(RequestWithdrawn, kept.one)],
            bootstrap=settings.kafka,
            prefix=settings.prefix,
            mongo=mongo,
            publisher=publisher,
            meters=Meters(
                Counter("h", "h", ("topic", "outcome"), registry=registry),
                *(Histogram(name, name, ("topic",), registry=registry) for name in "spt"),
            ),
        )
        await inlet.broker.start()
        try:
            yield kept
        finally:
            await inlet.broker.stop()
            await publisher.close()


async def _effects(mongo: Mongo, number: int) -> bool:
    return await mongo["effects"].count_documents({}) == number


@pytest.mark.parametrize("takes", [500, 3, 0])
async def test_each_event_has_one_effect_however_many_are_taken_at_once(
    fresh_mongo: FreshMongo, settings: Settings, takes: int
) -> None:
    """Repetitions in the same batch, other topics between, and all of it once more."""
    mongo = fresh_mongo("broker")
    events = [created() for _ in range(30)]
    sent = [message(event, settings.prefix) for event in events]
    sent += [message(withdrawn(event.request_id), settings.prefix) for event in events[:10]]
    await send(settings.kafka, [*sent, *sent[:5]])
    async with listening(mongo, settings, takes) as kept:
        await until(lambda: _effects(mongo, 40))
        assert max(kept.sizes) > 1
        assert kept.alone >= 40 if takes == 0 else kept.alone >= 10
        assert kept.alone <= 15 or takes < 500
        last = created()
        await send(settings.kafka, [*sent, message(last, settings.prefix)])
        await until(lambda: mongo["effects"].find_one({"_id": f"{last.topic} {last.key}"}))
    assert await _effects(mongo, 41)
    assert await mongo["inbox"].count_documents({}) == 41


async def test_a_failure_of_all_fails_none_alone_and_what_is_unreadable_is_buried(
    fresh_mongo: FreshMongo, settings: Settings
) -> None:
    mongo = fresh_mongo("broker")
    sent = [message(created(), settings.prefix) for _ in range(5)]
    broken = message(created(), settings.prefix)
    await send(settings.kafka, [*sent, Message(broken.topic, broken.key, b"{", broken.headers)])
    async with listening(mongo, settings, raises=RuntimeError("a bug")) as kept:
        await until(lambda: _effects(mongo, 5))
        assert kept.alone == 5

        async def buried() -> list[dlq.Letter]:
            return [letter async for letter in dlq.letters(settings, dlq.names(settings, "matching"))]

        (letter,) = await until(buried)
        assert letter.key == broken.key
