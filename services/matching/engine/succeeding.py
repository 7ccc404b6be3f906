"""Who would be best in a seat that falls free, beside those who stay."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from services.matching.domain.policy import Candidate, Policy, Seeker
from services.matching.engine.instance import Ask, Instance, Points


def successors(
    candidates: Sequence[Candidate], wishes: Sequence[Seeker], today: date, policy: Policy, number: int
) -> list[tuple[str, ...]]:
    """For each of `wishes`, which hold at most one seat, the `number` best, each as if it were the only one."""
    instance = Instance(candidates, wishes, today, policy)
    return [_best(instance.ask(instance.wishes.index(wish)), number) for wish in wishes]


def _best(ask: Ask, number: int) -> tuple[str, ...]:
    order = np.lexsort((ask.able, -_scores(ask)))[:number]
    return tuple(ask.instance.people[place].id for place in ask.able[order].tolist())


def _scores(ask: Ask) -> Points:
    """Of those who are able, in their order: with whoever stays, or alone."""
    each = np.arange(len(ask.able))
    return ask.pairs(each, np.full(len(each), len(each))) if ask.fixed else ask.singles()
