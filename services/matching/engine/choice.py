"""`choose`: the engine's decisions as the handlers take them, and the plain choice where the engine can't say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import structlog

from services.matching.domain import choice as plain
from services.matching.domain.model import Scored
from services.matching.domain.policy import OPTIMAL, Candidate, Decision, Policy, Seeker, nobody
from services.matching.engine.instance import NOBODY, Ask, Instance
from services.matching.engine.solve import Solution, one_after_the_other, solve
from shared.events.base import Role

RUNNERS_UP = 3
"""So many of the next best are kept for each seat."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decisions of one pass, who has waited longest first. `prices`: what one more place of an advisor would have
    been worth, in points. `optimal` is proven; else `gap` is what may be missing, as a part of the objective.
    `oldest_first`: there were more than are weighed against each other.
    """

    decisions: tuple[Decision, ...]
    objective: int
    optimal: bool
    gap: float
    prices: dict[str, float]
    oldest_first: bool = False


def choose(
    candidates: Sequence[Candidate],
    seekers: Sequence[Seeker],
    today: date,
    policy: Policy = OPTIMAL,
    oldest_first: bool | None = None,
) -> Verdict:
    """The order of the arguments doesn't matter."""
    try:
        return decide(candidates, seekers, today, policy, oldest_first)
    except Exception:
        _log.exception("engine_failed", requests=len(seekers), advisors=len(candidates))
        return Verdict(tuple(plain.choose(candidates, seekers, today)), 0, False, 1.0, {})


def decide(
    candidates: Sequence[Candidate],
    seekers: Sequence[Seeker],
    today: date,
    policy: Policy,
    oldest_first: bool | None = None,
) -> Verdict:
    """Without a way round a failure. `oldest_first`: where it is not for the policy to say."""
    if oldest_first is None:
        oldest_first = policy.limits.optimum_up_to is not None and len(seekers) > policy.limits.optimum_up_to
    instance = Instance(candidates, seekers, today, policy)
    if not instance.wishes:
        return Verdict((), 0, True, 0.0, {})
    found = one_after_the_other(instance) if oldest_first else solve(instance)
    taken = {int(row): n for n, row in enumerate(found.taken.row)}
    decisions = tuple(_decision(instance, row, found, taken.get(row), not oldest_first) for row in range(len(seekers)))
    ids = [one.id for one in instance.people]
    prices = {one: round(float(price), 3) for one, price in zip(ids, found.price, strict=True) if price > 1e-3}
    return Verdict(decisions, found.objective, found.optimal, found.gap, prices, oldest_first)


def _decision(instance: Instance, row: int, found: Solution, n: int | None, runners_up: bool) -> Decision:
    wish = instance.wishes[row]
    if n is None:
        walls = instance.walls(wish)
        reason = "nobody_free" if len(instance.ask(row).able) else nobody(walls)  # type: ignore[arg-type]
        return Decision(wish.id, nobody=reason, policy_version=instance.policy.version)
    a, b = int(found.taken.a[n]), int(found.taken.b[n])
    ids = [instance.people[place].id for place in ((a,) if b == NOBODY else (a, b))]
    members = instance.scale.seats(ids, wish)
    if sum(one.score for one in members) != int(found.taken.score[n]):
        raise ArithmeticError(f"the points of {ids} for {wish.id} are not those that were reckoned with")
    next_best = _runners_up(instance.ask(row), members) if runners_up else ()
    return Decision(wish.id, members, next_best, policy_version=instance.policy.version)


def _runners_up(ask: Ask, members: tuple[Scored, ...]) -> tuple[Scored, ...]:
    """For each seat that was free to choose, the best who could have it in place of its member."""
    wish = ask.wish
    kept = {*(seat.advisor_id for seat in wish.held), *wish.pinned}
    found = list[Scored]()
    for member in members:
        if member.advisor_id not in kept:
            beside = [one.advisor_id for one in members if one is not member]
            found += _replacing(ask, beside, member.role, [one.advisor_id for one in members])
    return tuple(found)


def _replacing(ask: Ask, beside: Sequence[str], role: Role, seated: Sequence[str]) -> list[Scored]:
    """The best beside `beside` (at most one), without those who are `seated`."""
    instance, wish = ask.instance, ask.wish
    local = {place: n for n, place in enumerate(ask.who.tolist())}
    taken = {instance.place[one] for one in (*beside, *seated)}
    others = np.array([local[place] for place in ask.able.tolist() if place not in taken], np.int64)
    if not len(others):
        return []
    partner = local[instance.place[beside[0]]] if beside else 0
    score = ask.pairs(others, np.full(len(others), partner)) if beside else ask.singles()[others]
    found = list[Scored]()
    for n in np.argsort(-score, kind="stable")[:RUNNERS_UP].tolist():
        one = instance.people[int(ask.who[others[n]])].id
        points = next(seat.points for seat in instance.scale.seats([one, *beside], wish) if seat.advisor_id == one)
        found.append(Scored(one, role, points))
    return found
