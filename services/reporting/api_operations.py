"""HTTP door for those who watch the flow: one look, or a stream of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pymongo.errors import PyMongoError

from services.reporting.operations import Watch
from services.reporting.views_operations import Operations
from shared.auth import require

STREAM_SECONDS = 600.0
"""A stream ends then, and its reader comes again by itself."""
_STREAM = {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}}


def router(watch: Watch, secret: str, leaving: asyncio.Event) -> APIRouter:
    """Routes of operations; streams end when the process is `leaving`."""
    routes = APIRouter(prefix="/api", dependencies=[Depends(require(secret, "ops", "coordinator"))])

    @routes.get("/operations")
    async def operations() -> Operations:
        """Flow per topic, lag per consumer, dead letters, outbox, the oldest waiting request, outcome of mails."""
        return await watch.snapshot()

    @routes.get("/operations/stream", response_class=StreamingResponse, responses=_STREAM)  # type: ignore[arg-type]
    async def stream(
        every: Annotated[float, Query(ge=2, le=60, description="seconds from one look to the next")] = 5.0,
    ) -> StreamingResponse:
        """The same as server-sent events named `operations`; after ten minutes the reader has to come again."""
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(looks(watch, every, leaving), media_type="text/event-stream", headers=headers)

    return routes


async def looks(watch: Watch, every: float, leaving: asyncio.Event) -> AsyncIterator[str]:
    """One event per look; a comment keeps the connection where the database does not answer."""
    yield "retry: 3000\n\n"
    end = asyncio.get_running_loop().time() + STREAM_SECONDS
    while not leaving.is_set() and asyncio.get_running_loop().time() < end:
        try:
            yield f"event: operations\ndata: {(await watch.snapshot()).model_dump_json()}\n\n"
        except PyMongoError:
            yield ": the database does not answer\n\n"
        with suppress(TimeoutError):
            async with asyncio.timeout(every):
                await leaving.wait()
