"""What would have been: the requests of a past period decided again, day by day, under a policy.

Everybody who is asked accepts, and has a place taken for as long as an engagement usually lasts; its minutes count for
fairness from its first day. Advisors are as they are known today; at the beginning nobody is engaged. So it says what
two policies would have done with the same requests, not what has happened.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from services.matching.domain.choice import region_points
from services.matching.domain.points import YEAR, Scale, fair_minutes, present
from services.matching.domain.policy import Candidate, Policy, Seeker
from services.matching.domain.trial import NEARNESS, Figures, Nearness, Run, Terms
from services.matching.engine.choice import choose
from shared import workdays


def simulate(
    candidates: Sequence[Candidate],
    seekers: Sequence[Seeker],
    last: date,
    policy: Policy,
    terms: Terms,
    told: Callable[[date], None] = lambda _: None,
) -> Run:
    """`seekers` by the day they asked, decided on each working day up to `last`. `told` each day before it is played:
    what it raises ends the play.
    """
    waiting, coming = list[Seeker](), sorted(seekers, key=lambda one: (one.asked_on, one.id))
    asked, given = dict[str, tuple[str, ...]](), list[tuple[date, str]]()
    waited = dict[str, int]()
    day = coming[0].asked_on if coming else last
    while day <= last:
        told(day)
        if workdays.is_workday(day, terms.subdivision):
            while coming and coming[0].asked_on <= day:
                waiting.append(coming.pop(0))
            if waiting:
                days = {one.id: workdays.workdays_between(one.asked_on, day, terms.subdivision) for one in waiting}
                wishes = [
                    replace(one, waiting_days=days[one.id], wanted_from=max(one.wanted_from, day)) for one in waiting
                ]
                for made in choose(_now(candidates, given, day, policy, terms), wishes, day, policy).decisions:
                    if made.members:
                        asked[made.request_id] = tuple(one.advisor_id for one in made.members)
                        waited[made.request_id] = days[made.request_id]
                        given += [(day, one.advisor_id) for one in made.members]
                waiting = [one for one in waiting if one.id not in asked]
        day += timedelta(days=1)
    return Run(_figures(candidates, seekers, policy, terms, asked, waited), asked)


def _now(
    candidates: Sequence[Candidate], given: Sequence[tuple[date, str]], day: date, policy: Policy, terms: Terms
) -> list[Candidate]:
    running = Counter(one for since, one in given if (day - since).days < terms.days)
    paid = Counter({one: n * terms.minutes for one, n in Counter(o for d, o in given if (day - d).days < YEAR).items()})
    fair = fair_minutes(paid, {one.id: present(one, day) for one in candidates}, policy.limits.newcomer_days)
    return [replace(one, open=running[one.id], paid_minutes=fair[one.id]) for one in candidates]


def _figures(
    candidates: Sequence[Candidate],
    seekers: Sequence[Seeker],
    policy: Policy,
    terms: Terms,
    asked: Mapping[str, tuple[str, ...]],
    waited: Mapping[str, int],
) -> Figures:
    scale = Scale(candidates, policy.weights)
    served = [one for one in seekers if one.id in asked]
    minutes = Counter({one.id: 0 for one in candidates})
    for ids in asked.values():
        minutes.update(dict.fromkeys(ids, terms.minutes))
    near = Counter(_nearness(one, [scale.people[number] for number in asked[one.id]]) for one in served)
    covered = [_covered(one, [scale.people[number] for number in asked[one.id]]) for one in served]
    return Figures(
        policy.version,
        len(seekers),
        len(served),
        len(seekers) - len(served),
        sum(len(ids) > 1 for ids in asked.values()),
        round(100 * sum(covered) / len(covered), 1) if covered else 0.0,
        {name: near[name] for name in NEARNESS},
        _gini(sorted(minutes.values())),
        max(minutes.values(), default=0),
        sum(n > 0 for n in minutes.values()),
        round(sum(waited.values()) / len(waited), 1) if waited else 0.0,
        max(waited.values(), default=0),
    )


def _covered(wish: Seeker, members: Sequence[Candidate]) -> float:
    best = sum(max(one.levels.get(code, 0) for one in members) for code in wish.fields)
    return best / (3 * len(wish.fields)) if wish.fields else 0.0


def _nearness(wish: Seeker, members: Sequence[Candidate]) -> Nearness:
    best = max(region_points(wish.ags, one.regions, (4, 3, 2, 1)) for one in members)
    return NEARNESS[4 - best]


def _gini(rising: Sequence[int]) -> float:
    n, total = len(rising), sum(rising)
    if not total:
        return 0.0
    return round(sum((2 * place - n - 1) * value for place, value in enumerate(rising, 1)) / (n * total), 3)
