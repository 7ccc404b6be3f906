"""Who erases: the operator by the code of `miglobe requests erase`, and the time that runs out for a draft."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from pymongo.errors import PyMongoError

from services.intake import handlers
from services.intake.drafts import Life
from services.intake.store import Store
from shared.commit import Committer, committing
from shared.errors import TooMany, Unavailable
from shared.ids import new_id
from shared.mongo import Mongo
from tests.chaos.clients import PATIENCE

T = TypeVar("T")
SHORT = Life(timedelta(seconds=1), timedelta(seconds=1), ZoneInfo("Europe/Berlin"))


def word(number: str) -> str:
    """A word that stands in all that is told of one person, and nowhere else."""
    return "wort" + "".join(
        chr(ord("a") + int(digit, 16)) for digit in hashlib.sha256(number.encode()).hexdigest()[:12]
    )


class Office:
    """Repeats what failed, as an operator does; gives up with the last error."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def erase(self, request_id: str) -> None:
        """`miglobe requests erase`."""
        await _patiently(lambda: handlers.erase(self._store, request_id, datetime.now(UTC)))

    async def begin_draft(self, email: str) -> str:
        """A draft whose link is mailed there; its time is over at once. Returns its id."""
        draft_id, now = new_id(), datetime.now(UTC)
        with suppress(TooMany):  # attempts whose outcome was unknown count
            await _patiently(lambda: handlers.mail_draft(self._store, draft_id, email, "de", SHORT, now))
        return draft_id

    async def drop_drafts(self) -> None:
        """What intake does every ten minutes."""
        await _patiently(lambda: handlers.drop_overdue(self._store, datetime.now(UTC) + timedelta(minutes=1)))


@asynccontextmanager
async def office(mongo: str, prefix: str) -> AsyncIterator[Office]:
    database = Mongo(mongo, f"{prefix}miglobe-intake")
    try:
        async with committing(Committer(database, "intake")) as commits:
            yield Office(Store(database, commits))
    finally:
        await database.close()


async def _patiently(act: Callable[[], Awaitable[T]]) -> T:
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            return await act()
        except (PyMongoError, Unavailable):
            if time.monotonic() > give_up:
                raise
            await asyncio.sleep(1.0)
