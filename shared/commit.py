"""Group commit: state, events and the mark of their cause, stored together or not at all.

Callers hand in a `Change` and are answered when the majority has it. A batch is whatever gathered while
the last one was under way: no timer, so no wait when idle, and one transaction for many callers under
load. A change that fails (a taken key, a stale version) fails alone; the rest of its batch goes through.
Changes that fit into one new document each (see carried) need no transaction: a batch of them is one insert.
"""

import asyncio
import contextvars
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import AutoReconnect, BulkWriteError, OperationFailure

from shared import carried, outbox
from shared.errors import Duplicate, Stale, Unavailable
from shared.events import Event
from shared.mongo import Document, Mongo, is_transient
from shared.telling import told

BATCH = 500
"""Changes in one transaction at most; MongoDB advises to stay near 1,000 documents."""
ALONE_AFTER = 8
"""Failed changes in a batch after which the rest is written one by one."""
CROWD = 16
"""Changes in one batch that come of many callers at once."""
INSERTS = 3
"""Inserts of carriers under way at once: the next are made up while MongoDB journals the first."""


@dataclass(frozen=True, slots=True)
class Insert:
    """A new document. Fails as `Duplicate` when `_id` or another unique key is taken."""

    collection: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mark(Insert):
    """The mark of a caller's key, which may stand in the new document instead that the call has made."""


@dataclass(frozen=True, slots=True)
class Replace:
    """A document with `_id` and `version`, as it shall stand; `was`: the version loaded, 0 for a new one.

    Fails as `Stale` when somebody else was faster. `carries`: a new one holds the rest of its change too, where it can
    (see carried), and a later one keeps what it holds.
    """

    collection: str
    document: Mapping[str, Any]
    was: int
    carries: bool = False


@dataclass(frozen=True, slots=True)
class Put:
    """A document to stand in place of whatever has its `_id`: for copies, where the last one wins."""

    collection: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Remove:
    """No document with this `_id` shall be left."""

    collection: str
    id: Any


@dataclass(frozen=True, slots=True)
class Add:
    """Amounts for the numbers of a document, by dotted path; `new`: its other members where it is not there yet.

    All that a batch adds to a document goes in as one operation.
    """

    collection: str
    id: Any
    amounts: Mapping[str, int]
    new: Mapping[str, Any]


Write = Insert | Replace | Put | Remove | Add
Operation = InsertOne[Document] | ReplaceOne[Document] | UpdateOne | DeleteOne


@dataclass(frozen=True, slots=True)
class Change:
    """What one caller wants stored together.

    `version` is the new version of the aggregate that the events belong to: it orders them per key.
    `mark` says what caused the change (`shared/inbox.py`, `shared/idempotency.py`); a second change with
    the same mark fails as `Duplicate`.
    """

    writes: tuple[Write, ...] = ()
    events: "tuple[Event | outbox.Tombstone, ...]" = ()
    version: int = 0
    mark: Insert | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    collection: str
    operation: Operation
    versioned: bool = False


