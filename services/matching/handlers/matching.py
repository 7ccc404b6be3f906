"""The matcher's pass: many requests decided together and stored in one change, guarded by the pool's fence."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.matching.domain import rounds
from services.matching.domain.choice import choose
from services.matching.domain.model import Engagement
from services.matching.domain.policy import Candidate, Decision, Policy, candidate, seeker
from services.matching.domain.worklist import Rules
from services.matching.store import Signals, Store
from shared.commit import Insert, again
from shared.events import Event
from shared.ids import new_id


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


async def pool(store: Store, signals: Signals, today: date) -> Pool:
    """Everybody with their load; `signals` must have been read before."""
    loads = await store.loads(today)
    people = (candidate(one, loads.open.get(one.id, 0), loads.paid.get(one.id, 0)) for one in await store.advisors())
    return Pool(signals, today, tuple(people))


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
    seekers = [seeker(one) for one in waiting]
    decisions = await asyncio.to_thread(choose, now_there.candidates, seekers, now_there.day, policy)
    by_request = {decision.request_id: decision for decision in decisions}
    changed: list[Engagement] = []
    events: list[Event] = []
    respond_by = rules.respond_by(now)
    for one in waiting:
        settled, told = rounds.settle(one, by_request[one.id], policy.version, new_id(), respond_by, now)
        if settled is not one:
            changed.append(settled)
            events += told
    if not changed:
        return now_there
    fence = await store.save(*changed, events=events, marks=marks, fence=now_there.signals.fence)
    return now_there.after(decisions, waiting, fence)


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
