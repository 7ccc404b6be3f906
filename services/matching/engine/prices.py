"""Prices of places by which everything that is possible is bounded from above: a dual by subgradients.

Whatever places cost, no choice comes to more than each request's best answer at these prices and what the places would
sell for at best:

    bound(price) = Σ max(0, score − prices of its places) + Σ over advisors max over k of (price·k − step·k(k − 1)/2)

The lowest bound there is is the relaxed optimum. It is looked for among the columns known, then each request is asked
for better ones at these prices, until there are none worth mentioning. On its way a simplex method jumps between
prices that are equally right for what is known and far off for what is not; these move little, so few rounds do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.matching.engine.instance import Bools, Columns, Floats, Instance, Ints, joined
from services.matching.engine.pricing import Pricer

CLOSE = 2e-5
"""As a part of the bound: so near to the relaxed optimum of the columns known it may stay."""
ROUNDS, STEPS = 40, 250
FRESH = 6
STRIDE, LEAST = 20.0, 1.0
"""What a price moves by first for each place too many or too few, in points."""
PATIENCE, SHORTER, MEMORY = 15, 0.6, 0.7


@dataclass(frozen=True, slots=True)
class Priced:
    """`value`: what each request's best answer is worth at `price`; `columns`: all that were found on the way."""

    bound: float
    price: Floats
    value: Floats
    columns: Columns


class Market:
    """What the places of a pass would sell for."""

    def __init__(self, instance: Instance, forced: Bools) -> None:
        self._free, self._step = instance.free, instance.weights.batch_step
        self._least = np.where(forced, -np.inf, 0.0)

    def sales(self, price: Floats) -> tuple[Floats, Floats]:
        return sales(price, self._free, self._step)

    def bound(self, price: Floats, value: Floats) -> float:
        return float(value.sum() + self.sales(price)[1].sum())

    def values(self, columns: Columns, price: Floats) -> Floats:
        """By row; nothing where it may go without."""
        value = self._least.copy()
        np.maximum.at(value, columns.row, gains(columns, price))
        return value

    def settle(self, columns: Columns, price: Floats, stride: float) -> Floats:
        """The best prices for these columns that `STEPS` steps from `price` come by."""
        columns = columns.of(np.argsort(columns.row, kind="stable"))
        first = np.flatnonzero(np.r_[True, columns.row[1:] != columns.row[:-1]])
        least, rows = self._least[columns.row[first]], np.diff(np.r_[first, len(columns)])
        part = np.repeat(np.arange(len(first)), rows)
        best, lowest, tried, way = price, np.inf, 0, np.zeros(len(price))
        for _ in range(STEPS):
            gain = gains(columns, price)
            top = np.maximum.reduceat(gain, first)
            hit = np.flatnonzero(gain == top[part])
            hit = hit[np.r_[True, part[hit][1:] != part[hit][:-1]]]
            hit = hit[gain[hit] > least]
            given, earned = self.sales(price)
            bound = float(np.maximum(top, least).sum() + earned.sum())
            if bound < lowest:
                tried = 0 if bound < lowest - 1e-6 * abs(lowest) else tried + 1
                best, lowest = price, bound
            else:
                tried += 1
            if tried > PATIENCE:
                price, stride, tried = best, stride * SHORTER, 0
            wanted = np.bincount(np.r_[columns.pays_a[hit], columns.pays_b[hit]] + 1, minlength=len(price) + 1)[1:]
            way = MEMORY * way + (1 - MEMORY) * (given - wanted)
            price = np.maximum(price - stride * way, 0.0)
        return best


def sales(price: Floats, free: Ints, step: int) -> tuple[Floats, Floats]:
    """How many places each advisor would give at these prices, and what they earn less the batch cost."""
    most = free if step <= 0 else np.minimum(free, np.floor(price / step) + 1)
    given = np.where(price > 0, most, 0.0)
    return given, price * given - max(0, step) * given * (given - 1) / 2


def gains(columns: Columns, price: Floats) -> Floats:
    """Scores less the prices of the places they take."""
    prices = np.append(price, 0.0)  # the last is nobody's
    return np.asarray(columns.score - prices[columns.pays_a] - prices[columns.pays_b])


def priced(instance: Instance, forced: Bools, pricers: Sequence[Pricer], columns: Columns) -> Priced:
    """From `columns`, of which each request that must be served has one."""
    market = Market(instance, forced)
    price, stride = np.zeros(len(instance.people)), STRIDE
    found: Priced | None = None
    for _ in range(ROUNDS):
        price = market.settle(columns, price, stride)
        known = market.values(columns, price)
        fresh = joined(one.better(price, known[row], FRESH) for row, one in enumerate(pricers))
        value = np.maximum(known, market.values(fresh, price))
        bound = market.bound(price, value)
        columns = joined([columns, fresh])
        found = Priced(min(bound, found.bound) if found else bound, price, value, columns)
        if bound - market.bound(price, known) <= CLOSE * abs(bound):
            return found
        stride = max(LEAST, stride * SHORTER)
    assert found is not None
    return found
