"""The ledger: every fact once, in an order without gaps.

A fact's place (`seq`) is given in the transaction that inserts it, out of one counter that all processes
share. A transaction that commits first has the lower places, one that aborts has none: whoever has read up to
a place has read everything before it, and a reader with a cursor never misses a fact that commits late.
Facts are read as the majority has them: a place that was seen is never given to another fact.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError

from services.reporting.facts import Fact, Recorded, read
from shared.events import BY_TOPIC, Event
from shared.ids import new_id
from shared.mongo import Document, Mongo

FACTS = "facts"
COUNTERS = "counters"
HEAD = "ledger"
"""The counter's `_id`; its `seq` is the place of the last fact."""
PAGE = 2_000
"""Facts that are read at a time, where all are."""
_TAKEN = 11000
Requests = list[tuple[str, list[Recorded[Event]]]]
"""Requests, each with its facts."""


class Ledger:
    """All facts. Append only."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._turn = asyncio.Lock()

    async def prepare(self) -> None:
        """Indexes and the counter."""
        await self._mongo.index(FACTS, "seq", name="order", unique=True)
        await self._mongo.index(FACTS, [("key", 1), ("seq", 1)], name="request")
        await self._mongo.index(FACTS, [("topic", 1), ("seq", 1)], name="topic")
        await self._mongo[COUNTERS].update_one({"_id": HEAD}, {"$setOnInsert": {"seq": 0}}, upsert=True)
        await self._mongo[COUNTERS].update_one({"_id": HEAD, "feed": None}, {"$set": {"feed": new_id()}})

    async def record(self, facts: Sequence[Fact]) -> int:
        """Adds those that are not there yet; returns how many. Any repetition is harmless."""
        fresh = {fact.id: fact for fact in facts}
        while fresh:
            try:
                await self._append(list(fresh.values()))
            except BulkWriteError as error:
                if any(failed["code"] != _TAKEN for failed in error.details["writeErrors"]):
                    raise
                there = await self._mongo.settled(FACTS).find({"_id": {"$in": list(fresh)}}, {"_id": 1}).to_list(None)
                if not there:  # somebody else's, on its way to the majority, or to be undone
                    await asyncio.sleep(0.05)
                for document in there:
                    del fresh[document["_id"]]
            else:
                return len(fresh)
        return 0

    async def _append(self, facts: list[Fact]) -> None:
        now = datetime.now(UTC)
        documents = [_document(fact, now) for fact in facts]

        async def body(session: AsyncClientSession) -> None:
            counter = await self._mongo[COUNTERS].find_one_and_update(
                {"_id": HEAD},
                {"$inc": {"seq": len(documents)}},
                return_document=ReturnDocument.AFTER,
                session=session,
            )
            assert counter is not None, "the ledger was not prepared"
            for seq, document in enumerate(documents, counter["seq"] - len(documents) + 1):
                document["seq"] = seq
            await self._mongo[FACTS].insert_many(documents, ordered=False, session=session)

        # the counter is one document: side by side they would only disturb each other
        await self._mongo.transaction(body, self._turn)

    async def head(self) -> int:
        """The place of the last fact, 0 when there is none."""
        counter = await self._mongo.settled(COUNTERS).find_one({"_id": HEAD})
        return int(counter["seq"]) if counter else 0

    async def feed(self) -> str:
        """The name of this numbering: another ledger, although of the same facts, has another."""
        counter = await self._mongo.settled(COUNTERS).find_one({"_id": HEAD})
        return str(counter["feed"]) if counter else ""

    async def after(self, seq: int, limit: int, topic: str | None = None) -> list[Fact]:
        """Facts after place `seq` in their order, of one topic or of all."""
        fits: Document = {"seq": {"$gt": seq}} | ({"topic": topic} if topic else {})
        found = await self._mongo.settled(FACTS).find(fits).sort("seq", 1).limit(limit).to_list(None)
        return [_fact(document) for document in found]

    async def last(self, topic: str) -> tuple[datetime, datetime] | None:
        """When the last fact of `topic` was committed by its emitter, and when it was recorded here."""
        found = await self._mongo[FACTS].find_one({"topic": topic}, {"time": 1, "recorded_at": 1}, sort=[("seq", -1)])
        return (datetime.fromisoformat(found["time"]), found["recorded_at"]) if found else None

    async def last_of(self, topic: str, partition: int) -> tuple[int, str] | None:
        """Offset and id of the fact of that partition that was recorded last."""
        fits = {"topic": topic, "partition": partition}
        found = await self._mongo.settled(FACTS).find_one(fits, {"offset": 1}, sort=[("seq", -1)])
        return (found["offset"], found["_id"]) if found else None

    async def touched(self, seq: int, limit: int) -> list[tuple[int, str]]:
        """Place and request of the facts after place `seq`."""
        cursor = self._mongo.settled(FACTS).find({"seq": {"$gt": seq}}, {"_id": 0, "seq": 1, "key": 1})
        return [(item["seq"], item["key"]) for item in await cursor.sort("seq", 1).limit(limit).to_list(None)]

    async def requests(self) -> list[str]:
        """The ids of all requests of which there is a fact."""
        found = await self._mongo.aggregate(FACTS, [{"$group": {"_id": "$key"}}, {"$sort": {"_id": 1}}])
        return [document["_id"] for document in found]

    async def whole(self, up_to: int) -> AsyncGenerator[Requests]:
        """All requests with their facts up to that place, some hundred at a time; read from first to last."""
        wanted = {"key": 1, "topic": 1, "seq": 1, "time": 1, "data": 1}
        cursor = self._mongo.settled(FACTS).find({}, wanted).sort([("key", 1), ("seq", 1)]).batch_size(PAGE)
        reading = asyncio.create_task(cursor.to_list(PAGE))
        found: dict[str, list[Recorded[Event]]] = {}
        try:
            while page := await reading:
                reading = asyncio.create_task(cursor.to_list(PAGE))  # while these are worked on
                last = page[-1]["key"]
                for fact in page:
                    if fact["seq"] <= up_to:
                        event = BY_TOPIC[fact["topic"]].model_validate_json(fact["data"])
                        recorded = Recorded(fact["_id"], fact["seq"], fact["time"], event)
                        found.setdefault(fact["key"], []).append(recorded)
                rest = {last: found.pop(last)} if last in found else {}
                yield list(found.items())
                found = rest
            yield list(found.items())
        finally:
            reading.cancel()
            await cursor.close()

    async def of_requests(self, request_ids: Iterable[str]) -> dict[str, list[Recorded[Event]]]:
        """All facts of each of `request_ids`, read."""
        found: dict[str, list[Recorded[Event]]] = {request_id: [] for request_id in request_ids}
        wanted = {"key": {"$in": list(found)}}
        for document in await self._mongo.settled(FACTS).find(wanted).to_list(None):
            found[document["key"]].append(read(_fact(document)))
        return found

    async def by_ids(self, ids: Iterable[str]) -> dict[str, Fact]:
        """Those of `ids` that are in the ledger."""
        found = await self._mongo[FACTS].find({"_id": {"$in": list(ids)}}).to_list(None)
        return {document["_id"]: _fact(document) for document in found}


def _document(fact: Fact, now: datetime) -> dict[str, Any]:
    return {
        "_id": fact.id,
        "seq": fact.seq,
        "topic": fact.topic,
        "partition": fact.partition,
        "offset": fact.offset,
        "key": fact.key,
        "type": fact.type,
        "source": fact.source,
        "time": fact.time,
        "correlation_id": fact.correlation_id,
        "data": fact.data,
        "recorded_at": now,
    }


def _fact(document: Document) -> Fact:
    return Fact(
        id=document["_id"],
        **{name: value for name, value in document.items() if name not in ("_id", "recorded_at")},
    )
