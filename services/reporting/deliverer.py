"""Delivers what is new to the webhooks: one item after the other, each until it is taken.

A lease per webhook lets one process deliver; the place moves on only when the receiver has answered 2xx, so a crash
costs a repetition with the same `webhook-id`, never an item. Back-off and giving up stand in the database.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import structlog
from prometheus_client import Counter, Gauge
from pymongo.errors import PyMongoError

from services.reporting.api_feeds import entry_view
from services.reporting.entries import Entries
from services.reporting.ledger import Ledger
from services.reporting.pulse import Pulse
from services.reporting.reports import fact_view
from services.reporting.views import FactView
from services.reporting.views_feeds import EntryView
from services.reporting.webhooks import Allowed, Webhook, Webhooks, headers
from shared.errors import NotFound
from shared.lease import Lease
from shared.mongo import Mongo
from shared.tasks import cancelled
from shared.telling import told

ATTEMPT_SECONDS = 10.0
BATCH = 100
SCAN_SECONDS = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 3600.0
_GONE = 410

_log = structlog.get_logger(__name__)
Item = EntryView | FactView


@dataclass(frozen=True)
class Meters:
    """`deliveries` has the label outcome: taken, refused."""

    deliveries: Counter
    failing: Gauge


@dataclass(frozen=True)
class Delivering:
    """`instance` holds the leases; who takes nothing for `give_up` is given up; `first_pause` is in seconds."""

    allowed: Allowed
    secret: str
    instance: str
    give_up: timedelta
    first_pause: float = FIRST_PAUSE


class Deliverer:
    def __init__(
        self, mongo: Mongo, webhooks: Webhooks, ledger: Ledger, entries: Entries, how: Delivering, meters: Meters
    ) -> None:
        self._mongo = mongo
        self._webhooks = webhooks
        self._ledger = ledger
        self._entries = entries
        self._how = how
        self._meters = meters

    async def run(self, pulse: Pulse) -> None:
        """Until cancelled: at each beat, and every few seconds for what is due again."""
        async with httpx.AsyncClient(timeout=ATTEMPT_SECONDS, follow_redirects=False, trust_env=False) as client:
            while not cancelled():
                try:
                    await self.turn(client)
                except PyMongoError as error:
                    _log.warning("webhooks_wait", error=told(error))
                await pulse.beat(SCAN_SECONDS)

    async def turn(self, client: httpx.AsyncClient) -> None:
        """Brings all webhooks that are due as far as their receivers take it, side by side."""
        await asyncio.gather(*(self._bring(client, hook) for hook in await self._webhooks.due()))
        self._meters.failing.set(await self._webhooks.failing())

    async def _bring(self, client: httpx.AsyncClient, hook: Webhook) -> None:
        lease = Lease(self._mongo, f"webhook:{hook.id}", self._how.instance, 3 * ATTEMPT_SECONDS)
        if not await self._new(hook, 1) or not await lease.take():
            return
        with suppress(NotFound):  # it was taken away meanwhile
            hook = await self._webhooks.get(hook.id)
            while hook.state == "active" and (items := await self._new(hook, BATCH)):
                for item in items:
                    if not (await lease.take() and await self._deliver(client, hook, item)):
                        await lease.give_back()
                        return
                    hook = await self._webhooks.get(hook.id)
        await lease.give_back()

    async def _new(self, hook: Webhook, limit: int) -> Sequence[Item]:
        if hook.of == "entries":
            return [entry_view(line) for line in await self._entries.after(hook.position, limit)]
        return [fact_view(fact) for fact in await self._ledger.after(hook.position, limit)]

    async def _deliver(self, client: httpx.AsyncClient, hook: Webhook, item: Item) -> bool:
        """True when the receiver has taken it."""
        began, status, error = time.monotonic(), None, None
        body, now = item.model_dump_json(), datetime.now(UTC)
        if self._how.allowed.permits(hook.url):
            try:
                async with asyncio.timeout(ATTEMPT_SECONDS):
                    signed = headers(self._how.secret, hook, item.id, body, now)
                    async with client.stream("POST", hook.url, content=body, headers=signed) as answer:
                        status = answer.status_code  # what it says besides is not read
                error = None if 200 <= status < 300 else f"answered {status}"
            except (httpx.HTTPError, TimeoutError, OSError) as failure:
                error = f"{type(failure).__name__}: {failure}"[:200]
        else:
            error = "the operator does not allow this address (MIGLOBE_WEBHOOK_HOSTS)"
        await self._webhooks.log(hook, item.id, status, error, round((time.monotonic() - began) * 1000))
        self._meters.deliveries.labels("refused" if error else "taken").inc()
        if error is None:
            await self._webhooks.taken(hook, int(item.cursor))
            return True
        pause = min(self._how.first_pause * 2 ** min(hook.attempts, 20), LONGEST_PAUSE)
        after = await self._webhooks.refused(
            hook, error, timedelta(seconds=pause), self._how.give_up, gone=status == _GONE
        )
        _log.warning("webhook_refused", webhook=hook.id, error=error, attempts=after.attempts, state=after.state)
        return False
