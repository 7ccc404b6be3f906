"""Processes that die, freeze, end in order, or stay away."""

import asyncio

from deploy.local.stack import SERVICES, Stack
from tests.chaos.faults import Fault, Kind, Letters
from tests.chaos.world import Observer

SERVERS = ("kafka", "mongo", "mail")
ALL = (*SERVICES, *SERVERS)


async def kill(fault: Fault, stack: Stack, _: Observer) -> Letters:
    """SIGKILL; at once a new one. With `seconds`, one later."""
    await asyncio.to_thread(stack.kill, fault.victim)
    await asyncio.sleep(fault.seconds)
    await asyncio.to_thread(stack.start_one, fault.victim)
    return set()


async def term(fault: Fault, stack: Stack, _: Observer) -> Letters:
    await asyncio.to_thread(stack.restart, fault.victim)
    return set()


async def freeze(fault: Fault, stack: Stack, _: Observer) -> Letters:
    """SIGSTOP, and later SIGCONT: it never learns that it was away."""
    stack.pause(fault.victim)
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        stack.resume(fault.victim)
    return set()


KINDS = (
    Kind("kill", kill, ALL),
    Kind("term", term, ALL),
    # longer than the relay's lease (12 s), the projector's (10 s) and a consumer's session (8 s)
    Kind("freeze", freeze, ALL, span=(13.0, 18.0)),
    Kind("away", kill, ALL, span=(3.0, 60.0)),
)
