"""The optimum of one pass, and how it is found.

One request: all columns are looked at. Up to `FULL` columns: all are given to the solver, with ties told apart by terms
that together never come to a point: who has waited longer is served, and see `Ask.order`. Beyond: columns are generated
until none would better the relaxed optimum, which no choice exceeds; of many requests those to begin with are found by
`prices`. If the relaxed optimum is in parts, one after the other is made whole, as long as nothing is lost by it. If
something is, all columns that an optimum could have (their reduced cost is within the gap) are gathered and solved. Of
very large passes (`mending`), and where the solver has branched very often, a gap may be left, and is told. Nothing
depends on a clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.matching.engine.backlog import oldest_first
from services.matching.engine.instance import NOBODY, Bools, Columns, Floats, Instance, Ints, joined
from services.matching.engine.master import POINT, Master, Relaxed
from services.matching.engine.mending import Mending
from services.matching.engine.prices import Priced, gains, priced
from services.matching.engine.pricing import EPS, Pricer
from services.matching.engine.serving import servable

FULL = 9_000
"""Up to so many columns all are listed."""
PROVEN = 1_000_000
"""Up to so many columns the optimum is proven: 100 × 100 have a quarter. Beyond, a first choice is mended until it is
as good as `NEAR`, and what may be missing is told.
"""
PRICED = 100
"""From more requests on it is faster to look for prices first."""
NEAR = 4e-4
TURNS = 150
"""So many neighbourhoods are mended, at most."""
FRESH = 6
"""So many pairs per request are added in one round."""
WINDOW = 8.0
"""Columns of a reduced cost up to this are looked at first: hardly ever is an optimum further from the relaxed one."""
WIDER = 2.5
SURE = 1e-5


@dataclass(frozen=True, slots=True)
class Solution:
    """The columns taken, by row. `objective`: scores less batch costs; `bound`: what no choice exceeds."""

    taken: Columns
    objective: int
    bound: int
    price: Floats

    @property
    def optimal(self) -> bool:
        return self.bound == self.objective

    @property
    def gap(self) -> float:
        """How far the bound is from the objective, as a part of it."""
        return (self.bound - self.objective) / max(1, abs(self.objective))


def solve(instance: Instance) -> Solution:
    """Raises `master.Failed`."""
    served = servable(instance)
    forced = served != NOBODY
    asks = instance.asks
    if not any(one.size() for one in asks):
        nothing = joined([])
        return _solution(instance, nothing, 0, np.zeros(len(instance.people)))
    if len(asks) == 1:
        return _one(instance, forced)
    if sum(one.size() for one in asks) <= FULL:
        return _listed(instance, forced)
    return _generated(instance, forced, served)


def one_after_the_other(instance: Instance) -> Solution:
    """Not weighed against each other: in bounded time for each, see `backlog`."""
    taken, bound = oldest_first(instance)
    return _solution(instance, taken, bound, np.zeros(len(instance.people)))


def batch_cost(instance: Instance, taken: Columns) -> int:
    counts = _uses(instance, taken)
    return int(instance.weights.batch_step * (counts * (counts - 1) // 2).sum())


def _uses(instance: Instance, taken: Columns) -> Ints:
    n = len(instance.people)
    paying = np.concatenate([taken.pays_a[taken.pays_a != NOBODY], taken.pays_b[taken.pays_b != NOBODY]])
    return np.bincount(paying, minlength=n).astype(np.int64)


def _solution(instance: Instance, taken: Columns, bound: float, price: Floats) -> Solution:
    """Checks what the solver says; raises ArithmeticError when it can't be."""
    _, counts = np.unique(taken.row, return_counts=True)
    if (counts > 1).any() or (_uses(instance, taken) > instance.free).any():
        raise ArithmeticError("the solver's answer gives a place away twice")
    objective = int(taken.score.sum()) - batch_cost(instance, taken)
    whole = _whole(instance, bound)
    if whole < objective:
        raise ArithmeticError(f"the solver's bound {bound} is below its answer {objective}")
    return Solution(taken.of(np.argsort(taken.row)), objective, whole, price)


def _whole(instance: Instance, bound: float) -> int:
    """What no choice exceeds: they all come to whole numbers."""
    return int(np.floor(bound + SURE + EPS * len(instance.wishes)))


