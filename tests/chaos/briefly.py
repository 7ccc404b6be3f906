"""`make chaos EACH=1`: each kind of fault once and briefly; one stack, one load, one comparison at the end.

A process of its own: the disk that gets full is mounted for it and its children alone.
"""

import asyncio
import tempfile
from pathlib import Path

from deploy.local.stack import Stack
from tests.chaos.checks.conduct import Episode
from tests.chaos.elsewhere import OWN
from tests.chaos.faults import Fault
from tests.chaos.grounds import EVERYTHING
from tests.chaos.harness import SETTINGS, arena
from tests.chaos.rounds import Series, back

EACH = tuple(
    Fault(kind, victim, after=0.3, seconds=seconds)
    for kind, victim, seconds in (
        ("kill", "matching", 0),
        ("kill-busy", "notifications", 0),
        ("term", "kafka", 0),
        ("term-busy", "intake", 0),
        ("repeat", "", 0),
        ("poison", "", 0),
        ("freeze", "kafka", 6),
        ("overtaken", "matching", 13),
        ("away", "mail", 3),
        ("minute-away", "mongo", 12),
        ("slow", "mongo", 3),
        ("cut", "mongo", 3),
        ("blackhole", "kafka", 6),
        ("smtp", "4xx", 2),
        ("smtp", "5xx", 2),
        ("smtp", "cut", 2),
        ("smtp", "taken", 2),
        ("smtp", "mute", 3),
        ("full", "mongo", 4),
        ("ahead", "intake", 3),
        ("behind", "matching", 3),
    )
)
PROMISED = (
    "/readyz tells that kafka is away",
    "/readyz tells that mongo is away",
    "intake accepts while Kafka is away",
    "POST is 503 without a database",
    "503 says when to come again",
)
"""What must have been compared: with all servers up nobody is held to it."""


def play(rate: float, slack: float) -> Series:
    """Tells of each fault as it passes."""
    own = OWN | SETTINGS
    with tempfile.TemporaryDirectory(prefix="miglobe-chaos-") as home, EVERYTHING.stack(Path(home), own) as stack:
        series = asyncio.run(_series(stack, rate, slack))
    checked = series.verdict.checked
    series.verdict.hold("promises were put to the test", PROMISED, (one for one in PROMISED if not checked[one]))
    return series


async def _series(stack: Stack, rate: float, slack: float) -> Series:
    here = {kind.name for kind in EVERYTHING.kinds}
    faults = [fault for fault in EACH if fault.kind in here]
    async with arena(EVERYTHING, stack, stack.mail_dir, "", "each", rate, slack, hasty=True) as one:
        return await one.play_all(faults, _tell)


def _tell(seen: Episode) -> None:
    print(f"{seen.fault!s:<30} mended after {seen.mended - seen.began:4.1f} s, {back(seen.recovery)}", flush=True)
