"""Dead letters: what could not be processed, with the reason; listed, shown, and brought back.

A redriven letter stays where it is; a marker behind it on the same topic says that it went back.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.errors import Permanent
from shared.publisher import MAX_MESSAGE, Message
from shared.settings import Settings
from shared.topics import CONSUMED, dead_letter_topic

_PREFIX = "dlq_"


@dataclass(frozen=True)
class Letter:
    """One dead letter. `place` is its own offset on the dead-letter topic; `origin` where it failed."""

    dead_letter_topic: str
    place: int
    service: str
    topic: str
    origin: str
    reason: str
    detail: str
    at: str
    redriven: bool
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


def letter(
    record: "ConsumerRecord[bytes | None, bytes | None]", prefix: str, service: str, error: Permanent
) -> Message:
    """The dead letter of `record`: key, body and headers as they came, the reason beside them."""
    topic = record.topic.removeprefix(prefix)
    said = {
        "reason": error.reason,
        "detail": str(error)[:500],
        "service": service,
        "topic": topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "null_value": "1" if record.value is None else "0",
        "at": datetime.now(UTC).isoformat(),
    }
    headers = [(name, value) for name, value in record.headers if not name.startswith(_PREFIX)]
    headers += [(_PREFIX + name, value.encode()) for name, value in said.items()]
    return Message(prefix + dead_letter_topic(topic, service), record.key, record.value or b"", headers)


def eraser(record: "ConsumerRecord[bytes | None, bytes | None]", prefix: str, service: str) -> Message:
    """The tombstone that erases the dead letters of a dossier together with the dossier."""
    topic = record.topic.removeprefix(prefix)
    return Message(prefix + dead_letter_topic(topic, service), record.key, None, [])


def names(settings: Settings, service: str | None = None, topic: str | None = None) -> list[str]:
    """The dead-letter topics of `service` and `topic`, all when None; with prefix."""
    return [
        settings.prefix + dead_letter_topic(name, reader)
        for reader, topics in CONSUMED.items()
        for name in topics
        if service in (None, reader) and topic in (None, name)
    ]


async def letters(settings: Settings, topics: list[str]) -> AsyncIterator[Letter]:
    """All letters on `topics` now, oldest first per topic."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=MAX_MESSAGE * 2,
    )
    await consumer.start()
    try:
        places = [TopicPartition(name, 0) for name in topics]
        consumer.assign(places)  # so that all leaders are asked for at once, not topic by topic
        consumer.pause(*places)
        ends = {place: end for place, end in (await consumer.end_offsets(places)).items() if end}
        starts = await consumer.beginning_offsets(list(ends))
        for place, end in ends.items():
            if starts[place] == end:
                continue
            consumer.assign([place])
            consumer.seek(place, starts[place])
            records: list[ConsumerRecord[bytes, bytes]] = []
            while await consumer.position(place) < end:
                found = await consumer.getmany(timeout_ms=1000)
                records += [record for batch in found.values() for record in batch]
            erased = {record.key: record.offset for record in records if record.value is None}
            sent_back = {int(mark) for record in records if (mark := _header(record, "redriven"))}
            for record in records:
                if record.offset <= erased.get(record.key, -1):
                    continue
                if not _header(record, "redriven"):
                    yield _read(record, record.offset in sent_back)
    finally:
        await consumer.stop()


def back(letter: Letter, prefix: str, body: bytes | None, headers: Mapping[str, str]) -> list[Message]:
    """The messages that bring `letter` back: itself (mended: `body`, `headers` in place of its own) and the marker."""
    kept = [(name, value) for name, value in letter.headers if name not in headers]
    kept += [(name, value.encode()) for name, value in headers.items()]
    value = body if body is not None else letter.value
    return [
        Message(prefix + letter.topic, letter.key, value, kept),
        Message(letter.dead_letter_topic, letter.key, b"", [(_PREFIX + "redriven", str(letter.place).encode())]),
    ]


def _header(record: "ConsumerRecord[bytes, bytes]", name: str) -> str:
    found = dict(record.headers).get(_PREFIX + name)
    return found.decode(errors="replace") if found else ""


def _read(record: "ConsumerRecord[bytes, bytes]", redriven: bool) -> Letter:
    return Letter(
        dead_letter_topic=record.topic,
        place=record.offset,
        service=_header(record, "service"),
        topic=_header(record, "topic"),
        origin=f"{_header(record, 'topic')}-{_header(record, 'partition')}@{_header(record, 'offset')}",
        reason=_header(record, "reason"),
        detail=_header(record, "detail"),
        at=_header(record, "at"),
        redriven=redriven,
        key=record.key,
        value=None if _header(record, "null_value") == "1" else record.value,
        headers=tuple((name, value) for name, value in record.headers if not name.startswith(_PREFIX)),
    )
