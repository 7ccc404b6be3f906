"""A Kafka producer that gives up in time: acks=all, idempotent, rebuilt after any failure.

An idempotent aiokafka producer never expires its batches while Kafka is away, and after a failed batch its
sequence numbers stay wrong (aiokafka issues 1101 and 1017). So each publish and each stop has a time limit,
and a producer that failed is thrown away. Whoever calls must send again what was not confirmed.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.partitioner import DefaultPartitioner

from shared.errors import Permanent

PUBLISH_SECONDS = 4.0
MAX_MESSAGE = 4_194_304
"""Bytes; dead-letter topics take as much, so that whatever was readable can be kept."""

MANY, SMALL = 32, 65_536
"""Messages in one call, and bytes of each body at most, that go out as batches made here."""

_log = structlog.get_logger(__name__)
_partition = DefaultPartitioner()


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it goes on the wire; `topic` with prefix; `value` None is a tombstone."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Publisher:
    """Shared by a service's relay and dead letters; not thread-safe."""

    def __init__(self, bootstrap: str, client_id: str) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def publish(self, messages: Sequence[Message]) -> None:
        """Returns when Kafka has confirmed all; in the given order per partition.

        Raises KafkaError or TimeoutError: then any part of `messages` may have arrived. Raises Permanent
        when a message is larger than Kafka takes.
        """
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                producer = await self._started()
                if len(messages) >= MANY and all(map(_is_small, messages)):
                    sent = await self._send_together(producer, messages)
                else:
                    sent = [await self._send(producer, message) for message in messages]
                await asyncio.gather(*sent)
        except MessageSizeTooLargeError as error:
            raise Permanent("too_large", str(error)) from error
        except (KafkaError, TimeoutError, asyncio.CancelledError):
            await self.close()
            raise

    @staticmethod
    async def _send(producer: AIOKafkaProducer, message: Message) -> "asyncio.Future[object]":
        headers: list[tuple[str, bytes | None]] = list(message.headers)
        future: asyncio.Future[object] = await producer.send(
            message.topic, value=message.value, key=message.key, headers=headers
        )
        return future

    @staticmethod
    async def _send_together(producer: AIOKafkaProducer, messages: Sequence[Message]) -> "list[asyncio.Future[object]]":
        """As one batch for each partition, which costs half of what messages of their own do."""
        partitions = {topic: sorted(await producer.partitions_for(topic)) for topic in {one.topic for one in messages}}
        places: dict[tuple[str, int], list[Message]] = {}
        known: dict[tuple[bytes | None, int], int] = {}
        for one in messages:
            every = partitions[one.topic]
            if (partition := known.get((one.key, len(every)))) is None:
                partition = known[one.key, len(every)] = _partition(one.key, every, every)
            places.setdefault((one.topic, partition), []).append(one)
        sent: list[asyncio.Future[object]] = []
        for (topic, partition), theirs in places.items():
            batch = producer.create_batch()
            for one in theirs:
                content = {"timestamp": None, "key": one.key, "value": one.value, "headers": list(one.headers)}
                if batch.append(**content) is None:  # full
                    sent.append(await producer.send_batch(batch, topic, partition=partition))
                    batch = producer.create_batch()
                    batch.append(**content)
            sent.append(await producer.send_batch(batch, topic, partition=partition))
        return sent

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._bootstrap,
                    client_id=self._client_id,
                    acks="all",
                    enable_idempotence=True,
                    max_batch_size=131_072,
                    compression_type="lz4",
                    max_request_size=MAX_MESSAGE,
                    request_timeout_ms=3_500,
                    retry_backoff_ms=100,
                )
                try:
                    await producer.start()
                except BaseException:
                    await _stop(producer)
                    raise
                self._producer = producer
            return self._producer

    async def close(self) -> None:
        """Never hangs: a producer that doesn't stop in time is left to the garbage collector."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)


def _is_small(message: Message) -> bool:
    return message.key is not None and (message.value is None or len(message.value) <= SMALL)


async def _stop(producer: AIOKafkaProducer) -> None:
    stopping = asyncio.create_task(producer.stop())
    done, _ = await asyncio.wait({stopping}, timeout=3)
    if not done:
        stopping.cancel()
        _log.warning("producer_abandoned")
    with suppress(BaseException):
        await stopping
