"""What the stores need of MongoDB beside documents, by both drivers."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import AutoReconnect, DuplicateKeyError, OperationFailure

from shared.mongo import Driver, Mongo, is_transient
from tests.conftest import FreshMongo
from tests.waiting import until


@pytest.mark.parametrize("driver", ["pymongo", "motor"])
async def test_an_index_that_an_earlier_version_made_otherwise_is_made_anew(
    fresh_mongo: FreshMongo, driver: Driver
) -> None:
    """By its name, or by its keys under another name; the data stays."""
    mongo = fresh_mongo("index", driver)
    await mongo["things"].insert_one({"_id": 1, "a": 1})
    await mongo.index("things", "a", name="a")
    await mongo.index("things", [("b", 1)], name="old")
    await mongo.index("things", "a", name="a", unique=True)
    await mongo.index("things", "b", name="new")
    await mongo.index("things", "b", name="new")
    assert set(await mongo["things"].index_information()) == {"_id_", "a", "new"}
    with pytest.raises(DuplicateKeyError):
        await mongo["things"].insert_one({"_id": 2, "a": 1})


async def test_an_index_that_cannot_be_made_is_told(fresh_mongo: FreshMongo) -> None:
    mongo = fresh_mongo("index")
    await mongo["things"].insert_many([{"_id": 1, "a": 1}, {"_id": 2, "a": 1}])
    with pytest.raises(OperationFailure) as error:
        await mongo.index("things", "a", unique=True)
    assert not is_transient(error.value)


def test_a_lock_that_another_has_let_go_is_no_bug_of_ours() -> None:
    assert is_transient(RuntimeError("Lock is not acquired"))
    assert not is_transient(RuntimeError("something else"))


async def add(mongo: Mongo, number: int, turn: asyncio.Lock, begun: list[int]) -> None:
    async def body(session: AsyncClientSession) -> None:
        await mongo["things"].update_one({"_id": 1}, {"$inc": {"n": number}}, upsert=True, session=session)
        begun.append(number)

    await mongo.transaction(body, turn)


def before_each_confirmation(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Awaitable[object]]) -> None:
    """Of a transaction that the primary has: its second commit."""
    commit, seen = AsyncClientSession.commit_transaction, set[AsyncClientSession]()

    async def commit_transaction(session: AsyncClientSession) -> None:
        if session in seen:
            await act()
        seen.add(session)
        await commit(session)

    monkeypatch.setattr(AsyncClientSession, "commit_transaction", commit_transaction)


@pytest.mark.parametrize("driver", ["pymongo", "motor"])
async def test_transactions_in_turn_build_on_each_other(fresh_mongo: FreshMongo, driver: Driver) -> None:
    mongo, turn, begun = fresh_mongo("turn", driver), asyncio.Lock(), list[int]()
    await mongo.db.create_collection("things")
    await asyncio.gather(*(add(mongo, number, turn, begun) for number in (1, 2, 3)))
    assert begun == [1, 2, 3]
    assert await mongo.settled("things").find_one({}) == {"_id": 1, "n": 6}


async def test_the_next_in_turn_begins_while_the_majority_is_waited_for(
    fresh_mongo: FreshMongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    mongo, turn, begun, confirmed = fresh_mongo("turn"), asyncio.Lock(), list[int](), asyncio.Event()
    await mongo.db.create_collection("things")
    before_each_confirmation(monkeypatch, confirmed.wait)
    both = [asyncio.create_task(add(mongo, number, turn, begun)) for number in (1, 2)]
    await until(lambda: begun == [1, 2])
    assert not any(one.done() for one in both)
    confirmed.set()
    await asyncio.gather(*both)


async def test_what_the_majority_may_not_have_is_not_said_to_stand(
    fresh_mongo: FreshMongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose() -> None:
        raise AutoReconnect("another primary")

    mongo = fresh_mongo("turn")
    await mongo.db.create_collection("things")
    before_each_confirmation(monkeypatch, lose)
    with pytest.raises(AutoReconnect):
        await add(mongo, 1, asyncio.Lock(), [])