@dataclass(slots=True)
class _Waiting:
    """`carrier`: all there is to store, where one document can hold it; else `operations`, with the outbox's `rows`.

    `context`: the caller's, for what its events say of where they come from.
    """

    change: Change
    context: contextvars.Context
    carrier: Document | None = None
    operations: "list[_Step]" = field(default_factory=list)
    rows: list[Document] = field(default_factory=list)
    done: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Committer:
    """Stores changes in batches. One per service process; `run` is its only writer."""

    def __init__(
        self, mongo: Mongo, service: str, *, limit: int = 10_000, stored: Callable[[], None] = lambda: None
    ) -> None:
        """`limit`: changes that may wait; `stored` is called after each batch that has events."""
        self._mongo = mongo
        self._service = service
        self._limit = limit
        self.stored = stored
        self._queue: list[_Waiting] = []
        self._wake = asyncio.Event()
        self._inserts = 0
        self._closing = False
        self._crowded_at = float("-inf")
        self.batches = 0
        self.changes = 0

    @property
    def waiting(self) -> int:
        return len(self._queue)

    @property
    def pressed(self) -> bool:
        """Whether many callers wait at once, or did a moment ago."""
        return time.monotonic() - self._crowded_at < 0.05

    async def commit(self, change: Change) -> None:
        """Returns when the majority has journalled it. Raises Stale, Duplicate or Unavailable."""
        if self._closing or len(self._queue) >= self._limit:
            raise Unavailable("Der Dienst ist gerade ausgelastet.", "The service is busy.", retry_after=2)
        waiting = _Waiting(change, contextvars.copy_context())
        self._queue.append(waiting)
        self._wake.set()
        await waiting.done

    async def run(self) -> None:
        """Writes until `close` was called and the queue is empty."""
        async with asyncio.TaskGroup() as inserting:
            while not (self._closing and not self._queue):
                await self._wake.wait()
                self._wake.clear()
                while self._queue and self._has_room():
                    batch, self._queue = self._queue[:BATCH], self._queue[BATCH:]
                    batch = self._prepared(batch)
                    carriers = [waiting for waiting in batch if waiting.carrier]
                    others = [waiting for waiting in batch if not waiting.carrier]
                    if carriers:
                        self._inserts += 1
                        inserting.create_task(self._settle_carriers(carriers))
                    if others:
                        await self._settle(others)
                        self._note_crowd(others)

    def _has_room(self) -> bool:
        """Whether the next batch may start: inserts need not wait for each other, but small ones are dear."""
        return not self._inserts or (self._inserts < INSERTS and len(self._queue) >= CROWD)

    def close(self) -> None:
        """Refuses new changes; `run` returns after the last one."""
        self._closing = True
        self._wake.set()

    async def _settle(self, batch: list[_Waiting]) -> None:
        """Writes `batch`, taking out those that fail on their own, until the rest stands.

        Those are told last: whoever reads what they collided with must find it stored.
        """
        refused: list[tuple[_Waiting, Exception]] = []
        while batch:
            if len(batch) > 1 and len(refused) >= ALONE_AFTER:
                for waiting in batch:
                    await self._settle([waiting])
                break
            try:
                await self._write(batch)
            except _Failed as failed:
                refused.append((batch.pop(failed.position), failed.error))
            except Exception as error:
                self._refuse([*batch, *(waiting for waiting, _ in refused)], error)
                return
            else:
                self._stands(batch)
                break
        for waiting, reason in refused:
            _fail(waiting, reason)

    async def _settle_carriers(self, batch: list[_Waiting]) -> None:
        """Inserts them side by side; each fails on its own, and all of them when the majority did not confirm."""
        grouped: dict[str, list[_Waiting]] = {}
        for waiting in batch:
            grouped.setdefault(waiting.change.writes[0].collection, []).append(waiting)
        for collection, entries in grouped.items():
            try:
                failed = await self._insert(collection, entries)
            except Exception as error:
                self._refuse(entries, error)
                continue
            self._stands([waiting for waiting in entries if id(waiting) not in failed])
            for waiting in entries:
                if reason := failed.get(id(waiting)):
                    _fail(waiting, reason)
        self._note_crowd(batch)
        self._inserts -= 1
        self._wake.set()

    def _note_crowd(self, batch: Sequence[_Waiting]) -> None:
        if len(batch) >= CROWD:
            self._crowded_at = time.monotonic()

    async def _insert(self, collection: str, entries: list[_Waiting]) -> dict[int, Exception]:
        """Returns, by the `id()` of those that failed, why."""
        try:
            await self._mongo.insert(collection, [waiting.carrier for waiting in entries if waiting.carrier])
        except BulkWriteError as error:
            if error.details["writeConcernErrors"]:
                raise AutoReconnect(f"not confirmed by the majority: {told(error)}") from error
            found = error.details["writeErrors"]
            return {id(entries[one["index"]]): _reason(entries[one["index"]].change, one) for one in found}
        return {}

    def _stands(self, batch: list[_Waiting]) -> None:
        self.batches += 1
        self.changes += len(batch)
        for waiting in batch:
            if not waiting.done.done():
                waiting.done.set_result(None)
        if any(waiting.change.events for waiting in batch):
            self.stored()

    def _refuse(self, batch: list[_Waiting], error: Exception) -> None:
        """None of `batch` is known to stand."""
        if is_transient(error):
            error = Unavailable("Die Datenbank antwortet nicht.", f"The database does not answer: {told(error)}")
            # whoever has come meanwhile has waited for the same
            batch, self._queue = [*batch, *self._queue], []
        for waiting in batch:
            _fail(waiting, error)

    async def _write(self, batch: list[_Waiting]) -> None:
        grouped: dict[str, list[tuple[int, _Step]]] = {}
        for position, waiting in enumerate(batch):
            for step in waiting.operations:
                grouped.setdefault(step.collection, []).append((position, step))
        for step in _added(batch):
            grouped.setdefault(step.collection, []).append((0, step))

        async def body(session: AsyncClientSession) -> None:
            for collection, entries in grouped.items():
                try:
                    await self._mongo[collection].bulk_write([step.operation for _, step in entries], session=session)
                except BulkWriteError as error:
                    first = error.details["writeErrors"][0]
                    if first["code"] != 11000:
                        raise
                    position, step = entries[first["index"]]
                    keys = tuple(first.get("keyPattern", {"_id": 1}))
                    stale = step.versioned and keys == ("_id",)
                    raise _Failed(position, Stale() if stale else Duplicate(collection, keys)) from error

        await self._mongo.transaction(body)

    def _prepared(self, batch: list[_Waiting]) -> list[_Waiting]:
        """Those of `batch` that can be stored; made together, which takes half the time of each at its call."""
        ready: list[_Waiting] = []
        for waiting in batch:
            try:
                waiting.context.run(self._prepare, waiting)
            except Exception as error:
                _fail(waiting, error)
            else:
                ready.append(waiting)
        return ready

    def _prepare(self, waiting: _Waiting) -> None:
        change, now = waiting.change, datetime.now(UTC)
        if document := self._document(change):
            events: Any = change.events
            mark = change.mark.document if change.mark else None
            waiting.carrier = carried.carrier(document, events, change.version, self._service, now, mark)
            return
        marks = (change.mark,) if change.mark else ()
        steps = [_step(write) for write in (*marks, *change.writes) if not isinstance(write, Add)]
        waiting.rows = outbox.rows(change.events, change.version, self._service, now)
        waiting.operations = steps + [_Step(outbox.COLLECTION, InsertOne(row)) for row in waiting.rows]

    @staticmethod
    def _document(change: Change) -> Mapping[str, Any] | None:
        """The one new document that can carry the whole change, if that is all."""
        if len(change.writes) != 1 or not isinstance(change.mark, Mark | None):
            return None
        (write,) = change.writes
        if not isinstance(write, Replace) or write.was or not write.carries:
            return None
        key = write.document["_id"]
        fits = all(isinstance(event, Event) and event.key == key for event in change.events)
        return write.document if fits else None


