"""The read models: cases with their measures, claims and findings; cells; the lines sent to SKEW; rates.

A case's rows, and what they change in the cells, are stored with the case in one change, which fails as Stale when
another process was faster. Cells and cases are of the epoch in which they were written, and a rebuild begins a new
one: whoever is still at work in an earlier epoch replaces no case of a later one, and adds to cells that nobody reads.
`entries` keeps each line that was sent and outlives every rebuild, so that none is sent twice.
"""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from services.reporting import cells
from services.reporting.beside import Beside, finish
from services.reporting.documents import (
    CASES,
    CELLS,
    COUNTERS,
    ENTRIES,
    EPOCH,
    INDEXES,
    MEASURE,
    MEASURES,
    PROJECTED,
    RATES,
    READ_MODELS,
    card_document,
    card_of,
    head_of,
    line_document,
    rows_of,
    summary_of,
)
from services.reporting.domain import Case
from services.reporting.rates import RateCard, card_on
from shared.commit import Add, Change, Committer, Insert, Put, Remove, Replace, Write
from shared.errors import Duplicate, Stale
from shared.events import ReportingEntry
from shared.mongo import Mongo


@dataclass(frozen=True, slots=True)
class Stored:
    """What stands of a case: its version, its rows as (collection, id) → digest, the ids of the lines sent.

    `epoch` is the one in which it was written.
    """

    version: int
    rows: Mapping[tuple[str, str], str]
    summary: Mapping[str, Any]
    sent: frozenset[str]
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Position:
    """How far the read models are; `epoch` rises with each rebuild.

    `definition`: what they are made by, None before that was said. `building`: facts done and to do of a rebuild.
    """

    seq: int
    epoch: int
    definition: str | None = None
    building: tuple[int, int] | None = None


NOTHING = Stored(0, {}, {}, frozenset())


