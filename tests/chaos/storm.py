"""A rebalance storm: members of a consumer group come and go, in order or not, faster than it settles."""

import asyncio
import random
import time

from aiokafka import AIOKafkaConsumer

from deploy.local.stack import SERVICES, Stack
from shared.topics import CONSUMED
from tests.chaos.cluster import HELPERS
from tests.chaos.faults import Fault, Kind, Letters
from tests.chaos.world import Observer


async def storm(fault: Fault, stack: Stack, observer: Observer) -> Letters:
    """Two more processes of the service, and a member that only takes partitions away for a moment."""
    dice, end = random.Random(f"{fault} {fault.after}"), time.monotonic() + fault.seconds
    async with asyncio.TaskGroup() as group:
        for name in HELPERS:
            if name.startswith(f"{fault.victim}-"):
                group.create_task(_process(stack, name, dice, end))
        group.create_task(_guest(observer, fault.victim, dice, end))
    return set()


async def _process(stack: Stack, name: str, dice: random.Random, end: float) -> None:
    while time.monotonic() < end:
        await asyncio.to_thread(stack.start_one, name)
        await asyncio.sleep(dice.uniform(0.0, 2.0))
        await asyncio.to_thread(dice.choice((stack.kill, stack.stop_one)), name)


async def _guest(observer: Observer, service: str, dice: random.Random, end: float) -> None:
    """Reads nothing and commits nothing."""
    wanted = [observer.prefix + topic for topic in CONSUMED[service]]
    while time.monotonic() < end:
        guest = AIOKafkaConsumer(
            *wanted,
            bootstrap_servers=observer.kafka,
            group_id=observer.prefix + service,
            enable_auto_commit=False,
            session_timeout_ms=8_000,
            heartbeat_interval_ms=500,
        )
        await guest.start()
        try:
            await asyncio.sleep(dice.uniform(0.5, 2.0))
        finally:
            await guest.stop()


KINDS = (Kind("storm", storm, SERVICES, span=(10.0, 25.0)),)
