"""MongoDB: one client, one database, and the seam by which the stores run on PyMongo or on Motor."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any, Literal, cast

import pymongo
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import (
    AutoReconnect,
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

Document = dict[str, Any]
Driver = Literal["pymongo", "motor"]

TRANSACTION_SECONDS = 6.0
"""Bounds a transaction with all its retries, so that whoever waits for it is answered before giving up; PyMongo
alone would retry for 120 s."""


class Mongo:
    """One service's database. Make it inside the running event loop's process; it connects when first used."""

    def __init__(self, uri: str, database: str, driver: Driver = "pymongo") -> None:
        options: dict[str, Any] = {
            "w": "majority",
            "journal": True,
            "tz_aware": True,
            "serverSelectionTimeoutMS": 4000,
            "connectTimeoutMS": 4000,
            "socketTimeoutMS": 30_000,
            "maxPoolSize": 50,
        }
        self._motor = driver == "motor"
        if self._motor:
            from motor.motor_asyncio import AsyncIOMotorClient

            self.client = cast("AsyncMongoClient[Document]", AsyncIOMotorClient(uri, **options))
        else:
            self.client = AsyncMongoClient(uri, **options)
        self.db = self.client[database]

    def __getitem__(self, collection: str) -> AsyncCollection[Document]:
        return self.db[collection]

    def settled(self, collection: str) -> AsyncCollection[Document]:
        """Reads only what the majority has: what else a primary shows, the election of another may undo."""
        return self.db[collection].with_options(read_concern=ReadConcern("majority"))

    async def ping(self, seconds: float = 2) -> None:
        """Raises PyMongoError or TimeoutError when no primary answers within `seconds`."""
        async with self._within(seconds):
            await self.db.command("ping")

    async def has_transactions(self) -> bool:
        """False for a single server that is no member of a replica set."""
        said = await self.db.command("hello")
        return "setName" in said or said.get("msg") == "isdbgrid"

    async def aggregate(self, collection: str, pipeline: Sequence[Mapping[str, Any]]) -> list[Document]:
        cursor: Any = self.db[collection].aggregate(pipeline)
        if not self._motor:
            cursor = await cursor
        return cast("list[Document]", await cursor.to_list(None))

    async def index(self, collection: str, keys: str | Sequence[tuple[str, int]], **options: Any) -> None:
        """The index as it shall be now: one that an earlier version made otherwise is dropped and made anew."""
        indexes = self.db[collection]
        try:
            await indexes.create_index(keys, **options)
        except OperationFailure as error:
            if error.code not in _OTHERWISE:
                raise
            fields = [(keys, 1)] if isinstance(keys, str) else list(keys)
            for name, there in (await indexes.index_information()).items():
                if name == options.get("name") or [(key, int(way)) for key, way in there["key"]] == fields:
                    await indexes.drop_index(name)
            await indexes.create_index(keys, **options)

    async def drop_index(self, collection: str, name: str) -> None:
        """There shall be none of this name."""
        try:
            await self.db[collection].drop_index(name)
        except OperationFailure as error:
            if error.code not in _NOT_THERE:
                raise

    async def transaction(
        self, body: Callable[[AsyncClientSession], Awaitable[None]], turn: asyncio.Lock | None = None
    ) -> None:
        """Runs `body` in a transaction, again on transient errors: no side effects in it.

        `turn` is held only until the primary has it: whoever is next builds on it while the majority is waited for,
        and can't be confirmed without it.
        """
        async with self._session() as session:
            # Motor runs in threads, where pymongo.timeout() does not reach
            with nullcontext() if self._motor else pymongo.timeout(TRANSACTION_SECONDS):
                if turn is None:
                    await session.with_transaction(body)
                    return
                async with turn:
                    await session.with_transaction(body, write_concern=WriteConcern(1))
                await session.commit_transaction()  # once more: that waits for the majority

    async def insert(self, collection: str, documents: Sequence[Document]) -> None:
        """All of them that can be, each by itself. Raises BulkWriteError when one or all failed."""
        if self._motor:
            await self.db[collection].insert_many(documents, ordered=False)
        else:
            with pymongo.timeout(TRANSACTION_SECONDS):
                await self.db[collection].insert_many(documents, ordered=False)

    @asynccontextmanager
    async def watch(
        self, collections: Sequence[str], pipeline: Sequence[Mapping[str, Any]]
    ) -> AsyncIterator[AsyncIterator[list[Document]]]:
        """A change stream from now on, in batches as they come; it ends with whatever fails.

        By plain commands: the driver's own hands out one change after the other, which costs more than to make one.
        """
        if len(collections) > 1:
            pipeline = [{"$match": {"ns.coll": {"$in": list(collections)}}}, *pipeline]
        target: Any = collections[0] if len(collections) == 1 else 1
        stages = [{"$changeStream": {}}, *pipeline]
        async with self._session() as session:
            opened = await self.db.command({"aggregate": target, "pipeline": stages, "cursor": {}}, session=session)
            number, place = opened["cursor"]["id"], opened["cursor"]["ns"].partition(".")[2]
            try:
                yield self._changes(number, place, session)
            finally:
                with suppress(PyMongoError, TimeoutError):
                    async with self._within(1):
                        await self.db.command({"killCursors": place, "cursors": [number]}, session=session)

    async def _changes(self, number: int, place: str, session: AsyncClientSession) -> AsyncIterator[list[Document]]:
        # answered at once when there is something, and else asked anew only this often
        more = {"getMore": number, "collection": place, "maxTimeMS": 10_000}
        while True:
            said = (await self.db.command(more, session=session))["cursor"]
            if said["nextBatch"]:
                yield said["nextBatch"]
            if not said["id"]:
                return

    @asynccontextmanager
    async def _within(self, seconds: float) -> AsyncIterator[None]:
        """Bounds what is asked inside; raises PyMongoError or TimeoutError."""
        if self._motor:
            async with asyncio.timeout(seconds):
                yield
        else:  # what asyncio cancels may release a lock that is another's, see `is_transient`
            with pymongo.timeout(seconds):
                yield

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[AsyncClientSession]:
        started: Any = self.client.start_session()
        if self._motor:
            started = await started
        async with started as session:
            yield session

    async def close(self) -> None:
        closing: Any = self.client.close()
        if closing is not None:
            await closing


def is_transient(error: BaseException) -> bool:
    """True when trying again later may help: the server is away, slow, or changing its primary."""
    if isinstance(error, (ConnectionFailure, AutoReconnect, NetworkTimeout, ExecutionTimeout, WTimeoutError)):
        return True
    # before Python 3.12 PyMongo's wait for a server, when it is cancelled, may release the lock of who waits beside it
    if isinstance(error, RuntimeError) and str(error) == "Lock is not acquired":
        return True
    return isinstance(error, PyMongoError) and (
        error.timeout
        or error.has_error_label("RetryableWriteError")
        or error.has_error_label("TransientTransactionError")
        or getattr(error, "code", None) in _NOT_NOW
    )


_OTHERWISE = {85, 86}  # IndexOptionsConflict, IndexKeySpecsConflict
_NOT_THERE = {26, 27}  # NamespaceNotFound, IndexNotFound
_NOT_NOW = {
    6,  # HostUnreachable
    7,  # HostNotFound
    43,  # CursorNotFound: the server that had it was restarted
    89,  # NetworkTimeout
    94,  # NotYetInitialized
    91,  # ShutdownInProgress
    112,  # WriteConflict
    134,  # ReadConcernMajorityNotAvailableYet
    189,  # PrimarySteppedDown
    262,  # ExceededTimeLimit
    10107,  # NotWritablePrimary
    11600,  # InterruptedAtShutdown
    11602,  # InterruptedDueToReplStateChange
    13435,  # NotPrimaryNoSecondaryOk
    13436,  # NotPrimaryOrSecondary
    14031,  # OutOfDiskSpace
    64,  # WriteConcernTimeout
}
