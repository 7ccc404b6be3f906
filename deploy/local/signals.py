"""Ctrl-C, `kill` and a closed terminal all mean the same: stop everything, in order."""

import signal
from types import FrameType

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupt_on_signals() -> None:
    """Make the first of these signals a KeyboardInterrupt in the main thread, and the others nothing.

    So an impatient second Ctrl-C doesn't cut the orderly stop short.
    """
    for number in _STOPPING:
        signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    for other in _STOPPING:
        signal.signal(other, signal.SIG_IGN)
    raise KeyboardInterrupt
