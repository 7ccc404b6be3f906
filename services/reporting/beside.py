"""Read models made anew beside those that are read, which go on being read until the new ones take their place.

They are written without transactions into collections of their own, since nobody reads them yet; the cells, of an
epoch that nobody reads yet, beside the others. What is to be put in place is noted first: whoever starts next brings
a switch to its end that was interrupted; the next rebuild throws away what was given up.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice

from pymongo import IndexModel, ReturnDocument, UpdateOne
from pymongo.errors import OperationFailure
from pymongo.write_concern import WriteConcern

from services.reporting.cells import Cell, Tally, nested
from services.reporting.documents import CASES, CELLS, COUNTERS, INDEXES, PROJECTED, READ_MODELS, head_of, rows_of
from services.reporting.domain import Case
from shared.errors import Stale
from shared.ids import new_id
from shared.mongo import Document, Mongo

_NEXT = "next~"
_BATCH = 1_000
"""Documents of one insert."""
_IN_FLIGHT = 4
_TALLY = 400_000
"""Sums that are held in memory before they are added to the cells."""
_NO_SUCH = 26


class Beside:
    """One rebuild. The last one that was begun may put its models in place, any earlier one is given up."""

    def __init__(self, mongo: Mongo, name: str, epoch: int) -> None:
        """Use `begin`."""
        self._mongo = mongo
        self._name = name
        self._epoch = epoch
        self._rows: dict[str, list[Document]] = {collection: [] for collection in READ_MODELS}
        self._tally = Tally()
        self._adding: asyncio.Task[None] | None = None
        self._writing: set[asyncio.Task[object]] = set()
        self._told = 0.0

    @classmethod
    async def begin(cls, mongo: Mongo) -> "Beside":
        """Throws away what earlier rebuilds have left. The caller holds the projector's lease."""
        name = new_id()
        building = {"name": name, "done": 0, "total": 0, "since": datetime.now(UTC)}
        begun = {"$add": [{"$max": ["$epoch", "$begun"]}, 1]}  # no other has written cells of it, or will
        stands = await mongo[COUNTERS].find_one_and_update(
            {"_id": PROJECTED},
            [{"$set": {"building": building, "begun": begun}}],
            return_document=ReturnDocument.AFTER,
        )
        assert stands is not None, "the store was not prepared"
        await _sweep(mongo, stands)
        return cls(mongo, name, stands["begun"])

    async def add(self, cases: Iterable[Case]) -> None:
        """Each of a request of its own."""
        for case in cases:
            rows = []
            for collection, row, digest in rows_of(case):
                self._rows[collection].append(row)
                rows.append((collection, str(row["_id"]), digest))
            self._rows[CASES].append(head_of(case, rows, self._epoch))
            for measure in case.measures:
                self._tally.add(measure)
        for collection, documents in self._rows.items():
            if len(documents) >= _BATCH:
                self._rows[collection] = []
                await self._write(collection, documents)
        if len(self._tally) > _TALLY:
            await self._add_cells()

    async def tell(self, done: int, total: int) -> None:
        """For those who watch; at most once a second."""
        now = asyncio.get_running_loop().time()
        if now - self._told >= 1:
            self._told = now
            mine = {"_id": PROJECTED, "building.name": self._name}
            await self._mongo[COUNTERS].update_one(mine, {"$set": {"building.done": done, "building.total": total}})

    async def switch(self, place: int, definition: str) -> None:
        """What was added is read from now on; it is made of the facts up to `place`.

        Raises Stale when another rebuild was begun since, or others have projected on meanwhile.
        """
        for collection, documents in self._rows.items():
            await self._write(collection, documents)
        await asyncio.gather(*self._writing)
        await asyncio.gather(await self._add_cells(), *map(self._index, READ_MODELS))
        mine = {"_id": PROJECTED, "building.name": self._name, "seq": {"$lte": place}}
        ready = {"seq": place, "epoch": self._epoch, "definition": definition}
        noted = await self._mongo[COUNTERS].update_one(mine, {"$set": {"ready": {"name": self._name, **ready}}})
        if not noted.matched_count:
            raise Stale
        await finish(self._mongo)

    async def _write(self, collection: str, documents: Sequence[Document]) -> None:
        if not documents:
            return
        if len(self._writing) >= _IN_FLIGHT:
            await asyncio.wait(self._writing, return_when=asyncio.FIRST_COMPLETED)
        place = f"{_NEXT}{self._name}~{collection}"
        task: asyncio.Task[object] = asyncio.create_task(_insert(self._mongo, place, documents))
        self._writing.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[object]") -> None:
        if not task.cancelled() and task.exception() is None:  # one that failed is told by switch
            self._writing.discard(task)

    async def _index(self, collection: str) -> None:
        """All of one at once: they are made in one pass."""
        indexes = [IndexModel(keys, **options) for name, keys, options in INDEXES if name == collection]
        await self._mongo[f"{_NEXT}{self._name}~{collection}"].create_indexes(indexes)

    async def _add_cells(self) -> asyncio.Task[None]:
        """Begins to add what was counted since the last time."""
        amounts, self._tally = self._tally.amounts(), Tally()
        if self._adding is not None:
            await self._adding
        self._adding = asyncio.create_task(self._add(amounts, first=self._adding is None))
        return self._adding

    async def _add(self, amounts: Mapping[Cell, Mapping[str, int]], *, first: bool) -> None:
        cells, rest = self._mongo[CELLS].with_options(write_concern=WriteConcern(1)), iter(amounts.items())
        while some := list(islice(rest, _BATCH)):
            named = [(f"{self._epoch}~{cell.period}~{cell.district}", cell._asdict(), sums) for cell, sums in some]
            if first:  # a third of the time
                documents = [{"_id": name, "epoch": self._epoch, **cell, **nested(sums)} for name, cell, sums in named]
                await _insert(self._mongo, CELLS, documents)
                continue
            steps = [
                UpdateOne({"_id": name}, {"$inc": sums, "$setOnInsert": {"epoch": self._epoch, **cell}}, upsert=True)
                for name, cell, sums in named
            ]
            await cells.bulk_write(steps, ordered=False)


