"""What the run says while it goes, and the figures that it ends with."""

import time

FIGURES: list[str] = []
_begun = time.monotonic()


def say(line: str) -> None:
    """Shown at once with `pytest -s`."""
    print(f"[{time.monotonic() - _begun:5.0f} s] {line}", flush=True)


def figure(line: str) -> None:
    """Shown at once, and again at the end."""
    FIGURES.append(line)
    say(line)
