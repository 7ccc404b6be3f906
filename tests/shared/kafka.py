"""A plain producer and consumer beside ours, for the plumbing's tests."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared import envelope
from shared.events import Event
from shared.ids import new_id
from shared.publisher import Message
from shared.telemetry import current


def message(event: Event, prefix: str, event_id: str | None = None) -> Message:
    """`event` as a relay would send it."""
    head = envelope.headers(event, event_id or new_id(), "test", datetime.now(UTC), current())
    headers = [(name, value.encode()) for name, value in head.items()]
    return Message(prefix + event.topic, event.key.encode(), event.model_dump_json().encode(), headers)


async def send(bootstrap: str, messages: Sequence[Message]) -> None:
    """Sends one after the other with a producer of its own."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=4_000_000)
    await producer.start()
    try:
        for one in messages:
            await producer.send_and_wait(one.topic, one.value, key=one.key, headers=list(one.headers))
    finally:
        await producer.stop()


async def everything(bootstrap: str, topic: str) -> "list[tuple[bytes | None, bytes | None, dict[str, bytes]]]":
    """(key, value, headers) of all messages now on `topic`, in order per partition."""
    return [(record.key, record.value, dict(record.headers)) for record in await records(bootstrap, topic)]


async def records(bootstrap: str, topic: str) -> "list[ConsumerRecord[bytes | None, bytes | None]]":
    """All that is now on `topic`, in order per partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = await partitions_of(bootstrap, topic)
        places = [TopicPartition(topic, number) for number in range(partitions)]
        ends = await consumer.end_offsets(places)
        consumer.assign([place for place, end in ends.items() if end])
        found: list[ConsumerRecord[bytes | None, bytes | None]] = []
        for place in consumer.assignment():
            await consumer.seek_to_beginning(place)
        while any([await consumer.position(place) < ends[place] for place in consumer.assignment()]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                found += batch
        return found
    finally:
        await consumer.stop()


async def partitions_of(bootstrap: str, topic: str) -> int:
    async with admin(bootstrap) as client:
        return len((await client.describe_topics([topic]))[0]["partitions"])


async def committed(bootstrap: str, group: str) -> dict[str, int]:
    """Topic → the sum of the offsets that `group` has committed."""
    async with admin(bootstrap) as client:
        offsets = await client.list_consumer_group_offsets(group)
    sums: dict[str, int] = {}
    for place, meta in offsets.items():
        sums[place.topic] = sums.get(place.topic, 0) + max(0, meta.offset)
    return sums


@asynccontextmanager
async def admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        yield client
    finally:
        await client.close()
