"""The hand-over list: who can't go on, who would be best in their place, and what a coordinator makes of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.matching.domain import handing
from services.matching.domain.model import Audit, Engagement, HandOver, Scored
from services.matching.domain.points import Scale
from services.matching.domain.policy import Candidate, Policy, Seeker
from services.matching.domain.worklist import Rules
from services.matching.handlers import matching
from services.matching.handlers.rounds import chosen, engagement
from services.matching.store import Store
from shared.auth import Caller
from shared.ids import new_id

BEST = 4
"""So many are named who could take a seat."""


@dataclass(frozen=True, slots=True)
class Vacancy:
    """`replacements`: who could take the seat, the best first."""

    engagement: Engagement
    entry: HandOver
    replacements: tuple[Scored, ...]


async def vacancies(
    store: Store, today: date, after: str, limit: int, policy: Policy, of: str | None = None
) -> list[Vacancy]:
    """The list, the oldest requests first; the replacements of each are found as if it were the only one. `of`: only
    what this advisor has to hand over.
    """
    found = [
        (one, entry)
        for one in await store.handing(after, limit, of)
        for entry in one.leaving
        if of in (None, entry.advisor_id)
    ]
    best = await replacements(store, [(one, entry.advisor_id) for one, entry in found], today, policy)
    return [Vacancy(one, entry, best.get((one.id, entry.advisor_id), ())) for one, entry in found]


async def replacements(
    store: Store, seats: Sequence[tuple[Engagement, str]], today: date, policy: Policy
) -> dict[tuple[str, str], tuple[Scored, ...]]:
    """Who could take the seat of an advisor, the best first, with the points that they and who stays come to together:
    by request and advisor.
    """
    best: dict[tuple[str, str], tuple[Scored, ...]] = {}
    if not seats:
        return best
    there = await matching.candidates(store, today, policy)
    wanted = [
        (one.id, seat, handing.successor(one, advisor_id))
        for one, advisor_id in seats
        if one.current and (seat := one.current.seat(advisor_id))
    ]
    found = await asyncio.to_thread(_successors, there, [wish for _, _, wish in wanted], today, policy)
    scale = Scale(there, policy.weights)
    for (request_id, seat, wish), ids in zip(wanted, found, strict=True):
        stay = [other.advisor_id for other in wish.held]
        best[request_id, seat.advisor_id] = tuple(
            Scored(one, seat.role, scale.points([one, *stay], wish)) for one in ids
        )
    return best


def _successors(
    people: Sequence[Candidate], wishes: Sequence[Seeker], today: date, policy: Policy
) -> list[tuple[str, ...]]:
    from services.matching.engine.succeeding import successors  # numpy: a resting service does without

    return successors(people, wishes, today, policy, BEST)


async def hand_over(
    store: Store,
    request_id: str,
    advisor_id: str,
    to: str | None,
    caller: Caller,
    why: str,
    rules: Rules,
    now: datetime,
    policy: Policy,
) -> Engagement:
    """Asks `to` in place of `advisor_id`, or lets the other go on alone. `to` must be certified and without conflict;
    being over capacity is noted. Raises Invalid, Conflict."""
    signals = await store.signals()
    known = await engagement(store, request_id)
    new, full = None, False
    if to is not None:
        people = await chosen(store, known, {"to": to}, rules.day(now), policy)
        wish = handing.successor(known, advisor_id)
        seats = Scale(people.values(), policy.weights).seats([to, *(seat.advisor_id for seat in wish.held)], wish)
        new = next(seat for seat in seats if seat.advisor_id == to)
        full = people[to].open >= people[to].capacity
    audit = Audit(now, caller.subject, "handed_over", why, (advisor_id, to) if to else (advisor_id,))
    handed, events = handing.hand_over(
        known, advisor_id, new, audit, policy.version, new_id(), rules.respond_by(now, policy.rules.respond), now
    )
    if full and to:
        handed = handed.noted(Audit(now, caller.subject, "assigned_over_capacity", why, (to,)))
    await store.save(handed, events=events, fence=signals.fence, news=True)
    return handed


async def stays(store: Store, request_id: str, advisor_id: str, caller: Caller, why: str, now: datetime) -> Engagement:
    """They go on after all."""
    known = await engagement(store, request_id)
    settled = handing.stays(known, advisor_id, Audit(now, caller.subject, "stays", why, (advisor_id,)), now)
    if settled is known:
        await store.confirm(known)
    else:
        await store.save(settled, events=())
    return settled
