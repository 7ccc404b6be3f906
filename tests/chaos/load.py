"""A steady stream of consultations, each with a course of its own."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.events.base import FieldCode
from tests.chaos.case import PLACES, Case
from tests.chaos.clients import ADVISORS, Client, Mailbox, Told
from tests.chaos.erasing import Office


def advisors_csv(count: int = 24) -> str:
    """Fictional advisors with room for everything, so that capacity never holds up the flow."""
    head = "id,name,email,phone,correspondence,languages,regions,"
    head += ",".join(code.value for code in FieldCode) + ",certified_on,certified_until,capacity,absences,conflicts"
    lines = [head]
    for number in range(1, count + 1):
        levels = ",".join(str(1 + (number + place) % 3) for place, _ in enumerate(FieldCode))
        name, email = f"Chaosperson {_letters(number)}", f"c{number:03}{ADVISORS}"
        region = PLACES[number % len(PLACES)]
        lines.append(f"C{number:03},{name},{email},,de,de en,{region},{levels},2024-01-01,2039-12-31,50,,")
    return "\n".join(lines) + "\n"


def _letters(number: int) -> str:
    return chr(64 + 1 + number // 26) + chr(97 + number % 26)


class Load:
    """Begins `rate` consultations a second until `stop`; those under way go on to their end."""

    def __init__(self, client: Client, office: Office, mailbox: Mailbox, told: Told, seed: str, rate: float) -> None:
        self._office = office
        self._mailbox = mailbox
        self._client = client
        self._told = told
        self._random = random.Random(seed)
        self._rate = rate
        self._stopping = asyncio.Event()
        self._cases: set[asyncio.Task[None]] = set()
        self.seed = seed

    async def run(self) -> None:
        number = 0
        while not self._stopping.is_set():
            number += 1
            case = Case(f"{self.seed}-{number}", self._client, self._office, self._mailbox, self._told)
            task = asyncio.create_task(case.play())
            self._cases.add(task)
            task.add_done_callback(self._cases.discard)
            try:
                async with asyncio.timeout(self._random.expovariate(self._rate)):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    async def stop(self) -> None:
        """No more new ones; returns when all have come to their end."""
        self._stopping.set()
        if self._cases:
            await asyncio.wait(set(self._cases))

    def abandon(self) -> None:
        """Leaves all that is under way where it stands."""
        self._stopping.set()
        for case in self._cases:
            case.cancel()


@asynccontextmanager
async def loading(load: Load, *, to_the_end: bool) -> AsyncIterator[None]:
    """Load throughout the block; then all that was begun comes to its end, if wanted and unless the block fails."""
    running = asyncio.create_task(load.run())
    try:
        yield
        if to_the_end:
            await load.stop()
    finally:
        load.abandon()
        await running
