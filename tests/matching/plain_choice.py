"""Policy plain.1 as it is defined, one candidate after the other: what the choice of the product must come to."""

from collections.abc import Iterable, Sequence
from datetime import date

from services.matching.domain.model import Scored
from services.matching.domain.policy import PLAIN, Barrier, Candidate, Decision, PlainPolicy, Seeker, barrier, nobody
from shared.events.base import Role, Tandem

RUNNERS_UP = 3
"""So many of the next best are kept for each seat."""


def choose(
    candidates: Iterable[Candidate], seekers: Iterable[Seeker], today: date, policy: PlainPolicy = PLAIN
) -> list[Decision]:
    """One decision per seeker, in the order decided. The order of the arguments doesn't matter."""
    desk = _Desk(sorted(candidates, key=lambda one: one.id), today, policy)
    return [desk.decide(one) for one in sorted(seekers, key=lambda one: (one.asked_on, one.id))]


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


class _Desk:
    """One pass: the pool, and who has got how many engagements meanwhile."""

    def __init__(self, candidates: Sequence[Candidate], today: date, policy: PlainPolicy) -> None:
        self.pool = {one.id: one for one in candidates}
        self.today = today
        self.policy = policy
        self.open = {one.id: one.open for one in candidates}
        longest = max((one.paid_minutes for one in candidates), default=0) + 60
        self.fairness = {one.id: policy.fairness * (longest - one.paid_minutes) // longest for one in candidates}

    def decide(self, wish: Seeker) -> Decision:
        able, barriers = list[Candidate](), set[Barrier]()
        for one in self.pool.values():
            wall = barrier(one, wish, self.today, self.open[one.id])
            if wall is None:
                able.append(one)
            else:
                barriers.add(wall)
        members, runners = list(wish.held), list[Scored]()
        if not members:
            if not able:
                return Decision(wish.id, nobody=nobody(barriers), policy_version=self.policy.version)
            made = [(Scored(one.id, Role.LEAD, self.points(one, wish)), one) for one in able]
            lead, *runners = _ranked(made, wish)
            members = [lead]
        if len(members) == 1:
            found = self._second(members[0], able, wish)
            members, runners = members + found[:1], runners + found[1:]
        if len(members) == 1 and members[0].role == Role.CO:
            alone = self.pool[members[0].advisor_id]
            members = [Scored(alone.id, Role.LEAD, self.points(alone, wish))]
        for member in members:
            if all(member.advisor_id != seat.advisor_id for seat in wish.held):
                self.open[member.advisor_id] += 1
        members.sort(key=lambda one: one.role != Role.LEAD)
        return Decision(wish.id, tuple(members), tuple(runners), policy_version=self.policy.version)

    def _second(self, first: Scored, able: list[Candidate], wish: Seeker) -> list[Scored]:
        """Who may join `first`, the best first."""
        role = Role.CO if first.role == Role.LEAD else Role.LEAD
        if role == Role.CO and wish.tandem == Tandem.NOT_WANTED:
            return []
        seated = self.pool[first.advisor_id]
        alone = self.points(seated, wish)
        tandem = self.tandem(wish) if role == Role.CO else {}
        made = [
            (Scored(one.id, role, self.gain(one, wish, seated, alone) | tandem), one)
            for one in able
            if one.id != first.advisor_id
        ]
        if role == Role.CO and wish.tandem == Tandem.EITHER:
            made = [pair for pair in made if pair[0].points["expertise"] > 0]
        return _ranked(made, wish)

    def points(self, one: Candidate, wish: Seeker) -> dict[str, int]:
        """Those of a lead or of somebody alone."""
        policy = self.policy
        return {
            "expertise": policy.expertise * _levels(one, wish) // (3 * len(wish.fields)),
            "region": region_points(wish.ags, one.regions, policy.region),
            "languages": policy.languages * len(one.languages.intersection(wish.languages)) // len(wish.languages),
            **self._own(one),
        }

    def gain(self, one: Candidate, wish: Seeker, first: Candidate, alone: dict[str, int]) -> dict[str, int]:
        """What `one` adds to `first`, who has the points `alone`."""
        policy = self.policy
        best = sum(max(one.levels.get(code, 0), first.levels.get(code, 0)) for code in wish.fields)
        full, spoken = 3 * len(wish.fields), (one.languages | first.languages).intersection(wish.languages)
        return {
            "expertise": policy.expertise * best // full - alone["expertise"],
            "region": max(0, region_points(wish.ags, one.regions, policy.region) - alone["region"]),
            "languages": policy.languages * len(spoken) // len(wish.languages) - alone["languages"],
            **self._own(one),
        }

    def tandem(self, wish: Seeker) -> dict[str, int]:
        return {"tandem": self.policy.tandem} if wish.tandem == Tandem.WANTED else {}

    def _own(self, one: Candidate) -> dict[str, int]:
        free = max(0, one.capacity - self.open[one.id])
        return {
            "fairness": self.fairness[one.id],
            "load": self.policy.load * free // max(1, one.capacity),
        }


def _ranked(made: list[tuple[Scored, Candidate]], wish: Seeker) -> list[Scored]:
    """The best first, with `RUNNERS_UP` more."""
    made.sort(key=lambda pair: (-pair[0].score, -_levels(pair[1], wish), pair[1].paid_minutes, pair[1].id))
    return [one for one, _ in made[: 1 + RUNNERS_UP]]


def _levels(one: Candidate, wish: Seeker) -> int:
    return sum(one.levels.get(code, 0) for code in wish.fields)