class Store:
    """What the projector reads and writes; `queries.py` has what the reports ask for."""

    def __init__(self, mongo: Mongo, commits: Committer) -> None:
        self._mongo = mongo
        self._commits = commits

    async def prepare(self) -> None:
        """Indexes and the projector's place."""
        index = self._mongo.index
        for collection, keys, options in INDEXES:
            await index(collection, keys, **options)
        await index(CELLS, [("epoch", 1), ("period", 1), ("district", 1)], name="place")
        await index(ENTRIES, "request_id", name="request")
        await index(ENTRIES, [("rate_card", 1), ("held_on", 1)], name="rates")
        counters = self._mongo[COUNTERS]
        await counters.update_one({"_id": PROJECTED}, {"$setOnInsert": {"seq": 0, "epoch": 0}}, upsert=True)
        # cards as an earlier version kept them; they are held anew from where they came
        await self._mongo[RATES].delete_many({"basis": {"$exists": False}})
        await finish(self._mongo)

    async def cards(self) -> tuple[RateCard, ...]:
        """All cards that are kept, the earliest first."""
        found = await self._mongo[RATES].find().sort("valid_from", 1).to_list(None)
        return tuple(card_of(document) for document in found)

    async def hold_rates(self, cards: Sequence[RateCard]) -> None:
        """Keeps `cards` and no others. Raises ValueError when claims that were sent would come out otherwise."""
        kept = {document["_id"]: document for document in await self._mongo[RATES].find().to_list(None)}
        given = {card.code: card_document(card) for card in cards}
        days = {"_id": "$rate_card", "first": {"$min": "$held_on"}, "last": {"$max": "$held_on"}}
        for used in await self._mongo.aggregate(ENTRIES, [{"$group": days}]):
            code = used["_id"]
            if code in kept and given.get(code) != kept[code]:
                raise ValueError(f"the rate card {code} was used in claims and may not be changed or taken away")
            for day in (used["first"], used["last"]):
                holds = card_on(cards, date.fromisoformat(day))
                if holds is None or holds.code != code:
                    raise ValueError(f"claims of {day} were sent by the rate card {code}; no other may hold then")
        for card in given.values():
            await self._mongo[RATES].replace_one({"_id": card["_id"]}, card, upsert=True)
        await self._mongo[RATES].delete_many({"_id": {"$nin": list(given)}})

    async def cases(self, request_ids: Sequence[str]) -> dict[str, Stored]:
        """What stands of those of `request_ids` that have a case or a line."""
        wanted = list(request_ids)
        sent: dict[str, set[str]] = {}
        for line in await self._mongo[ENTRIES].find({"request_id": {"$in": wanted}}, {"request_id": 1}).to_list(None):
            sent.setdefault(line["request_id"], set()).add(line["_id"])
        found = {request_id: Stored(0, {}, {}, frozenset(ids)) for request_id, ids in sent.items()}
        for case in await self._mongo.settled(CASES).find({"_id": {"$in": wanted}}).to_list(None):
            rows = {(collection, identity): digest for collection, identity, digest in case["rows"]}
            lines = frozenset(sent.get(case["_id"], ()))
            epoch, seq = divmod(case["version"], 1 << EPOCH)
            found[case["_id"]] = Stored(seq, rows, case["summary"], lines, epoch)
        return found

    async def versions(self, request_ids: Sequence[str], epoch: int) -> dict[str, int]:
        """The versions of those of `request_ids` that have a case of `epoch`."""
        found = await self._mongo.settled(CASES).find({"_id": {"$in": list(request_ids)}}, {"version": 1}).to_list(None)
        stand = {case["_id"]: divmod(case["version"], 1 << EPOCH) for case in found}
        return {request_id: seq for request_id, (written, seq) in stand.items() if written == epoch}

    async def save(self, case: Case, was: Stored, lines: Sequence[ReportingEntry], epoch: int = 0) -> bool:
        """Stores what has changed of `case` in `epoch` and sends `lines`; False when nothing had.

        What was written in an earlier epoch is written again. Raises Stale when another process was faster.
        """
        if was.epoch > epoch:
            raise Stale
        before = was.rows if was.epoch == epoch else {}
        rows, documents = {}, {}
        for collection, row, digest in rows_of(case):
            place = (collection, str(row["_id"]))
            rows[place], documents[place] = digest, row
        summary = summary_of(case)
        if was.epoch == epoch and rows == was.rows and summary == was.summary and not lines:
            return False
        head = head_of(case, ((*place, digest) for place, digest in rows.items()), epoch)
        writes: list[Write] = [Replace(CASES, head, was.epoch << EPOCH | was.version)]
        writes += [Put(place[0], row) for place, row in documents.items() if before.get(place) != rows[place]]
        writes += [Remove(*place) for place in was.rows if place not in rows]
        writes += [Insert(ENTRIES, line_document(line)) for line in lines]
        writes += await self._cells(case, before, rows, epoch)
        try:
            await self._commits.commit(Change(tuple(writes), tuple(lines), case.version))
        except Duplicate as error:
            raise Stale from error  # another process has sent the line since we looked
        return True

    async def _cells(
        self, case: Case, before: Mapping[tuple[str, str], str], rows: Mapping[tuple[str, str], str], epoch: int
    ) -> list[Write]:
        """What the change from rows `before` to `rows` adds to the cells.

        The old measures are as `before` says, or the case has another version by now and the change fails.
        """
        new = [m for m in case.measures if before.get((MEASURES, m.id)) != rows[MEASURES, m.id]]
        gone = [place[1] for place, digest in before.items() if place[0] == MEASURES and rows.get(place) != digest]
        old = await self._mongo[MEASURES].find({"_id": {"$in": gone}}).to_list(None) if gone else []
        taken = [MEASURE.validate_python({"id": row["_id"], **row}) for row in old]
        return [
            Add(CELLS, f"{epoch}~{cell.period}~{cell.district}", amounts, {"epoch": epoch, **cell._asdict()})
            for cell, amounts in cells.changes(new, taken).items()
        ]

    async def position(self) -> Position:
        found = await self._mongo[COUNTERS].find_one({"_id": PROJECTED})
        if found is None:
            return Position(0, 0)
        building = found.get("building")
        rebuild = (building["done"], building["total"]) if building else None
        return Position(found["seq"], found["epoch"], found.get("definition"), rebuild)

    async def define(self, definition: str) -> bool:
        """The read models are made by `definition` from the first fact on; False when there is something in them."""
        empty = {"_id": PROJECTED, "seq": 0, "definition": {"$exists": False}, "form": {"$exists": False}}
        done = await self._mongo[COUNTERS].update_one(empty, {"$set": {"definition": definition}})
        return done.matched_count > 0

    async def advance(self, to: Position) -> None:
        """The read models are made up to `to.seq`, unless a rebuild has begun since."""
        await self._mongo[COUNTERS].update_one({"_id": PROJECTED, "epoch": to.epoch}, {"$max": {"seq": to.seq}})

    async def beside(self) -> Beside:
        """A rebuild beside the read models that are there. The caller holds the lease."""
        return await Beside.begin(self._mongo)

    async def sent(self, request_ids: Sequence[str]) -> set[str]:
        """The ids of all lines of these requests that were sent."""
        fits, wanted = {"request_id": {"$in": list(request_ids)}}, {"_id": 1}
        return {line["_id"] for line in await self._mongo.settled(ENTRIES).find(fits, wanted).to_list(None)}

    async def send(self, lines: Sequence[tuple[ReportingEntry, int]]) -> None:
        """Sends those lines that were never sent; each with the version of its case."""
        if not lines:
            return
        ids = [line.entry_id for line, _ in lines]
        there = await self._mongo.settled(ENTRIES).find({"_id": {"$in": ids}}, {"_id": 1}).to_list(None)
        known = {line["_id"] for line in there}
        new = [one for one in lines if one[0].entry_id not in known]
        await asyncio.gather(*(self._send(line, version) for line, version in new))

    async def _send(self, line: ReportingEntry, version: int) -> None:
        with suppress(Duplicate):  # another process was faster
            await self._commits.commit(Change((Insert(ENTRIES, line_document(line)),), (line,), version))

    async def digest(self) -> str:
        """SHA-256 over all read models; equal when and only when every row and the content of every cell is."""
        found = hashlib.sha256()
        raw = CodecOptions(document_class=RawBSONDocument)
        for collection in READ_MODELS:
            documents = self._mongo[collection].with_options(codec_options=raw)
            async for document in documents.find({}, {"version": 0}).sort("_id", 1).batch_size(5000):
                found.update(document.raw)
        mine = {"epoch": (await self.position()).epoch}
        async for cell in self._mongo[CELLS].find(mine).sort([("period", 1), ("district", 1)]).batch_size(1000):
            found.update(cells.canonical(cell).encode())
        return found.hexdigest()

    async def counts(self) -> dict[str, int]:
        """Read model → number of its documents."""
        return {name: await self._mongo[name].count_documents({}) for name in READ_MODELS}

    async def keep_sent(self, lines: Iterable[ReportingEntry]) -> int:
        """Remembers lines that Kafka has as sent; returns how many were not known here."""
        added = 0
        for line in lines:
            done = await self._mongo[ENTRIES].update_one(
                {"_id": line.entry_id}, {"$setOnInsert": line_document(line)}, upsert=True
            )
            added += done.upserted_id is not None
        return added
