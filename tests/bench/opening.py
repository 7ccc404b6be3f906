"""How long one page takes, opened again and again by one reader after another."""

import statistics
import time

import httpx

from tests.bench.figures import Board
from tests.bench.place import Process, cpu_seconds

EACH, AT_MOST = 60, 60.0
FIRST = 5
"""Openings that load templates and fonts; they don't count."""


async def page(board: Board, client: httpx.AsyncClient, process: Process, name: str, path: str) -> None:
    """Puts the time until the whole page is there on `board`, and what of it the service's own processor time was:
    that one holds on a busy machine too."""
    took: list[float] = []
    used = 0.0
    for turn in range(FIRST + EACH):
        if turn == FIRST:
            used = cpu_seconds(process.pid)
        began = time.perf_counter()
        answer = await client.get(path)
        if turn >= FIRST:
            took.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:300])
    used = (cpu_seconds(process.pid) - used) * 1000 / EACH
    board.limit(f"page {name}, p95", statistics.quantiles(took, n=20)[-1], "ms", AT_MOST)
    board.limit(f"page {name}, CPU of the service", used, "ms", AT_MOST)
