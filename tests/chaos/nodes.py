"""Nodes of a cluster that die or freeze: whoever leads, who follows, or so many that no majority is left."""

import asyncio
from collections.abc import Callable, Iterable

from deploy.local.stack import Stack
from shared import topics
from shared.settings import Settings
from tests.chaos import storm
from tests.chaos.cluster import BROKERS, MEMBERS, Cluster, Clustered, clustered
from tests.chaos.faults import Fault, Ground, Kind, Letters
from tests.chaos.world import Observer

BUSY, GROUP = "request.created", "matching"
"""The topic whose leader, and the group whose coordinator is broken."""


async def kill(fault: Fault, stack: Stack, observer: Observer) -> Letters:
    """SIGKILL; new ones after the fault's seconds."""
    cluster = of(stack)
    nodes = await _nodes(cluster, fault.victim, observer.prefix)
    await _each(cluster.kill, nodes)
    await asyncio.sleep(fault.seconds)
    await _each(cluster.start_one, nodes)
    return set()


async def freeze(fault: Fault, stack: Stack, observer: Observer) -> Letters:
    """SIGSTOP until others have been elected; when it goes on, a node takes itself for what it was."""
    cluster = of(stack)
    nodes = await _nodes(cluster, fault.victim, observer.prefix)
    try:
        await _each(cluster.pause, nodes)
        await asyncio.sleep(fault.seconds)
    finally:
        await _each(cluster.resume, nodes)
    return set()


async def unheard(fault: Fault, stack: Stack, observer: Observer) -> Letters:
    """The leading node works on while nobody follows, and then dies: what only it had is undone by the others."""
    cluster = of(stack)
    (alone,) = await _nodes(cluster, "leader" if fault.victim == "kafka" else "primary", observer.prefix)
    others = [name for name in (BROKERS if fault.victim == "kafka" else MEMBERS) if name != alone]
    try:
        await _each(cluster.pause, others)
        await asyncio.sleep(fault.seconds)
        await _each(cluster.kill, [alone])
    finally:
        await _each(cluster.resume, others)
    await cluster.primary()
    await _each(cluster.start_one, [alone])
    return set()


async def below_isr(fault: Fault, stack: Stack, observer: Observer) -> Letters:
    """One replica less than acks=all asks for: leaders are there, and refuse."""
    cluster = of(stack)
    leader = await cluster.leader(observer.prefix + BUSY)
    follower = next(name for name in BROKERS if name != leader)
    await topics.apply(_settings(stack, observer, replication=4))
    await _each(cluster.stop_one, [follower])
    await asyncio.sleep(fault.seconds)
    await _each(cluster.start_one, [follower])
    await topics.apply(_settings(stack, observer, replication=3))
    return set()


def of(stack: Stack) -> Cluster:
    assert isinstance(stack, Clustered)
    return stack.cluster


async def _nodes(cluster: Cluster, victim: str, prefix: str) -> list[str]:
    """Who that is at the moment."""
    leader, primary = await cluster.leader(prefix + BUSY), await cluster.primary()
    followers = [name for name in BROKERS if name != leader]
    secondaries = [name for name in MEMBERS if name != primary]
    return {
        "leader": [leader],
        "follower": followers[:1],
        "coordinator": [await cluster.coordinator(prefix + GROUP)],
        "controller": [cluster.controller()],
        "primary": [primary],
        "secondary": secondaries[:1],
        "leader+primary": [leader, primary],
        "kafka": [leader, *followers[:1]],
        "mongo": [primary, *secondaries[:1]],
    }[victim]


async def _each(act: Callable[[str], None], names: Iterable[str]) -> None:
    """At once: of two that are away neither may be able to work without the other."""
    await asyncio.gather(*(asyncio.to_thread(act, name) for name in names))


def _settings(stack: Stack, observer: Observer, replication: int) -> Settings:
    """Of the topics; one replica may be missing of those that `replication` names."""
    env = stack.env()
    return Settings.model_validate(
        {
            "kafka": observer.kafka,
            "mongo": observer.mongo,
            "prefix": observer.prefix,
            "secret": env["MIGLOBE_SECRET"],
            "partitions": int(env["MIGLOBE_PARTITIONS"]),
            "replication": replication,
        }
    )


KINDS = (
    Kind("node-killed", kill, ("leader", "coordinator", "controller", "follower", "primary", "secondary")),
    # longer than the election of another: Kafka's sessions end after 9 s, MongoDB elects after 10 s
    Kind("node-away", kill, ("leader", "controller", "primary", "leader+primary"), span=(12.0, 30.0)),
    Kind("node-frozen", freeze, ("leader", "controller", "primary", "leader+primary"), span=(14.0, 25.0)),
    Kind("minority", kill, ("kafka", "mongo"), span=(10.0, 60.0)),
    # shorter than it takes the one left alone to notice and give up
    Kind("unheard", unheard, ("kafka", "mongo"), span=(4.0, 9.0)),
    Kind("below-isr", below_isr, ("kafka",), span=(5.0, 30.0)),
)

CLUSTER = Ground("cluster", (*KINDS, *storm.KINDS), clustered)
"""Three brokers and three replicas, and processes of each service that come and go."""
