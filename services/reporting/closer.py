"""Closes periods that somebody wants closed: of a large year that takes longer than a request may.

A wish stands in the database until its period is closed, so a restart or another process goes on with it; one at a time
does, by a lease. What an interrupted attempt has left is thrown away by the next.
"""

import asyncio
from datetime import datetime

import structlog
from pymongo.errors import PyMongoError

from services.reporting import closing
from services.reporting.closing import Office
from services.reporting.frozen import Wish
from shared.errors import Conflict, Unavailable
from shared.events.base import moment
from shared.lease import Lease
from shared.tasks import cancelled

SCAN_SECONDS = 10.0
"""How long the wish of another process that has died may go unnoticed."""
WAIT_SECONDS = 2.0
"""How long whoever wishes waits for the outcome."""

_log = structlog.get_logger(__name__)


class Closer:
    """One per process."""

    def __init__(self, office: Office, lease: Lease) -> None:
        self._office = office
        self._lease = lease
        self._wished = asyncio.Event()

    async def close(self, name: str, by: str, now: datetime) -> bool:
        """Wishes that `name` be closed; True when it is, False when that takes longer. Raises Conflict."""
        await closing.check(self._office, name, self._office.rules.day(now))
        await self._office.frozen.wish(name, by, moment(now))
        self._wished.set()
        end = asyncio.get_running_loop().time() + WAIT_SECONDS
        while asyncio.get_running_loop().time() < end:
            if await self._office.frozen.closed(name) is not None:
                return True
            await asyncio.sleep(0.03)
        return False

    async def run(self) -> None:
        """Until cancelled."""
        while not cancelled():
            try:
                await self.turn()
            except (PyMongoError, Unavailable) as error:
                _log.warning("closing_waits", error=str(error)[:300])
                await asyncio.sleep(1.0)
                continue
            try:
                async with asyncio.timeout(SCAN_SECONDS):
                    await self._wished.wait()
            except TimeoutError:
                pass

    async def turn(self) -> None:
        """Closes what is wished, one period after the other. Raises Unavailable while facts are being counted."""
        self._wished.clear()
        if not await self._office.frozen.wishes():
            return
        async with self._lease.held():
            for wish in await self._office.frozen.wishes():
                await self._grant(wish)

    async def _grant(self, wish: Wish) -> None:
        today = self._office.rules.day(wish.at)  # when it was looked at whether the period has ended
        try:
            made = await closing.close(self._office, wish.period, wish.by, wish.at, today)
        except Conflict:  # it is closed already
            await self._office.frozen.give_up(wish.period)
        else:
            made.vouchers.close()
            _log.info("period_closed", period=wish.period, claims=made.vouchers.sums.claims)
