"""How the flow goes, for those who watch it: from Kafka, the ledger and the cases, never from another service.

What each number is taken from stands in `views_operations.py`. The backlog of other services' outboxes stands in their
own metrics only; here one sees how long what came last had taken from its commit to the ledger.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from aiokafka.errors import KafkaError
from prometheus_client import Gauge
from pymongo.errors import PyMongoError

from services.reporting.cells import Total
from services.reporting.figures import Scope
from services.reporting.indicators import INDICATORS
from services.reporting.kafka_state import KafkaState, KafkaWatch
from services.reporting.ledger import Ledger
from services.reporting.queries import Queries
from services.reporting.store import Position, Store
from services.reporting.views_operations import (
    ConsumerLag,
    DeadLetters,
    LedgerState,
    Mails,
    Operations,
    Outbox,
    Rebuilding,
    TopicFlow,
    Waiting,
    WaitingRequest,
    Window,
)
from shared import outbox
from shared.events import BY_TOPIC, EMITTED
from shared.mongo import Mongo
from shared.register import Register
from shared.settings import Settings
from shared.tasks import cancelled
from shared.telling import told

SAMPLES = "flow"
"""One document a minute: how much had been put on each topic by then."""
KEPT = timedelta(days=8)
EVERY_SECONDS = 30.0
FRESH_SECONDS = 2.0
"""So long one look serves all who ask."""
WINDOWS: Mapping[str, timedelta] = {
    "last_5_minutes": timedelta(minutes=5),
    "last_hour": timedelta(hours=1),
    "last_day": timedelta(days=1),
}
_EMITTER = {event.topic: service for service, events in EMITTED.items() for event in events}

_log = structlog.get_logger(__name__)


def _rebuilding(position: Position) -> Rebuilding | None:
    return Rebuilding(done=position.building[0], total=position.building[1]) if position.building else None


class Gauges:
    """What this service tells Prometheus of the whole flow."""

    def __init__(self, lag: Gauge, letters: Gauge, waiting: Gauge, oldest: Gauge, sums: Gauge, counts: Gauge) -> None:
        """`lag` and `letters` have the labels service and topic; `waiting` counts requests, `oldest` is in seconds.

        `sums` and `counts` have the label indicator.
        """
        self._lag, self._letters, self._waiting, self._oldest = lag, letters, waiting, oldest
        self._sums, self._counts = sums, counts

    def show(self, kafka: KafkaState, waiting: int, oldest_seconds: float) -> None:
        for place, count in kafka.lag.items():
            self._lag.labels(*place).set(count)
        for place, count in kafka.letters.items():
            self._letters.labels(*place).set(count)
        self._waiting.set(waiting)
        self._oldest.set(oldest_seconds)

    def tell(self, totals: Iterable[Total]) -> None:
        """What the contributions to each indicator come to."""
        found = {total.indicator: total for total in totals}
        for indicator in INDICATORS:
            total = found.get(INDICATORS[indicator].source)
            self._sums.labels(indicator).set(total.sum if total else 0)
            self._counts.labels(indicator).set(total.n if total else 0)


class Watch:
    """Looks every half minute, and when asked."""

    def __init__(
        self,
        settings: Settings,
        mongo: Mongo,
        ledger: Ledger,
        store: Store,
        queries: Queries,
        register: Register,
        gauges: Gauges,
    ) -> None:
        self._zone = ZoneInfo(settings.time_zone)
        self._mongo = mongo
        self._ledger = ledger
        self._store = store
        self._queries = queries
        self._register = register
        self._gauges = gauges
        self._kafka = KafkaWatch(settings)
        self._looking = asyncio.Lock()
        self._last: tuple[float, Operations] | None = None

    async def prepare(self) -> None:
        await self._mongo.index(SAMPLES, "at", name="kept", expireAfterSeconds=int(KEPT.total_seconds()))

    async def run(self) -> None:
        """Until cancelled: keeps the samples and the gauges."""
        while not cancelled():
            try:
                await self.snapshot()
                today = datetime.now(self._zone).date()
                self._gauges.tell(await self._queries.totals(Scope(today.replace(month=1, day=1), today)))
            except PyMongoError as error:
                _log.warning("watch_waits", error=told(error))
            await asyncio.sleep(EVERY_SECONDS)

    async def snapshot(self) -> Operations:
        """As it stands now, or up to two seconds ago. With Kafka away it says so. Raises PyMongoError."""
        async with self._looking:
            if self._last is None or time.monotonic() - self._last[0] > FRESH_SECONDS:
                self._last = (time.monotonic(), await self._look(datetime.now(UTC)))
            return self._last[1]

    async def _look(self, now: datetime) -> Operations:
        kafka, wrong = None, None
        try:
            kafka = await self._kafka.look()
        except (KafkaError, OSError, TimeoutError) as error:
            wrong = told(error)
        head, position = await self._ledger.head(), await self._store.position()
        waiting = await self._waiting()
        if kafka is not None:
            minute = now.replace(second=0, microsecond=0)
            sample = {"$setOnInsert": {"at": minute, "ever": [[t, n] for t, n in kafka.ever.items()]}}
            await self._mongo[SAMPLES].update_one({"_id": minute}, sample, upsert=True)
            oldest = (now - waiting.oldest.since).total_seconds() if waiting.oldest else 0.0
            self._gauges.show(kafka, waiting.count, oldest)
        windows = {name: await self._before(now - span) for name, span in WINDOWS.items()} if kafka else {}
        flow = [await self._flow(topic, kafka, windows) for topic in BY_TOPIC]
        return Operations(
            at=now,
            kafka_error=wrong,
            flow=flow,
            consumers=[ConsumerLag(service=s, topic=t, lag=n) for (s, t), n in (kafka.lag if kafka else {}).items()],
            dead_letters=[
                DeadLetters(service=s, topic=t, waiting=n) for (s, t), n in (kafka.letters if kafka else {}).items()
            ],
            outbox=await self._outbox(now),
            ledger=LedgerState(
                head=head, projected=position.seq, behind=max(0, head - position.seq), rebuilding=_rebuilding(position)
            ),
            waiting=waiting,
            mails=Mails(
                sent=next(one.flow for one in flow if one.topic == "notification.sent"),
                failed=next(one.flow for one in flow if one.topic == "notification.failed"),
            ),
        )

    async def _before(self, moment: datetime) -> tuple[datetime, dict[str, int]] | None:
        """The last sample up to `moment`, or the first one that there is."""
        samples = self._mongo[SAMPLES]
        found = await samples.find_one({"_id": {"$lte": moment}}, sort=[("_id", -1)])
        found = found or await samples.find_one({}, sort=[("_id", 1)])
        return (found["_id"], dict(found["ever"])) if found else None

    async def _flow(
        self, topic: str, kafka: KafkaState | None, windows: Mapping[str, tuple[datetime, dict[str, int]] | None]
    ) -> TopicFlow:
        ever = kafka.ever[topic] if kafka else None
        counted = {
            name: Window(since=found[0], messages=max(0, ever - found[1].get(topic, 0)))
            for name, found in windows.items()
            if found is not None and ever is not None
        }
        last = await self._ledger.last(topic)
        return TopicFlow(
            topic=topic,
            service=_EMITTER[topic],
            ever=ever,
            flow=counted,
            last_at=last[0] if last else None,
            last_took_seconds=round((last[1] - last[0]).total_seconds(), 3) if last else None,
        )

    async def _waiting(self) -> Waiting:
        count, oldest = await self._queries.waiting()
        if oldest is None:
            return Waiting(count=count, oldest=None)
        ags = oldest.ags or ""
        return Waiting(
            count=count,
            oldest=WaitingRequest(
                request_id=oldest.request_id,
                case_number=oldest.case_number,
                since=oldest.since,
                municipality_ags=ags,
                municipality=self._register.name(ags),
            ),
        )

    async def _outbox(self, now: datetime) -> Outbox:
        pending, since = await outbox.backlog(self._mongo)
        return Outbox(pending=pending, oldest_seconds=max(0.0, (now - since).total_seconds()) if since else 0.0)
