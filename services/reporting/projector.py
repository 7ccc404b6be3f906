"""The loop that keeps the read models up with the ledger."""

import asyncio
import time
from contextlib import suppress
from dataclasses import replace

import structlog
from prometheus_client import Gauge
from pymongo.errors import PyMongoError

from services.reporting import handlers, rebuilding
from services.reporting.definition import definition, is_later
from services.reporting.documents import COUNTERS
from services.reporting.journey import Rules
from services.reporting.ledger import HEAD, Ledger
from services.reporting.store import Store
from shared.errors import Stale, Unavailable
from shared.lease import Lease
from shared.mongo import Mongo
from shared.tasks import cancelled, end
from shared.waking import Wake

LEASE_SECONDS = 10
FLOOD_SECONDS = 0.25
"""Since the last full batch of facts: until then more are on their way."""
PATIENCE_SECONDS = 4.0
"""How long a step gives way to them."""

_log = structlog.get_logger(__name__)


def lease(mongo: Mongo, holder: str) -> Lease:
    """Who may project. What makes several projectors safe are the versions of the cases."""
    return Lease(mongo, "projector", holder, LEASE_SECONDS)


class Projector:
    """Woken by the ledger of this process (`wake`) or of another (a change stream), else by the scan."""

    def __init__(self, mongo: Mongo, ledger: Ledger, store: Store, rules: Rules, waiting: Gauge, me: str) -> None:
        """`waiting` shows how many facts are not yet in the read models; `me` holds the lease."""
        self._mongo = mongo
        self._ledger = ledger
        self._store = store
        self._rules = rules
        self._waiting = waiting
        self._lease = lease(mongo, me)
        self._waking = Wake(mongo, COUNTERS, {"documentKey._id": HEAD})
        self._flood_until = 0.0
        self._current: str | None = None

    def wake(self, *, flood: bool = False) -> None:
        """There are new facts, in a `flood` so many that more are to come: recording them goes first."""
        if flood:
            self._flood_until = time.monotonic() + FLOOD_SECONDS
        self._waking.set()

    async def run(self) -> None:
        """Works until cancelled; errors back off and are tried again."""
        watching = asyncio.create_task(self._waking.watch())
        pause = 0.2
        try:
            while not cancelled():
                try:
                    await self._renew()
                    await self._catch_up()
                    pause = 0.2
                except (PyMongoError, Unavailable, Stale) as error:
                    _log.warning("projector_waits", error=str(error)[:300], seconds=pause)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 5.0)
                    continue
                await self._waking.wait()
        finally:
            await end(watching)

    async def _renew(self) -> None:
        """Once, at the start: read models by other definitions than ours are made anew beside those that are read."""
        if self._current is not None:
            return
        rules = await self._with_cards()
        mine = definition(rules)
        if not await self._store.define(mine):
            stands = (await self._store.position()).definition
            if stands != mine and not is_later(stands):
                async with self._lease.held():
                    if (await self._store.position()).definition == stands:
                        _log.info("read_models_renewed", before=stands, now=mine)
                        place = await rebuilding.renew(self._ledger, self._store, rules, lambda done, total: None)
                        _log.info("read_models_switched", place=place)
        self._current = mine

    async def _catch_up(self) -> None:
        """Projects until nothing is left, or until another process does."""
        if not await self._behind():
            return
        await self._give_way()
        try:
            while await self._lease.take() and await self._step():
                await self._give_way()
                if cancelled() or not await self._behind():
                    break
        finally:
            with suppress(PyMongoError):
                await self._lease.give_back()

    async def _step(self) -> int:
        """With the cards as they are now: the operator may have imported others, but not while we have the lease."""
        return await handlers.step(self._ledger, self._store, await self._with_cards())

    async def _with_cards(self) -> Rules:
        return replace(self._rules, cards=await self._store.cards() or self._rules.cards)

    async def _give_way(self) -> None:
        """Both use one core: what is recorded late holds up its topic, what is projected late is only seen late."""
        for _ in range(round(PATIENCE_SECONDS / FLOOD_SECONDS)):
            if (left := self._flood_until - time.monotonic()) <= 0:
                break
            await asyncio.sleep(left)

    async def _behind(self) -> bool:
        position, head = await self._store.position(), await self._ledger.head()
        self._waiting.set(head - position.seq)
        return position.seq < head and position.definition == self._current  # else somebody else's are read now