def _one(instance: Instance, forced: Bools) -> Solution:
    ask, price = instance.asks[0], np.zeros(len(instance.people))
    columns = ask.everything()
    best = columns.score.max(initial=-1)
    if best < 0 and not forced[0]:
        taken = columns.of(np.zeros(0, np.int64))
    else:
        equal = columns.of(np.flatnonzero(columns.score == columns.score.max()))
        taken = equal.of(ask.order(equal)[:1])
    return _solution(instance, taken, int(taken.score.sum()), price)


def _listed(instance: Instance, forced: Bools) -> Solution:
    parts, ties = list[Columns](), [np.zeros(0)]
    for ask in instance.asks:
        columns = ask.everything()
        nth = np.empty(len(columns))
        nth[ask.order(columns)] = np.arange(len(columns))
        liked = (len(columns) - nth) / (len(columns) + 1)
        early = 1 - ask.row / len(forced)
        ties.append((liked + early) / 2 / len(forced) * POINT)
        parts.append(columns)
    columns = joined(parts)
    tie = np.concatenate(ties)
    master = Master(instance.weights, instance.free, forced, columns, columns.score + tie)
    relaxed = master.solve()
    taken, proven = (relaxed.x > 0.5, True) if relaxed.integral else master.whole()
    best = float(master.worth[taken].sum()) - batch_cost(instance, columns.of(taken)) if proven else relaxed.objective
    return _solution(instance, columns.of(taken), best, relaxed.price)


def _generated(instance: Instance, forced: Bools, served: Ints) -> Solution:
    pricers = [Pricer(ask) for ask in instance.asks]
    sure = _sure(instance, served)
    columns = joined([sure, *(one.seeds() for one in pricers)])
    mended = sum(one.size() for one in instance.asks) > PROVEN
    if mended or len(pricers) > PRICED:
        found = priced(instance, forced, pricers, columns)
        if mended:
            return _mended(instance, Mending(instance, forced, pricers, found, sure), found)
        near = gains(found.columns, found.price) >= found.value[found.columns.row] - WINDOW
        columns = joined([sure, found.columns.of(near)])
    master = Master(instance.weights, instance.free, forced, columns)
    relaxed = _relaxed(master, pricers)
    whole = master.made_whole(relaxed, _whole(instance, relaxed.objective))
    if whole is not None:
        return _solution(instance, master.columns.of(whole), relaxed.objective, relaxed.price)
    return _proven(instance, forced, pricers, relaxed, sure)


def _mended(instance: Instance, mending: Mending, found: Priced) -> Solution:
    for _ in range(TURNS):
        if found.bound - mending.objective() <= NEAR * found.bound:
            break
        mending.turn()
    return _solution(instance, mending.taken, found.bound, found.price)


def _sure(instance: Instance, served: Ints) -> Columns:
    """Columns by which all can be served that must be."""
    parts = list[Columns]()
    for ask in instance.asks:
        if ask.fixed:
            parts.append(ask.everything())
        elif served[ask.row] != NOBODY:
            place = np.flatnonzero(ask.who == served[ask.row])
            parts.append(ask.columns(place, np.array([NOBODY]), ask.singles()[place]))
    return joined(parts)


def _relaxed(master: Master, pricers: Sequence[Pricer]) -> Relaxed:
    """The relaxed optimum over all columns. A request that had none to add is asked again when no other has any."""
    everybody = list(range(len(pricers)))
    asked = everybody
    while True:
        relaxed = master.solve()
        found = {row: pricers[row].better(relaxed.price, relaxed.value[row], FRESH) for row in asked}
        if not any(map(len, found.values())):
            if len(asked) == len(pricers):
                return relaxed
            asked = everybody
            continue
        master.add(joined(found.values()))
        asked = [row for row, columns in found.items() if len(columns)]


def _proven(instance: Instance, forced: Bools, pricers: Sequence[Pricer], relaxed: Relaxed, sure: Columns) -> Solution:
    """The optimum, of ever more columns: once it falls short of the bound by no more than their reduced costs do, no
    better choice has others.
    """
    slack = WINDOW
    while True:
        each = zip(pricers, relaxed.value, strict=True)
        columns = joined([sure, *(one.better(relaxed.price, value - slack, None) for one, value in each)])
        chosen, proven = Master(instance.weights, instance.free, forced, columns).whole(POINT)
        taken = columns.of(chosen)
        if not proven:
            return _solution(instance, taken, relaxed.objective, relaxed.price)
        objective = int(taken.score.sum()) - batch_cost(instance, taken)
        missing = relaxed.objective - objective - 1
        if missing < slack:
            return _solution(instance, taken, objective, relaxed.price)
        slack = min(missing + SURE, slack * WIDER)
