"""Reported barriers: what does not work for somebody, until the programme's office has settled it.

They stay in intake's own database, because people write freely in them: others learn that there is one, and by when it
is due. Who wrote is forgotten once it is settled.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, EmailStr, Field, TypeAdapter, field_validator

from shared.commit import Change, Committer, Insert, Replace, again
from shared.errors import Duplicate, NotFound
from shared.events import BarrierReported
from shared.events.base import Id
from shared.mongo import Document, Mongo

BARRIERS = "barriers"
SHOWN = 50


class BarrierBody(BaseModel):
    """What the form sends. `id` comes with the form, so that the same report sent twice is one."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    id: Id
    page: str = Field(default="", max_length=500)
    problem: str = Field(min_length=10, max_length=4000)
    name: str = Field(default="", max_length=200)
    email: EmailStr | None = None

    @field_validator("email", mode="before")
    @classmethod
    def _none(cls, value: object) -> object:
        return value or None


@dataclass(frozen=True)
class Barrier:
    """`problem`, `name`, `email` as they were typed; `due`: the day by which it shall be answered."""

    id: str
    version: int
    reported_at: datetime
    due: date
    page: str
    problem: str
    name: str
    email: str | None
    settled_at: datetime | None = None
    settled_by: str | None = None

    @property
    def place(self) -> str:
        """In the list of those that wait."""
        return f"{self.due.isoformat()}~{self.id}"


_BARRIER = TypeAdapter(Barrier)


def reported(body: BarrierBody, now: datetime, due: date) -> tuple[Barrier, BarrierReported]:
    barrier = Barrier(body.id, 1, now, due, body.page, body.problem, body.name, body.email)
    return barrier, BarrierReported(barrier_id=body.id, due=due, reported_at=now)


def settled(barrier: Barrier, by: str, now: datetime) -> Barrier:
    """Done, and nobody is known any more to have reported it. A second time changes nothing."""
    if barrier.settled_at is not None:
        return barrier
    return replace(barrier, version=barrier.version + 1, settled_at=now, settled_by=by, name="", email=None)


class Barriers:
    """Documents ↔ domain, and the two commands."""

    def __init__(self, mongo: Mongo, commits: Committer) -> None:
        self._mongo = mongo
        self._commits = commits

    async def prepare(self) -> None:
        await self._mongo.index(BARRIERS, [("settled_at", 1), ("due", 1), ("_id", 1)], name="settled_at")

    async def report(self, body: BarrierBody, now: datetime, due: date) -> None:
        """Keeps the report; the same once more is the same."""
        barrier, event = reported(body, now, due)
        try:
            await self._commits.commit(Change((Insert(BARRIERS, _document(barrier)),), (event,), barrier.version))
        except Duplicate:
            return

    async def settle(self, barrier_id: str, by: str, now: Callable[[], datetime]) -> None:
        """Raises NotFound."""

        async def once() -> None:
            barrier = await self._one(barrier_id)
            after = settled(barrier, by, now())
            if after is not barrier:
                write = Replace(BARRIERS, _document(after), was=barrier.version)
                await self._commits.commit(Change((write,)))

        await again(once)

    async def open(self, after: str, limit: int) -> list[Barrier]:
        """Those that wait, the most urgent first, from the one after the place `after`."""
        due, _, barrier_id = after.partition("~")
        later = {"$or": [{"due": {"$gt": due}}, {"due": due, "_id": {"$gt": barrier_id}}]}
        found = self._mongo[BARRIERS].find({"settled_at": None} | later).sort([("due", 1), ("_id", 1)]).limit(limit)
        return [_barrier(document) async for document in found]

    async def before(self, barrier_id: str) -> str:
        """The place after which that page of the list begins on which this one waits; "" for the first."""
        one = await self._mongo[BARRIERS].find_one({"_id": barrier_id, "settled_at": None}, {"due": 1})
        if one is None:
            return ""
        sooner = {"$or": [{"due": {"$lt": one["due"]}}, {"due": one["due"], "_id": {"$lt": barrier_id}}]}
        fits = {"settled_at": None} | sooner
        ahead = await self._mongo[BARRIERS].count_documents(fits)
        if ahead < SHOWN:
            return ""
        sooner_first = self._mongo[BARRIERS].find(fits).sort([("due", 1), ("_id", 1)])
        last = await sooner_first.skip(ahead // SHOWN * SHOWN - 1).limit(1).to_list(None)
        return _barrier(last[0]).place if last else ""  # settled meanwhile

    async def done(self) -> list[Barrier]:
        """The last that were settled."""
        found = self._mongo[BARRIERS].find({"settled_at": {"$ne": None}}).sort("settled_at", -1).limit(SHOWN)
        return [_barrier(document) async for document in found]

    async def _one(self, barrier_id: str) -> Barrier:
        document = await self._mongo[BARRIERS].find_one({"_id": barrier_id})
        if document is None:
            raise NotFound("Diese Meldung gibt es nicht.", "There is no such report.")
        return _barrier(document)


def _document(barrier: Barrier) -> Document:
    document = asdict(barrier) | {"due": barrier.due.isoformat()}
    document["_id"] = document.pop("id")
    return document


def _barrier(document: Document) -> Barrier:
    return _BARRIER.validate_python({**document, "id": document["_id"]})
