"""All that can be broken: the one place where kinds of faults are gathered, and the grounds they are played on."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from deploy.local.stack import Stack
from tests.chaos import messages, processes
from tests.chaos.clock import CLOCK, Adrift
from tests.chaos.disk import DISK, small_disk
from tests.chaos.faults import Ground
from tests.chaos.network import NETWORK
from tests.chaos.nodes import CLUSTER
from tests.chaos.processes import SECOND_PROCESSES
from tests.chaos.remote import Remote


def _stack(home: Path, env: Mapping[str, str]) -> Stack:
    return Stack(home, spare=SECOND_PROCESSES, env=env)


PLAIN = Ground("plain", (*processes.KINDS, *messages.KINDS), _stack)
"""The embedded stack: one Kafka, one mongod, one process of each service."""


class _Everything(Adrift, Remote):
    """All that can be broken without a cluster, in one stack."""


@contextmanager
def _everything(home: Path, env: Mapping[str, str]) -> Iterator[Stack]:
    with small_disk(home), _Everything(home, env, SECOND_PROCESSES) as stack:
        yield stack


_PARTS = tuple(one for one in (PLAIN, NETWORK, DISK, CLOCK) if not one.lacks)
EVERYTHING = Ground("everything", tuple(kind for part in _PARTS for kind in part.kinds), _everything)
"""For a short round of each kind; where there is time, each ground by itself is more like the real thing."""

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
