"""A choice of a very large pass, mended where it falls short of the bound, some requests at a time.

Every choice falls short of the bound at given prices by exactly what its requests lose against their best answer and
its advisors by places that are not sold as they could be. Where the most is lost, a neighbourhood (whoever could help
out, and whose they are now) is decided anew by the solver, all other requests staying as they are. Draws are from a
fixed seed and the solver's limit is a number of nodes, so nothing depends on a clock.
"""

from collections.abc import Sequence

import numpy as np

from services.matching.engine.instance import NOBODY, Bools, Columns, Floats, Instance, Ints, joined
from services.matching.engine.master import Master
from services.matching.engine.prices import Market, Priced, gains
from services.matching.engine.pricing import Pricer

AREA, NODES = 50, 3
"""So many requests are decided anew together; the solver branches so often, at most."""
NEAR = 8.0
"""Columns that lose up to this many points make the first choice, and neighbours."""
DEEP, EACH = 60.0, 30
"""In a neighbourhood columns that lose up to this are looked at, of each request about so many."""
REACH = 6
"""So many of a request's columns, and of those who want an advisor, lead on to neighbours."""
HARDLY = 0.01
"""A column that is taken in part by less than this is none to begin with."""
UNSOLD = 1e9
"""What a place costs that isn't there."""


class Mending:
    """`taken`: the choice as it stands, one column for each request that is served."""

    def __init__(
        self, instance: Instance, forced: Bools, pricers: Sequence[Pricer], found: Priced, sure: Columns
    ) -> None:
        self._instance, self._forced, self._pricers, self._sure = instance, forced, pricers, sure
        self._price, self._value = found.price, found.value
        self._market = Market(instance, forced)
        loss = found.value[found.columns.row] - gains(found.columns, found.price)
        near = np.flatnonzero(loss <= NEAR)
        order = np.lexsort((found.columns.b[near], found.columns.a[near], loss[near], found.columns.row[near]))
        self._near = found.columns.of(near[order])
        self._first = np.searchsorted(self._near.row, np.arange(len(forced) + 1))
        self._draw = np.random.default_rng(0)
        self.taken = self._begun()

    def objective(self) -> int:
        used = self._uses(self.taken)
        return int(self.taken.score.sum()) - int(self._instance.weights.batch_step * (used * (used - 1) // 2).sum())

    def turn(self) -> None:
        """Decides one neighbourhood anew."""
        lost = self._losses()
        rows = self._around(int(self._draw.choice(len(lost), p=lost / lost.sum())))
        inside = np.isin(self.taken.row, rows)
        rest, before = self.taken.of(~inside), self.taken.of(inside)
        used = self._uses(rest)
        room = self._instance.free - used
        options = joined([before, *self._options(rows, room, float(lost.sum()))])
        start = np.arange(len(options)) < len(before)
        self.taken = joined([rest, options.of(self._solved(rows, options, start, room, used))])

    def _uses(self, columns: Columns) -> Ints:
        paying = np.concatenate([columns.pays_a, columns.pays_b])
        return np.bincount(paying[paying != NOBODY], minlength=len(self._instance.people)).astype(np.int64)

    def _losses(self) -> Floats:
        """Of requests, then of advisors."""
        lost = np.maximum(self._value, 0.0)  # of one that is not served; one that must be always is
        lost[self.taken.row] = self._value[self.taken.row] - gains(self.taken, self._price)
        used, step = self._uses(self.taken), max(0, self._instance.weights.batch_step)
        idle = self._market.sales(self._price)[1] - (self._price * used - step * used * (used - 1) / 2)
        return np.asarray(np.maximum(np.concatenate([lost, idle]), 0.0) + 1e-9)

    def _begun(self) -> Columns:
        """What the relaxed optimum of the near columns takes, the whole before the parts, as far as places go."""
        columns = joined([self._sure, self._near])
        share = Master(self._instance.weights, self._instance.free, self._forced, columns).inside().x
        room, held = np.append(self._instance.free, len(columns) * 2), dict[int, int]()

        def take(n: int, by: int) -> bool:
            room[columns.pays_a[n]] -= by
            room[columns.pays_b[n]] -= by
            return bool(room[columns.pays_a[n]] >= 0 and room[columns.pays_b[n]] >= 0)

        for n, row in enumerate(self._sure.row.tolist()):
            if self._forced[row] and row not in held:
                held[row] = n
                take(n, 1)
        likely = np.flatnonzero(share > HARDLY)
        for n in likely[np.argsort(-share[likely], kind="stable")].tolist():
            row = int(columns.row[n])
            old = held.get(row)
            if old is not None and old >= len(self._sure):
                continue
            if old is not None:
                take(old, -1)
            if take(n, 1):
                held[row] = n
                continue
            take(n, -1)
            if old is not None:
                take(old, 1)
        return columns.of(np.array(sorted(held.values()), np.int64))

    def _around(self, seed: int) -> Ints:
        """Requests that could help out where this one, or this advisor, loses."""
        holders, members = dict[int, list[int]](), dict[int, list[int]]()
        each = zip(self.taken.row.tolist(), self.taken.pays_a.tolist(), self.taken.pays_b.tolist(), strict=True)
        for row, *both in each:
            members[row] = [one for one in both if one != NOBODY]
            for one in members[row]:
                holders.setdefault(one, []).append(row)
        queue = [seed] if seed < len(self._forced) else self._wanting(seed - len(self._forced))
        seen, area = set(queue), list[int]()
        while queue and len(area) < AREA:
            row = queue.pop(0)
            area.append(row)
            liked = self._near.of(np.arange(self._first[row], min(self._first[row + 1], self._first[row] + REACH)))
            more = [near for one in (*liked.pays_a.tolist(), *liked.pays_b.tolist()) for near in holders.get(one, ())]
            more += [near for one in members.get(row, ()) for near in self._wanting(one)]
            more = [one for one in dict.fromkeys(more) if one not in seen]
            self._draw.shuffle(more)
            seen.update(more[:REACH])
            queue += more[:REACH]
        return np.sort(np.array(area, np.int64))

    def _wanting(self, advisor: int) -> list[int]:
        which = np.flatnonzero((self._near.pays_a == advisor) | (self._near.pays_b == advisor))
        rows: list[int] = np.unique(self._near.row[which]).tolist()
        self._draw.shuffle(rows)
        return rows[:REACH]

    def _options(self, rows: Ints, room: Ints, missing: float) -> list[Columns]:
        price, deep = np.where(room > 0, self._price, UNSOLD), min(DEEP, missing)
        found = [self._pricers[row].better(price, float(self._value[row]) - deep, EACH) for row in rows.tolist()]
        place = np.append(room, 1)
        fixed = self._sure.of(np.isin(self._sure.row, rows))
        return [fixed.of((place[fixed.pays_a] > 0) & (place[fixed.pays_b] > 0)), *found]

    def _solved(self, rows: Ints, options: Columns, start: Bools, room: Ints, used: Ints) -> Bools:
        people = np.unique(np.concatenate([options.pays_a, options.pays_b]))
        people = people[people != NOBODY]
        place = np.full(len(room) + 1, NOBODY)
        place[people] = np.arange(len(people))
        row, a, b = np.searchsorted(rows, options.row), place[options.pays_a], place[options.pays_b]
        small = Columns(row, options.a, options.b, a, b, options.score)
        master = Master(self._instance.weights, room[people], self._forced[rows], small, used=used[people])
        return master.bettered(start, NODES)
