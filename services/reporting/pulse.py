"""Something new in the ledger or among SKEW's lines, by whichever process: whoever follows a feed is woken."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from services.reporting import entries, ledger
from services.reporting.documents import COUNTERS
from shared.mongo import Mongo
from shared.waking import Wake

T = TypeVar("T")


class Pulse:
    """One per process; a lost beat costs the seconds of the scan."""

    def __init__(self, mongo: Mongo, leaving: asyncio.Event) -> None:
        """`leaving`: the process ends, nobody is to wait any more."""
        places = [ledger.HEAD, entries.HEAD]
        self._wake = Wake(mongo, COUNTERS, {"documentKey._id": {"$in": places}})
        self._beat = asyncio.Event()
        self._leaving = leaving

    async def run(self) -> None:
        """Until cancelled; all who wait are woken at each beat."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._wake.watch())
            while True:
                await self._wake.wait()
                beat, self._beat = self._beat, asyncio.Event()
                beat.set()

    async def beat(self, seconds: float) -> None:
        """Returns at the next beat, at the latest after `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._beat.wait()

    async def until(self, look: Callable[[], Awaitable[T]], seconds: float) -> T:
        """What `look` gives: as soon as it is something, or after `seconds`, or when the process leaves."""
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        while True:
            beat = self._beat
            found = await look()
            left = end - clock()
            if found or left <= 0 or self._leaving.is_set():
                return found
            waits = [asyncio.ensure_future(event.wait()) for event in (beat, self._leaving)]
            await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
