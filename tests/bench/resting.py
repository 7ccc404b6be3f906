"""The four services with nothing to do: their memory and load, and how soon a mail is on its way."""

import asyncio
import email
import email.policy
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx

from deploy.local.stack import SERVICES, Stack
from shared.ids import new_id
from tests.bench import samples
from tests.bench.figures import Board
from tests.bench.place import Place, cpu_seconds, resident_mb
from tests.waiting import until

WATCHED_SECONDS = 15
WARM = 3
REQUESTS = 40
PAUSE_SECONDS = 0.3
"""After the mails of one request, so that nothing else is going on at the next."""


async def measure(stack: Stack, board: Board) -> None:
    place = Place(stack, "")
    place.import_advisors(samples.advisors(48))
    await asyncio.sleep(5)
    before = {name: cpu_seconds(stack.pids[name]) for name in SERVICES}
    await asyncio.sleep(WATCHED_SECONDS)
    used = sum(cpu_seconds(stack.pids[name]) - before[name] for name in SERVICES)
    memory = {name: resident_mb(stack.pids[name]) for name in SERVICES}
    print(f"  … {', '.join(f'{name} {size:.0f} MB' for name, size in memory.items())}", flush=True)
    board.limit("idle: resident memory of the largest service", max(memory.values()), "MB", 120)
    board.limit("idle: load of the four together, of a core", 100 * used / WATCHED_SECONDS, "%", 3)

    receipts, requests_to_advisors = await _mails(stack)
    board.limit("POST answered → mail handed to SMTP, p50", statistics.median(receipts), "ms", 100)
    board.limit("POST answered → mail handed to SMTP, p99", _p99(receipts), "ms", 400)
    board.limit("POST answered → an advisor's mail handed over, p50", statistics.median(requests_to_advisors), "ms")
    board.limit("POST answered → an advisor's mail handed over, p99", _p99(requests_to_advisors), "ms")


async def _mails(stack: Stack) -> tuple[list[float], list[float]]:
    """Milliseconds from each answer to the receipt, and to the first mail to an advisor; one request at a time."""
    receipts: list[float] = []
    advisors: list[float] = []
    seen: set[str] = set()
    async with httpx.AsyncClient(base_url=stack.urls["intake"], trust_env=False, timeout=30) as client:
        for number, body in enumerate(samples.bodies(WARM + REQUESTS)):
            answer = await client.post("/api/requests", json=body, headers={"Idempotency-Key": new_id()})
            now = time.time()
            answer.raise_for_status()
            town, advisor = await _arrived(stack.mail_dir, seen, body["contact"]["email"], answer.json()["case_number"])
            if number >= WARM:
                receipts.append((town - now) * 1000)
                advisors.append((advisor - now) * 1000)
            await asyncio.sleep(PAUSE_SECONDS)
    return receipts, advisors


async def _arrived(directory: Path, seen: set[str], address: str, case_number: str) -> tuple[float, float]:
    """When the first mail to `address` and the first about the case to an advisor came in."""
    found: dict[str, float] = {}

    def both() -> bool:
        for at, to, text in _read(directory, seen):
            if to == address:
                found.setdefault("town", at)
            elif to.endswith("@beratung.example") and case_number in text:
                found.setdefault("advisor", at)
        return len(found) == 2

    await until(both, seconds=60)
    return found["town"], found["advisor"]


def _read(directory: Path, seen: set[str]) -> Iterator[tuple[float, str, str]]:
    """Arrival, recipient and text of each mail that is not among `seen`, which it joins."""
    for file in sorted(directory.glob("*.eml")):
        if file.name in seen:
            continue
        seen.add(file.name)
        at = datetime.strptime(file.name.partition("-")[0], "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC).timestamp()
        mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        body = mail.get_body(("plain",))
        yield at, str(mail["X-Envelope-To"]), f"{mail['Subject']} {body.get_content() if body else ''}"


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]
