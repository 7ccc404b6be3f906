"""A proxy whose way can be made slow, cut, or swallow what is sent on it.

Our own, because nothing maintained fits: PyPI has but clients of toxiproxy, whose server Debian doesn't package,
and netem is a kernel module that wants root and is often not there.
"""

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

Mood = Literal["fair", "slow", "swallowing"]

CHUNK = 65_536
DELAY = (0.2, 1.0)
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing sends RST and drops what is still to be sent."""


@dataclass(eq=False)
class _Pair:
    """A connection and its continuation. `dead`: something sent on it has vanished, and nothing passes any more."""

    ends: list[asyncio.StreamWriter]
    dead: bool = False

    def reset(self) -> None:
        for end in self.ends:
            with suppress(OSError):  # closed already
                end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.transport.abort()


class Way:
    """The way to one server, in a thread of its own: it must go on while the tests' loop is busy.

    `port`: where it begins. `target` tells the port on which the server listens now.
    """

    def __init__(self, target: Callable[[], int]) -> None:
        self._target = target
        self._instead: int | None = None
        self._mood: Mood = "fair"
        self._pairs: set[_Pair] = set()
        self._door = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._door.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"way-{self.port}", daemon=True)

    def open(self) -> None:
        self._thread.start()
        listening = asyncio.start_server(self._pass_on, sock=self._door)
        asyncio.run_coroutine_threadsafe(listening, self._loop).result()

    def close(self) -> None:
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._door.close()

    def turn(self, mood: Mood) -> None:
        """From now on. A connection on which something has vanished stays dead, as one that a firewall forgot."""
        self._mood = mood

    def lead(self, instead: int | None) -> None:
        """New connections go to another port, or again to the target."""
        self._instead = instead

    def cut(self) -> None:
        """All connections are reset, on both sides."""
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        for pair in self._pairs:
            pair.reset()

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pair = _Pair([writer])
        self._pairs.add(pair)
        try:
            if self._mood == "swallowing":
                pair.dead = True
                await self._pump(reader, writer, pair)
            else:
                further, back = await asyncio.open_connection("127.0.0.1", self._instead or self._target())
                pair.ends.append(back)
                await asyncio.gather(self._pump(reader, back, pair), self._pump(further, writer, pair))
        except OSError:
            pass  # one side is away: the other learns of it
        finally:
            self._pairs.discard(pair)
            pair.reset()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, pair: _Pair) -> None:
        """Until the source ends. Of the end of a dead connection the other side hears nothing."""
        try:
            while data := await source.read(CHUNK):
                if self._mood == "slow":
                    await asyncio.sleep(random.uniform(*DELAY))
                pair.dead = pair.dead or self._mood == "swallowing"
                if not pair.dead:
                    sink.write(data)
                    await sink.drain()
        except OSError:
            if not (pair.dead or self._mood == "swallowing"):
                raise
        pair.dead = pair.dead or self._mood == "swallowing"
        if not pair.dead:
            with suppress(OSError):
                sink.write_eof()
