"""The ledger sealed day by day: a SHA-256 over the day's facts in their order, chained to the day before.

A day's facts are those recorded on it, by place: from behind the last place of the day before up to the last one before
the first that was recorded after midnight. Where a day ends is decided once, when it is sealed, and stored. What is
late belongs to the day on which it was recorded. Beside the day's digest eight bytes of each fact's own are kept, so
that a difference can be told to the fact.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from zoneinfo import ZoneInfo

import structlog
from bson import Binary
from prometheus_client import Gauge
from pymongo.errors import DuplicateKeyError, PyMongoError

from services.reporting.ledger import FACTS
from shared.mongo import Document, Mongo
from shared.tasks import cancelled
from shared.telling import told

DIGESTS = "digests"
MARKS = "digest_marks"
BLOCK = 10_000
"""Facts whose marks stand in one document."""
MARK = 8
"""Bytes of a fact's digest that are kept."""
SETTLE = timedelta(minutes=10)
"""After midnight, until whatever was begun before it is recorded."""
EVERY_SECONDS = 900.0
BEGINNING = "0" * 64
"""What the first day is chained to."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Day:
    """One sealed day: its facts have the places `first` to `last` (`last` = `first` - 1 when there are none)."""

    day: date
    first: int
    last: int
    previous: str
    digest: str


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that is not as it was sealed. `place`: of the fact in the ledger, None where it can't be told."""

    day: date
    place: int | None
    what: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`days` and `facts` are as sealed; `unsealed` facts are not covered yet; `head`: the last good digest."""

    days: int
    facts: int
    unsealed: int
    head: str
    difference: Difference | None


class Digests:
    """The chain of days. Any number of processes may seal: the first one to store a day has decided it."""

    def __init__(self, mongo: Mongo, zone: ZoneInfo) -> None:
        self._mongo = mongo
        self._zone = zone

    async def days(self, after: date | None = None, limit: int = 0) -> list[Day]:
        """The sealed days after `after`, the first one first."""
        fits = {"_id": {"$gt": after.isoformat()}} if after else {}
        found = await self._mongo.settled(DIGESTS).find(fits).sort("_id", 1).limit(limit).to_list(None)
        return [_day(document) for document in found]

    async def seal(self, now: datetime) -> datetime | None:
        """Seals all days that are over; returns up to when all is sealed, None while there is no fact."""
        last = await self._last()
        if last is None:
            first = await self._mongo.settled(FACTS).find_one({}, {"recorded_at": 1}, sort=[("seq", 1)])
            if first is None:
                return None
            day = first["recorded_at"].astimezone(self._zone).date()
        else:
            day = last.day + timedelta(days=1)
        while self._end(day) + SETTLE <= now:
            last = await self._seal(day, last)
            day += timedelta(days=1)
        return self._end(day - timedelta(days=1))

    async def _seal(self, day: date, before: Day | None) -> Day:
        first, previous = (before.last + 1, before.digest) if before else (1, BEGINNING)
        last, found, marks = first - 1, _begin(previous, day), bytearray()
        async for fact in self._facts(first):
            if fact["recorded_at"] >= self._end(day):
                break
            own = _own(fact)
            found.update(own)
            marks += own[:MARK]
            last = fact["seq"]
        for number, start in enumerate(range(0, len(marks), BLOCK * MARK)):
            block = {"_id": f"{day}~{number:06}", "marks": Binary(bytes(marks[start : start + BLOCK * MARK]))}
            await self._mongo[MARKS].replace_one({"_id": block["_id"]}, block, upsert=True)
        sealed = Day(day, first, last, previous, found.hexdigest())
        document = {"first": first, "last": last, "previous": previous, "digest": sealed.digest}
        try:
            await self._mongo[DIGESTS].insert_one({"_id": day.isoformat(), **document, "sealed_at": datetime.now(UTC)})
        except DuplicateKeyError:
            there = await self._mongo.settled(DIGESTS).find_one({"_id": day.isoformat()})
            return _day(there) if there else await self._seal(day, before)
        _log.info("day_sealed", day=str(day), facts=last - first + 1, digest=sealed.digest)
        return sealed

    async def verify(self, progress: Callable[[int, int], None] = lambda done, total: None) -> Verdict:
        """Reckons all again; stops at the first difference. `progress` is told the facts done and to do."""
        days = await self.days()
        total, done, previous, first = (days[-1].last if days else 0), 0, BEGINNING, 1
        for number, day in enumerate(days):
            difference = await self._check(day, previous, first)
            if difference is not None:
                return Verdict(number, done, 0, previous, difference)
            done, previous, first = day.last, day.digest, day.last + 1
            progress(done, total)
        unsealed = await self._mongo[FACTS].count_documents({"seq": {"$gt": total}})
        return Verdict(len(days), done, unsealed, previous, None)

    async def _check(self, day: Day, previous: str, first: int) -> Difference | None:
        if day.previous != previous or day.first != first:
            return Difference(day.day, None, "it is not chained to the day before it")
        found, marks = _begin(previous, day.day), await self._marks(day.day)
        place = first
        async for fact in self._facts(first):
            if fact["seq"] > day.last:
                break
            own = _own(fact)
            if fact["seq"] != place:
                return Difference(day.day, place, "the fact is missing")
            kept = marks[(place - first) * MARK : (place - first + 1) * MARK]
            if kept and kept != own[:MARK]:
                return Difference(day.day, place, f"the fact {fact['_id']} is not what was sealed")
            found.update(own)
            place += 1
        if place <= day.last:
            return Difference(day.day, place, "the fact is missing")
        if found.hexdigest() != day.digest:
            return Difference(day.day, None, "its digest, or a fact of it and that one's mark, were changed")
        return None

    async def _marks(self, day: date) -> bytes:
        blocks = self._mongo[MARKS].find({"_id": {"$gte": f"{day}~", "$lt": f"{day}~~"}}).sort("_id", 1)
        return b"".join([bytes(block["marks"]) async for block in blocks])

    async def _facts(self, first: int) -> AsyncIterator[Document]:
        async for fact in self._mongo.settled(FACTS).find({"seq": {"$gte": first}}).sort("seq", 1).batch_size(2_000):
            yield fact

    async def _last(self) -> Day | None:
        found = await self._mongo.settled(DIGESTS).find_one({}, sort=[("_id", -1)])
        return _day(found) if found else None

    def _end(self, day: date) -> datetime:
        return datetime.combine(day + timedelta(days=1), clock.min, self._zone).astimezone(UTC)


async def sealing(digests: Digests, sealed: Gauge) -> None:
    """Until cancelled: seals what is over; `sealed` shows up to when, as a timestamp."""
    while not cancelled():
        now = datetime.now(UTC)
        try:
            sealed.set((await digests.seal(now) or now).timestamp())
        except PyMongoError as error:
            _log.warning("seal_waits", error=told(error))
        await asyncio.sleep(EVERY_SECONDS)


def _begin(previous: str, day: date) -> "hashlib._Hash":
    return hashlib.sha256(f"{previous}\n{day}\n".encode())


def _own(fact: Document) -> bytes:
    """A fact's own digest: all that the ledger has of it."""
    members = ("seq", "_id", "topic", "partition", "offset", "key", "type", "source", "time", "correlation_id", "data")
    recorded = fact["recorded_at"].astimezone(UTC).isoformat(timespec="milliseconds")
    content = [*(fact[name] for name in members), recorded]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()).digest()


def _day(document: Document) -> Day:
    chained = (document["first"], document["last"], document["previous"], document["digest"])
    return Day(date.fromisoformat(document["_id"]), *chained)