async def finish(mongo: Mongo) -> None:
    """Brings a switch that was noted to its end; harmless when there is none."""
    stands = await mongo[COUNTERS].find_one({"_id": PROJECTED})
    if stands is None or "ready" not in stands:
        return
    ready = stands["ready"]
    for collection in READ_MODELS:
        try:
            await mongo[f"{_NEXT}{ready['name']}~{collection}"].rename(collection, dropTarget=True)
        except OperationFailure as error:
            if error.code != _NO_SUCH:  # it is there already
                raise
    done = {name: ready[name] for name in ("seq", "epoch", "definition")}
    noted = {"_id": PROJECTED, "ready.name": ready["name"]}
    await mongo[COUNTERS].update_one(noted, {"$set": done, "$unset": {"ready": "", "building": "", "form": ""}})
    await mongo[CELLS].delete_many({"epoch": {"$lt": ready["epoch"]}})


async def _insert(mongo: Mongo, collection: str, documents: Sequence[Document]) -> None:
    """As `insert_many` would, but it doesn't look at each document.

    What follows by majority, the switch, makes these as safe.
    """
    given = {"insert": collection, "documents": documents, "ordered": False, "writeConcern": {"w": 1}}
    answer = await mongo.db.command(given)
    if failed := answer.get("writeErrors") or answer.get("writeConcernError"):
        raise OperationFailure(f"{collection}: {failed}")


async def _sweep(mongo: Mongo, stands: Document) -> None:
    for name in await mongo.db.list_collection_names(filter={"name": {"$regex": f"^{_NEXT}"}}):
        await mongo[name].drop()
    await mongo[CELLS].delete_many({"epoch": {"$gt": stands["epoch"]}})
