"""A service whose handler takes a while, to be ended in the middle: `python -m tests.shared.slow_service PORT`."""

import asyncio
import sys
from typing import Any

from fastapi import FastAPI

from shared.broker import On
from shared.commit import Change, Insert
from shared.events import RequestCreated
from shared.ids import new_id
from shared.service import Service, serve
from shared.settings import Settings, load

SECONDS = 1.0


def build() -> FastAPI:
    service = Service("matching", load(Settings), title="slow", summary="")

    async def on_created(event: Any, mark: Insert) -> None:
        await service.mongo["begun"].insert_one({"key": event.key})
        await asyncio.sleep(SECONDS)
        effect = {"_id": new_id(), "event": mark.document["_id"]["m"], "key": event.key}
        await service.commits.commit(Change((Insert("effects", effect),), mark=mark))

    service.consumes([On(RequestCreated, on_created)])
    return service.app


if __name__ == "__main__":
    serve(build, "127.0.0.1", int(sys.argv[1]))
