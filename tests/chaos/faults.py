"""What a fault is, and the sequence of faults that follows from a seed. The faults themselves: `grounds.py`."""

import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from deploy.local.stack import Stack
from tests.chaos.world import Observer


@dataclass(frozen=True)
class Fault:
    """`after`: seconds of undisturbed load before it; `seconds`: how long it lasts."""

    kind: str
    victim: str = ""
    after: float = 1.0
    seconds: float = 0.0

    def __str__(self) -> str:
        lasting = f" for {self.seconds:.0f} s" if self.seconds else ""
        return f"{self.kind} {self.victim}".rstrip() + lasting


Letters: TypeAlias = set[tuple[str, str]]
"""Dead letters that must come of a fault, as (topic, marker); the marker is the message's key or id."""
Strike = Callable[[Fault, Stack, Observer], Awaitable[Letters]]
"""Breaks and mends: when it returns, whatever was broken works again."""


@dataclass(frozen=True)
class Kind:
    """One kind of fault; `span`: within which seconds it lasts."""

    name: str
    strike: Strike
    victims: tuple[str, ...] = ("",)
    span: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Ground:
    """A stack that can be broken, and how.

    `stack(home, env)` starts all of it, the services with `env` laid over their environment, and ends it.
    A strike gets what it gave, so it may be a Stack that knows more. `lacks`: why it can't be played here, if so.
    """

    name: str
    kinds: tuple[Kind, ...]
    stack: Callable[[Path, Mapping[str, str]], AbstractContextManager[Stack]]
    lacks: str = ""

    async def strike(self, fault: Fault, stack: Stack, observer: Observer) -> Letters:
        kind = next(kind for kind in self.kinds if kind.name == fault.kind)
        return await kind.strike(fault, stack, observer)


def sequence(seed: str, kinds: Sequence[Kind]) -> Iterator[Fault]:
    """Faults without end; each kind comes once upon each victim before any comes again."""
    dice = random.Random(f"faults {seed}")
    every = [(kind, victim) for kind in kinds for victim in kind.victims]
    while True:
        for kind, victim in dice.sample(every, len(every)):
            fault = Fault(kind.name, victim)
            yield replace(fault, after=dice.uniform(0.5, 3.0), seconds=dice.uniform(*kind.span))
