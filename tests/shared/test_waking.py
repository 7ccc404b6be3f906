"""A loop is woken by what came before its change stream stood, by what comes after, and after a failed stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from pymongo.errors import OperationFailure

from shared import waking
from shared.mongo import Mongo
from shared.tasks import end
from shared.waking import Wake
from tests.conftest import FreshMongo


@asynccontextmanager
async def watching(mongo: Mongo) -> AsyncIterator[Wake]:
    wake = Wake(mongo, "rows", {"operationType": "insert"})
    task = asyncio.create_task(wake.watch())
    try:
        async with asyncio.timeout(60):
            yield wake
    finally:
        await end(task)


@pytest.fixture
def mongo(fresh_mongo: FreshMongo, monkeypatch: pytest.MonkeyPatch) -> Mongo:
    monkeypatch.setattr(waking, "SCAN_SECONDS", 3600.0)
    return fresh_mongo("waking")


async def test_rows_of_other_processes_wake_without_the_scan(mongo: Mongo) -> None:
    await mongo["rows"].insert_one({"_id": "before"})
    async with watching(mongo) as wake:
        await wake.wait()
        await mongo["rows"].insert_one({"_id": "after"})
        await wake.wait()


async def test_one_stream_goes_on_however_often_something_comes(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    stands, opened = mongo.watch, list[str]()

    @asynccontextmanager
    async def counted(collections: list[str], pipeline: list[dict[str, object]]) -> AsyncIterator[object]:
        opened.extend(collections)
        async with stands(collections, pipeline) as stream:
            yield stream

    monkeypatch.setattr(mongo, "watch", counted)
    async with watching(mongo) as wake:
        await wake.wait()
        for number in range(3):
            await mongo["rows"].insert_many([{"_id": f"{number} {n}"} for n in range(5)])
            await wake.wait()
    assert opened == ["rows"]


async def test_a_stream_that_fails_is_opened_again_and_wakes_for_what_it_missed(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As MongoDB refuses one over a collection whose index was just made."""
    stands, failures = mongo.watch, iter(range(2))

    @asynccontextmanager
    async def refused(collection: str, pipeline: list[dict[str, object]]) -> AsyncIterator[object]:
        if next(failures, None) is not None:
            raise OperationFailure("Unable to read from a snapshot due to pending catalog changes", 246)
        async with stands(collection, pipeline) as stream:
            yield stream

    monkeypatch.setattr(mongo, "watch", refused)
    async with watching(mongo) as wake:
        await wake.wait()
        await mongo["rows"].insert_one({"_id": "after"})
        await wake.wait()
    assert next(failures, None) is None


async def test_a_cancelled_loop_does_not_wait(mongo: Mongo) -> None:
    """Also when a database call has swallowed the cancellation."""
    wake = Wake(mongo, "rows", {"operationType": "insert"})

    async def loop() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        await wake.wait()

    task = asyncio.create_task(loop())
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(60):
        await task
