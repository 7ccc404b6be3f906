"""The matcher's pass: many requests decided together and stored in one change, guarded by the pool's fence."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from services.matching.domain import rounds
from services.matching.domain.basis import Basis, members
from services.matching.domain.model import Advisor, Engagement
from services.matching.domain.points import fair_minutes, present
from services.matching.domain.policy import Candidate, Decision, Policy, Seeker, candidate, seeker
from services.matching.domain.worklist import Rules
from services.matching.store import Loads, Signals, Store
from shared import workdays
from shared.commit import Insert, again
from shared.events import Event
from shared.ids import new_id

if TYPE_CHECKING:
    from services.matching.engine.choice import Verdict


@dataclass(frozen=True, slots=True)
class Pool:
    """The advisors as they stood when `signals` were read, or better: places freed since may be missing."""

    signals: Signals
    day: date
    candidates: tuple[Candidate, ...]

    def after(self, decisions: Sequence[Decision], before: Sequence[Engagement], fence: int) -> "Pool":
        """The pool once `decisions` are stored."""
        held = {one.id: set(one.holders) for one in before}
        taken = Counter(
            member.advisor_id
            for decision in decisions
            for member in decision.members
            if member.advisor_id not in held[decision.request_id]
        )
        busier = tuple(
            replace(one, open=one.open + taken[one.id]) if one.id in taken else one for one in self.candidates
        )
        return Pool(self.signals._replace(fence=fence), self.day, busier)


async def pool(store: Store, signals: Signals, today: date, policy: Policy) -> Pool:
    """Everybody with their load; `signals` must have been read before."""
    loads = await store.loads(today)
    return Pool(signals, today, people(await store.advisors(), loads, today, policy))


def people(advisors: Sequence[Advisor], loads: Loads, today: date, policy: Policy) -> tuple[Candidate, ...]:
    """`advisors` as the choice sees them, with their paid minutes as fairness counts them."""
    there = {one.id: present(one, today) for one in advisors if one.erased_at is None}
    fair = fair_minutes(loads.paid, there, policy.limits.newcomer_days)
    return tuple(candidate(one, loads.open.get(one.id, 0), fair.get(one.id, 0)) for one in advisors)


async def decide(
    store: Store,
    waiting: Sequence[Engagement],
    now_there: Pool,
    policy: Policy,
    rules: Rules,
    now: datetime,
    marks: Sequence[Insert] = (),
) -> Pool:
    """Asks advisors for `waiting` (pending or parked) or parks them. Returns the pool afterwards.

    `marks` of the events that have brought those that are new: they are stored decided at once.
    Raises Stale when a place was given away or a request has changed since: load and decide again.
    """
    today = now_there.day
    seekers = [seeker(one, waited(one, rules, today)) for one in waiting]
    verdict = await asyncio.to_thread(_choose, now_there.candidates, seekers, today, policy)
    by_request = {decision.request_id: decision for decision in verdict.decisions}
    changed: list[Engagement] = []
    events: list[Event] = []
    respond_by, basis = rules.respond_by(now), _basis(now_there, seekers, policy, verdict, now)
    for one in waiting:
        settled, told = rounds.settle(one, by_request[one.id], new_id(), respond_by, now, basis.id)
        if settled is not one:
            changed.append(settled)
            events += told
    if not changed:
        return now_there
    fence = await store.save(*changed, events=events, marks=marks, fence=now_there.signals.fence, basis=basis)
    return now_there.after(verdict.decisions, waiting, fence)


def _basis(pool: Pool, seekers: Sequence[Seeker], policy: Policy, verdict: "Verdict", now: datetime) -> Basis:
    decided_by = next((one.policy_version for one in verdict.decisions), policy.version)
    return Basis(
        new_id(),
        now,
        pool.day,
        policy,
        decided_by,
        pool.candidates,
        tuple(seekers),
        members(verdict.decisions),
        verdict.prices,
        verdict.objective,
        verdict.optimal,
        verdict.gap,
    )


def _choose(candidates: Sequence[Candidate], seekers: Sequence[Seeker], today: date, policy: Policy) -> "Verdict":
    from services.matching.engine.choice import choose  # numpy and the solver: a resting service does without

    return choose(candidates, seekers, today, policy)


def waited(engagement: Engagement, rules: Rules, today: date) -> int:
    """Working days since it was asked."""
    return _workdays(rules.day(engagement.asked.submitted_at), today, rules.subdivision)


_workdays = lru_cache(maxsize=10_000)(workdays.workdays_between)


async def expire(store: Store, rules: Rules, now: datetime, limit: int) -> int:
    """Gives up seats that were not answered in time; the matcher finds the next in line. Returns how many requests."""
    late = await store.unanswered(rules.day(now), limit)
    for one in late:
        await again(lambda one=one: _expire(store, one.id, rules, now))  # type: ignore[misc]
    return len(late)


async def _expire(store: Store, request_id: str, rules: Rules, now: datetime) -> None:
    known = await store.engagement(request_id)
    if known is None or known.current is None or known.current.respond_by >= rules.day(now):
        return
    expired, events = rounds.expire(known, None, now)
    if events:
        await store.save(expired, events=events, news=True)
