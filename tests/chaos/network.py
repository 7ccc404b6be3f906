"""The ways between the services and their servers: slow, cut again and again, or swallowing what is sent.

And the mail server itself in its moods.
"""

import asyncio
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from deploy.local.stack import Stack
from tests.chaos.faults import Fault, Ground, Kind, Letters
from tests.chaos.mailserver import MOODS
from tests.chaos.proxy import Mood, Way
from tests.chaos.remote import Remote
from tests.chaos.world import Observer

PAUSE = (0.2, 2.0)
"""Seconds between two cuts."""
SOME = (4.0, 15.0)
LONG = (33.0, 45.0)
"""Longer than MongoDB's socket time-out (30 s), a mail server's answer (20 s) and Kafka's requests (10 s)."""


async def _slow(fault: Fault, stack: Stack, observer: Observer) -> Letters:
    del observer
    with _turned(_ways(stack)[fault.victim], "slow"):
        await asyncio.sleep(fault.seconds)
    return set()


async def _blackhole(fault: Fault, stack: Stack, observer: Observer) -> Letters:
    """Connections that were in use never say anything again; neither side is told."""
    del observer
    with _turned(_ways(stack)[fault.victim], "swallowing"):
        await asyncio.sleep(fault.seconds)
    return set()


async def _cut(fault: Fault, stack: Stack, observer: Observer) -> Letters:
    del observer
    way, over = _ways(stack)[fault.victim], time.monotonic() + fault.seconds
    while (left := over - time.monotonic()) > 0:
        way.cut()
        await asyncio.sleep(min(random.uniform(*PAUSE), left))
    return set()


async def _post(fault: Fault, stack: Stack, observer: Observer) -> Letters:
    """The mail server in a bad mood. Afterwards it is kind to those who have a connection to it."""
    del observer
    assert isinstance(stack, Remote)
    way, post = stack.ways["mail"], stack.post
    post.mood = next(mood for mood in MOODS if mood == fault.victim)
    way.lead(post.port)
    way.cut()
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        post.mood = "kind"
        way.lead(None)
        if fault.victim == "mute":  # as when it is begun anew
            way.cut()
    return set()


@contextmanager
def _turned(way: Way, mood: Mood) -> Iterator[None]:
    way.turn(mood)
    try:
        yield
    finally:
        way.turn("fair")


def _ways(stack: Stack) -> Mapping[str, Way]:
    assert isinstance(stack, Remote)
    return stack.ways


NETWORK = Ground(
    "network",
    (
        Kind("slow", _slow, ("kafka", "mongo"), SOME),
        Kind("cut", _cut, ("kafka", "mongo", "mail"), SOME),
        Kind("blackhole", _blackhole, ("kafka", "mongo", "mail"), LONG),
        Kind("smtp", _post, tuple(mood for mood in MOODS if mood not in ("kind", "mute")), SOME),
        Kind("smtp", _post, ("mute",), LONG),
    ),
    Remote,
)
