"""The matcher's pass: many requests decided together and stored in one change, guarded by the pool's fence.

Places and the budget are given in that change, so what is released has both. Deciding and storing are two steps: the
next pass can be decided from what this one will leave, while it is being stored. If it can't be, neither can that.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from services.matching.domain import rounds
from services.matching.domain.basis import Basis, members
from services.matching.domain.budget import Left, affords, allot
from services.matching.domain.model import Advisor, Engagement
from services.matching.domain.points import fair_minutes, present
from services.matching.domain.policy import Candidate, Decision, Policy, Seeker, candidate, seeker
from services.matching.domain.worklist import Rules
from services.matching.loads import Loads
from services.matching.store import SLICE, Signals, Store, fresh
from shared import workdays
from shared.commit import Insert
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
    left: Left | None

    def after(self, decisions: Sequence[Decision], before: Sequence[Engagement], left: Left | None) -> "Pool":
        """The pool once `decisions` are stored, with a fence of its own; `left` of the budget then."""
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
        return Pool(self.signals._replace(fence=fresh()), self.day, busier, left)


@dataclass(frozen=True, slots=True)
class Pass:
    """What was decided, and is to be stored together: nothing, if nothing changes. `freed`: places, too."""

    changed: tuple[Engagement, ...]
    events: tuple[Event, ...]
    basis: Basis
    freed: bool
    before: Pool
    after: Pool


async def pool(store: Store, signals: Signals, today: date, policy: Policy) -> Pool:
    """Everybody with their load; `signals` must have been read before."""
    there, left = await asyncio.gather(candidates(store, today, policy), store.left(today))
    return Pool(signals, today, there, left)


async def candidates(store: Store, today: date, policy: Policy) -> tuple[Candidate, ...]:
    """Everybody with their load as it is now, to look at; who decides by it needs the `pool`."""
    loads, advisors = await asyncio.gather(store.loads(today), store.crew())
    return people(advisors, loads, today, policy)


def people(advisors: Sequence[Advisor], loads: Loads, today: date, policy: Policy) -> tuple[Candidate, ...]:
    """`advisors` as the choice sees them, with their paid minutes as fairness counts them."""
    there = {one.id: present(one, today) for one in advisors if one.erased_at is None}
    fair = fair_minutes(loads.paid, there, policy.limits.newcomer_days)
    return tuple(candidate(one, loads.open.get(one.id, 0), fair.get(one.id, 0)) for one in advisors)


async def decide(
    waiting: Sequence[Engagement],
    now_there: Pool,
    policy: Policy,
    rules: Rules,
    now: datetime,
    oldest_first: bool | None = None,
) -> Pass:
    """Asks advisors for `waiting` (pending or parked) or parks them. `oldest_first`: if it isn't for the policy to say,
    since these are only a part of those that wait.
    """
    today, governing = now_there.day, policy.rules
    each, beyond = governing.expected_minutes, dict[str, Decision]()
    rich = [one for one in waiting if affords(one, each, now_there.left)]
    while True:  # who can't be paid for must not keep a place from who can
        rich = [one for one in rich if one.id not in beyond]
        seekers = [seeker(one, waited(one, rules, today)) for one in rich]
        verdict = await asyncio.to_thread(choose, now_there.candidates, seekers, today, policy, oldest_first)
        decisions, reserved, left = allot(rich, verdict.decisions, now_there.candidates, each, now_there.left)
        poor = {decision.request_id: decision for decision in decisions if decision.nobody == "budget"}
        if not poor or all(decision.members for decision in decisions if decision.request_id not in poor):
            break
        beyond |= poor
    by_request = {one.id: Decision(one.id, nobody="budget") for one in waiting}
    by_request |= {decision.request_id: decision for decision in decisions}
    changed: list[Engagement] = []
    events: list[Event] = []
    respond_by, look_by = rules.respond_by(now, governing.respond), rules.after(rules.day(now), governing.look_within)
    basis = _basis(now_there, seekers, policy, verdict, now)
    for n, one in enumerate(waiting):
        if n % SLICE == SLICE - 1:
            await asyncio.sleep(0)
        decision = by_request[one.id]
        looked = governing.look.wanted(one.asked.fields, sum(member.score for member in decision.members))
        if reserved.get(one.id, one.reserved) is not one.reserved:
            one = replace(one, reserved=reserved[one.id])
        settled, told = rounds.settle(one, decision, new_id(), respond_by, look_by if looked else None, now, basis.id)
        if settled is not one:
            changed.append(settled)
            events += told
    held = {one.id: set(one.holders) for one in waiting}
    freed = any(held[one.id] - set(one.holders) for one in changed)
    after = now_there.after(decisions, waiting, left) if changed else now_there
    return Pass(tuple(changed), tuple(events), basis, freed, now_there, after)


async def keep(store: Store, made: Pass, marks: Sequence[Insert] = ()) -> Pool:
    """Stores it; returns the pool as it is then. `marks` of the events that have brought those that are new.

    Raises Stale when a place was given away or a request has changed since: load and decide again; and Duplicate when
    one of `marks` is there.
    """
    if made.changed:
        await store.save(
            *made.changed,
            events=made.events,
            marks=marks,
            fence=made.before.signals.fence,
            leaves=made.after.signals.fence,
            basis=made.basis,
            news=made.freed,
        )
    return made.after


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
        verdict.oldest_first,
    )


def choose(
    candidates: Sequence[Candidate],
    seekers: Sequence[Seeker],
    today: date,
    policy: Policy,
    oldest_first: bool | None = None,
) -> "Verdict":
    """The engine's, for a thread of its own."""
    from services.matching.engine.choice import choose  # numpy and the solver: a resting service does without

    return choose(candidates, seekers, today, policy, oldest_first)


def waited(engagement: Engagement, rules: Rules, today: date) -> int:
    """Working days since it was asked."""
    return _workdays(rules.day(engagement.asked.submitted_at), today, rules.subdivision)


_workdays = lru_cache(maxsize=10_000)(workdays.workdays_between)
