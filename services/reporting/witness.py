"""Whether Kafka still holds what the ledger was recorded from: a topic that was wiped or refilled is noticed.

For each partition one place that was once seen is remembered, with the id of the fact there. It is looked up again
and again; while it is there it moves on to the last fact recorded. What was recorded of the new content before somebody
looked does not hide it, since the old place is looked up first.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from prometheus_client import Gauge
from pymongo.errors import PyMongoError

from services.reporting.ledger import Ledger
from shared.mongo import Mongo
from shared.publisher import MAX_MESSAGE
from shared.settings import Settings
from shared.tasks import cancelled
from shared.telling import told
from shared.topics import FACTS

WITNESSES = "witnesses"
EVERY_SECONDS = 600.0

_log = structlog.get_logger(__name__)


async def forget(mongo: Mongo) -> None:
    """The topics as they are now are the right ones."""
    await mongo[WITNESSES].delete_many({})


@dataclass
class Witness:
    """`replaced` is 1 for topics that hold something else than the ledger knows."""

    settings: Settings
    mongo: Mongo
    ledger: Ledger
    replaced: Gauge

    async def run(self) -> None:
        """Looks at once and every ten minutes, until cancelled."""
        while not cancelled():
            try:
                wrong = await self.look()
                for topic in FACTS:
                    self.replaced.labels(topic).set(topic in wrong)
            except (KafkaError, OSError, TimeoutError, PyMongoError) as error:
                _log.warning("witness_waits", error=told(error))
            await asyncio.sleep(EVERY_SECONDS)

    async def look(self) -> dict[str, str]:
        """Topic → what is wrong with it, of those that were wiped or refilled. Raises KafkaError, PyMongoError."""
        known = await self.mongo[WITNESSES].find().to_list(None)
        places = {(w["topic"], w["partition"]): (w["offset"], w["fact"]) for w in known}
        partitions = await _partitions(self.settings)
        asked = {place: offset for place, (offset, _) in places.items() if place[1] < partitions.get(place[0], 0)}
        there = await _ids(self.settings, asked)
        wrong: dict[str, str] = {}
        for (topic, partition), (offset, fact) in places.items():
            if there.get((topic, partition)) != fact:
                found = there.get((topic, partition)) or "nothing"
                wrong[topic] = f"at {partition}@{offset} is {found} in place of {fact}"
                _log.error("topic_replaced", topic=topic, detail=wrong[topic])
        for topic in FACTS:
            for partition in range(partitions.get(topic, 0)) if topic not in wrong else ():
                last = await self.ledger.last_of(topic, partition)
                if last is not None and last != places.get((topic, partition)):
                    place = {"topic": topic, "partition": partition, "offset": last[0], "fact": last[1]}
                    await self.mongo[WITNESSES].replace_one({"_id": f"{topic}-{partition}"}, place, upsert=True)
        return wrong


async def _partitions(settings: Settings) -> dict[str, int]:
    """Topic → number of partitions, of those that are there."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka, request_timeout_ms=5_000)
    await admin.start()
    try:
        found = await admin.describe_topics([settings.prefix + topic for topic in FACTS])
    finally:
        await admin.close()
    there = (item for item in found if item["error_code"] == 0)
    return {item["topic"].removeprefix(settings.prefix): len(item["partitions"]) for item in there}


async def _ids(settings: Settings, places: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], str | None]:
    """The id of the event at each place of (topic, partition) → offset; None where there is nothing."""
    found: dict[tuple[str, int], str | None] = dict.fromkeys(places)
    if not places:
        return found
    wanted = {TopicPartition(settings.prefix + topic, part): offset for (topic, part), offset in places.items()}
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=MAX_MESSAGE,
    )
    await consumer.start()
    try:
        consumer.assign(list(wanted))  # so that all leaders are asked for at once, not topic by topic
        consumer.pause(*wanted)
        starts, ends = await consumer.beginning_offsets(list(wanted)), await consumer.end_offsets(list(wanted))
        left = {place: offset for place, offset in wanted.items() if starts[place] <= offset < ends[place]}
        while left:
            consumer.assign(list(left))
            for place, offset in left.items():
                consumer.seek(place, offset)
            answered = await consumer.getmany(timeout_ms=2_000, max_records=len(left))
            for place, records in answered.items():
                offset = left.pop(place)
                if records and records[0].offset == offset:
                    identity = dict(records[0].headers).get("ce_id")
                    key = (place.topic.removeprefix(settings.prefix), place.partition)
                    found[key] = identity.decode(errors="replace") if identity else None
            if not answered:
                raise TimeoutError("Kafka has the messages and does not give them")
    finally:
        await consumer.stop()
    return found
