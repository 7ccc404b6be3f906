"""Which of several faults has probably done a damage: what was damaged has an id, and ids have a moment."""

import re
from collections.abc import Sequence
from datetime import datetime
from math import copysign

from tests.chaos.checks.conduct import Episode
from tests.chaos.clock import JUMP

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
BEFORE = 2.0
"""What was made so many seconds before a fault was still on its way."""


def moment(text: str) -> float | None:
    """When the youngest of the ids in `text` was made, in seconds of the epoch; None without any."""
    return max((int(found[:8] + found[9:13], 16) / 1000 for found in _ID.findall(text)), default=None)


def suspected(text: str, episodes: Sequence[Episode], epoch: float) -> str:
    """`text` with the fault in or after which what it names was made. `epoch`: that of the monotonic clock."""
    made = moment(text)
    if made is None or not episodes:
        return text
    at = made - epoch
    if abs(at - episodes[-1].mended) > JUMP / 2:  # by a clock that was an hour off
        at -= copysign(JUMP, at - episodes[-1].mended)
    begun = [one for one in episodes if one.began - BEFORE <= at]
    clock = datetime.fromtimestamp(epoch + at).astimezone().strftime("%H:%M:%S.%f")[:-3]
    return f"{text}  ({clock}, {f'suspect: {begun[-1].fault}' if begun else 'before the first fault'})"
