"""Processes that die, freeze, are overtaken, end in order, or stay away. Each service's relay is part of it."""

import asyncio
import random

from deploy.local.stack import SERVICES, Stack
from tests.chaos.faults import Fault, Kind, Letters
from tests.chaos.world import Observer

SERVERS = ("kafka", "mongo", "mail")
ALL = (*SERVICES, *SERVERS)
SECOND_PROCESSES = tuple(f"{service}-2" for service in SERVICES)
"""A second process of each service, to be had for a time."""
GATHER, TAKEN_UP = 2.5, (0.02, 0.3)
"""Seconds in which work gathers, and those after which what was taken up of it is not done yet."""
BOTH = 3.0
"""Seconds in which two processes take themselves for the one that has the leases."""


async def kill(fault: Fault, stack: Stack, _: Observer) -> Letters:
    """SIGKILL; at once a new one. With `seconds`, one later."""
    await asyncio.to_thread(stack.kill, fault.victim)
    await asyncio.sleep(fault.seconds)
    await asyncio.to_thread(stack.start_one, fault.victim)
    return set()


async def term(fault: Fault, stack: Stack, _: Observer) -> Letters:
    await asyncio.to_thread(stack.restart, fault.victim)
    return set()


async def kill_busy(fault: Fault, stack: Stack, observer: Observer) -> Letters:
    """In mid-batch."""
    await _make_busy(fault, stack)
    return await kill(fault, stack, observer)


async def term_busy(fault: Fault, stack: Stack, observer: Observer) -> Letters:
    """In mid-batch."""
    await _make_busy(fault, stack)
    return await term(fault, stack, observer)


async def _make_busy(fault: Fault, stack: Stack) -> None:
    """Lets work gather before a process that does not run, and lets it begin with all of it."""
    stack.pause(fault.victim)
    try:
        await asyncio.sleep(GATHER)
    finally:
        stack.resume(fault.victim)
    await asyncio.sleep(random.Random(f"{fault} {fault.after}").uniform(*TAKEN_UP))


async def freeze(fault: Fault, stack: Stack, _: Observer) -> Letters:
    """SIGSTOP, and later SIGCONT: it never learns that it was away."""
    stack.pause(fault.victim)
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        stack.resume(fault.victim)
    return set()


async def overtaken(fault: Fault, stack: Stack, _: Observer) -> Letters:
    """Frozen in mid-batch until a second process has its leases and partitions; then it goes on with what it had."""
    second = f"{fault.victim}-2"
    await asyncio.to_thread(stack.start_one, second)
    await _make_busy(fault, stack)
    stack.pause(fault.victim)
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        stack.resume(fault.victim)
    await asyncio.sleep(BOTH)
    await asyncio.to_thread(stack.stop_one, second)
    return set()


LEASES = (13.0, 18.0)
"""Longer than the relay's lease (12 s), the projector's (10 s) and a consumer's session (8 s)."""

KINDS = (
    Kind("kill", kill, ALL),
    Kind("kill-busy", kill_busy, SERVICES),
    Kind("term", term, ALL),
    Kind("term-busy", term_busy, SERVICES),
    Kind("freeze", freeze, ALL, span=LEASES),
    Kind("overtaken", overtaken, SERVICES, span=LEASES),
    Kind("away", kill, ALL, span=(3.0, 45.0)),
    Kind("minute-away", kill, ("kafka", "mongo"), span=(60.0, 60.0)),
)
