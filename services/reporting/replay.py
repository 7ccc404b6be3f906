"""All facts as Kafka has them, from the first to the last now, read without a consumer group."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code

from shared.broker import Arrival, Record, understand
from shared.errors import Permanent
from shared.events import BY_TOPIC, Event
from shared.publisher import MAX_MESSAGE
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Page:
    """Some messages of one partition: what was understood, how many were not, and how far it is in all."""

    arrivals: list[Arrival]
    unreadable: int
    done: int
    total: int


async def replay(settings: Settings, topics: list[str]) -> AsyncIterator[Page]:
    """Every message of `topics` (without prefix). Raises KafkaError when one of them is not there."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka,
        client_id=f"{settings.prefix}reporting-replay",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=MAX_MESSAGE,
    )
    await consumer.start()
    try:
        places = await _places(settings, topics)
        consumer.assign(places)  # so that all leaders are asked for at once, not topic by topic
        starts, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        total, done = sum(ends[place] - starts[place] for place in places), 0
        for place in places:
            consumer.seek(place, starts[place])
        waiting = {place for place in places if starts[place] < ends[place]}
        while waiting:
            for place, records in (await consumer.getmany(timeout_ms=1000, max_records=2000)).items():
                wanted = [record for record in records if record.offset < ends[place]]
                done += len(wanted)
                yield _page(BY_TOPIC[place.topic.removeprefix(settings.prefix)], wanted, done, total)
            # a position may pass the last record without one: transaction markers, compacted places
            waiting = {place for place in waiting if await consumer.position(place) < ends[place]}
    finally:
        await consumer.stop()


def _page(model: type[Event], records: Sequence[Record], done: int, total: int) -> Page:
    arrivals = []
    for record in records:
        with suppress(Permanent):
            arrivals.append(understand(model, record))
    return Page(arrivals, len(records) - len(arrivals), done, total)


async def _places(settings: Settings, topics: list[str]) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        found = await admin.describe_topics([settings.prefix + topic for topic in topics])
    finally:
        await admin.close()
    for item in found:
        if item["error_code"]:
            raise for_code(item["error_code"])(item["topic"])
    return [TopicPartition(item["topic"], part["partition"]) for item in found for part in item["partitions"]]
