"""`make up` with all installed: its two commands, in a folder of their own and on free ports."""

import subprocess
import sys
import tempfile
import time

from tests.bench.figures import Board
from tests.bench.place import ROOT

LOCAL = [sys.executable, "-m", "deploy.local"]


def measure(board: Board) -> None:
    with tempfile.TemporaryDirectory(prefix="miglobe-bench-") as home:
        began = time.monotonic()
        try:
            _run("install")
            _run("up", "--free-ports", f"--home={home}")
            seconds = time.monotonic() - began
        finally:
            _run("down", f"--home={home}")
    board.limit("make up → all /readyz, first start", seconds, "s", 20)


def _run(*arguments: str) -> None:
    subprocess.run([*LOCAL, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=120)
