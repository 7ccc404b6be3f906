"""The engine alone: how long an optimum takes, preparation included, and what simpler rules lose beside it."""

import json
import os
import statistics
import subprocess
import sys
from typing import Any

from tests.bench.figures import Board
from tests.bench.place import ROOT

SIZES = (((16, 20), 7, 0.1), ((16, 60), 7, 0.25), ((100, 100), 3, 2.0), ((500, 300), 3, 6.0), ((2_000, 1_000), 1, 20.0))
"""Advisors and requests, how many instances, seconds that it may take."""
LARGEST = SIZES[-1][0]
SMALL = tuple(size for size, *_ in SIZES[:2])


def measure(board: Board) -> None:
    for size, number, limit in SIZES:
        found = [_solved(size, seed) for seed in range(number)]
        name, seconds = f"{size[0]:,} advisors × {size[1]:,} requests", [one["seconds"] for one in found]
        proven = sum(one["optimal"] for one in found)
        print(f"  … {name}: {min(seconds):.3f}–{max(seconds):.3f} s, {proven} of {number} proven", flush=True)
        board.limit(f"optimum of {name}, preparation included", statistics.median(seconds), "s", limit)
        if size in SMALL:
            _others(board, name, found)
            board.limit(f"{name} not proven to be the optimum", number - proven, "instances", 0)
        if size == LARGEST:
            board.limit(f"gap of {name}", 100 * max(one["gap"] for one in found), "%", 0.05)
            board.limit(f"memory of {name}", max(one["memory_mb"] for one in found), "MB", 300)
            board.limit("event loop blocked meanwhile at most", max(one["blocked_ms"] for one in found), "ms", 50)


def _others(board: Board, name: str, found: list[dict[str, Any]]) -> None:
    """What the simple rules lose: each instance decided by all."""
    for rule in ("greedy", "one by one", "round robin"):
        lost = [100 * (1 - one["others"][rule] / one["objective"]) for one in found]
        board.limit(f"{rule} loses at {name}", statistics.mean(lost), "%")


def _solved(size: tuple[int, int], seed: int) -> dict[str, Any]:
    """In a process of its own, for the sake of its memory."""
    asked = [sys.executable, "-m", "tests.bench.solving", *map(str, (*size, seed))]
    done = subprocess.run(asked, cwd=ROOT, env=os.environ, check=True, capture_output=True, text=True, timeout=900)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
