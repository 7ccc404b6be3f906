"""The live page of operations: whole without a script, kept fresh by server-sent events with one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, StreamingResponse
from pymongo.errors import PyMongoError

from services.reporting.pages.desk import Pages
from shared.login import Viewer, signed_in

EVERY_SECONDS = 5.0
STREAM_SECONDS = 600.0
"""A stream ends then, and the browser comes again by itself; that also asks anew who is looking."""


def add(routes: APIRouter, pages: Pages) -> None:
    """`/operations`, and its middle as a stream."""

    @routes.get("/operations")
    async def operations(
        request: Request, _: Annotated[Viewer, Depends(signed_in("ops", "coordinator"))]
    ) -> HTMLResponse:
        return pages.look.show(request, "operations.html", look=await pages.watch.snapshot())

    @routes.get("/operations/stream", response_class=StreamingResponse)
    async def stream(
        request: Request, _: Annotated[Viewer, Depends(signed_in("ops", "coordinator"))]
    ) -> StreamingResponse:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(_looks(request, pages), media_type="text/event-stream", headers=headers)


async def _looks(request: Request, pages: Pages) -> AsyncIterator[str]:
    """One event a look, with the middle of the page in it."""
    yield "retry: 3000\n\n"
    end = asyncio.get_running_loop().time() + STREAM_SECONDS
    while not pages.leaving.is_set() and asyncio.get_running_loop().time() < end:
        with suppress(TimeoutError):
            async with asyncio.timeout(EVERY_SECONDS):
                await pages.leaving.wait()
        try:
            page = pages.look.show(request, "operations_look.html", look=await pages.watch.snapshot())
            lines = bytes(page.body).decode().splitlines()
            yield "".join(f"data: {line}\n" for line in lines) + "\n"
        except PyMongoError:
            yield ": the database does not answer\n\n"
