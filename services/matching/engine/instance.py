"""One pass in arrays: who is eligible for which request, and the points of singles and pairs in bulk.

A column is one possible answer to one request: one or two advisors with their points. What `domain.points` says of a
set these arrays say of all sets; the tests hold the one to the other, and so does every decision.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from services.matching.domain.choice import region_points
from services.matching.domain.points import Scale, tandem_points, waiting_points
from services.matching.domain.policy import Candidate, Policy, Seeker, barrier
from shared.events.base import Tandem

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Tiny = npt.NDArray[np.int8]
Points = npt.NDArray[np.int32]
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Columns:
    """Answers to the request at `row`: advisors `a` and `b` (NOBODY: alone). `pays_a`, `pays_b`: whose places they
    take, NOBODY where it is theirs already.
    """

    row: Ints
    a: Ints
    b: Ints
    pays_a: Ints
    pays_b: Ints
    score: Ints

    def __len__(self) -> int:
        return len(self.row)

    def of(self, which: Ints | Bools) -> "Columns":
        return Columns(*(getattr(self, name)[which] for name in self.__slots__))


def joined(parts: Iterable[Columns]) -> Columns:
    found = [*parts] or [Columns(*(np.zeros(0, np.int64) for _ in Columns.__slots__))]
    return Columns(*(np.concatenate([getattr(one, name) for one in found]) for name in Columns.__slots__))


class Instance:
    """The pool by id and the requests, who has waited longest first: the order of the input doesn't matter."""

    def __init__(self, candidates: Iterable[Candidate], seekers: Iterable[Seeker], today: date, policy: Policy) -> None:
        self.people = sorted(candidates, key=lambda one: one.id)
        self.wishes = sorted(seekers, key=lambda one: (-one.waiting_days, one.asked_on, one.id))
        self.today, self.policy, self.weights = today, policy, policy.weights
        self.place = {one.id: n for n, one in enumerate(self.people)}
        self.scale = Scale(self.people, self.weights)
        self.minutes = np.array([one.paid_minutes for one in self.people], np.int64)
        self.fairness = np.array([self.scale.fairness(one) for one in self.people], np.int64)
        self.free = np.maximum([one.capacity - one.open for one in self.people] or np.zeros(0, np.int64), 0)
        self._homes, self._foes = dict[str, list[int]](), dict[str, list[int]]()
        for n, one in enumerate(self.people):
            for place in one.regions:
                self._homes.setdefault(place, []).append(n)
            for place in one.conflicts:
                self._foes.setdefault(place, []).append(n)
        self._there, self._level, self._speaks = cache(self._there_on), cache(self._level_in), cache(self._speaks_it)
        self._district: Callable[[str], Points] = cache(self._district_of)
        self.ask: Callable[[int], Ask] = cache(lambda row: Ask(self, row))

    @cached_property
    def asks(self) -> "list[Ask]":
        return [self.ask(row) for row in range(len(self.wishes))]

    def overdue(self, wish: Seeker) -> bool:
        """It has waited too long."""
        limit = self.policy.rules.starvation
        return limit is not None and wish.waiting_days > limit

    def able(self, wish: Seeker) -> Ints:
        """Who could be asked, by place."""
        known = np.zeros(len(self.people), bool)
        for code in wish.fields:
            known |= self._level(code) > 0
        return np.flatnonzero((self.free > 0) & known & self.there(wish))

    def there(self, wish: Seeker) -> Bools:
        """By place: is certified and present, and neither in conflict nor out of the question for it."""
        here = self._there(max(self.today, wish.wanted_from))
        out = [*self._foes.get(wish.ags, ()), *self._foes.get(wish.ags[:5], ())]
        out += [self.place[seat.advisor_id] for seat in wish.held]
        out += [self.place[one] for one in wish.refused if one in self.place]
        if out:
            here = here.copy()
            here[out] = False
        return here

    def walls(self, wish: Seeker) -> set[str]:
        """What bars those who can't be asked."""
        found = (barrier(one, wish, self.today, one.capacity - int(self.free[n])) for n, one in enumerate(self.people))
        return {wall for wall in found if wall is not None}

    def region(self, ags: str) -> Points:
        column = self._district(ags[:5])
        if len(ags) == 8 and (there := self._homes.get(ags)):
            column = column.copy()
            column[there] = self.weights.region[0]
        return column

    def level(self, code: str) -> Tiny:
        return self._level(code)

    def speaks(self, code: str) -> Tiny:
        return self._speaks(code)

    def _there_on(self, day: date) -> Bools:
        """Today too."""
        there = [one.certified(day) and not (one.absences and one.away(day)) for one in self.people]
        return np.array(there, bool) & (self._there(self.today) if day != self.today else True)

    def _level_in(self, code: str) -> Tiny:
        return np.array([one.levels.get(code, 0) for one in self.people], np.int8)

    def _speaks_it(self, code: str) -> Tiny:
        return np.array([code in one.languages for one in self.people], np.int8)

    def _district_of(self, key: str) -> Points:
        return np.array([region_points(key, one.regions, self.weights.region) for one in self.people], np.int32)


