"""The Kafka door: a FastStream subscriber that takes batches, one effect per event, errors sorted.

A batch is what has arrived. Its events are handled side by side, those of one key one after the other; the
handlers' changes meet in the committer and become one transaction. Offsets are committed when each event
of the batch has its effect or its dead letter. A service that only keeps events takes a batch whole
(`Together`).

    transient (database away, queue full)     → back-off; after `STALL_SECONDS` unhealthy, the batch is taken anew
    permanent (bad JSON, unknown version, …)  → dead letter, the partition goes on
    anything else (a bug)                     → three tries, then dead letter
"""

import asyncio
import time
from collections import Counter as Counting
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaAckableMessage
from opentelemetry.trace import SpanKind
from prometheus_client import Counter, Histogram
from pydantic import ValidationError
from pymongo.errors import PyMongoError

from shared import dlq, envelope, inbox
from shared.commit import Insert
from shared.envelope import Envelope
from shared.errors import Duplicate, Permanent, Stale, Unavailable
from shared.events import Dossier, Event
from shared.mongo import Mongo, is_transient
from shared.publisher import Publisher
from shared.tasks import end
from shared.telemetry import Origin, past, tracing, tracing_together
from shared.telling import told

BATCH = 500
WHOLE = 1000
"""Of a batch that is handled together: as large as still gains."""
ABREAST = 2
"""Such batches at a time: one is read while the other is stored."""
STRETCH = 20
"""Such batches until the consumer looks up, whether it shall end."""
KEEP_SECONDS = 1.0
"""How often it is looked whether the group membership still stands."""
STALL_SECONDS = 60.0
"""How long one event may be tried before the batch is given back; well below max.poll.interval (300 s)."""
FETCH_SECONDS = 2.5
"""How long Kafka waits with an answer when there is nothing; what comes is answered at once."""

