"""The load generator, a process of its own: 64 connections, each sends its next request when the last is answered.

python -m tests.bench.load PORT SECONDS BODIES [--path /api/requests] [--keys] → {"answered": …, "seconds": …, …}

BODIES is a file with one JSON text per line; they are sent in turn.
"""

import argparse
import asyncio
import json
import secrets
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

import uvloop

CONNECTIONS = 64


class Client:
    """What all connections share: the requests to send, and what came of them."""

    def __init__(self, bodies: list[bytes], path: str, keys: bool, seconds: float) -> None:
        self._bodies = bodies
        self._head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        self._run = secrets.token_hex(8)
        self._keys = keys
        self._sent = 0
        self._until = time.perf_counter() + seconds
        self.statuses: Counter[bytes] = Counter()
        self.times: list[float] = []
        self.ended = 0.0

    def next(self) -> bytes | None:
        """One more request, or None when the time is over."""
        if time.perf_counter() >= self._until:
            return None
        self._sent += 1
        body = self._bodies[self._sent % len(self._bodies)]
        key = f"Idempotency-Key: {self._run}-{self._sent}\r\n" if self._keys else ""
        return f"{self._head}{key}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _connection(port: int, client: Client) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while request := client.next():
        began = time.perf_counter()
        writer.write(request)
        status, _ = await answer(reader)
        client.ended = time.perf_counter()
        client.times.append(client.ended - began)
        client.statuses[status] += 1
    writer.close()


async def answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Status and body of the next answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, _, length = head.partition(b"content-length: ")
    return head[9:12], await reader.readexactly(int(length.partition(b"\r\n")[0]))


async def _run(port: int, client: Client) -> None:
    await asyncio.gather(*(_connection(port, client) for _ in range(CONNECTIONS)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("bodies", type=Path)
    parser.add_argument("--path", default="/api/requests")
    parser.add_argument("--keys", action="store_true", help="an Idempotency-Key of its own for each request")
    asked = parser.parse_args()
    client = Client(asked.bodies.read_bytes().splitlines(), asked.path, asked.keys, asked.seconds)
    cpu, began = time.process_time(), time.perf_counter()
    uvloop.run(_run(asked.port, client))
    seconds = client.ended - began
    wrong = {status.decode(): n for status, n in client.statuses.items() if not status.startswith(b"2")}
    times = statistics.quantiles(client.times, n=100)
    told = {
        "answered": len(client.times),
        "wrong": wrong,
        "seconds": seconds,
        "rate": (len(client.times) - sum(wrong.values())) / seconds,
        "p50_ms": times[49] * 1000,
        "p99_ms": times[98] * 1000,
        "busy": (time.process_time() - cpu) / seconds,
    }
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
