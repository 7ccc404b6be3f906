"""An answer leaves in one piece, and one that is streamed as it comes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from shared import joined
from shared.joined import Joining

LARGE = b"x" * (3 * joined.MOST)


async def app(scope: Any, receive: Any, send: Any) -> None:
    bodies: dict[str, list[bytes]] = {"/": [b"whole"], "/large": [LARGE], "/parts": [b"one", b"two"]}
    parts = bodies[scope["path"]]
    length = str(sum(map(len, parts))).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    for number, part in enumerate(parts, 1):
        await send({"type": "http.response.body", "body": part, "more_body": number < len(parts)})
        if scope["path"] == "/parts" and number == 1:
            await go.wait()


go = asyncio.Event()


class Writes(asyncio.Transport):
    """Notes what uvicorn's own transport is given."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.written.append(b"closed")


@asynccontextmanager
async def served() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to `app`."""
    config = uvicorn.Config(app, http=Joining, lifespan="off", log_config=None)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Joining(config, state, {}), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        async with asyncio.timeout(60):
            yield reader, writer
    finally:
        writer.close()
        server.close()


async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> int:
    """Asks for `path`; the length of the body that the head announces."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    return int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])


async def test_what_is_written_in_one_turn_leaves_together() -> None:
    out = Writes()
    one: Any = joined._Joined(out, asyncio.get_running_loop())
    one.write(b"head ")
    one.write(b"body")
    assert out.written == []
    await asyncio.sleep(0)
    one.write(b"next")
    one.close()
    await asyncio.sleep(0)
    assert out.written == [b"head body", b"next", b"closed"]


async def test_no_more_is_held_back_than_allowed() -> None:
    out = Writes()
    one: Any = joined._Joined(out, asyncio.get_running_loop())
    one.write(b"head")
    one.write(LARGE)
    assert out.written == [b"head" + LARGE]


async def test_answers_of_one_connection_come_whole_and_in_turn() -> None:
    async with served() as (reader, writer):
        for path, body in (("/", b"whole"), ("/large", LARGE), ("/", b"whole")):
            assert await reader.readexactly(await asked(reader, writer, path)) == body


async def test_a_part_is_not_held_back_for_the_next() -> None:
    go.clear()
    async with served() as (reader, writer):
        await asked(reader, writer, "/parts")
        assert await reader.readexactly(3) == b"one"
        go.set()
        assert await reader.readexactly(3) == b"two"