Record: TypeAlias = "ConsumerRecord[bytes | None, bytes | None]"
Handler = Callable[[Any, Insert], Awaitable[object]]
"""Handles one event. The second argument is the mark to store with its effects."""
Eraser = Callable[[str, Insert], Awaitable[object]]
"""Handles a tombstone: its key, and the mark."""
Many = Callable[[Sequence[tuple[Any, Insert]]], Awaitable[int]]
"""Handles events of different keys at once, with their marks; returns how many have their effect, from the first."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class On:
    """What a service does at one topic's events; `erased` at a dossier's tombstones.

    `many` is tried first, with all that has arrived; `handle` with each event that it leaves.
    """

    event: type[Event]
    handle: Handler
    erased: Eraser | None = None
    many: Many | None = None


class Arrival(NamedTuple):
    """One message that was understood: its event, its context, and its body as it came."""

    event: Event
    head: Envelope
    body: bytes


@dataclass(frozen=True)
class Together:
    """What a service does at the events of all its topics, a whole batch at once and in any order.

    `handle` must be harmless when repeated: no mark is kept, offsets are committed when it has returned.
    When it can't handle a batch for good, its events are handed in one by one, and only those that fail
    alone become dead letters. `erased` gets the keys of dossiers' tombstones, after what came before them.
    """

    events: tuple[type[Event], ...]
    handle: Callable[[Sequence[Arrival]], Awaitable[object]]
    erased: Callable[[str], Awaitable[object]] | None = None


@dataclass(frozen=True)
class Meters:
    """What is measured, by topic. `published` and `taken` see of each batch the first message of every topic.

    `published`: from an event's commit to Kafka, by the broker's clock; `taken`: from the commit to its effect here.
    """

    handled: Counter
    seconds: Histogram
    published: Histogram
    taken: Histogram


class Inlet:
    """One service's consumer over all its topics."""

    def __init__(
        self,
        service: str,
        reactions: Sequence[On] | Together,
        *,
        bootstrap: str,
        prefix: str,
        mongo: Mongo,
        publisher: Publisher,
        meters: Meters,
    ) -> None:
        self.service = service
        self.group = f"{prefix}{service}"
        self._together = reactions if isinstance(reactions, Together) else None
        self._reactions: Mapping[str, On] = (
            {} if isinstance(reactions, Together) else {prefix + on.event.topic: on for on in reactions}
        )
        events = reactions.events if isinstance(reactions, Together) else [on.event for on in reactions]
        self._events: Mapping[str, type[Event]] = {prefix + event.topic: event for event in events}
        self._prefix = prefix
        self._mongo = mongo
        self._publisher = publisher
        self._meters = meters
        self.stalled: str | None = None
        self.progress_at = time.monotonic()
        self._rejoining = False
        self._reading = asyncio.Lock()
        self.broker = KafkaBroker(
            bootstrap.split(","),  # as one text, FastStream takes it for one server
            client_id=self.group,
            allow_auto_create_topics=False,
            graceful_timeout=20,
            logger=None,
            request_timeout_ms=10_000,
        )
        # One record at a time, then whatever else has arrived: FastStream's own batches sleep when idle.
        self.subscriber = self.broker.subscriber(
            *self._events,
            group_id=self.group,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            parser=_raw,
            decoder=_undecoded,
            fetch_max_wait_ms=int(FETCH_SECONDS * 1000),
            session_timeout_ms=8_000,
            heartbeat_interval_ms=2_000,
            title=self.group,
        )
        self.subscriber(self._take)

    @property
    def topics(self) -> list[str]:
        return list(self._events)

    async def start(self) -> None:
        """Joins the group and begins. Raises KafkaError."""
        await self.broker.start()
        self._tune()

    def _tune(self) -> None:
        # A fetch leaves out the partitions whose records are not yet read, and no other is sent until it is answered:
        # begun while a batch is being handled, it would keep their next records waiting.
        if self.subscriber.consumer is not None:
            self.subscriber.consumer._fetcher._prefetch_backoff = STALL_SECONDS * 2

    async def keep(self) -> None:
        """Until cancelled: joins the group anew where the membership has failed. Raises KafkaError; to be run again.

        aiokafka never takes it up again: when it leaves the group for a long silence just while somebody else
        joins, its coordination is cancelled together with the heartbeat.
        """
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            self._find_leaders()
            if wrong := self.ended():
                _log.error("joins_anew", group=self.group, reason=wrong)
                self._rejoining = True
                await self.subscriber.stop()
                await self.subscriber.start()
                self._tune()
                self._rejoining = False

    def _find_leaders(self) -> None:
        """Asks again who leads, while it is not known from where a partition is to be read.

        aiokafka goes on asking whoever led it before, for five minutes, and meanwhile fetches nothing of that broker.
        """
        consumer = self.subscriber.consumer
        subscribed = consumer and consumer._subscription.subscription
        assigned = subscribed and subscribed.assignment
        if consumer and assigned and not all(assigned.state_value(one).has_valid_position for one in assigned.tps):
            consumer._client.force_metadata_update()

    async def _take(self, first: Any) -> None:
        """Handles what has arrived. Of batches that are handled together the next begins while one is being stored."""
        consumer = self.subscriber.consumer
        assert consumer is not None
        under_way: deque[tuple[list[Record], asyncio.Task[None]]] = deque()
        done: list[Record] = []
        batch: list[Record] = [first]
        left = STRETCH if self._together else 1
        try:
            batch += await self._arrived(consumer)
            while batch or under_way:
                if batch:
                    if any(map(_erases, (batch, *(records for records, _ in under_way)))):
                        await asyncio.gather(*(task for _, task in under_way))  # what came before is kept, then erased
                    under_way.append((batch, asyncio.create_task(self._handle(batch))))
                    left -= 1
                if done:  # committed while the next one is read
                    await self._commit(consumer, done)
                    done = []
                if len(under_way) == ABREAST or not batch or not left:
                    await under_way[0][1]
                    done = under_way.popleft()[0]
                batch = await self._arrived(consumer) if left else []
            await self._commit(consumer, done)
        except (Exception, asyncio.CancelledError) as error:
            await end(*(task for _, task in under_way))
            _rewind(consumer, [*(record for records, _ in under_way for record in records), *batch])
            if isinstance(error, asyncio.CancelledError):
                raise
            self.stalled = told(error)
            _log.error("consumer_waits", group=self.group, error=self.stalled)
            await asyncio.sleep(2)

    async def _arrived(self, consumer: AIOKafkaConsumer) -> list[Record]:
        """What is there by now, without waiting."""
        there = await consumer.getmany(timeout_ms=0, max_records=WHOLE if self._together else BATCH)
        return [record for records in there.values() for record in records]

    async def _commit(self, consumer: AIOKafkaConsumer, batch: Sequence[Record]) -> None:
        self.stalled, self.progress_at = None, time.monotonic()
        self._measure(batch)
        ends: dict[TopicPartition, int] = {}
        for record in batch:
            place = TopicPartition(record.topic, record.partition)
            ends[place] = max(ends.get(place, 0), record.offset + 1)
        try:
            await consumer.commit(ends)
        except (CommitFailedError, IllegalStateError, KafkaError) as error:
            # Another member owns the partition now or Kafka is away: the marks make the repetition harmless.
            _log.info("offsets_not_committed", group=self.group, error=str(error)[:200])

    def _measure(self, batch: Sequence[Record]) -> None:
        """How long the first of each topic was on its way; what has no time in its headers is left out."""
        for topic, record in {record.topic: record for record in reversed(batch)}.items():
            with suppress(KeyError, TypeError, ValueError, AttributeError):
                began = datetime.fromisoformat(dict(record.headers)["ce_time"].decode()).timestamp()
                name = topic.removeprefix(self._prefix)
                self._meters.published.labels(name).observe(max(0.0, record.timestamp / 1000 - began))
                self._meters.taken.labels(name).observe(max(0.0, time.time() - began))

    async def _handle(self, batch: Sequence[Record]) -> None:
        async with asyncio.timeout(STALL_SECONDS * 2):
            if self._together is not None:
                await self._in_turn(self._together, batch)
                return
            ids = {
                value.decode() for record in batch if (value := dict(record.headers).get("ce_id")) and value.isascii()
            }
            known = await self._patiently(lambda: inbox.done(self._mongo, self.group, ids)) if ids else set()
            lanes: dict[bytes | None, list[Record]] = {}
            for record in batch:
                lanes.setdefault(record.key, []).append(record)
            for on in self._reactions.values():
                if on.many is not None:
                    await self._many(on, on.many, lanes.values(), known)
            async with asyncio.TaskGroup() as group:
                for lane in filter(None, lanes.values()):
                    group.create_task(self._lane(lane, known))

    async def _in_turn(self, together: Together, batch: Sequence[Record]) -> None:
        """A dossier that comes before its tombstone is kept before it is erased, and one after it afterwards."""
        begin = 0
        for number, record in enumerate(batch):
            if record.value is not None or not record.key or not together.erased:
                continue
            if issubclass(self._events[record.topic], Dossier):
                if batch[begin:number]:
                    await self._whole(together, batch[begin:number])
                begin = number + 1
                await self._publisher.publish([dlq.eraser(record, self._prefix, self.service)])
                await self._patiently(partial(together.erased, record.key.decode(errors="replace")))
                self._meters.handled.labels(record.topic.removeprefix(self._prefix), "erased").inc()
        if batch[begin:]:
            await self._whole(together, batch[begin:])

    async def _whole(self, together: Together, batch: Sequence[Record]) -> None:
        """Gives a batch its effect at once; what is unreadable or can't be handled becomes a dead letter."""
        started = time.perf_counter()
        outcomes = Counting[tuple[str, str]]()
        arrivals: list[tuple[Record, Arrival]] = []
        async with self._reading:  # a batch after the other, so that the first one is stored the sooner
            for number, record in enumerate(batch):
                if number % 50 == 49:
                    await asyncio.sleep(0)  # what is being stored meanwhile goes on
                try:
                    arrivals.append((record, understand(self._events[record.topic], record)))
                except Permanent as error:
                    outcomes[record.topic, await self._bury(record, error)] += 1

        async def alone(record: Record, arrival: Arrival) -> None:
            try:
                await self._patiently(lambda: together.handle([arrival]))
                outcomes[record.topic, "done"] += 1
            except Permanent as error:
                outcomes[record.topic, await self._bury(record, error)] += 1

        if arrivals:
            try:
                began = datetime.now(UTC)
                await self._patiently(lambda: together.handle([arrival for _, arrival in arrivals]))
                for topic, count in Counting([record.topic for record, _ in arrivals]).items():
                    those = (one for record, one in arrivals if record.topic == topic)
                    sources = ((one.head.traceparent, one.event.key) for one in those)
                    past(f"record {topic.removeprefix(self._prefix)}", SpanKind.CONSUMER, began, sources)
                    outcomes[topic, "done"] += count
            except Permanent:
                async with asyncio.TaskGroup() as group:
                    for record, arrival in arrivals:
                        group.create_task(alone(record, arrival))
        for (topic, outcome), count in outcomes.items():
            self._meters.handled.labels(topic.removeprefix(self._prefix), outcome).inc(count)
        for topic in {record.topic for record in batch}:
            self._meters.seconds.labels(topic.removeprefix(self._prefix)).observe(time.perf_counter() - started)

    async def _many(self, on: On, many: Many, lanes: Iterable[list[Record]], known: set[str]) -> None:
        """Takes out of `lanes` the first event of each on its topic, as many as have got their effect together."""
        started = time.perf_counter()
        topic = self._prefix + on.event.topic
        found: list[tuple[list[Record], Record, Arrival]] = []
        for lane in lanes:
            if record := next((record for record in lane if record.topic == topic), None):
                with suppress(Permanent):  # it is buried when its turn comes
                    found.append((lane, record, understand(on.event, record)))
        found = [one for one in found if one[2].head.id not in known]
        if not found:
            return
        origins = {
            one.event.key: Origin(one.head.correlation_id, one.head.traceparent, one.head.id) for _, _, one in found
        }
        try:
            with tracing_together(origins, f"handle {on.event.topic}"):
                done = await many([(one.event, inbox.mark(self.group, one.head.id)) for _, _, one in found])
        except Exception as error:
            _log.warning("events_one_by_one", topic=on.event.topic, error=told(error))
            return
        for lane, record, _ in found[:done]:
            lane.remove(record)
        self._meters.handled.labels(on.event.topic, "done").inc(done)
        self._meters.seconds.labels(on.event.topic).observe(time.perf_counter() - started)

    async def _lane(self, records: Sequence[Record], known: set[str]) -> None:
        for record in records:
            with self._meters.seconds.labels(record.topic.removeprefix(self._prefix)).time():
                outcome = await self._one(record, known)
            self._meters.handled.labels(record.topic.removeprefix(self._prefix), outcome).inc()

    async def _one(self, record: Record, known: set[str]) -> str:
        """Gives one message its effect or its dead letter; returns which."""
        on = self._reactions[record.topic]
        try:
            if record.value is None:
                return await self._erase(on, record)
            head = envelope.read(record.headers, on.event.topic, record.partition, record.offset)
            if head.id in known:
                return "known"
            event = _parse(on.event, head, record)
            about = {"event_id": head.id, "topic": head.topic, "key": event.key}
            origin = Origin(head.correlation_id, head.traceparent, head.id)
            with tracing(*origin, span=f"handle {head.topic}", kind=SpanKind.CONSUMER, **about):
                await self._patiently(lambda: self._once(lambda mark: on.handle(event, mark), head.id))
        except Duplicate as error:
            if error.collection == inbox.COLLECTION:
                return "known"
            return await self._bury(record, Permanent("duplicate", str(error)))
        except Permanent as error:
            return await self._bury(record, error)
        return "done"

    async def _once(self, work: Callable[[Insert], Awaitable[object]], event_id: str) -> None:
        """`work` with the mark to store. Raises Duplicate when that stands, Unavailable while it may yet be undone."""
        try:
            await work(inbox.mark(self.group, event_id))
        except Duplicate as error:
            if error.collection == inbox.COLLECTION and not await inbox.done(self._mongo, self.group, [event_id]):
                raise Unavailable("Wird noch gespeichert.", f"the mark of {event_id} is not settled") from error
            raise

    async def _erase(self, on: On, record: Record) -> str:
        if on.erased is None or not record.key:
            raise Permanent("null_value", "an empty message on a topic that has no tombstones")
        key = record.key.decode(errors="replace")
        # a tombstone may carry no headers at all; its place identifies it
        place = f"{record.topic}-{record.partition}-{record.offset}"
        erased = on.erased
        # first, because the mark would hide that it is still to be done
        await self._publisher.publish([dlq.eraser(record, self._prefix, self.service)])
        await self._patiently(lambda: self._once(lambda mark: erased(key, mark), place))
        return "erased"

    async def _patiently(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """Runs `work` until it settles: again at once when stale, with back-off when transient."""
        give_up = time.monotonic() + STALL_SECONDS
        pause, bugs = 0.1, 0
        while True:
            try:
                return await work()
            except (Duplicate, Permanent):
                raise
            except Stale:
                await asyncio.sleep(0)
            except Exception as error:
                if isinstance(error, Unavailable) or is_transient(error):
                    if time.monotonic() > give_up:
                        raise
                    self.stalled = told(error)
                    _log.warning("event_waits", error=self.stalled, seconds=pause)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 5.0)
                    continue
                if isinstance(error, PyMongoError):
                    raise Permanent("database_refused", told(error)) from error
                bugs += 1
                if bugs >= 3:
                    _log.exception("event_failed")
                    raise Permanent("handler_failed", told(error)) from error
                await asyncio.sleep(pause)

    async def _bury(self, record: Record, error: Permanent) -> str:
        """Keeps the message on the dead-letter topic; raises when Kafka doesn't confirm it."""
        await self._publisher.publish([dlq.letter(record, self._prefix, self.service, error)])
        _log.error(
            "dead_letter",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=error.reason,
            detail=str(error)[:300],
        )
        return "dead"

    def ended(self) -> str | None:
        """Says so when the consumer has come to a silent end; nothing else tells."""
        consumer = self.subscriber.consumer
        if consumer is not None and consumer._coordinator is None:
            consumer = None  # Kafka has not answered it yet
        if self._rejoining or (consumer is not None and consumer._coordinator._coordination_task.done()):
            return f"membership in the consumer group {self.group} has failed"
        if consumer is not None and consumer._fetcher.error_future.done():
            return f"nothing is fetched for the consumer group {self.group} any more"
        return None

    async def lag(self) -> dict[TopicPartition, int]:
        """Messages that wait on each partition assigned to this process, as far as it has heard."""
        consumer = self.subscriber.consumer
        found: dict[TopicPartition, int] = {}
        for place in consumer.assignment() if consumer else ():
            end = consumer.highwater(place) if consumer else None
            if end is not None and consumer is not None:
                found[place] = max(0, end - await consumer.position(place))
        return found


