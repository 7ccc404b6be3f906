"""The clock of one service jumps by an hour while it runs, by libfaketime.

Where that is not installed the ground is left out.
Monotonic time goes on evenly, as it does when a real clock is set.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local.stack import SERVICES, Stack
from tests.chaos.faults import Fault, Ground, Kind, Letters
from tests.chaos.world import Observer

JUMP = 3700
"""Seconds; a little more than the hour from which on Kafka refuses messages of the future."""
SPAN = (5.0, 20.0)
_LIBRARIES = [
    *Path("/usr").glob("lib*/faketime/libfaketimeMT.so.1"),
    *Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"),
]


class Adrift(Stack):
    """Each service follows a clock of its own: what its file says is added to the true time."""

    def __init__(self, home: Path, env: Mapping[str, str], spare: Sequence[str] = ()) -> None:
        super().__init__(home, spare=spare, env=env)
        for name in SERVICES:
            self.set(name, 0)

    def set(self, service: str, seconds: int) -> None:
        """At one stroke; a reader finds the old or the new."""
        new = self._clock(service).with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.rename(self._clock(service))

    def env_of(self, name: str) -> Mapping[str, str]:
        if name not in SERVICES or CLOCK.lacks:
            return super().env_of(name)
        return {
            **super().env_of(name),
            "LD_PRELOAD": str(_LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock(name)),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def _clock(self, service: str) -> Path:
        return self.home.path / f"{service}.clock"


async def _ahead(fault: Fault, stack: Stack, observer: Observer) -> Letters:
    del observer
    return await _jump(fault, stack, JUMP)


async def _behind(fault: Fault, stack: Stack, observer: Observer) -> Letters:
    del observer
    return await _jump(fault, stack, -JUMP)


async def _jump(fault: Fault, stack: Stack, seconds: int) -> Letters:
    """There and back."""
    assert isinstance(stack, Adrift)
    stack.set(fault.victim, seconds)
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        stack.set(fault.victim, 0)
    return set()


CLOCK = Ground(
    "clock",
    (Kind("ahead", _ahead, SERVICES, SPAN), Kind("behind", _behind, SERVICES, SPAN)),
    Adrift,
    "" if _LIBRARIES else "clocks can't be set: install faketime",
)
