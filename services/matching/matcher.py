"""Who decides: new requests as they come in, and in a loop what is pending, or parked whenever something has changed.

The loop is woken by commits of this process and looks by itself every few seconds, so neither a crash between storing
and deciding nor a change by another process leaves anything undecided. Any number of processes may run one: the
pool's fence lets one decision at a time through, the others decide again with what is left.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime

import structlog
from pymongo.errors import PyMongoError

from services.matching.domain.model import Engagement, State
from services.matching.domain.policy import OPTIMAL, Policy
from services.matching.domain.worklist import Rules
from services.matching.handlers import events, matching, notices, policies
from services.matching.store import Store
from shared.commit import Insert
from shared.errors import Duplicate, Stale, Unavailable
from shared.events import RequestCreated
from shared.mongo import is_transient
from shared.tasks import cancelled
from shared.telling import told

ATTEMPTS = 3
"""So often new requests are decided anew when another process has decided meanwhile."""

_log = structlog.get_logger(__name__)


class Matcher:
    def __init__(
        self,
        store: Store,
        rules: Rules,
        clock: Callable[[], datetime],
        *,
        batch: int = 250,
        scan_seconds: float = 5.0,
        policy: Policy = OPTIMAL,
        measured: Callable[[float], None] = lambda _: None,
    ) -> None:
        """`measured` is told at each look how old the oldest open request is, in seconds; 0 without one."""
        self._store = store
        self._rules = rules
        self._clock = clock
        self._batch = batch
        self._scan_seconds = scan_seconds
        self._policy = policy
        self._measured = measured
        self._wake = asyncio.Event()
        self._deciding = asyncio.Lock()
        self._pool: matching.Pool | None = None
        self._swept: tuple[int, date] | None = None
        self._looked = 0.0

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Works until cancelled; a database that is away is waited for."""
        while not cancelled():
            try:
                await self.turn()
            except (Unavailable, PyMongoError) as error:
                if isinstance(error, PyMongoError) and not is_transient(error):
                    raise
                _log.warning("matcher_waits", error=told(error))
                await asyncio.sleep(1)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(self._scan_seconds):  # wait_for() may swallow a cancellation
                    await self._wake.wait()
            self._wake.clear()

    async def turn(self) -> None:
        """Sees to what is due, then decides whatever can be decided now."""
        if time.monotonic() - self._looked >= self._scan_seconds:
            while (
                await notices.fire(self._store, self._rules, self._policy.rules, self._clock(), self._batch)
                == self._batch
            ):
                pass
            oldest = await self._store.oldest()
            self._measured((self._clock() - oldest.asked.submitted_at).total_seconds() if oldest else 0.0)
            self._looked = time.monotonic()
        async with self._deciding:
            pool = await self._current()
            tried = (pool.signals.news, pool.day)
            await self._sweep(("pending",) if tried == self._swept else ("pending", "parked"))
            self._swept = tried

    async def admit(self, arrived: Sequence[tuple[RequestCreated, Insert]]) -> int:
        """Decides new requests as they come in, after those that wait, and stores them decided, with their marks.

        Returns how many of them, from the first: the others can't be stored as new, or somebody else decides all the
        time. They have to be stored for the loop.
        """
        async with self._deciding:
            await self._sweep(("pending",))
            return await self._admit(arrived)

    async def _admit(self, arrived: Sequence[tuple[RequestCreated, Insert]]) -> int:
        """In even parts: each is decided while the one before it is being stored."""
        parts = max(1, -(-len(arrived) // self._batch))
        size, done, failed = -(-len(arrived) // parts), 0, 0
        ahead: matching.Pass | None = None
        while done < len(arrived):
            part, then = arrived[done : done + size], arrived[done + size : done + 2 * size]
            made = ahead or await self._decided(part, len(arrived), await self._current())
            kept, decided = await asyncio.gather(
                matching.keep(self._store, made, [mark for _, mark in part]),
                self._ahead(then, len(arrived), made.after),
                return_exceptions=True,
            )
            if isinstance(kept, Duplicate):
                return done
            if isinstance(kept, Stale):
                self._pool, ahead, failed = None, None, failed + 1
                if failed == ATTEMPTS:
                    return done
                continue
            if isinstance(kept, BaseException):
                raise kept
            if isinstance(decided, BaseException):
                raise decided
            self._pool, ahead, done, failed = made.after, decided, done + len(part), 0
        return done

    async def _ahead(
        self, arrived: Sequence[tuple[RequestCreated, Insert]], of: int, pool: matching.Pool
    ) -> matching.Pass | None:
        """None where something else than the last decision has changed, so that it has to be seen first."""
        if not arrived:
            return None
        signals, today = await self._store.signals(), self._rules.day(self._clock())
        if (signals._replace(fence=pool.signals.fence), today) != (pool.signals, pool.day):
            return None
        return await self._decided(arrived, of, pool)

    async def _decided(
        self, arrived: Sequence[tuple[RequestCreated, Insert]], of: int, pool: matching.Pool
    ) -> matching.Pass:
        """`of` so many that have arrived at once."""
        now, most = self._clock(), self._policy.limits.optimum_up_to
        new = [events.received(None, event, now) for event, _ in arrived]
        return await matching.decide(new, pool, self._policy, self._rules, now, most is not None and of > most)

    async def _sweep(self, states: tuple[State, ...]) -> None:
        """Decides all in `states`, the oldest first."""
        after: str | None = ""
        while after is not None:
            waiting = await self._store.waiting(states, after, self._batch)
            if waiting:
                try:
                    await self._decide(waiting)
                except Stale:
                    continue
            after = waiting[-1].id if len(waiting) == self._batch else None

    async def _decide(self, waiting: Sequence[Engagement]) -> None:
        """Raises Stale when somebody else was faster."""
        made = await matching.decide(waiting, await self._current(), self._policy, self._rules, self._clock())
        try:
            self._pool = await matching.keep(self._store, made)
        except Stale:
            self._pool = None
            raise

    async def _current(self) -> matching.Pool:
        """The pool, read anew when it has changed: at its best once for many passes."""
        today = self._rules.day(self._clock())
        signals = await self._store.signals()
        if self._pool is None or (self._pool.signals, self._pool.day) != (signals, today):
            if signals.policy not in ("", self._policy.version):
                self._policy = await policies.of_version(self._store, signals.policy)
            self._pool = await matching.pool(self._store, signals, today, self._policy)
        return self._pool