def understand(model: type[Event], record: Record) -> Arrival:
    """`record` of `model`'s topic, read. Raises Permanent when it is not what the topic carries."""
    if record.value is None:
        raise Permanent("null_value", "an empty message on a topic that has no tombstones")
    head = envelope.read(record.headers, model.topic, record.partition, record.offset)
    return Arrival(_parse(model, head, record), head, record.value)


def _parse(model: type[Event], head: Envelope, record: Record) -> Event:
    if head.type != model.type():
        raise Permanent("unknown_version", f"{head.type[:100]} on a topic of {model.type()}")
    try:
        event = model.model_validate_json(record.value or b"")
    except ValidationError as error:
        # never the input itself: a broken dossier would leak into logs and headers
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        reason = "bad_json" if first["type"] == "json_invalid" else "bad_content"
        raise Permanent(reason, f"{where or 'body'}: {first['msg']}") from None
    if record.key is not None and record.key != event.key.encode():
        raise Permanent("wrong_key", "the message's key is not its subject's id")
    return event


def _erases(batch: Sequence[Record]) -> bool:
    return any(record.value is None for record in batch)


def _rewind(consumer: AIOKafkaConsumer, batch: Sequence[Record]) -> None:
    first: dict[TopicPartition, int] = {}
    for record in batch:
        place = TopicPartition(record.topic, record.partition)
        first[place] = min(first.get(place, record.offset), record.offset)
    for place, offset in first.items():
        try:
            consumer.seek(place, offset)
        except (IllegalStateError, KafkaError):
            continue  # another member owns it now


async def _raw(record: Any) -> KafkaAckableMessage:
    """FastStream's own parser fails on null or odd headers, and then skips the message silently."""
    return KafkaAckableMessage(body=record, raw_message=record, consumer=FAKE_CONSUMER)


async def _undecoded(message: Any) -> Any:
    return message.body
