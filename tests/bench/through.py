"""Requests all the way through the four services: what one costs each of them, and whether memory stays flat.

Each is asked, assigned and withdrawn again, which gives the advisors' places back; mails go into a black hole. The
services are watched when nothing is left to do.
"""

import asyncio
import json
import time
from contextlib import AsyncExitStack

from deploy.local.stack import SERVICES
from shared.events import BY_TOPIC
from tests.bench import samples
from tests.bench.figures import Board
from tests.bench.load import answer
from tests.bench.place import Counter, Place, Process, cpu_seconds, metrics, resident_mb
from tests.waiting import until

CHUNK = 500
CONNECTIONS = 8
ADVISORS = 96
REQUESTS, ALL_REQUESTS = 1_000, 200_000
FLAT = 1.2
QUIET_SECONDS = 1.0
LEFT = ("miglobe_consumer_lag", "miglobe_outbox_pending", "miglobe_ledger_unprojected")


def cost_of(service: str) -> str:
    """The name of a figure."""
    return f"CPU of {service} per request through"


MESSAGES = "messages on Kafka per request through"


async def measure(place: Place, board: Board) -> None:
    """What a request costs."""
    async with AsyncExitStack() as stack:
        running, counter = await _start(place, stack)
        await _through(running, counter, CHUNK // 5)
        before, sent = _cpu(running), await counter.now()
        began = time.monotonic()
        await _through(running, counter, REQUESTS)
        seconds = time.monotonic() - began
        for name, used in _cpu(running).items():
            board.limit(cost_of(name), 1000 * (used - before[name]) / REQUESTS, "ms")
        board.limit(MESSAGES, (await counter.now() - sent) / REQUESTS, "messages")
        board.limit("requests through all four, asked to mailed, on this machine", REQUESTS / seconds, "1/s")


async def measure_memory(place: Place, board: Board, requests: int) -> None:
    """Resident memory after the first twentieth and at the end."""
    first = max(requests // 20, 1)
    async with AsyncExitStack() as stack:
        running, counter = await _start(place, stack)
        await _through(running, counter, first)
        early = _memory(running)
        await _through(running, counter, requests - first)
        late = _memory(running)
        for name in SERVICES:
            title = f"resident memory of {name}: after {first:,} requests ÷ after {requests:,}"
            board.compare(title, [early[name]], [late[name]], "MB", round(1 / FLAT, 3))


async def _start(place: Place, stack: AsyncExitStack) -> tuple[dict[str, Process], Counter]:
    place.miglobe("topics", "apply")
    place.import_advisors(samples.advisors(ADVISORS))
    hole = await stack.enter_async_context(place.helper("blackhole"))
    place.env["MIGLOBE_SMTP"] = f"smtp://127.0.0.1:{hole.port}?starttls=never"
    running = {name: await stack.enter_async_context(place.service(name)) for name in SERVICES}
    return running, await stack.enter_async_context(place.counting(*BY_TOPIC))


async def _through(running: dict[str, Process], counter: Counter, number: int) -> None:
    done = 0
    bodies = samples.bodies(number)
    began = time.monotonic()
    for start in range(0, number, CHUNK):
        asked = [json.dumps(body) for _, body in zip(range(min(CHUNK, number - start)), bodies, strict=False)]
        given = await _send(running["intake"], [("/api/requests", "", body) for body in asked])
        await _quiet(running, counter)
        withdrawals = [
            (f"/api/requests/{one['request_id']}/withdraw", one["status_token"], '{"reason":"by_mistake"}')
            for one in given
        ]
        await _send(running["intake"], withdrawals)
        await _quiet(running, counter)
        done += len(asked)
        if done % (CHUNK * 10) == 0 or done == number:
            memory = ", ".join(f"{name} {size:.0f} MB" for name, size in _memory(running).items())
            print(f"  … {done:,} of {number:,} through, {time.monotonic() - began:.0f} s; {memory}", flush=True)


async def _send(intake: Process, posts: list[tuple[str, str, str]]) -> list[dict[str, str]]:
    """The answers to POSTs of (path, status token, body); the order is kept."""
    waiting = list(enumerate(posts))[::-1]
    answers: dict[int, dict[str, str]] = {}

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", intake.port)
        while waiting:
            number, (path, status_token, body) = waiting.pop()
            token = f"X-Status-Token: {status_token}\r\n" if status_token else ""
            head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n{token}"
            writer.write(f"{head}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode())
            status, text = await answer(reader)
            if not status.startswith(b"2"):
                raise RuntimeError(f"{path}: {status.decode()} {text.decode()[:300]}")
            answers[number] = json.loads(text)
        writer.close()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return [answers[number] for number in range(len(posts))]


async def _quiet(running: dict[str, Process], counter: Counter) -> None:
    """Waits until nothing is under way: nothing waits, and for a second nothing was told."""
    before, since = -1, time.monotonic()

    async def idle() -> bool:
        nonlocal before, since
        told = [await asyncio.to_thread(metrics, process) for process in running.values()]
        messages = await counter.now()
        if messages != before or any(one[name] for one in told for name in LEFT):
            before, since = messages, time.monotonic()
        await asyncio.sleep(0.1)
        return time.monotonic() - since > QUIET_SECONDS

    await until(idle, seconds=600)


def _cpu(running: dict[str, Process]) -> dict[str, float]:
    return {name: cpu_seconds(process.pid) for name, process in running.items()}


def _memory(running: dict[str, Process]) -> dict[str, float]:
    return {name: resident_mb(process.pid) for name, process in running.items()}
