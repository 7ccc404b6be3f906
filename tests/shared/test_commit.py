"""Group commit against the real MongoDB, by both drivers."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pymongo.errors import AutoReconnect

from shared import outbox
from shared.commit import BATCH, CROWD, Change, Committer, Insert, Put, Remove, Replace, again, committing
from shared.errors import Duplicate, Stale, Unavailable
from shared.ids import new_id
from shared.inbox import done, mark
from shared.mongo import Driver, Mongo
from tests.conftest import FreshMongo
from tests.shared.samples import created
from tests.waiting import until


@pytest.fixture(params=["pymongo", "motor"])
async def mongo(request: pytest.FixtureRequest, fresh_mongo: FreshMongo) -> Mongo:
    driver: Driver = request.param
    return fresh_mongo("commit", driver)


@pytest.fixture
async def commits(mongo: Mongo) -> AsyncIterator[Committer]:
    async with committing(Committer(mongo, "test")) as running:
        yield running


async def test_state_events_and_mark_stand_together(mongo: Mongo, commits: Committer) -> None:
    event = created()
    change = Change((Replace("things", {"_id": "a", "version": 1}, was=0),), (event,), 1, mark("g", "m1"))
    await commits.commit(change)
    assert await mongo["things"].find_one({"_id": "a"}) == {"_id": "a", "version": 1}
    row = await mongo[outbox.COLLECTION].find_one({})
    assert row is not None
    assert (row["topic"], row["key"], row["pending"]) == ("request.created", event.request_id, True)
    assert await done(mongo, "g", ["m1", "m2"]) == {"m1"}


async def test_a_repeated_cause_changes_nothing(mongo: Mongo, commits: Committer) -> None:
    await commits.commit(Change((Put("things", {"_id": "a", "n": 1}),), mark=mark("g", "m")))
    with pytest.raises(Duplicate) as error:
        await commits.commit(Change((Put("things", {"_id": "a", "n": 2}),), (created(),), 1, mark("g", "m")))
    assert error.value.collection == "inbox"
    assert await mongo["things"].find_one({}) == {"_id": "a", "n": 1}
    assert await mongo[outbox.COLLECTION].count_documents({}) == 0


async def test_in_a_batch_the_faulty_fail_alone(mongo: Mongo, commits: Committer) -> None:
    await commits.commit(Change((Insert("things", {"_id": 0}),)))
    ids = [0, 1, 2, 0, 3, 3, 4]
    answers = await asyncio.gather(
        *(commits.commit(Change((Insert("things", {"_id": n}),))) for n in ids), return_exceptions=True
    )
    assert [isinstance(answer, Duplicate) for answer in answers] == [True, False, False, True, False, True, False]
    assert await mongo["things"].count_documents({}) == 5


async def test_many_failures_in_a_batch_still_let_the_rest_through(mongo: Mongo, commits: Committer) -> None:
    """After a few failures the rest is written one by one; each caller has its own outcome."""
    changes = [Change((Insert("things", {"_id": n % 30}),)) for n in range(60)]
    answers = await asyncio.gather(*(commits.commit(change) for change in changes), return_exceptions=True)
    assert sum(answer is None for answer in answers) == 30
    assert await mongo["things"].count_documents({}) == 30


async def test_of_two_who_loaded_the_same_version_one_is_stale(mongo: Mongo, commits: Committer) -> None:
    await commits.commit(Change((Replace("things", {"_id": "a", "version": 1}, was=0),)))
    answers = await asyncio.gather(
        *(commits.commit(Change((Replace("things", {"_id": "a", "version": 2, "by": n}, was=1),))) for n in (1, 2)),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [type(None), Stale]
    with pytest.raises(Stale):
        await commits.commit(Change((Replace("things", {"_id": "a", "version": 1}, was=0),)))


async def test_again_repeats_until_it_is_not_stale(mongo: Mongo, commits: Committer) -> None:
    await commits.commit(Change((Replace("counter", {"_id": "n", "version": 1}, was=0),)))

    async def increase() -> None:
        found = await mongo["counter"].find_one({"_id": "n"})
        assert found is not None
        was = found["version"]
        await commits.commit(Change((Replace("counter", {"_id": "n", "version": was + 1}, was=was),)))

    await asyncio.gather(*(again(increase, attempts=50) for _ in range(10)))
    assert await mongo["counter"].find_one({}) == {"_id": "n", "version": 11}


async def test_a_burst_becomes_few_transactions(commits: Committer) -> None:
    await asyncio.gather(*(commits.commit(Change((Insert("things", {"_id": n}),))) for n in range(2 * BATCH)))
    assert commits.changes == 2 * BATCH
    assert commits.batches <= 4


async def test_a_full_queue_refuses_at_once_and_closing_writes_what_waits(mongo: Mongo) -> None:
    commits = Committer(mongo, "test", limit=3)
    waiting = [asyncio.create_task(commits.commit(Change((Insert("things", {"_id": n}),)))) for n in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await commits.commit(Change((Insert("things", {"_id": 9}),)))
    commits.close()
    await commits.run()
    await asyncio.gather(*waiting)
    assert await mongo["things"].count_documents({}) == 3


async def test_removing_leaves_nothing(mongo: Mongo, commits: Committer) -> None:
    await commits.commit(Change((Insert("things", {"_id": "a"}),)))
    await commits.commit(Change((Remove("things", "a"), Remove("things", "never-there"))))
    assert await mongo["things"].count_documents({}) == 0


async def test_a_database_that_is_away_answers_unavailable() -> None:
    mongo = Mongo("mongodb://127.0.0.1:1/?replicaSet=rs0&serverSelectionTimeoutMS=300", "nowhere")
    try:
        async with committing(Committer(mongo, "test")) as commits:
            with pytest.raises(Unavailable) as error:
                await commits.commit(Change((Insert("things", {"_id": new_id()}),)))
        assert error.value.status == 503
        assert error.value.retry_after
    finally:
        await mongo.close()


async def test_who_waits_behind_a_database_that_is_away_is_told_with_the_first(mongo: Mongo) -> None:
    class Away(Committer):
        tried, gone = 0, asyncio.Event()

        async def _write(self, batch: object) -> None:
            self.tried += 1
            await self.gone.wait()
            raise AutoReconnect

    away = Away(mongo, "test")
    async with committing(away) as commits:
        waiting = [asyncio.create_task(commits.commit(Change((Insert("things", {"_id": n}),)))) for n in range(3)]
        await until(lambda: away.tried)
        late = asyncio.create_task(commits.commit(Change((Insert("things", {"_id": "late"}),))))
        await until(lambda: commits.waiting)
        away.gone.set()
        answers = await asyncio.gather(*waiting, late, return_exceptions=True)
        assert [type(answer) for answer in answers] == [Unavailable] * 4
        assert away.tried == 1


async def test_callers_press_while_many_wait_at_once_and_no_longer(commits: Committer) -> None:
    await commits.commit(Change((Insert("things", {"_id": "first"}),)))
    assert not commits.pressed
    await asyncio.gather(*(commits.commit(Change((Insert("things", {"_id": n}),))) for n in range(2 * CROWD)))
    assert commits.pressed

    async def over() -> bool:
        return not commits.pressed

    await until(over, seconds=5)
