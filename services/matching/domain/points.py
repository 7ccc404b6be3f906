"""The points of policy version 1, plainly: what a set of one or two advisors comes to for a request.

Integers, floor division; for a set S and a request r:

    expertise   500 × Σ over r's fields of S's best level (0–3) ÷ (3 × number of fields)
    region      the best of S: same municipality 200, same district 160 (the most that a rural district as applicant
                can reach), same administrative region 100, same state 40, else 0
    languages   100 × share of r's languages that S speaks
    fairness    Σ over S of (150 × (L − l) ÷ L), ÷ size of S; l: paid minutes, L: the largest l of all listed + 60
    tandem      a pair: +100 where one was wanted, −120 where either will do; not wanted: not allowed (0 where a person
                has pinned one)
    waiting     +5 per working day, at most 100

No fields or no languages: 0 points of that kind. The lead is who has the higher sum of levels in the fields, then fewer
paid minutes, then the smaller id. The engine reckons the same in bulk and is held to this.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from statistics import median_low

from services.matching.domain.choice import region_points
from services.matching.domain.model import Advisor, Scored
from services.matching.domain.policy import Candidate, Seeker, Weights
from shared.events.base import Role, Tandem

CRITERIA = ("expertise", "region", "languages", "fairness", "tandem", "waiting")
YEAR = 365


class Scale:
    """The points of sets out of one pool. `people` by id."""

    def __init__(self, candidates: Iterable[Candidate], weights: Weights) -> None:
        self.people = {one.id: one for one in candidates}
        self.weights = weights
        longest = max((one.paid_minutes for one in self.people.values()), default=0) + 60
        self._fair = {
            one.id: weights.fairness * (longest - one.paid_minutes) // longest for one in self.people.values()
        }

    def points(self, ids: Sequence[str], wish: Seeker) -> dict[str, int]:
        """Of one or two advisors, per criterion."""
        members, weights = [self.people[one] for one in ids], self.weights
        best = [max([one.levels.get(code, 0) for one in members]) for code in wish.fields]
        spoken = members[0].languages.union(*[one.languages for one in members[1:]]).intersection(wish.languages)
        return {
            "expertise": weights.expertise * sum(best) // (3 * len(wish.fields)) if wish.fields else 0,
            "region": max([region_points(wish.ags, one.regions, weights.region) for one in members]),
            "languages": weights.languages * len(spoken) // len(wish.languages) if wish.languages else 0,
            "fairness": sum([self._fair[one.id] for one in members]) // len(members),
            "tandem": tandem_points(wish, weights) if len(members) > 1 else 0,
            "waiting": waiting_points(wish, weights),
        }

    def fairness(self, one: Candidate) -> int:
        return self._fair[one.id]

    def ordered(self, ids: Sequence[str], wish: Seeker) -> tuple[str, ...]:
        """The lead first. Who holds a seat keeps its role beside another; of two who are pinned the first leads."""
        if len(ids) == 1:
            return tuple(ids)
        if len(ids) == len(wish.pinned) and set(ids) == set(wish.pinned):
            return wish.pinned
        places = {seat.advisor_id: 0 if seat.role == Role.LEAD else 2 for seat in wish.held}
        found = [self.people[one] for one in ids]
        found.sort(key=lambda one: (places.get(one.id, 1), -levels(one, wish), one.paid_minutes, one.id))
        return tuple(one.id for one in found)

    def seats(self, ids: Sequence[str], wish: Seeker) -> tuple[Scored, ...]:
        """Lead and co, each with a share of the set's points: they add up.

        The lead has what it would bring alone and the waiting, the co what comes to that; of fairness each its half.
        """
        lead, *others = self.ordered(ids, wish)
        alone = self.points((lead,), wish)
        if not others:
            return (Scored(lead, Role.LEAD, without(alone, "tandem")),)
        both, half = self.points((lead, others[0]), wish), self.fairness(self.people[others[0]]) // 2
        more = {name: both[name] - alone[name] for name in CRITERIA} | {"fairness": half}
        first = alone | {"fairness": both["fairness"] - half}
        return (
            Scored(lead, Role.LEAD, without(first, "tandem")),
            Scored(others[0], Role.CO, without(more, "waiting")),
        )


def without(points: dict[str, int], name: str) -> dict[str, int]:
    return {criterion: number for criterion, number in points.items() if criterion != name}


def levels(one: Candidate, wish: Seeker) -> int:
    return sum(one.levels.get(code, 0) for code in wish.fields)


def tandem_points(wish: Seeker, weights: Weights) -> int:
    """Of a pair."""
    return {Tandem.WANTED: weights.tandem_wanted, Tandem.EITHER: weights.tandem_either}.get(wish.tandem, 0)


def waiting_points(wish: Seeker, weights: Weights) -> int:
    return min(weights.waiting_max, weights.waiting_per_day * wish.waiting_days)


def present(one: Advisor | Candidate, today: date) -> int:
    """Days of the last 365 on which the advisor was certified and not absent."""
    first = max(today - timedelta(days=YEAR - 1), one.certified_on)
    days = max(0, (today - first).days + 1)
    away = {
        start + timedelta(days=n)
        for absence in one.absences
        if (start := max(absence.start, first)) <= today
        for n in range((min(absence.end, today) - start).days + 1)
    }
    return days - len(away)


def fair_minutes(paid: Mapping[str, int], there: Mapping[str, int], newcomer_days: int) -> dict[str, int]:
    """Paid minutes of twelve months as fairness counts them, for all in `there` (days present of the last 365).

    Scaled to the days present, so that leave costs and gains nothing; who was there for fewer than `newcomer_days`
    counts with the median of the others, so that newcomers are neither flooded nor forgotten.
    """
    settled = {one: paid.get(one, 0) * YEAR // days for one, days in there.items() if days >= max(1, newcomer_days)}
    middle = median_low(settled.values()) if settled else 0
    return {one: settled.get(one, max(middle, paid.get(one, 0))) for one in there}