@asynccontextmanager
async def committing(commits: Committer) -> AsyncIterator[Committer]:
    """Runs `commits` for as long as the block, for command lines and tests."""
    running = asyncio.create_task(commits.run())
    try:
        yield commits
    finally:
        commits.close()
        await running


class _Failed(Exception):
    """The change at `position` of the batch can't be stored, because of `error`."""

    def __init__(self, position: int, error: Exception) -> None:
        super().__init__(position)
        self.position = position
        self.error = error


def _added(batch: Sequence[_Waiting]) -> list[_Step]:
    """What the changes of `batch` add, in one step per document."""
    new: dict[tuple[str, Any], Mapping[str, Any]] = {}
    sums: dict[tuple[str, Any], Counter[str]] = {}
    for waiting in batch:
        for write in waiting.change.writes:
            if isinstance(write, Add):
                place = (write.collection, write.id)
                new.setdefault(place, write.new)
                sums.setdefault(place, Counter()).update(write.amounts)
    return [
        _Step(place[0], UpdateOne({"_id": place[1]}, {"$inc": dict(amounts), "$setOnInsert": new[place]}, upsert=True))
        for place, amounts in sums.items()
    ]


def _step(write: Insert | Replace | Put | Remove) -> _Step:
    if isinstance(write, Remove):
        return _Step(write.collection, DeleteOne({"_id": write.id}))
    document = dict(write.document)
    if isinstance(write, Insert):
        return _Step(write.collection, InsertOne(document))
    if isinstance(write, Put):
        return _Step(write.collection, ReplaceOne({"_id": document["_id"]}, document, upsert=True))
    if write.was == 0:
        return _Step(write.collection, InsertOne(document), versioned=True)
    # With upsert a stale version tries to insert and fails on `_id`: the error names its operation,
    # which a plain replacement that matches nothing would not.
    loaded = {"_id": document["_id"], "version": write.was}
    if write.carries:
        del document["_id"]
        return _Step(write.collection, UpdateOne(loaded, {"$set": document}, upsert=True), versioned=True)
    return _Step(write.collection, ReplaceOne(loaded, document, upsert=True), versioned=True)


def _reason(change: Change, error: Mapping[str, Any]) -> Exception:
    """Why the document that carries `change` was refused."""
    if error["code"] != 11000:
        return OperationFailure(str(error.get("errmsg")), error["code"], dict(error))
    (write,) = change.writes
    keys = tuple(error.get("keyPattern", {"_id": 1}))
    if keys == (carried.KEY,) and change.mark:
        return Duplicate(change.mark.collection, ("_id",))
    if keys == ("_id",) and isinstance(write, Replace):
        return Stale()
    return Duplicate(write.collection, keys)


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.done.done():
        waiting.done.set_exception(error)


T = TypeVar("T")


async def settled(read: Callable[[], Awaitable[object]], known: object) -> None:
    """Returns when `read`, of what no election can undo, gives `known` too. Raises Stale when it doesn't soon.

    For whoever answers with what was loaded and saves nothing.
    """
    for pause in (0.0, 0.02, 0.1, 0.5):
        await asyncio.sleep(pause)
        if await read() == known:
            return
    raise Stale


async def again(decide: Callable[[], Awaitable[T]], attempts: int = 8) -> T:
    """Runs `decide` (load, decide, save) anew while somebody else was faster."""
    for _ in range(attempts - 1):
        try:
            return await decide()
        except Stale:
            continue
    try:
        return await decide()
    except Stale:
        raise Unavailable("Bitte versuchen Sie es gleich noch einmal.", "Please try again.", retry_after=1) from None
