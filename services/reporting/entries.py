"""SKEW's lines in an order to be followed with a cursor: each is numbered once it is stored for good.

A line's place is given in a transaction out of one counter, so a reader with a cursor never misses one that
commits late; the numbering of places has no gaps. Lines are stored by whoever changes a claim, without a place.
"""

import asyncio
from dataclasses import dataclass

import structlog
from pymongo import ReturnDocument, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError

from services.reporting.documents import COUNTERS, ENTRIES
from shared.ids import new_id
from shared.mongo import Mongo
from shared.tasks import cancelled, end
from shared.telling import told
from shared.waking import Wake

HEAD = "entries"
"""The counter's `_id`; its `seq` is the place of the last line, `feed` names this numbering."""
BATCH = 500

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it went to SKEW; `data` is its JSON text."""

    id: str
    seq: int
    request_id: str
    data: str


class Entries:
    """The lines that have a place."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def prepare(self) -> None:
        """Indexes and the counter; lines of an earlier version, which had no places, get theirs."""
        await self._mongo.index(ENTRIES, "seq", name="order", unique=True, sparse=True)
        await self._mongo.index(
            ENTRIES, [("unplaced", 1), ("_id", 1)], name="unplaced", partialFilterExpression={"unplaced": True}
        )
        new = {"seq": 0, "feed": new_id()}
        await self._mongo[COUNTERS].update_one({"_id": HEAD}, {"$setOnInsert": new}, upsert=True)
        older = {"seq": {"$exists": False}, "unplaced": {"$exists": False}}
        await self._mongo[ENTRIES].update_many(older, {"$set": {"unplaced": True}})

    async def place(self) -> int:
        """Gives the lines that are new their places; returns how many."""
        placed = 0

        async def body(session: AsyncClientSession) -> None:
            nonlocal placed
            new = self._mongo[ENTRIES].find({"unplaced": True}, {"_id": 1}, session=session)
            found = await new.sort("_id", 1).limit(BATCH).to_list(None)
            placed = len(found)
            if not found:
                return
            counter = await self._mongo[COUNTERS].find_one_and_update(
                {"_id": HEAD}, {"$inc": {"seq": placed}}, return_document=ReturnDocument.AFTER, session=session
            )
            assert counter is not None, "the entries were not prepared"
            first = counter["seq"] - placed + 1
            await self._mongo[ENTRIES].bulk_write(
                [
                    UpdateOne({"_id": line["_id"]}, {"$set": {"seq": seq}, "$unset": {"unplaced": ""}})
                    for seq, line in enumerate(found, first)
                ],
                session=session,
            )

        if await self._mongo[ENTRIES].find_one({"unplaced": True}, {"_id": 1}):
            await self._mongo.transaction(body)
        return placed

    async def head(self) -> tuple[int, str]:
        """The place of the last line, and the name of the numbering."""
        found = await self._mongo.settled(COUNTERS).find_one({"_id": HEAD})
        return (found["seq"], found["feed"]) if found else (0, "")

    async def after(self, seq: int, limit: int) -> list[Line]:
        """Lines after place `seq` in their order."""
        found = self._mongo.settled(ENTRIES).find({"seq": {"$gt": seq}}).sort("seq", 1).limit(limit)
        return [Line(one["_id"], one["seq"], one["request_id"], one["data"]) for one in await found.to_list(None)]

    async def run(self) -> None:
        """Until cancelled: gives places as lines come, of whichever process."""
        wake = Wake(self._mongo, ENTRIES, {"operationType": "insert"})
        watching = asyncio.create_task(wake.watch())
        try:
            while not cancelled():
                try:
                    while await self.place():
                        pass
                except PyMongoError as error:
                    _log.warning("entries_wait", error=told(error))
                    await asyncio.sleep(1)
                    continue
                await wake.wait()
        finally:
            await end(watching)
