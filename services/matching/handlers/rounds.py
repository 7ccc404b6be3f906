"""What people decide about an assignment: answers, a coordinator's choice, the closing."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Literal

from services.matching.domain import requests, rounds
from services.matching.domain.budget import Beyond, reserve
from services.matching.domain.model import Audit, Engagement, Outcome, Reason
from services.matching.domain.points import Scale
from services.matching.domain.policy import Candidate, Policy, seeker
from services.matching.domain.worklist import Rules
from services.matching.handlers import matching, policies
from services.matching.store import Store
from shared.auth import Caller
from shared.commit import Insert
from shared.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from shared.events.base import Role
from shared.ids import new_id


async def answer(
    store: Store,
    assignment_id: str,
    advisor_id: str,
    said: Literal["accepted", "declined"],
    reason: Reason | None,
    by: str | None,
    now: datetime,
) -> Engagement:
    """`by`: the coordinator who answers in the advisor's place, None for themselves."""
    known = await of_assignment(store, assignment_id)
    audit = Audit(now, by or advisor_id, said, reason or "", (advisor_id,))
    answered, events = rounds.answer(known, assignment_id, advisor_id, said, reason, audit, now)
    if events:
        await store.save(answered, events=events, news=said == "declined")
    else:
        await store.confirm(answered)
    return answered


async def assign(
    store: Store,
    request_id: str,
    ids: tuple[str, ...],
    by: Caller,
    why: str,
    rules: Rules,
    now: datetime,
    mark: Callable[[Engagement], Insert | None],
) -> Engagement:
    """Lets a coordinator choose `ids` (lead, perhaps co) in place of the policy.

    Each must be known, certified and without conflict. Whether they are free, present or experts is the
    coordinator's judgement: `why` stands in the audit, which tells where somebody is over their capacity. Raises
    Conflict when the budget does not allow it.
    """
    signals = await store.signals()
    policy = await policies.active(store)
    known = await engagement(store, request_id)
    if known.facts is None:
        raise unknown()
    people = await chosen(store, known, dict(zip(("lead", "co"), ids, strict=False)), rules.day(now), policy)
    wish = seeker(known, matching.waited(known, rules, rules.day(now)))
    full = any(people[one].open >= people[one].capacity for one in ids)
    decided, events = rounds.override(
        known,
        Scale(people.values(), policy.weights).seats(ids, replace(wish, held=(), pinned=ids)),
        Audit(now, by.subject, "assigned_over_capacity" if full else "assigned", why, ids),
        policy.version,
        new_id(),
        rules.respond_by(now, policy.rules.respond),
        now,
    )
    try:
        reserved = reserve(known, len(ids), policy.rules.expected_minutes, await store.left(rules.day(now)))
    except Beyond:
        raise Conflict(
            "Dafür reicht das Budget nicht; bitte erst das Budget erhöhen.",
            "The budget does not allow it; raise it first.",
        ) from None
    decided = replace(decided, reserved=reserved)
    await store.save(decided, events=events, cause=mark(decided), fence=signals.fence, news=True)
    return decided


async def chosen(
    store: Store, known: Engagement, places: Mapping[str, str], today: date, policy: Policy
) -> dict[str, Candidate]:
    """Everybody as a candidate, if those whom a coordinator has chosen can be: field → advisor. Raises Invalid."""
    loads = await store.loads(today)
    there = [one for one in await store.crew() if one.erased_at is None]
    people = {
        one.id: replace(one, open=one.open - (one.id in known.holders))
        for one in matching.people(there, loads, today, policy)
    }
    ags = known.asked.municipality_ags
    if wrong := [
        found for place, one in places.items() if (found := _refused(place, one, people.get(one), ags, today))
    ]:
        raise Invalid.of(*wrong)
    return people


def _refused(place: str, advisor_id: str, one: Candidate | None, ags: str, today: date) -> FieldError | None:
    if one is None:
        return FieldError(place, "unknown", f"{advisor_id} gibt es nicht.", f"There is no {advisor_id}.")
    if not one.certified(today):
        german = f"{advisor_id} ist heute nicht zertifiziert."
        return FieldError(place, "not_certified", german, f"{advisor_id} is not certified today.")
    if one.conflicted(ags):
        german = f"{advisor_id} hat einen Interessenkonflikt mit dieser Kommune."
        return FieldError(place, "conflict", german, f"{advisor_id} has a conflict of interest here.")
    return None


async def close(store: Store, request_id: str, outcome: Outcome, caller: Caller, now: datetime) -> Engagement:
    """By a coordinator or by the lead of a running engagement."""
    known = await engagement(store, request_id)
    seats = known.current.held if known.current else ()
    lead = next((seat.advisor_id for seat in seats if seat.role == Role.LEAD), None)
    if caller.role == "advisor" and caller.subject != lead:
        raise Forbidden("Abschließen kann nur die Leitung der Beratung.", "Only the lead can close the consultation.")
    closed, events = requests.close(known, outcome, Audit(now, caller.subject, "closed", outcome), now)
    if events:
        await store.save(closed, events=events, news=True)
    else:
        await store.confirm(closed)
    return closed


async def engagement(store: Store, request_id: str) -> Engagement:
    found = await store.engagement(request_id)
    if found is None:
        raise unknown()
    return found


async def of_assignment(store: Store, assignment_id: str) -> Engagement:
    found = await store.of_assignment(assignment_id)
    if found is None:
        raise NotFound("Diese Zuordnung gibt es nicht.", "There is no such assignment.")
    return found


def unknown() -> NotFound:
    return NotFound("Diese Anfrage ist hier nicht bekannt.", "This request is not known here.")
