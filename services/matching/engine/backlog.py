"""Many at once, in bounded time for each: the oldest first, each the best that is left.

For when more are pending than the policy's `optimum_up_to`. The rules are those of the optimum (places, pins, batch
cost, who has waited too long before all younger ones), and so are ties; only the requests are not weighed against each
other. What may be missing by that is told: the bound is that of `prices`, at one price for all places.
"""

import numpy as np

from services.matching.engine.instance import NOBODY, Ask, Columns, Floats, Instance, Ints, joined
from services.matching.engine.prices import gains, sales
from services.matching.engine.pricing import Pricer

LISTED = 20_000
"""Up to so many columns of a request all are looked at."""
FULL = 1e9
"""What a place costs that isn't there."""


def oldest_first(instance: Instance) -> tuple[Columns, float]:
    """The columns taken, and what no choice exceeds."""
    limit, step = instance.policy.rules.starvation, max(0, instance.weights.batch_step)
    room, used = instance.free.copy(), np.zeros(len(instance.people), np.int64)
    usual = _usual(instance)
    taken, bound = list[Columns](), float(sales(usual, instance.free, instance.weights.batch_step)[1].sum())
    for ask in sorted(instance.asks, key=lambda one: not one.fixed):  # whoever is held or pinned keeps the place
        if not ask.size():
            continue
        overdue = bool(ask.fixed) or (limit is not None and ask.wish.waiting_days > limit)
        best, most = _best(ask, np.where(room > 0, step * used, FULL).astype(np.float64), usual, overdue)
        bound += most
        for paying in (best.pays_a, best.pays_b):
            places = paying[paying != NOBODY]
            room[places] -= 1
            used[places] += 1
        taken.append(best)
    return joined(taken), bound


def _usual(instance: Instance) -> Floats:
    """A price for every place: what it would cost if as many as are wanted were given away evenly."""
    wanted = sum(1 + ask.paired for ask in instance.asks)
    each = wanted // max(1, int((instance.free > 0).sum()))
    return np.full(len(instance.people), float(max(0, instance.weights.batch_step) * each))


def _best(ask: Ask, price: Floats, usual: Floats, needed: bool) -> tuple[Columns, float]:
    """The best column at these prices, none where none is worth it; and what the best is worth at the usual price."""
    if ask.fixed or ask.size() <= LISTED:
        columns = alone = ask.everything()
    else:
        pricer, least = Pricer(ask), -FULL / 2 if needed else -1.0
        columns, alone = pricer.better(price, least, 1), pricer.better(usual, 0.0, 1)
    most = float(gains(alone, usual).max(initial=0.0))
    gain = gains(columns, price)
    best = gain.max(initial=-np.inf)
    if best < (-FULL / 2 if needed else 0):
        return columns.of(np.zeros(0, np.int64)), most
    equal: Ints = np.flatnonzero(gain == best)
    found = columns.of(equal)
    return found.of(ask.order(found)[:1]), most
