"""Messages that come again, and messages that nobody can read."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from aiokafka import AIOKafkaProducer

from deploy.local.stack import Stack
from shared.ids import new_id
from shared.publisher import Message
from shared.topics import CONSUMED, dead_letter_topic
from tests.chaos.faults import Fault, Kind, Letters
from tests.chaos.world import POISON, Observer, Record
from tests.shared.kafka import message
from tests.shared.samples import created

COPIES = 40


async def _send(kafka: str, messages: Sequence[Message]) -> None:
    """Compressed, as ours are: so two million bytes pass the broker's limit."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, compression_type="lz4", max_request_size=4_000_000)
    await producer.start()
    try:
        sent = [await producer.send(one.topic, one.value, key=one.key, headers=list(one.headers)) for one in messages]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def repeat(_: Fault, __: Stack, observer: Observer) -> Letters:
    """The last messages of each topic once more, as a relay sends them that was frozen and has lost its lease."""
    by_topic: dict[str, list[Record]] = {}
    for record in await observer.records():
        by_topic.setdefault(record.topic, []).append(record)
    again = [record for records in by_topic.values() for record in records[-COPIES:]]
    await _send(observer.kafka, [_copy(record, observer.prefix) for record in again])
    erased = {(record.topic, record.key) for record in await observer.records() if record.value is None}
    late = [record for record in again if (record.topic, record.key) in erased]  # a relay notices as well
    await _send(observer.kafka, [replace(_copy(record, observer.prefix), value=None, headers=[]) for record in late])
    return set()


def _copy(record: Record, prefix: str) -> Message:
    return Message(prefix + record.topic, record.key.encode(), record.value, record.headers)


async def poison(_: Fault, __: Stack, observer: Observer) -> Letters:
    """On every topic that is read: whatever can be wrong with a message."""
    readers: dict[str, list[str]] = {}
    for service, topics in CONSUMED.items():
        for topic in topics:
            readers.setdefault(topic, []).append(service)
    real = await observer.records()
    messages: list[Message] = []
    expected: Letters = set()
    for topic, services in readers.items():
        for marker, bad in _variants(topic, next((one for one in reversed(real) if one.topic == topic), None)):
            messages.append(replace(bad, topic=observer.prefix + topic))
            expected |= {(dead_letter_topic(topic, service), marker) for service in services}
    await _send(observer.kafka, messages)
    return expected


def _variants(topic: str, real: Record | None) -> Iterable[tuple[str, Message]]:
    """(marker, message): the marker is its key or its id."""
    good = message(created(), "")
    kind = f"de.miglobe.{topic}.v1".encode()

    def made(value: bytes | None, **changed: bytes | None) -> tuple[str, Message]:
        marker = POISON + new_id()
        heads: dict[str, bytes | None] = {**dict(good.headers), "ce_type": kind, "ce_id": marker.encode(), **changed}
        kept = [(name, text) for name, text in heads.items() if text != b"-"]
        return marker, Message(topic, marker.encode(), value, kept)

    yield made(b'{"half": ')
    yield made(b"\xff\xfe\x00")
    yield made(b"[1, 2]")
    yield made(b"{}", ce_type=kind.replace(b".v1", b".v99"))
    yield made(b"{}", ce_specversion=b"-")
    yield made(b"{}", ce_source=None)
    yield made(b"{}", ce_time=b"yesterday")
    yield made(b"{}", ce_id=b"-")
    yield made(json.dumps({"stuffing": "x" * 2_000_000}).encode())
    if not topic.endswith(".dossier"):
        yield made(None)
    if real is not None:  # what is true of one request, under the key of another
        yield made(real.value)


KINDS = (Kind("repeat", repeat), Kind("poison", poison))
