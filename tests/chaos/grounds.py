"""All that can be broken: the one place where kinds of faults are gathered, and the grounds they are played on."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

from deploy.local.stack import Stack
from tests.chaos import messages, processes
from tests.chaos.clock import CLOCK
from tests.chaos.disk import DISK
from tests.chaos.faults import Ground
from tests.chaos.network import NETWORK
from tests.chaos.nodes import CLUSTER


def _stack(home: Path, env: Mapping[str, str]) -> Stack:
    return Stack(home, env=env)


PLAIN = Ground("plain", (*processes.KINDS, *messages.KINDS), _stack)
"""The embedded stack: one Kafka, one mongod, one process of each service."""

_ALL = (PLAIN, CLUSTER, NETWORK, DISK, CLOCK)
GROUNDS: tuple[Ground, ...] = tuple(one for one in _ALL if not one.lacks)
LEFT_OUT = tuple(f"{one.name} ({one.lacks})" for one in _ALL if one.lacks)
"""What can't be played on this machine, and why."""


def beside(servers: Collection[str]) -> Ground:
    """`servers` run elsewhere and are left alone: only what is started here is broken."""
    return _with_victims(replace(PLAIN, name="elsewhere"), lambda kind, victim: victim not in servers)


def only(ground: Ground, wanted: Collection[str]) -> Ground:
    """`ground` with what is wanted: a kind (`kill`), a kind upon a victim (`kill:mongo`), or all of a ground."""
    if not wanted or ground.name in wanted:
        return ground
    return _with_victims(ground, lambda kind, victim: bool({kind, f"{kind}:{victim}"} & set(wanted)))


def _with_victims(ground: Ground, fit: Callable[[str, str], bool]) -> Ground:
    kinds = [replace(kind, victims=tuple(one for one in kind.victims if fit(kind.name, one))) for kind in ground.kinds]
    return replace(ground, kinds=tuple(kind for kind in kinds if kind.victims))
