"""Who is asked where the engine can't say: policy plain.1.

One request after the other, the oldest first; a lead, then who complements best.

Points of a lead, integers, floor division:

    expertise   500 × Σ of the levels (0–3) in the request's fields ÷ (3 × number of fields)
    region      the best of the advisor's places: same municipality 200, same district 160 (the most that a rural
                district as applicant can reach), same administrative region 100, same state 40, else 0
    languages   100 × share of the request's languages that are spoken
    fairness    150 × (L − l) ÷ L; l: paid minutes in twelve months, L: the largest l of all + 60
    load        50 × (capacity − open engagements) ÷ capacity

Of a second seat, expertise, region and languages count as what the pair has more than the first alone; `tandem`
adds 100 where a tandem was wanted. With "either" a second one is asked only who adds expertise.

Of a tandem in which one seat falls free the other stays: a co is sought as above, a lead by what a pair would gain.
If nobody is found the one who stays goes on alone, a co as lead, and is asked for that.

A pinned advisor takes the lead or, where another is held or pinned first, the other seat; while they aren't eligible
nobody is asked.

Eligible is who is certified today and on the first day wanted, absent on neither, has free capacity, no conflict
with the municipality or its district, a level of 1 or more in one of the fields, and has not refused this request.
Ties: more expertise in the fields, then fewer paid minutes, then the id.

What depends on one thing of a request (its fields, languages, district, days) is reckoned once in a pass, as a column
with one number for each candidate; a request then costs a few sums. The same plainly: `tests/matching/plain_choice.py`.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache, lru_cache
from typing import NamedTuple

from services.matching.domain.model import Scored
from services.matching.domain.policy import PLAIN, Barrier, Candidate, Decision, PlainPolicy, Seeker, barrier, nobody
from shared.events.base import Role, Tandem

RUNNERS_UP = 3
"""So many of the next best are kept for each seat."""

Column = Sequence[int]


def choose(
    candidates: Iterable[Candidate], seekers: Iterable[Seeker], today: date, policy: PlainPolicy = PLAIN
) -> list[Decision]:
    """One decision per seeker, in the order decided. The order of the arguments doesn't matter."""
    desk = _Desk(candidates, today, policy)
    return [desk.decide(one) for one in sorted(seekers, key=lambda one: (one.asked_on, one.id))]


@lru_cache(maxsize=50_000)
def region_points(ags: str, regions: tuple[str, ...], steps: tuple[int, int, int, int]) -> int:
    """How near the nearest of `regions` is to `ags`; both are keys of 5 or 8 digits."""
    best = 0
    for place in regions:
        if place == ags and len(ags) == 8:
            return steps[0]
        if place[:5] == ags[:5]:
            best = max(best, steps[1])
        elif place[:3] == ags[:3]:
            best = max(best, steps[2])
        elif place[:2] == ags[:2]:
            best = max(best, steps[3])
    return best


class _Points(NamedTuple):
    """What each candidate would bring to one request."""

    expertise: Column
    region: Column
    languages: Column


