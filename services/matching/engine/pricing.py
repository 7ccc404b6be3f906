"""Columns that would better a choice, without looking at all pairs: exact, by bounds and by advisors' types.

A pair is worth its profile (expertise, region, languages) and of each member half the fairness less the price, its
own. No pair has more profile than the request's peak, and none more than its two members alone have together less what
all have in common (and 2 for the floors): who can't come to `least` with the best partner by either bound is left out.
For the best pair alone it is enough to keep of each type, that is of equals in levels, region, languages and the parity
of fairness, the two who are cheapest.
"""

import numpy as np

from services.matching.engine.instance import NOBODY, Ask, Columns, Floats, Ints, joined

MANY = 200
"""From so many on advisors are sorted by type."""
BLOCK = 128
SEEDS, FEW = 12, 40
"""So many singles and pairs are begun with, the pairs of so many advisors."""
EPS = 1e-5
"""What a column may better a choice by and is left out: far more than the solver's rounding, far less than a point."""


class Pricer:
    """One request: what doesn't depend on prices is reckoned once."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self._single = ask.singles()
        self._half = ask.fairness / 2
        self._lone = self._single - ask.fairness - ask.waiting
        self._peak, self._common = (
            int(ask.expertise[sum(int(one.max(initial=0)) for one in ask.levels)])
            + int(ask.region.max(initial=0))
            + int(ask.languages[sum(int(one.max(initial=0)) for one in ask.spoken)]),
            int(ask.expertise[sum(int(one.min(initial=3)) for one in ask.levels)])
            + int(ask.region.min(initial=1000))
            + int(ask.languages[sum(int(one.min(initial=1)) for one in ask.spoken)]),
        )
        self._type = self._types() if len(ask.who) > MANY else ask.who

    def seeds(self) -> Columns:
        """To begin with: the best singles, and the best pairs of the best; of a request with fixed members none."""
        ask = self.ask
        if ask.fixed or not len(ask.able):
            return joined([])
        order = np.argsort(-self._single, kind="stable")
        each = np.sort(order[:SEEDS])
        single = ask.columns(each, np.full(len(each), NOBODY), self._single[each])
        few = np.sort(order[:FEW])
        if not ask.paired or len(few) < 2:
            return single
        return joined([single, self._block(few, few, np.zeros(len(ask.who)), -1e9, SEEDS)])

    def better(self, price: Floats, least: float, most: int | None) -> Columns:
        """Columns whose score less the prices is more than `least`: the best single and about `most` pairs, or all.

        Of a request with fixed members none: those are few, and all there from the beginning.
        """
        ask = self.ask
        if ask.fixed or not len(ask.able):
            return joined([])
        mine = price[ask.who]
        reduced = self._single - mine
        found = np.flatnonzero(reduced > least + EPS)
        if most is not None and len(found):
            found = found[[int(reduced[found].argmax())]]
        single = ask.columns(found, np.full(len(found), NOBODY), self._single[found])
        if not ask.paired:
            return single
        return joined([single, self._pairs(mine, least, most)])

    def _pairs(self, mine: Floats, least: float, most: int | None) -> Columns:
        ask = self.ask
        need = least + EPS - ask.tandem - ask.waiting
        own = self._half - mine
        full = self._lone + own
        found = joined([])
        if most is not None and len(own) > MANY:
            few = np.unique(np.concatenate([_top(full, FEW), _top(own, FEW)]))
            found = self._among(few, own, need, mine, least, most)
            if len(found):  # only what is better still is looked for among all
                gain = self._gain(found, mine)
                need, least = need + gain - least, gain
        both = full.max() - self._common + 2
        kept = np.flatnonzero((self._peak + own + own.max() > need) & (full + both > need))
        if most is not None and len(kept) > MANY:
            kept = self._cheapest(kept, own)
        more = self._among(kept, own, need, mine, least, most)
        return joined([more, found])

    def _gain(self, found: Columns, mine: Floats) -> float:
        """The best of them, less the prices."""
        price = dict(zip(self.ask.who.tolist(), mine.tolist(), strict=True))
        each = zip(found.score.tolist(), found.a.tolist(), found.b.tolist(), strict=True)
        return float(max(score - price[a] - price[b] for score, a, b in each))

    def _among(self, kept: Ints, own: Floats, need: float, mine: Floats, least: float, most: int | None) -> Columns:
        """Pairs of `kept`, most of their own first: where two together have too little, all that follow do."""
        kept = kept[np.argsort(-own[kept], kind="stable")]
        falling, parts = -own[kept], list[Columns]()
        for start in range(0, len(kept) - 1, BLOCK):
            stop = int(np.searchsorted(falling, self._peak - need - falling[start]))
            if stop <= start + 1:
                break
            parts.append(self._block(kept[start : min(start + BLOCK, stop)], kept[start:stop], mine, least, most))
        found = joined(parts)
        if most is not None and len(found) > most:
            price = np.zeros(len(self.ask.instance.people))
            price[self.ask.who] = mine
            gain = found.score - price[found.a] - price[found.b]
            found = found.of(np.sort(np.argsort(-gain, kind="stable")[:most]))
        return found

    def _block(self, rows: Ints, columns: Ints, mine: Floats, least: float, most: int | None) -> Columns:
        """Pairs of `rows` with whoever follows them in `columns`, which begin with them."""
        score = self.ask.pairs(rows[:, None], columns[None, :])
        gain = score - mine[rows][:, None]
        gain -= mine[columns][None, :]
        for n in range(len(rows)):
            gain[n, : n + 1] = -np.inf
        found = np.flatnonzero(gain.ravel() > least + EPS)
        if most is not None and len(found) > most:
            best = np.argpartition(-gain.ravel()[found], most - 1)[:most]
            found = np.sort(found[best])
        i, j = np.divmod(found, len(columns))
        a, b = np.minimum(rows[i], columns[j]), np.maximum(rows[i], columns[j])
        return self.ask.columns(a, b, score[i, j])

    def _types(self) -> Ints:
        kind = np.asarray(self.ask.fairness % 2, np.int64)
        for level in self.ask.levels:
            kind = kind * 4 + level
        for tongue in self.ask.spoken:
            kind = kind * 2 + tongue
            if kind.max(initial=0) > 2**40:
                kind = np.unique(kind, return_inverse=True)[1].ravel()
        return np.unique(np.stack([kind, self.ask.region]), axis=1, return_inverse=True)[1].ravel()

    def _cheapest(self, kept: Ints, own: Floats) -> Ints:
        """Of each type the two with most of their own."""
        order = kept[np.lexsort((-own[kept], self._type[kept]))]
        kind = self._type[order]
        third = np.zeros(len(order), bool)
        third[2:] = kind[2:] == kind[:-2]
        return np.sort(order[~third])


def _top(values: Floats, number: int) -> Ints:
    return np.argpartition(-values, number)[:number] if len(values) > number else np.arange(len(values))
