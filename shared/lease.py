"""Who may do what only one process shall do at a time, by the server's clock.

A lease spares work and keeps order; it can't fence: a frozen holder may go on after its time, so what it does
must be safe without it (versions, marks). Whoever needs it for long (`held`, for a rebuild) says so, and gets
it as soon as the step under way is done; the others do nothing until it is given back or its time is over.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from shared.mongo import Document, Mongo
from shared.tasks import cancelled, end

LEASES = "leases"


class Lease:
    """One process's hand on the lease `name`."""

    def __init__(self, mongo: Mongo, name: str, holder: str, seconds: float) -> None:
        """`holder`: who this is; no two that run at once may share it, a restarted one takes up its own."""
        self._mongo = mongo
        self._name = name
        self._me = holder
        self._milliseconds = int(seconds * 1000)

    async def take(self) -> bool:
        """True when this process has it now, for its seconds from now; may be asked again and again."""
        over = {"$lt": [{"$ifNull": ["$until", 0]}, "$$NOW"]}
        unwanted = {"$lt": [{"$ifNull": ["$wanted_until", 0]}, "$$NOW"]}
        mine = {"$eq": ["$wanted_by", self._me]}
        free = {"$and": [{"$or": [over, {"$eq": ["$holder", self._me]}]}, {"$or": [unwanted, mine]}]}
        until = {"$add": ["$$NOW", self._milliseconds]}
        held = await self._update(
            {
                "holder": {"$cond": [free, self._me, "$holder"]},
                "until": {"$cond": [free, until, "$until"]},
                "free": free,
            }
        )
        return held is not None and held["free"] and held["holder"] == self._me

    async def give_back(self) -> None:
        """Lets others take it, if this process has it."""
        await self._mongo[LEASES].update_one(
            {"_id": self._name, "holder": self._me}, {"$unset": {"holder": "", "until": ""}}
        )

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """This process has it for as long as the block."""
        keeping = asyncio.create_task(self._keep(first := asyncio.Event()))
        waiting = asyncio.create_task(first.wait())
        try:
            await asyncio.wait({keeping, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if keeping.done():
                keeping.result()
            yield
        finally:
            await end(waiting)
            await end(keeping)
            await self._mongo[LEASES].update_one(
                {"_id": self._name, "wanted_by": self._me}, {"$unset": {"wanted_by": "", "wanted_until": ""}}
            )
            await self.give_back()

    async def _keep(self, first: asyncio.Event) -> None:
        while not cancelled():
            until = {"$add": ["$$NOW", self._milliseconds]}
            await self._update({"wanted_by": self._me, "wanted_until": until})
            if await self.take():
                first.set()
            await asyncio.sleep(self._milliseconds / 4000 if first.is_set() else 0.05)

    async def _update(self, values: Document) -> Document | None:
        try:
            return await self._mongo[LEASES].find_one_and_update(
                {"_id": self._name}, [{"$set": values}], upsert=True, return_document=ReturnDocument.AFTER
            )
        except DuplicateKeyError:  # two made the first one at once
            return None
