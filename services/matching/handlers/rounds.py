"""What people decide about an assignment: answers, a coordinator's choice, the closing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Literal

from services.matching.domain import requests, rounds
from services.matching.domain.model import Audit, Engagement, Outcome, Reason
from services.matching.domain.points import Scale
from services.matching.domain.policy import Candidate, seeker
from services.matching.domain.worklist import Rules
from services.matching.handlers import matching, policies
from services.matching.store import Store
from shared.auth import Caller
from shared.commit import Insert
from shared.errors import FieldError, Forbidden, Invalid, NotFound
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
    audit = Audit(now, by, f"{said} for {advisor_id}", reason or "") if by else None
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
    coordinator's judgement: `why` stands in the audit, with a note where somebody is over their capacity.
    """
    signals = await store.signals()
    policy = await policies.active(store)
    known = await engagement(store, request_id)
    if known.facts is None:
        raise unknown()
    loads = await store.loads(rules.day(now))
    there = [one for one in await store.advisors() if one.erased_at is None]
    people = {one.id: one for one in matching.people(there, loads, rules.day(now), policy)}
    wish = seeker(known, matching.waited(known, rules, rules.day(now)))
    places = zip(("lead", "co"), ids, strict=False)
    if wrong := [
        found for place, one in places if (found := _refused(place, one, people.get(one), wish.ags, rules.day(now)))
    ]:
        raise Invalid.of(*wrong)
    full = [one for one in ids if people[one].open - (one in known.holders) >= people[one].capacity]
    what = f"assigned {', '.join(ids)}" + (f"; over capacity: {', '.join(full)}" if full else "")
    chosen, events = rounds.override(
        known,
        Scale(people.values(), policy.weights).seats(ids, replace(wish, held=(), pinned=ids)),
        Audit(now, by.subject, what, why),
        policy.version,
        new_id(),
        rules.respond_by(now),
        now,
    )
    await store.save(chosen, events=events, cause=mark(chosen), fence=signals.fence, news=True)
    return chosen


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
    lead = (
        next((seat.advisor_id for seat in known.current.held if seat.role == Role.LEAD), None)
        if known.current
        else None
    )
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
