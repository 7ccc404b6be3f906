"""Many at once, in bounded time for each: the oldest first, each the best that is left.

For when more are pending than the policy's `optimum_up_to`. The rules are those of the optimum (places, pins, batch
cost, who has waited too long before all younger ones), and so are ties; only the requests are not weighed against each
other. What may be missing by that is told: the bound is that of `prices`, at one price for all places.

What fields, languages and tandem say is reckoned once for all requests that are alike in them; each then costs a few
sums. Who has a seat taken or pinned, and where too many could come, is looked at as for the optimum.
"""

from typing import NamedTuple

import numpy as np

from services.matching.domain.points import tandem_points, waiting_points
from services.matching.domain.policy import Seeker
from services.matching.engine.instance import NOBODY, Ask, Columns, Floats, Instance, Ints, joined, shares
from services.matching.engine.prices import gains, sales
from services.matching.engine.pricing import Pricer
from shared.events.base import Tandem

LISTED = 20_000
"""Up to so many columns of a request all are looked at."""
FULL = 1_000_000_000
"""What a place costs that isn't there."""


def oldest_first(instance: Instance) -> tuple[Columns, float]:
    """The columns taken, and what no choice exceeds."""
    step, usual = max(0, instance.weights.batch_step), _usual(instance)
    price, room = np.where(instance.free > 0, 0, FULL), instance.free.tolist()
    alike, taken = dict[object, _Alike](), list[Columns]()
    found = list[tuple[int, ...]]()
    bound = float(sales(np.full(len(room), float(usual)), instance.free, instance.weights.batch_step)[1].sum())
    kept = [bool(wish.held or wish.pinned) for wish in instance.wishes]
    for row in sorted(range(len(kept)), key=lambda row: not kept[row]):  # whoever is held or pinned keeps the place
        wish = instance.wishes[row]
        kind = (wish.fields, wish.languages, wish.tandem)
        group = alike.get(kind) or alike.setdefault(kind, _Alike(instance, wish))
        least = -FULL // 2 if kept[row] or instance.overdue(wish) else 0
        if kept[row] or group.size() > LISTED:
            best, most = _best(instance.ask(row), price.astype(np.float64), float(usual), least)
            taken.append(best)
            paying = [one for one in (*best.pays_a.tolist(), *best.pays_b.tolist()) if one != NOBODY]
        else:
            paying, score, most = group.best(wish, price, usual, least)
            if paying:
                pair = (*paying, NOBODY)[:2]
                found.append((row, *pair, *pair, score))
        bound += most
        for place in paying:
            room[place] -= 1
            price[place] = price[place] + step if room[place] else FULL
    each = np.array(found, np.int64).reshape(len(found), len(Columns.__slots__))
    return joined([*taken, Columns(*each.T)]), bound


def _usual(instance: Instance) -> int:
    """A price for every place: what it would cost if as many as are wanted were given away evenly."""
    wanted = sum(1 + (wish.tandem != Tandem.NOT_WANTED) for wish in instance.wishes)
    each = wanted // max(1, int((instance.free > 0).sum()))
    return max(0, instance.weights.batch_step) * each


class _Found(NamedTuple):
    """`who`: one or two by place, none where nobody is worth it. `most`: what the best is worth at the usual price."""

    who: list[int]
    score: int
    most: int


class _Alike:
    """Requests alike in fields, languages and tandem: who could serve them, and what one of these, or a pair, brings to
    each.
    """

    def __init__(self, instance: Instance, wish: Seeker) -> None:
        self._instance, self._paired = instance, wish.tandem != Tandem.NOT_WANTED
        levels = [instance.level(code) for code in wish.fields]
        level = sum(levels, np.zeros(len(instance.people), np.int64))
        self._who = np.flatnonzero((level > 0) & (instance.free > 0))
        if not 0 < self.size() <= LISTED:
            return
        self._level, self._minutes = level[self._who], instance.minutes[self._who]
        known = [one[self._who] for one in levels]
        spoken = [instance.speaks(code)[self._who] for code in wish.languages]
        fairness, weights = instance.fairness[self._who], instance.weights
        expertise = shares(weights.expertise, 3 * len(levels))
        languages = shares(weights.languages, len(wish.languages))
        self._single = fairness + expertise[sum(known)] + languages[sum(spoken)]
        if self._paired:
            best = [np.maximum.outer(one, one) for one in known]
            both = [np.maximum.outer(one, one) for one in spoken]
            self._pair = np.add.outer(fairness, fairness) // 2 + expertise[sum(best)] + languages[sum(both)]
            self._pair += tandem_points(wish, weights)
            self._pair[np.tril_indices(len(self._who))] = -4 * FULL  # each pair once

    def size(self) -> int:
        """How many columns there can be."""
        n = len(self._who)
        return n + (n * (n - 1) // 2 if self._paired else 0)

    def best(self, wish: Seeker, price: Ints, usual: int, least: int) -> _Found:
        """Who is best at these prices, if they come to `least`."""
        if not len(self._who):
            return _Found([], 0, 0)
        instance, who = self._instance, self._who
        waiting = waiting_points(wish, instance.weights)
        region, cost = instance.region(wish.ags)[who], price[who]
        there = instance.there(wish)[who]
        out = None if there.all() else np.where(there, 0, FULL)
        score: Ints = self._single + region
        if out is not None:
            score -= out
        gain, most = score - cost, _most(score) - usual
        top = _most(gain)
        if self._paired:
            pairs = np.maximum(region[:, None], region) + self._pair
            if out is not None:
                pairs -= out[:, None]
                pairs -= out
            most = max(most, _most(pairs) - 2 * usual)
            net = pairs - cost
            net -= cost[:, None]
            better = _most(net)
            if better > top:  # of equals fewer people are preferred
                score, gain, top = pairs, net, better
        most = max(0, most + waiting)
        if top + waiting < least:
            return _Found([], 0, most)
        n = self._first((gain.ravel() == top).nonzero()[0], gain.ndim)
        pair = divmod(n, len(who)) if gain.ndim > 1 else (n,)
        return _Found(who[list(pair)].tolist(), int(score.ravel()[n]) + waiting, most)

    def _first(self, equal: Ints, people: int) -> int:
        """The one that is preferred, see `Ask.order`."""
        if len(equal) > 1:
            a, b = np.divmod(equal, len(self._who)) if people > 1 else (equal, equal)
            equal = equal[np.lexsort((b, a, self._minutes[a] + self._minutes[b], -self._level[a] - self._level[b]))]
        return int(equal[0])


def _most(values: Ints) -> int:
    """The largest; `argmax` is several times as fast as `max`."""
    return int(values.ravel()[values.argmax()])


def _best(ask: Ask, price: Floats, usual: float, least: float) -> tuple[Columns, float]:
    """The best column at these prices, if it comes to `least`; and what the best is worth at the usual price."""
    prices = np.full(len(price), usual)
    if ask.fixed or ask.size() <= LISTED:
        columns = alone = ask.everything()
    else:
        pricer = Pricer(ask)
        columns, alone = pricer.better(price, min(least, -1.0), 1), pricer.better(prices, 0.0, 1)
    most = float(gains(alone, prices).max(initial=0.0))
    gain = gains(columns, price)
    best = gain.max(initial=-np.inf)
    if best < least:
        return columns.of(np.zeros(0, np.int64)), most
    equal: Ints = np.flatnonzero(gain == best)
    found = columns.of(equal)
    return found.of(ask.order(found)[:1]), most
