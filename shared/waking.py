"""Waking a loop over a collection at once when rows come: from this process, or seen by a change stream.

Both are hints. A lost one costs the seconds of the scan, never a row.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog
from pymongo.errors import PyMongoError

from shared.mongo import Document, Mongo
from shared.tasks import cancelled

SCAN_SECONDS = 5.0
"""What a lost hint costs."""
CALM = 0.02
"""Seconds in which more of the same is gathered, once something was seen."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds before a change stream that failed is opened again."""

_log = structlog.get_logger(__name__)


class Wake:
    """`set` from anywhere in this process; `watch` beside the loop; `wait` where the loop has nothing to do."""

    def __init__(self, mongo: Mongo, collection: str, changes: Document, also: Sequence[str] = ()) -> None:
        """`changes` matches the change events of `collection`, and `also` of these, that wake."""
        self._mongo = mongo
        self._collections = (collection, *also)
        self._pipeline: list[Document] = [{"$match": changes}, {"$project": {"_id": 1}}]
        self._event = asyncio.Event()

    def set(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        """Returns when set since the last return, else after the scan's seconds; at once when cancelled."""
        if cancelled():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(SCAN_SECONDS):  # wait_for() may swallow a cancellation
                await self._event.wait()
        self._event.clear()

    async def watch(self) -> None:
        """Until cancelled. A failure costs a pause; what came meanwhile wakes when the stream stands again."""
        pause = FIRST_PAUSE
        while True:
            try:
                async with self._mongo.watch(self._collections, self._pipeline) as stream:
                    self.set()  # for what came before the stream stood
                    async for _ in stream:
                        pause = FIRST_PAUSE
                        self.set()
                        await asyncio.sleep(CALM)
            except PyMongoError as error:  # an index just made is enough for one
                _log.info("watch_restarts", collection=self._collections[0], error=str(error)[:200], seconds=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
