"""A relay of its own with a short lease, to be frozen: `python -m tests.shared.relay_process DATABASE`."""

import asyncio
import sys

from shared import outbox
from shared.mongo import Mongo
from shared.settings import Settings, load
from tests.shared.relaying import relaying


async def main(database: str) -> None:
    outbox.LEASE_SECONDS = 2.0
    settings = load(Settings)
    async with relaying(Mongo(settings.mongo, database), settings):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
