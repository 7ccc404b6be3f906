"""The sender: claims what is due, hands it to the mail server, notes the outcome.

A claim is a lease by the database's clock, so any number of processes may send. The lease outlives the longest
attempt; after a crash another process takes the message up. One gap is inherent in SMTP: when the server has taken
a mail and its "250 accepted" is lost, or the process dies before the outcome is stored, the mail will be handed
over once more. It then bears the same Message-ID, by which mail servers and programs know it as the same mail.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from opentelemetry.trace import SpanKind
from prometheus_client import Counter, Histogram
from pymongo.errors import PyMongoError

from services.notifications import domain, handlers, mail, plan
from services.notifications.domain import Message
from services.notifications.letters import Letters
from services.notifications.settings import Settings
from services.notifications.smtp import SEND_SECONDS, Connections, NotNow, Refused
from services.notifications.store import Store
from shared.errors import Stale, Unavailable
from shared.events import NotificationFailed, NotificationSent
from shared.events.base import moment
from shared.mongo import is_transient
from shared.tasks import cancelled
from shared.telemetry import tracing
from shared.telling import told

LEASE = timedelta(seconds=2 * SEND_SECONDS)
SCAN_SECONDS = 5.0
"""How long a message of another process may go unnoticed; our own wake us."""
STOP_SECONDS = 10.0

_log = structlog.get_logger(__name__)

Event = NotificationSent | NotificationFailed
Outcome = Callable[[Message], tuple[Message, tuple[Event, ...]]]
"""What becomes of the message as it stands when the outcome is stored."""


@dataclass(frozen=True)
class Meters:
    mails: Counter
    seconds: Histogram


class Sender:
    """One per process. Several mails are on their way at once, each on a connection of its own."""

    def __init__(
        self, store: Store, letters: Letters, connections: Connections, settings: Settings, meters: Meters
    ) -> None:
        self._store = store
        self._letters = letters
        self._connections = connections
        self._settings = settings
        self._meters = meters
        self._me = settings.instance
        self._longest = max(timedelta(seconds=settings.mail_retry_cap_seconds), plan.SECOND_THOUGHTS)
        self._begun = False
        self._free = asyncio.Semaphore(settings.mail_connections)
        self._flying: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Sends until cancelled; then what is on its way arrives, and the rest is given back."""
        pause = 0.2
        try:
            while not cancelled():
                try:
                    await self._take_up()
                    await self._turn()
                    pause = 0.2
                except (PyMongoError, Unavailable, Stale) as error:
                    self._begun = False  # a claim may be stored, and its answer lost
                    _log.warning("sender_waits", error=told(error), seconds=pause)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 5.0)
        finally:
            await self._land()

    async def _take_up(self) -> None:
        """What this instance has claimed and lost sight of goes out at once; the lease is there for others."""
        if not self._begun:
            await self._store.give_back(self._me, self._flying)
            self._begun = True

    async def _turn(self) -> None:
        """Sends what is due, then waits to be woken; unwoken it looks for what nobody has told of."""
        self._store.queued.clear()
        await self._drain()
        try:
            async with asyncio.timeout(SCAN_SECONDS):
                await self._store.queued.wait()
        except TimeoutError:
            await handlers.release_arrived(self._store, _now())

    async def _drain(self) -> None:
        """Starts one delivery after the other until nothing is due."""
        while True:
            await self._free.acquire()
            try:
                message = await self._store.claim(self._me, _now(), LEASE, self._longest)
            except BaseException:
                self._free.release()
                raise
            if message is None:
                self._free.release()
                return
            if message.id in self._flying:  # its lease is over, and its outcome still to be stored
                self._free.release()
                continue
            self._flying[message.id] = asyncio.create_task(self._deliver(message))

    async def _land(self) -> None:
        if self._flying:
            await asyncio.wait(self._flying.values(), timeout=STOP_SECONDS)
        for task in self._flying.values():
            task.cancel()
        with suppress(PyMongoError):
            await self._store.give_back(self._me)
        await self._connections.close()

    async def _deliver(self, message: Message) -> None:
        try:
            trace = (message.correlation_id, message.traceparent, message.cause_id)
            about = {"message_id": message.id, "template": message.template}
            with tracing(*trace, span=f"mail {message.template}", kind=SpanKind.CLIENT, **about):
                try:
                    outcome = await self._attempt(message)
                except Exception as error:
                    _log.exception("mail_not_written")
                    outcome = self._later(message, None, f"{type(error).__name__}: {error}")
                await self._conclude(message, outcome)
        finally:
            self._flying.pop(message.id, None)
            self._free.release()

    async def _attempt(self, message: Message) -> Outcome:
        """Writes and hands over one mail."""
        case = await self._store.case(message.request_id)
        needed = plan.pieces(case, message)
        contacts = await self._store.contacts(needed)
        if plan.is_moot(case, message):
            return partial(_dropped, "superseded")
        if plan.is_erased(message, contacts):
            return partial(_dropped, "erased")
        address = contacts[message.contact].email
        letter = self._letters.write(message, case, contacts)
        sender = self._settings.mail_from
        try:
            ready = mail.build(message, letter, contacts, sender, _now())
            await self._connections.send(ready, mail.address(sender), address)
        except Refused as error:
            _log.warning("mail_refused", message_id=message.id, template=message.template, reason=error.reason)
            return partial(_failed, address, error.reason, str(error))
        except NotNow as error:
            return self._later(message, address, str(error))
        return partial(_sent, address)

    def _later(self, message: Message, address: str | None, error: str) -> Outcome:
        settings, queued_at = self._settings, message.queued_at or message.happened_at
        if _now() - queued_at > timedelta(days=settings.mail_give_up_days):
            return partial(_failed, address, "gave_up", error)
        pause = domain.pause(message.attempts, settings.mail_retry_seconds, settings.mail_retry_cap_seconds)
        _log.info("mail_waits", message_id=message.id, attempts=message.attempts, seconds=pause.total_seconds())
        asyncio.get_running_loop().call_later(pause.total_seconds() + 0.01, self._store.queued.set)
        return partial(_postponed, address, pause, error)

    async def _conclude(self, message: Message, outcome: Outcome) -> None:
        """Stores the outcome, however long the database is away: what is accepted must not be sent again."""
        current: Message | None = message
        pause = 0.05
        while current is not None:
            after, events = outcome(current)
            if after is current:
                return
            try:
                if await self._stored(after, events):
                    return
                current = await self._store.message(message.id)
            except Exception as error:
                if not (isinstance(error, Unavailable) or is_transient(error)):
                    _log.exception("outcome_not_stored", message_id=message.id, error=told(error))
                    return
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)

    async def _stored(self, after: Message, events: tuple[Event, ...]) -> bool:
        """False when it was erased, is no longer needed or was stored since: the outcome holds for what is there."""
        try:
            await self._store.save(messages=[after], events=events)
        except Stale:
            return False
        self._meters.mails.labels(after.template, after.state).inc()
        if after.state == "sent":
            self._meters.seconds.observe((_now() - after.happened_at).total_seconds())
        return True


def _sent(address: str, message: Message) -> tuple[Message, tuple[Event, ...]]:
    if message.state == "sent":  # by another, who had it when our lease was over
        return message, ()
    after, event = domain.sent(message, address, _now())
    return after, (event,)


def _failed(address: str | None, reason: str, error: str, message: Message) -> tuple[Message, tuple[Event, ...]]:
    if message.state != "queued":
        return message, ()
    after, event = domain.failed(message, address, reason, error, _now())
    return after, (event,)


def _postponed(
    address: str | None, pause: timedelta, error: str, message: Message
) -> tuple[Message, tuple[Event, ...]]:
    if message.state != "queued":
        return message, ()
    return domain.postponed(message, address, pause, error, _now()), ()


def _dropped(reason: str, message: Message) -> tuple[Message, tuple[Event, ...]]:
    if message.state != "queued":
        return message, ()
    return domain.dropped(message, reason), ()


def _now() -> datetime:
    return moment(datetime.now(UTC))