class _Desk:
    """One pass: the pool, and how many engagements each can still take."""

    def __init__(self, candidates: Iterable[Candidate], today: date, policy: PlainPolicy) -> None:
        self.pool = sorted(candidates, key=lambda one: (one.paid_minutes, one.id))  # of equals the first one is asked
        self.place = {one.id: n for n, one in enumerate(self.pool)}
        self.today = today
        self.policy = policy
        longest = max((one.paid_minutes for one in self.pool), default=0) + 60
        self.fairness = [policy.fairness * (longest - one.paid_minutes) // longest for one in self.pool]
        self.free = [one.capacity - one.open for one in self.pool]
        self.load = [self._load(n) for n in range(len(self.pool))]
        self.own = [fairness + load for fairness, load in zip(self.fairness, self.load, strict=True)]
        self.homes, self.foes = dict[str, list[int]](), dict[str, list[int]]()
        for n, one in enumerate(self.pool):
            for place in one.regions:
                self.homes.setdefault(place, []).append(n)
            for place in one.conflicts:
                self.foes.setdefault(place, []).append(n)
        self.there, self.levels, self.district = cache(self._there), cache(self._levels), cache(self._district)
        self.expertise, self.languages = cache(self._expertise), cache(self._languages)

    def decide(self, wish: Seeker) -> Decision:
        members, runners = list(wish.held), list[Scored]()
        able = self._able(wish)
        pinned = [self.place[one] for one in wish.pinned if one in self.place]
        pinned = [n for n in pinned if all(self.pool[n].id != seat.advisor_id for seat in wish.held)]
        if any(n not in able for n in pinned):
            return Decision(wish.id, nobody="nobody_free", policy_version=self.policy.version)
        if not members:
            if not able:
                return Decision(wish.id, nobody=nobody(self._barriers(wish)), policy_version=self.policy.version)
            lead, *runners = self._ranked(pinned[:1] or able, wish, Role.LEAD, self.alone(wish), {})
            members, pinned = [lead], pinned[1:]
        if len(members) == 1:
            found = self._second(members[0], pinned or able, wish, needed=bool(pinned))
            members, runners = members + found[:1], runners + found[1:]
        if len(members) == 1 and members[0].role == Role.CO:
            members = [self.scored(self.place[members[0].advisor_id], Role.LEAD, self.alone(wish), {})]
        for member in members:
            if all(member.advisor_id != seat.advisor_id for seat in wish.held):
                self._take(self.place[member.advisor_id])
        members.sort(key=lambda one: one.role != Role.LEAD)
        return Decision(wish.id, tuple(members), tuple(runners), policy_version=self.policy.version)

    def _able(self, wish: Seeker) -> list[int]:
        """The places of those whom nothing bars."""
        now, then = self.there(self.today), self.there(max(self.today, wish.wanted_from))
        levels = self.levels(wish.fields)
        able = [n for n, free in enumerate(self.free) if free > 0 and levels[n] and now[n] and then[n]]
        out = {*self.foes.get(wish.ags, ()), *self.foes.get(wish.ags[:5], ())}
        out.update(self.place[seat.advisor_id] for seat in wish.held)
        out.update(self.place[one] for one in wish.refused if one in self.place)
        return [n for n in able if n not in out] if out else able

    def _barriers(self, wish: Seeker) -> set[Barrier]:
        found = (barrier(one, wish, self.today, one.capacity - self.free[n]) for n, one in enumerate(self.pool))
        return {wall for wall in found if wall is not None}

    def _second(self, first: Scored, able: list[int], wish: Seeker, *, needed: bool = False) -> list[Scored]:
        """Who may join `first`, the best first; whether anybody shall is asked unless `needed`."""
        role = Role.CO if first.role == Role.LEAD else Role.LEAD
        if role == Role.CO and wish.tandem == Tandem.NOT_WANTED and not needed:
            return []
        seated = self.place[first.advisor_id]
        gains = self.beside(seated, wish)
        needless = role == Role.CO and wish.tandem == Tandem.EITHER and not needed
        others = [n for n in able if n != seated and not (needless and gains.expertise[n] <= 0)]
        return self._ranked(others, wish, role, gains, self.tandem(wish) if role == Role.CO else {})

    def _ranked(self, able: list[int], wish: Seeker, role: Role, points: _Points, more: dict[str, int]) -> list[Scored]:
        """The best first, with `RUNNERS_UP` more. `more` is the same for all and plays no part in the order."""
        levels = self.levels(wish.fields)
        steps = max(levels) + 1
        columns = zip(*points, self.own, levels, strict=True)
        rank = [(one + two + three + own) * steps + level for one, two, three, own, level in columns]
        best = sorted(able, key=rank.__getitem__, reverse=True)  # keeps the order of equals
        return [self.scored(n, role, points, more) for n in best[: 1 + RUNNERS_UP]]

    def scored(self, n: int, role: Role, points: _Points, more: dict[str, int]) -> Scored:
        each = {
            "expertise": points.expertise[n],
            "region": points.region[n],
            "languages": points.languages[n],
            "fairness": self.fairness[n],
            "load": self.load[n],
        }
        return Scored(self.pool[n].id, role, each | more)

    def tandem(self, wish: Seeker) -> dict[str, int]:
        return {"tandem": self.policy.tandem} if wish.tandem == Tandem.WANTED else {}

    def alone(self, wish: Seeker) -> _Points:
        """The points of a lead or of somebody alone."""
        return _Points(self.expertise(wish.fields), self._region(wish.ags), self.languages(wish.languages))

    def beside(self, first: int, wish: Seeker) -> _Points:
        """What each would add to the one at `first`."""
        known, (expertise, region, languages) = self.pool[first], self.alone(wish)
        levels = tuple(known.levels.get(code, 0) for code in wish.fields)
        spoken = known.languages.intersection(wish.languages)
        near = region[first]
        return _Points(
            [both - expertise[first] for both in self.expertise(wish.fields, *levels)],
            [points - near if points > near else 0 for points in region],
            [both - languages[first] for both in self.languages(wish.languages, spoken)],
        )

    # -- columns, kept for the pass -------------------------------------------------------------------------

    def _there(self, day: date) -> list[bool]:
        return [one.certified(day) and not (one.absences and one.away(day)) for one in self.pool]

    def _levels(self, fields: tuple[str, ...], *least: int) -> Column:
        """Sums of the levels in `fields`, where `least` is there anyway."""
        floor = least or (0,) * len(fields)
        return [
            sum(max(one.levels.get(code, 0), low) for code, low in zip(fields, floor, strict=True)) for one in self.pool
        ]

    def _expertise(self, fields: tuple[str, ...], *least: int) -> Column:
        return [self.policy.expertise * levels // (3 * len(fields)) for levels in self.levels(fields, *least)]

    def _languages(self, wanted: tuple[str, ...], spoken: frozenset[str] = frozenset()) -> Column:
        """Points for `wanted`, where `spoken` is there anyway."""
        full = self.policy.languages
        return [full * len((one.languages | spoken).intersection(wanted)) // len(wanted) for one in self.pool]

    def _district(self, key: str) -> list[int]:
        return [region_points(key, one.regions, self.policy.region) for one in self.pool]

    def _region(self, ags: str) -> Column:
        column = self.district(ags[:5])
        if len(ags) == 8 and (there := self.homes.get(ags)):
            column = column.copy()
            for n in there:
                column[n] = self.policy.region[0]
        return column

    # -- what changes during the pass -----------------------------------------------------------------------

    def _take(self, n: int) -> None:
        self.free[n] -= 1
        self.load[n] = self._load(n)
        self.own[n] = self.fairness[n] + self.load[n]

    def _load(self, n: int) -> int:
        return self.policy.load * max(0, self.free[n]) // max(1, self.pool[n].capacity)
