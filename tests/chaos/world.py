"""What really is: every store, topic and mailbox, read past the services."""

import asyncio
import email
import email.policy
import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from bson import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from shared import carried
from shared.events import BY_TOPIC
from shared.topics import CONSUMED, dead_letter_topic
from tests.chaos.case import LATER
from tests.chaos.mailserver import refusals
from tests.shared.kafka import admin

SERVICES = ("intake", "matching", "notifications", "reporting")
POISON = "poison-"
"""How the key or the id of every message begins that was made to be unreadable."""
DEAD = tuple(dead_letter_topic(topic, service) for service, topics in CONSUMED.items() for topic in topics)
TOPICS = (*BY_TOPIC, *DEAD)

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """One message as it lies in Kafka; `at`: its timestamp, milliseconds."""

    topic: str
    partition: int
    offset: int
    at: int
    key: str
    id: str
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()

    @property
    def body(self) -> Document:
        found: Document = json.loads(self.value or b"{}")
        return found


@dataclass(frozen=True)
class World:
    """Everything at one quiet moment; collections by service and name, documents by `_id`."""

    stores: Mapping[str, Mapping[str, list[Document]]]
    records: Sequence[Record]
    letters: Sequence[Record]
    mails: Mapping[str, int]
    """Message-ID → how often it was delivered; of our requests only."""
    refused: Mapping[str, int] = field(default_factory=dict)
    """Address → how many mails to it a mail server in a bad mood has refused for good."""
    traces: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Of each word that was asked for, the collections in which it stands."""

    def rows(self, service: str, collection: str) -> list[Document]:
        return self.stores[service][collection]

    def first(self, *topics: str) -> dict[str, Record]:
        """Event id → its first copy in Kafka."""
        found: dict[str, Record] = {}
        for record in self.records:
            if record.topic in topics:
                found.setdefault(record.id, record)
        return found


_COLLECTIONS = {
    "intake": ("requests", "progress", "outbox"),
    "matching": ("engagements", "advisors", "outbox"),
    "notifications": ("messages", "cases", "outbox"),
    "reporting": ("facts", "claims", "entries", "counters", "outbox"),
}


@dataclass
class Observer:
    """Reads the world; Kafka incrementally."""

    kafka: str
    mongo: str
    mail_dir: Path
    prefix: str
    _records: list[Record] = field(default_factory=list)
    _letters: list[Record] = field(default_factory=list)
    _next: dict[TopicPartition, int] = field(default_factory=dict)
    _mails: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._client: AsyncMongoClient[Document] = AsyncMongoClient(
            self.mongo, serverSelectionTimeoutMS=3000, timeoutMS=20_000
        )

    async def close(self) -> None:
        await self._client.close()

    async def look(self, words: Collection[str] = ()) -> World:
        """`words`: which are to be looked for in every document of every service."""
        stores = {
            service: dict(zip(names, await asyncio.gather(*(self._all(service, name) for name in names)), strict=True))
            for service, names in _COLLECTIONS.items()
        }
        for each in stores["intake"]["requests"]:
            stores["intake"]["outbox"] += carried.rows(each)
            forgotten = each.get("told", {}).get("forgotten", ())
            stores["intake"]["outbox"] += ({"_id": one, "order": 0, "forgotten": True} for one in forgotten)
        records = await self.records()
        ours = {document["_id"] for document in stores["notifications"]["cases"]}
        ours |= {document["request_id"] for document in stores["notifications"]["messages"]}  # of drafts too
        mails = await asyncio.to_thread(self._delivered, ours)
        refused, traces = refusals(self.mail_dir), await self._traces(words)
        return World(stores, records, list(self._letters), mails, refused, traces)

    async def records(self) -> list[Record]:
        """All that lies in Kafka, without dead letters and poison."""
        await self._read_on()
        return list(self._records)

    async def _traces(self, words: Collection[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        sought = re.compile(b"|".join(re.escape(one.encode()) for one in words))
        raw: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument)
        for service in SERVICES if words else ():
            database: Any = self._client.get_database(f"{self.prefix}miglobe-{service}", codec_options=raw)
            for name in await database.list_collection_names():
                for document in await database[name].find().to_list(None):
                    for one in set(sought.findall(document.raw)):
                        found.setdefault(one.decode(), []).append(f"{service}.{name}")
        return found

    async def restless(self) -> dict[str, int]:
        """What is still on its way; empty when all is quiet."""
        found: Counter[str] = Counter()
        for service in SERVICES:
            found[f"outbox of {service}"] = await self._count(service, "outbox", {"pending": True})
        found["events that requests carry"] = await self._count("intake", "requests", carried.PENDING)
        found["requests to decide"] = await self._count("matching", "engagements", {"state": {"$in": ["pending"]}})
        later = {"address": {"$regex": f"@{LATER}$"}}
        queued = {"state": {"$in": ["queued", "waiting"]}, "$nor": [later]}
        found["mails to send"] = await self._count("notifications", "messages", queued)
        counters = {document["_id"]: document["seq"] for document in await self._all("reporting", "counters")}
        found["facts to project"] = counters.get("ledger", 0) - counters.get("projector", 0)
        for service, lag in (await self._lag()).items():
            found[f"consumer lag of {service}"] = lag
        return {what: count for what, count in found.items() if count}

    async def writes(self) -> bool:
        """Whether the database takes and keeps what is written to it; it is asked with patience."""
        mark: Document = {"$currentDate": {"at": True}}
        try:
            await self._client[f"{self.prefix}miglobe-chaos"]["marks"].update_one({"_id": "written"}, mark, upsert=True)
        except PyMongoError:
            return False
        return True

    async def arrived(self, request_ids: Sequence[str]) -> bool:
        """Whether one of these has been through everything: assigned, mailed, shown by intake, and reported."""
        ours: Document = {"$in": list(request_ids)}
        ledger = self._client[f"{self.prefix}miglobe-reporting"]["facts"]
        topics = ("advisor.assigned", "notification.sent")
        through = [set(await ledger.distinct("key", {"key": ours, "topic": topic})) for topic in topics]
        for service, collection in (("reporting", "cases"), ("intake", "progress")):
            rows = self._client[f"{self.prefix}miglobe-{service}"][collection]
            through.append(set(await rows.distinct("_id", {"_id": ours})))
        return bool(set.intersection(*through))

    async def _lag(self) -> dict[str, int]:
        ends = await self._ends([self.prefix + topic for topic in BY_TOPIC])
        lags = {}
        async with admin(self.kafka) as client:
            for service, topics in CONSUMED.items():
                done = await client.list_consumer_group_offsets(self.prefix + service)
                mine = {self.prefix + topic for topic in topics}
                committed = {place: max(0, meta.offset) for place, meta in done.items()}
                lags[service] = sum(end - committed.get(place, 0) for place, end in ends.items() if place.topic in mine)
        return lags

    async def _ends(self, topics: Sequence[str]) -> dict[TopicPartition, int]:
        async with admin(self.kafka) as client:
            described = await client.describe_topics(list(topics))
        places = [TopicPartition(one["topic"], part["partition"]) for one in described for part in one["partitions"]]
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, enable_auto_commit=False)
        await consumer.start()
        try:
            consumer.assign(places)  # or it asks for each topic's leaders on its own, one after the other
            ends: dict[TopicPartition, int] = await consumer.end_offsets(places)
            return ends
        finally:
            await consumer.stop()

    async def _read_on(self) -> None:
        ends = await self._ends([self.prefix + topic for topic in TOPICS])
        more = {place: end for place, end in ends.items() if end > self._next.get(place, 0)}
        if not more:
            return
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.kafka,
            enable_auto_commit=False,
            max_partition_fetch_bytes=8_000_000,
        )
        await consumer.start()
        try:
            consumer.assign(list(more))
            for place in more:
                consumer.seek(place, self._next.get(place, 0))
            while any([await consumer.position(place) < end for place, end in more.items()]):
                for records in (await consumer.getmany(timeout_ms=300)).values():
                    for record in records:
                        self._keep(record)
            for place in more:
                self._next[place] = await consumer.position(place)
        finally:
            await consumer.stop()

    def _keep(self, raw: Any) -> None:
        heads = {name: (value or b"").decode(errors="replace") for name, value in raw.headers}
        key, topic = (raw.key or b"").decode(errors="replace"), raw.topic.removeprefix(self.prefix)
        record = Record(
            topic, raw.partition, raw.offset, raw.timestamp, key, heads.get("ce_id", ""), raw.value, tuple(raw.headers)
        )
        if topic in DEAD:
            self._letters.append(record)
        elif not is_poison(record):
            self._records.append(record)

    async def _all(self, service: str, collection: str) -> list[Document]:
        return await self._client[f"{self.prefix}miglobe-{service}"][collection].find().to_list(None)

    async def _count(self, service: str, collection: str, query: Document) -> int:
        return await self._client[f"{self.prefix}miglobe-{service}"][collection].count_documents(query)

    def _delivered(self, ours: Iterable[str]) -> dict[str, int]:
        """Mails about one of `ours`; the sink may be shared."""
        for path in self.mail_dir.glob("*.eml"):
            if path.name not in self._mails:
                head = email.message_from_bytes(path.read_bytes(), policy=email.policy.compat32)
                case = str(head["In-Reply-To"] or "").removeprefix("<case.").partition("@")[0]
                self._mails[path.name] = str(head["Message-ID"]), case
        known = set(ours)
        return Counter(message_id for message_id, case in self._mails.values() if case in known)


def is_poison(record: Record) -> bool:
    return record.key.startswith(POISON) or record.id.startswith(POISON)
