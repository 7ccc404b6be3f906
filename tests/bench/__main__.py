"""`make bench`: the figures that MiGlobe wants to reach, each beside its baseline in the same run.

Writes results.json, a table and plots into out/bench/; exits with 0 also when a figure is missed, and prints which.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from deploy.local.stack import SERVICES, Stack
from tests.bench import (
    assigning,
    exports,
    forms,
    ingest,
    matching,
    pages,
    plots,
    rebuilding,
    recording,
    resting,
    scale,
    second,
    starting,
    summary,
    through,
)
from tests.bench.figures import Board
from tests.bench.place import OPEN, ROOT, Place, busy_cores

PARTS = {
    "ingest": ingest.measure,
    "assigning": assigning.measure,
    "recording": recording.measure,
    "summary": summary.measure,
    "exports": exports.measure,
    "pages": pages.measure,
    "forms": forms.measure,
    "second": second.measure,
    "through": through.measure,
}
ON_DEMAND = ("rebuild", "memory")
USUAL = ("starting", "resting", "matching", *PARTS, "scale")


async def _measure(stack: Stack, board: Board, wanted: Sequence[str], requests: int, facts: int) -> None:
    if "resting" in wanted:
        _say("the four services at rest")
        await resting.measure(stack, board)
        for name in SERVICES:
            await asyncio.to_thread(stack.stop_one, name)
    for name, measure in PARTS.items():
        if name in wanted:
            _say(name)
            await measure(Place(stack, f"{name}-"), board)
    if "rebuild" in wanted:
        _say(f"rebuild of {facts:,} facts")
        await rebuilding.measure(Place(stack, "rebuild-"), board, facts)
    if "memory" in wanted:
        _say(f"memory over {requests:,} requests")
        await through.measure_memory(Place(stack, "memory-"), board, requests)


def _say(what: str) -> None:
    print(f"{time.monotonic() - _BEGAN:5.0f} s  {what}", flush=True)


def _run(board: Board, wanted: Sequence[str], requests: int, facts: int) -> None:
    if "starting" in wanted:
        _say("start")
        starting.measure(board)
    if "matching" in wanted:
        _say("matching")
        matching.measure(board)
    if not set(wanted) - {"starting", "matching", "scale"}:
        return
    services = SERVICES if "resting" in wanted else ()
    with tempfile.TemporaryDirectory(prefix="miglobe-bench-") as home, Stack(Path(home), services, env=OPEN) as stack:
        uvloop.run(_measure(stack, board, wanted, requests, facts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    usual, told = ", ".join(USUAL), ", ".join(ON_DEMAND)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"which, of {usual}, {told}; without: {usual}")
    parser.add_argument("--requests", type=int, default=through.ALL_REQUESTS, help="how many the part memory sends")
    parser.add_argument("--facts", type=int, default=rebuilding.ALL_FACTS, help="how many the part rebuild reads")
    asked = parser.parse_args()
    wanted: Sequence[str] = asked.parts or USUAL
    if unknown := set(wanted) - {*USUAL, *ON_DEMAND}:
        parser.error(f"there is no {', '.join(unknown)}; choose of {usual}, {told}")
    out = ROOT / "out" / "bench"
    if set(wanted) == {"scale"}:
        scale.tell(out)
        return
    board = Board()
    board.limit(f"before the run: busy cores of {os.cpu_count()}, by others", busy_cores(), "cores")
    try:
        _run(board, wanted, asked.requests, asked.facts)
    finally:  # what was measured before something went wrong is told too
        board.write(out)
        plots.draw(board.figures, out)
        if "scale" in wanted:
            _say("scale")
            scale.tell(out)
    missed = board.missed()
    _say(f"{len(board.figures)} figures in {out.relative_to(ROOT)}, {len(missed)} missed")
    for figure in missed:
        print(f"  missed: {figure.name}")


_BEGAN = time.monotonic()

if __name__ == "__main__":
    main()
