"""Documents that carry their events and their caller's key, on the real MongoDB and the real Kafka."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import field_serializer
from pymongo.errors import BulkWriteError

from shared import carried, idempotency, outbox
from shared.commit import CROWD, INSERTS, Change, Committer, Mark, Replace, committing
from shared.errors import Duplicate, Invalid, Stale, Unavailable
from shared.events import Event, RequestCreated
from shared.idempotency import Carried, Once
from shared.ids import new_id
from shared.inbox import mark
from shared.mongo import Document, Driver, Mongo
from shared.settings import Settings
from tests.conftest import FreshMongo
from tests.shared.kafka import everything
from tests.shared.relaying import relaying
from tests.shared.samples import created, dossier, withdrawn
from tests.waiting import until

THINGS = "things"


@pytest.fixture(params=["pymongo", "motor"])
async def mongo(request: pytest.FixtureRequest, fresh_mongo: FreshMongo) -> Mongo:
    driver: Driver = request.param
    made = fresh_mongo("carried", driver)
    await carried.prepare(made, THINGS)
    return made


@pytest.fixture
async def commits(mongo: Mongo) -> AsyncIterator[Committer]:
    async with committing(Committer(mongo, "test")) as running:
        yield running


def new(*events: Event, key: str | None = None, thing: str | None = None) -> Change:
    """A thing that is new, and what is told of it."""
    thing = thing or (events[0].key if events else new_id())
    caller = Mark(idempotency.COLLECTION, {"_id": f"POST /things {key}", "at": datetime.now(UTC)}) if key else None
    return Change((Replace(THINGS, {"_id": thing, "version": 1, "n": 1}, 0, carries=True),), events, 1, caller)


async def nothing_pending(mongo: Mongo) -> bool:
    return (await outbox.backlog(mongo, [THINGS]))[0] == 0


async def topics(settings: Settings, *names: str) -> list[list[str]]:
    """The ids of what lies on each."""
    found = [await everything(settings.kafka, settings.prefix + name) for name in names]
    return [[headers["ce_id"].decode() for _, _, headers in records] for records in found]


async def test_state_events_and_key_are_one_document(mongo: Mongo, commits: Committer) -> None:
    first = created()
    await commits.commit(new(first, dossier(first.request_id), key="k"))
    (document,) = await mongo[THINGS].find().to_list(None)
    assert [row["topic"] for row in carried.rows(document)] == ["request.created", "request.dossier"]
    assert document["once"]["_id"] == "POST /things k"
    for name in (outbox.COLLECTION, idempotency.COLLECTION):
        assert await mongo[name].count_documents({}) == 0
    assert (await outbox.backlog(mongo, [THINGS]))[0] == 1


async def test_what_does_not_fit_into_one_document_goes_by_a_transaction(mongo: Mongo, commits: Committer) -> None:
    """Told of somebody else, told by a tombstone, caused by an event, or stored with something else."""
    write = Replace(THINGS, {"_id": "a", "version": 1}, 0, carries=True)
    other = Replace("others", {"_id": "a", "version": 1}, 0)
    await commits.commit(Change((write,), (created(),), 1))
    await commits.commit(Change((other, Replace(THINGS, {"_id": "b", "version": 1}, 0, carries=True)), (), 1))
    await commits.commit(
        Change((Replace(THINGS, {"_id": "c", "version": 1}, 0, carries=True),), mark=mark("test", "m"))
    )
    assert await mongo[THINGS].count_documents({"told": {"$exists": False}}) == 3
    assert await mongo[outbox.COLLECTION].count_documents({}) == 1
    assert await mongo["inbox"].count_documents({}) == 1


async def test_in_a_batch_the_faulty_fail_alone_and_each_for_its_own_reason(mongo: Mongo, commits: Committer) -> None:
    await mongo.index(THINGS, "n", name="n", unique=True)
    there = created()
    await commits.commit(new(there, key="taken"))
    await mongo[THINGS].update_one({}, {"$set": {"n": 7}})
    good = [Change((Replace(THINGS, {"_id": new_id(), "version": 1, "n": n}, 0, carries=True),)) for n in (20, 21, 22)]
    key_taken = new(created(), key="taken")
    id_taken = Change((Replace(THINGS, {"_id": there.key, "version": 1, "n": 30}, 0, carries=True),))
    number_taken = Change((Replace(THINGS, {"_id": new_id(), "version": 1, "n": 7}, 0, carries=True),))
    batch = [good[0], key_taken, good[1], id_taken, number_taken, good[2]]
    answers = await asyncio.gather(*(commits.commit(change) for change in batch), return_exceptions=True)
    assert [answers[at] for at in (0, 2, 5)] == [None] * 3
    assert isinstance(answers[1], Duplicate)
    assert (answers[1].collection, answers[1].keys) == (idempotency.COLLECTION, ("_id",))
    assert isinstance(answers[3], Stale)
    assert isinstance(answers[4], Duplicate)
    assert (answers[4].collection, answers[4].keys) == (THINGS, ("n",))
    assert await mongo[THINGS].count_documents({}) == 4


async def test_a_crowd_is_inserted_while_the_insert_before_it_is_under_way_and_a_single_one_waits(mongo: Mongo) -> None:
    under_way: list[int] = []
    go_on = asyncio.Event()
    insert = mongo.insert

    async def held(name: str, documents: Sequence[Document]) -> None:
        under_way.append(len(documents))
        await go_on.wait()
        await insert(name, documents)

    mongo.insert = held  # type: ignore[method-assign, assignment]
    async with committing(Committer(mongo, "test")) as commits:
        asked = [asyncio.create_task(commits.commit(new(created())))]
        await until(lambda: under_way == [1])
        asked += [asyncio.create_task(commits.commit(new(created()))) for _ in range(CROWD - 1)]
        await until(lambda: commits.waiting == CROWD - 1)
        assert under_way == [1]
        asked.append(asyncio.create_task(commits.commit(new(created()))))
        await until(lambda: under_way == [1, CROWD])
        asked += [asyncio.create_task(commits.commit(new(created()))) for _ in range(INSERTS * CROWD)]
        await until(lambda: len(under_way) == INSERTS and commits.waiting == 0)
        assert not any(one.done() for one in asked)
        go_on.set()
        await asyncio.gather(*asked)
    assert await mongo[THINGS].count_documents({}) == 1 + CROWD + INSERTS * CROWD


async def test_what_can_not_be_written_down_fails_alone(mongo: Mongo, commits: Committer) -> None:
    class Unwritable(RequestCreated):
        @field_serializer("case_number")
        def _refuse(self, _: str) -> str:
            raise RuntimeError("unwritable")

    bad = Unwritable.model_validate(created().model_dump())
    answers = await asyncio.gather(
        *(commits.commit(new(event)) for event in (created(), bad, created())), return_exceptions=True
    )
    assert [type(answer).__name__ for answer in answers] == ["NoneType", "PydanticSerializationError", "NoneType"]
    assert await mongo[THINGS].count_documents({}) == 2


async def test_without_the_majority_nobody_of_the_batch_is_told_that_it_stands(mongo: Mongo) -> None:
    """What the primary has taken may yet be undone: all are to ask again, with the same key."""

    class Alone(Committer):
        answered = False

        async def _insert(self, collection: str, entries: Any) -> Any:
            insert = self._mongo.insert

            async def unconfirmed(name: str, documents: Sequence[Document]) -> None:
                await insert(name, documents)
                raise BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64, "errmsg": "waited"}]})

            self._mongo.insert = unconfirmed  # type: ignore[method-assign, assignment]
            try:
                return await super()._insert(collection, entries)
            finally:
                self._mongo.insert = insert  # type: ignore[method-assign]

    async with committing(Alone(mongo, "test")) as commits:
        answers = await asyncio.gather(*(commits.commit(new(created())) for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable] * 3


async def test_a_later_version_keeps_what_the_document_carries(
    mongo: Mongo, commits: Committer, settings: Settings
) -> None:
    """The second change may come before the first is published; both go out, in order."""
    event = created()
    await commits.commit(new(event, key="k"))
    later = Replace(THINGS, {"_id": event.key, "version": 2, "n": 2}, was=1, carries=True)
    await commits.commit(Change((later,), (withdrawn(event.key),), 2))
    (document,) = await mongo[THINGS].find().to_list(None)
    assert (document["n"], document["once"]["_id"], len(carried.rows(document))) == (2, "POST /things k", 1)
    with pytest.raises(Stale):
        await commits.commit(Change((later,), (), 2))
    async with relaying(mongo, settings, [THINGS]):
        await until(lambda: nothing_pending(mongo))
    assert [len(set(ids)) for ids in await topics(settings, "request.created", "request.withdrawn")] == [1, 1]


async def test_what_a_crash_left_between_insert_and_publication_goes_out(
    mongo: Mongo, commits: Committer, settings: Settings
) -> None:
    """By whoever runs the relay next, with rows of the outbox as earlier releases have left them; once each."""
    events = [created() for _ in range(3)]
    for event in events:
        await commits.commit(new(event, dossier(event.request_id)))
    await mongo[outbox.COLLECTION].insert_many(outbox.rows([created()], 1, "test", datetime.now(UTC)))
    async with relaying(mongo, settings, [THINGS]):
        await until(lambda: nothing_pending(mongo))
    carriers = await mongo[THINGS].find().to_list(None)
    stored = [row for document in carriers for row in carried.rows(document)]
    old = await mongo[outbox.COLLECTION].find().to_list(None)
    made, told = await topics(settings, "request.created", "request.dossier")
    assert {*made, *told} == {row["_id"] for row in [*stored, *old]}, "some twice, where Kafka was slow to confirm"
    assert all(row["body"] is None for row in stored), "published bodies are not kept"
    assert all("pending" not in document["told"] for document in carriers)


async def test_another_process_is_woken_by_what_a_document_carries(
    mongo: Mongo, commits: Committer, settings: Settings
) -> None:
    async with relaying(mongo, settings, [THINGS]) as relay:
        await until(lambda: nothing_pending(mongo))
        await commits.commit(new(created()))
        await until(lambda: relay.published == 1, seconds=4)


async def test_an_event_that_kafka_never_takes_stops_only_its_document(
    mongo: Mongo, commits: Committer, settings: Settings
) -> None:
    """What stood before it in the same document is not sent again."""
    first, second = created(), created()
    large = dossier(first.request_id).model_copy(update={"need": "x" * 5_000_000})
    await commits.commit(new(first, large))
    await commits.commit(new(second))
    async with relaying(mongo, settings, [THINGS]) as relay:
        await until(lambda: relay.published >= 2 and first.key in relay.blocked)
        before = await topics(settings, "request.created")
        relay.blocked.clear()
        relay.wake()
        await until(lambda: first.key in relay.blocked)
    assert await topics(settings, "request.created") == before
    assert len(set(before[0])) == 2
    left = await carried.pending(mongo, THINGS, 10)
    assert [(row["key"], row["topic"]) for row in left] == [(first.key, "request.dossier")]
    assert await carried.forget(mongo, THINGS, first.key, ["request.dossier"]) == 1
    assert await nothing_pending(mongo)


async def test_forgetting_leaves_the_facts_to_be_published(mongo: Mongo, commits: Committer) -> None:
    event = created()
    await commits.commit(new(event, dossier(event.request_id)))
    assert await carried.forget(mongo, THINGS, event.key, ["request.dossier"]) == 1
    assert await carried.forget(mongo, THINGS, event.key, ["request.dossier"]) == 0
    assert [row["topic"] for row in await carried.pending(mongo, THINGS, 10)] == ["request.created"]


class Door:
    """A POST that makes a thing."""

    def __init__(self, mongo: Mongo, commits: Committer) -> None:
        self._mongo, self._commits = mongo, commits
        self._marks = Carried(mongo, THINGS, "POST /things")

    async def post(self, key: str, body: bytes = b"{}") -> dict[str, Any]:
        once = Once(self._mongo, "POST /things", key, body, self._marks)

        async def act() -> dict[str, Any]:
            event = created()
            change = new(event)
            await self._commits.commit(Change(change.writes, change.events, 1, once.mark({"id": event.key})))
            return {"id": event.key}

        return await once.run(act)


async def test_a_repeated_call_gets_the_answer_that_its_document_carries(mongo: Mongo, commits: Committer) -> None:
    door = Door(mongo, commits)
    answers = await asyncio.gather(*(door.post("a") for _ in range(10)))
    assert answers == [answers[0]] * 10
    assert await mongo[THINGS].count_documents({}) == 1
    with pytest.raises(Invalid):
        await door.post("a", b"[]")
    assert await door.post("b") != answers[0]


async def test_a_key_of_an_earlier_release_is_known_too(mongo: Mongo, commits: Committer) -> None:
    """Its mark stands where those of other routes do, and would stop nobody."""
    once = Once(mongo, "POST /things", "a", b"{}")
    mark = once.mark({"id": "the first"})
    assert mark is not None
    await commits.commit(Change(mark=mark))
    assert await Door(mongo, commits).post("a") == {"id": "the first"}
    assert await mongo[THINGS].count_documents({}) == 0


async def test_keys_are_forgotten_in_time_and_nothing_else(mongo: Mongo, commits: Committer) -> None:
    door = Door(mongo, commits)
    await door.post("old")
    later = datetime.now(UTC) + idempotency.KEPT
    await mongo[THINGS].update_one({}, {"$set": {"once.at": later - idempotency.KEPT - timedelta(seconds=1)}})
    await door.post("young")
    await mongo[THINGS].update_one({"once._id": "POST /things young"}, {"$set": {"once.at": later}})
    assert await idempotency.forget(mongo, THINGS, later) == 1
    assert await mongo[THINGS].distinct("once._id") == ["POST /things young"]
    assert await mongo[THINGS].count_documents({"told": {"$exists": True}}) == 2
