"""A repeated POST gets the first one's answer, whatever has become of the state in between."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from shared.commit import Change, Committer, Insert, committing
from shared.errors import Conflict, Invalid, Unavailable
from shared.idempotency import Once
from shared.mongo import Mongo
from tests.conftest import FreshMongo


@pytest.fixture
def mongo(fresh_mongo: FreshMongo) -> Mongo:
    return fresh_mongo("once")


@pytest.fixture
async def commits(mongo: Mongo) -> AsyncIterator[Committer]:
    async with committing(Committer(mongo, "once")) as running:
        yield running


class Door:
    """A POST that can be done once: then its state refuses."""

    def __init__(self, mongo: Mongo, commits: Committer) -> None:
        self._mongo = mongo
        self._commits = commits
        self.acts = 0

    async def post(self, key: str | None, body: bytes = b"{}") -> dict[str, Any]:
        once = Once(self._mongo, "POST /things", key, body)

        async def act() -> Mapping[str, Any]:
            self.acts += 1
            number = self.acts
            if await self._mongo["things"].find_one({"_id": "only"}) is not None:
                raise Conflict("Schon da.", "There already.")
            answer = {"number": number}
            await self._commits.commit(Change((Insert("things", {"_id": "only"}),), mark=once.mark(answer)))
            return answer

        return await once.run(act)


async def test_a_repetition_that_the_state_refuses_gets_the_first_answer(mongo: Mongo, commits: Committer) -> None:
    door = Door(mongo, commits)
    first = await door.post("a")
    assert await door.post("a") == first
    for other in ("b", None):
        with pytest.raises(Conflict):
            await door.post(other)
    with pytest.raises(Invalid):
        await door.post("a", b"[]")


async def test_ten_at_once_get_one_answer(mongo: Mongo, commits: Committer) -> None:
    door = Door(mongo, commits)
    answers = await asyncio.gather(*(door.post("a") for _ in range(10)))
    assert answers == [answers[0]] * 10
    assert await mongo["things"].count_documents({}) == 1


async def test_while_nothing_can_be_stored_nobody_is_asked_for_an_old_answer(mongo: Mongo) -> None:
    closed = Committer(mongo, "once")
    closed.close()
    with pytest.raises(Unavailable):
        await Door(mongo, closed).post("a")