class Ask:
    """One request with those who may be members: `who` are their places; `fixed` those who must be."""

    def __init__(self, instance: Instance, row: int) -> None:
        wish, weights = instance.wishes[row], instance.weights
        self.instance, self.row, self.wish = instance, row, wish
        self.held = [instance.place[seat.advisor_id] for seat in wish.held]
        able = instance.able(wish)
        pinned = [instance.place.get(one, NOBODY) for one in wish.pinned]
        pinned = [one for one in dict.fromkeys(pinned) if one not in self.held]
        self.blocked = any(one not in able for one in pinned)
        self.fixed = [*self.held, *pinned][:2]
        self.able = able[~np.isin(able, self.fixed)] if len(self.fixed) < 2 and not self.blocked else able[:0]
        self.who = np.concatenate([self.able, np.array(self.fixed, np.int64)])
        self._who = np.append(self.who, NOBODY)  # so that the last one, -1, is nobody
        self._pays = np.array([NOBODY if one in self.held else one for one in self._who.tolist()], np.int64)
        self.levels = [instance.level(code)[self.who] for code in wish.fields]
        self.spoken = [instance.speaks(code)[self.who] for code in wish.languages]
        self.region = instance.region(wish.ags)[self.who]
        self.fairness = instance.fairness[self.who].astype(np.int32)
        self.waiting = waiting_points(wish, weights)
        self.tandem = tandem_points(wish, weights)
        self.paired = wish.tandem != Tandem.NOT_WANTED
        top, tongues = 3 * len(wish.fields), len(wish.languages)
        self.expertise, self.languages = shares(weights.expertise, top), shares(weights.languages, tongues)
        self.alone = self._profile(self.levels, self.region, self.spoken)

    def _profile(self, levels: list[Tiny], region: Points, spoken: list[Tiny]) -> Points:
        """Expertise, region and languages."""
        points: Points = region.copy()
        if levels:
            points += self.expertise[sum(levels[1:], levels[0])]
        if spoken:
            points += self.languages[sum(spoken[1:], spoken[0])]
        return points

    def singles(self) -> Points:
        """The scores of each alone, by place in `who`."""
        points: Points = self.alone + self.fairness + self.waiting
        return points

    def pairs(self, a: Ints, b: Ints) -> Points:
        """The scores of pairs, `a` and `b` by place in `who`; they broadcast."""
        profile: Points = self._profile(
            [np.maximum(one[a], one[b]) for one in self.levels],
            np.maximum(self.region[a], self.region[b]),
            [np.maximum(one[a], one[b]) for one in self.spoken],
        )
        profile += (self.fairness[a] + self.fairness[b]) // 2
        profile += self.tandem + self.waiting
        return profile

    def columns(self, a: Ints, b: Ints, score: Points) -> Columns:
        """`a`, `b` by place in `who`."""
        row = np.full(len(a), self.row)
        return Columns(row, self._who[a], self._who[b], self._pays[a], self._pays[b], score.astype(np.int64))

    def everything(self) -> Columns:
        """Every column but pairs that score no more than one of the two does alone: they cost more and gain nothing."""
        n, count = len(self.able), len(self.fixed)
        if self.blocked:
            return joined([])
        if count == 2:
            a, b = np.array([n]), np.array([n + 1])
            return self.columns(a, b, self.pairs(a, b))
        alone = self.singles()
        if count == 1:
            a, b = np.array([n]), np.array([NOBODY])
            only = self.columns(a, b, alone[a])
            if not self.paired:
                return only
            b = np.arange(n)
            a = np.full(n, n)
            return joined([only, self.columns(a, b, self.pairs(a, b))])
        each = np.arange(n)
        single = self.columns(each, np.full(n, NOBODY), alone)
        if not self.paired or n < 2:
            return single
        a, b = triangle(n)
        score = self.pairs(a, b)
        worth = score > np.maximum(alone[a], alone[b])
        return joined([single, self.columns(a[worth], b[worth], score[worth])])

    def size(self) -> int:
        """How many columns there can be."""
        n = len(self.able)
        if self.fixed:
            return 0 if self.blocked else 1 + n
        return n + (n * (n - 1) // 2 if self.paired else 0)

    def order(self, columns: Columns) -> Ints:
        """The places of `columns` as equals are preferred: fewer people, more levels in the fields, fewer paid minutes,
        then the ids.
        """
        nothing = np.zeros(len(self.instance.people), np.int64)
        known = sum((self.instance.level(code).astype(np.int64) for code in self.wish.fields), nothing)
        minutes, alone = self.instance.minutes, columns.b == NOBODY
        level = known[columns.a] + np.where(alone, 0, known[columns.b])
        paid = minutes[columns.a] + np.where(alone, 0, minutes[columns.b])
        return np.lexsort((columns.b, columns.a, paid, -level, ~alone))


@lru_cache(maxsize=64)
def shares(whole: int, parts: int) -> Points:
    """What so many of the `parts` come to, from none to all."""
    return np.array([whole * n // max(1, parts) for n in range(parts + 1)], np.int32)


@lru_cache(maxsize=64)
def triangle(n: int) -> tuple[Ints, Ints]:
    """All pairs of `n`."""
    a, b = np.triu_indices(n, 1)
    return a.astype(np.int64), b.astype(np.int64)
