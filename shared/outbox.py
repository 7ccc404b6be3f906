"""The outbox: events stored with the change they tell of, and the relay that publishes them in order.

They stand in the collection `outbox`, or in the new document that they tell of (see carried). That is the truth; the
change stream and the committer's call are hints (see waking). A row stays pending until Kafka has confirmed it, so a
crash between the two publishes it again: consumers know it by `ce_id`.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from aiokafka.errors import KafkaError
from bson import Binary
from opentelemetry.trace import SpanKind
from pymongo.errors import PyMongoError

from shared import carried, envelope
from shared.errors import Permanent
from shared.events import BY_TOPIC, Dossier, Event, ReportingEntry
from shared.ids import new_id
from shared.lease import Lease
from shared.mongo import Document, Mongo
from shared.publisher import PUBLISH_SECONDS, Message, Publisher
from shared.tasks import cancelled, end
from shared.telemetry import current, exporting, past
from shared.waking import Wake

COLLECTION = "outbox"
PENDING = {"pending": True}
BATCH = 500
LEASE_SECONDS = 3 * PUBLISH_SECONDS
GIVE_WAY_SECONDS, GIVE_WAY_STEPS = 0.02, 50
"""How much longer events may wait for Kafka while many callers wait for the database: so often so long."""
KEPT = timedelta(days=7)
"""How long published rows stay, for looking at."""

_ERASED: Document = {"headers": {"ce_erased": "1"}, "body": None}
"""What makes a row a tombstone."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Erases the dossier of `key` on its compacted topic and in every copy."""

    dossier: type[Dossier]
    key: str


def rows(events: "Sequence[Event | Tombstone]", version: int, service: str, now: datetime) -> list[Document]:
    """One row per event, in order; `order` sorts the rows of a key by their aggregate's version."""
    made: list[Document] = []
    for position, event in enumerate(events):
        event_id = event.entry_id if isinstance(event, ReportingEntry) else new_id()
        if isinstance(event, Tombstone):
            head, topic, body = _ERASED["headers"], event.dossier.topic, None
        else:
            head = envelope.headers(event, event_id, service, now, current(event.key))
            topic, body = event.topic, Binary(event.model_dump_json().encode())
        made.append(
            {
                "_id": event_id,
                "topic": topic,
                "key": event.key,
                "order": version << 16 | position,
                "headers": head,
                "body": body,
                "pending": True,
                "created_at": now,
            }
        )
    return made


async def prepare(mongo: Mongo) -> None:
    """The indexes of outbox and leases."""
    await mongo.index(
        COLLECTION, [("pending", 1), ("_id", 1)], name="pending", partialFilterExpression={"pending": True}
    )
    await mongo.index(COLLECTION, "published_at", name="kept", expireAfterSeconds=int(KEPT.total_seconds()))


async def forget(mongo: Mongo, key: str, topics: Sequence[str]) -> int:
    """Empties the rows of dossiers, published or not; how many. What is left tells a relay that has them in hand."""
    theirs = {"key": key, "topic": {"$in": list(topics)}, "body": {"$ne": None}}
    empty = {"$set": {"body": None, "forgotten": True, "published_at": datetime.now(UTC)}, "$unset": {"pending": ""}}
    return (await mongo[COLLECTION].update_many(theirs, empty)).modified_count


async def backlog(mongo: Mongo, carriers: Sequence[str] = ()) -> tuple[int, datetime | None]:
    """What is not published: how many rows and documents with events, and since when the oldest waits."""
    count, times = 0, []
    for name, pending, at in (
        (COLLECTION, PENDING, "created_at"),
        *((one, carried.PENDING, "told.at") for one in carriers),
    ):
        count += await mongo[name].count_documents(pending)
        first = await mongo[name].find_one(pending, {at: 1}, sort=[("_id", 1)])
        if first:
            times.append(first["told"]["at"] if "told" in first else first["created_at"])
    return count, min(times, default=None)


class Relay:
    """Publishes pending rows. Any number of processes may run one; the lease lets one of them work."""

    def __init__(
        self,
        mongo: Mongo,
        publisher: Publisher,
        prefix: str,
        instance: str,
        pressed: Callable[[], bool] = lambda: False,
        carriers: Sequence[str] = (),
    ) -> None:
        """`instance`: who holds the lease; no two processes that run at once may share it.

        `pressed`: whether callers wait for what this process stores; publishing gives way to them for a while.
        `carriers`: collections whose documents carry what is told of them.
        """
        self._mongo = mongo
        self._publisher = publisher
        self._prefix = prefix
        self._lease = Lease(mongo, "relay", instance, LEASE_SECONDS)
        self._carriers = tuple(carriers)
        self._waking = Wake(mongo, COLLECTION, {"operationType": "insert"}, also=self._carriers)
        self._leased_until = 0.0
        self._pressed = pressed
        self._in_hand: list[Document] = []
        """Given to Kafka, and not yet known to have stood as they were."""
        self.published = 0
        self.blocked: dict[str, str] = {}
        self.failing: str | None = None

    def wake(self) -> None:
        self._waking.set()

    async def run(self) -> None:
        """Works until cancelled; errors back off and are tried again."""
        watching = asyncio.create_task(self._waking.watch())
        pause = 0.2
        try:
            while not cancelled():
                try:
                    await self._take_back()
                    full = await self._leading() and await self._drain()
                    pause, self.failing = 0.2, None
                except (KafkaError, TimeoutError, PyMongoError) as error:
                    self.failing = f"{type(error).__name__}: {error}"[:300]
                    _log.warning("relay_waits", error=self.failing, seconds=pause)
                    await asyncio.sleep(pause)
                    pause, full = min(pause * 2, 5.0), True
                if not full:
                    await self._waking.wait()
                    await self._give_way()
        finally:
            await end(watching)

    async def _give_way(self) -> None:
        """Gathers for a moment while callers press: fewer and larger batches leave them more of the processor."""
        for _ in range(GIVE_WAY_STEPS):
            if cancelled() or not self._pressed():
                return
            await asyncio.sleep(GIVE_WAY_SECONDS)

    async def close(self) -> None:
        """Publishes what is left, gives the lease back."""
        with suppress(KafkaError, TimeoutError, PyMongoError, Permanent):
            await self._take_back()
            while await self._leading() and await self._drain():
                pass
            await self._lease.give_back()

    async def _leading(self) -> bool:
        """True while this process is the one that publishes; by the server's clock, never by ours."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._leased_until:
            return True
        asked = loop.time()
        if not await self._lease.take():
            return False
        self._leased_until = asked + LEASE_SECONDS / 3
        return True

    async def _drain(self) -> bool:
        """Publishes one batch. True when there may be more."""
        batch, full = await self._pending()
        queues: dict[str, list[Document]] = {}
        for row in sorted(batch, key=lambda row: (row["order"], row["_id"])):
            queues.setdefault(row["key"], []).append(row)
        progress = False
        while queues and await self._leading():
            wave = [row for queue in queues.values() for row in _of_one_change(queue)]
            failed = await self._publish(wave)
            progress = progress or len(failed) < len({row["key"] for row in wave})
            queues = {key: queue for key, queue in queues.items() if queue and key not in failed}
        return full and progress

    async def _pending(self) -> tuple[list[Document], bool]:
        """The oldest rows, with all of their keys; and whether there may be more.

        The outbox first: what has come before one of its rows is then there to be seen in the carriers too.
        """
        rows = self._mongo.settled(COLLECTION)
        batch = await rows.find(PENDING).sort("_id", 1).limit(BATCH).to_list(None)
        full = len(batch) == BATCH
        told = {row["key"] for row in batch}
        for name in self._carriers:
            more = await carried.pending(self._mongo, name, BATCH)
            keys = {row["key"] for row in more}
            if len(keys) == BATCH:
                full = True
                more += await carried.pending_of(self._mongo, name, told - keys)
            batch += more
        if full:  # an earlier row of the same key may have a later id, made on another machine
            keys = {row["key"] for row in batch}
            of_carriers = [row for row in batch if "carrier" in row]
            batch = await rows.find({**PENDING, "key": {"$in": list(keys)}}).to_list(None) + of_carriers
        return batch, full

    async def _publish(self, wave: list[Document]) -> set[str]:
        """Rows of one change of each key. Returns the keys with one that Kafka will never take: they wait."""
        failed: set[str] = set()
        done = wave
        self._in_hand += wave
        try:
            await self._publisher.publish([self._message(row) for row in wave])
        except Permanent:
            done = []
            for row in wave:
                if row["key"] in failed:
                    continue
                try:
                    await self._publisher.publish([self._message(row)])
                    done.append(row)
                except Permanent as error:
                    failed.add(row["key"])
                    self.blocked[row["key"]] = str(error)
                    _log.error("outbox_row_blocked", row=row["_id"], topic=row["topic"], error=str(error))
        if await self._mark(done):
            self._in_hand.clear()
        await self._take_back()
        self.published += len(done)
        for row in wave if exporting() else ():
            if row["key"] not in failed:
                source = (row["headers"].get("traceparent"), row["key"])
                past(f"publish {row['topic']}", SpanKind.PRODUCER, row["created_at"], [source])
        return failed

    async def _mark(self, done: Sequence[Document]) -> bool:
        """Notes that these rows are in Kafka. False when one of them may have been forgotten by now."""
        stood = True
        if rows := [row["_id"] for row in done if "carrier" not in row]:
            change = {"$set": {"published_at": datetime.now(UTC)}, "$unset": {"pending": ""}}
            noted = await self._mongo[COLLECTION].update_many({"_id": {"$in": rows}, "forgotten": None}, change)
            stood = noted.matched_count == len(rows)
        for name in self._carriers:
            if theirs := [row for row in done if "carrier" in row and row["carrier"].collection == name]:
                stood = await carried.published(self._mongo, name, theirs) and stood
        return stood

    async def _take_back(self) -> None:
        """Erases once more whose dossier was forgotten while it was in hand: it may lie behind its tombstone.

        So it is with who was frozen past the lease, or whose publishing has failed and may yet have reached Kafka.
        """
        dossiers = {row["_id"]: row for row in self._in_hand if issubclass(BY_TOPIC[row["topic"]], Dossier)}
        if dossiers:
            emptied = {"_id": {"$in": list(dossiers)}, "forgotten": True}
            gone = {row["_id"] for row in await self._mongo.settled(COLLECTION).find(emptied).to_list(None)}
            for name in self._carriers:
                gone |= await carried.forgotten(self._mongo, name, {row["key"] for row in dossiers.values()})
            if rows := [{**row, **_ERASED} for identity, row in dossiers.items() if identity in gone]:
                await self._publisher.publish([self._message(row) for row in rows])
                _log.warning("erased_once_more", rows=[row["_id"] for row in rows])
        self._in_hand.clear()

    def _message(self, row: Document) -> Message:
        return Message(
            topic=self._prefix + row["topic"],
            key=row["key"].encode(),
            value=row["body"],
            headers=[(name, value.encode()) for name, value in row["headers"].items()],
        )


def _of_one_change(queue: list[Document]) -> Iterator[Document]:
    """Takes out of one key's `queue` what its first change tells, up to a second row of a topic.

    A change is told before the next, so that no effect comes before its cause; within one only topics have an order.
    """
    version, topics = queue[0]["order"] >> 16, set[str]()
    while queue and queue[0]["order"] >> 16 == version and queue[0]["topic"] not in topics:
        topics.add(queue[0]["topic"])
        yield queue.pop(0)
