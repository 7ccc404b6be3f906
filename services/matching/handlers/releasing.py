"""A coordinator looks first, pins, excludes, flags a conflict, notes something."""

from dataclasses import replace
from datetime import datetime

from services.matching.domain import handing, releasing, rounds
from services.matching.domain.model import Audit, Engagement
from services.matching.domain.policy import Policy, barrier, candidate, seeker
from services.matching.domain.worklist import Rules
from services.matching.handlers.advisors import get
from services.matching.handlers.rounds import engagement
from services.matching.store import Store
from shared.auth import Caller
from shared.commit import Insert
from shared.errors import Conflict


async def release(
    store: Store, assignment_id: str, caller: Caller, why: str, policy: Policy, rules: Rules, now: datetime
) -> Engagement:
    """Asks whom the proposal names. Released twice is released once.

    Raises Conflict when one of them can't be asked any more: the matcher then decides anew.
    """
    signals = await store.signals()
    known = await store.of_assignment(assignment_id)
    if known is None:
        raise Conflict(
            "Dieser Vorschlag gilt nicht mehr; bitte sehen Sie sich die Anfrage noch einmal an.",
            "This proposal no longer stands; look at the request once more.",
        )
    if known.round(assignment_id) is not None:
        await store.confirm(known)
        return known
    asked = known.proposal.asked if known.proposal else None
    names = tuple(seat.advisor_id for seat in asked.seats) if asked else ()
    audit = Audit(now, caller.subject, "released", why, names)
    respond_by = rules.respond_by(now, policy.rules.respond)
    released, events = releasing.release(known, audit, respond_by, now)
    held = known.current.held if known.current else ()
    new = set(names) - {seat.advisor_id for seat in held}
    people = {one.id: candidate(one, 0, 0) for one in await store.crew() if one.id in new}
    walls = {one: wall for one in people if (wall := barrier(people[one], seeker(known), rules.day(now), 0))}
    if walls:
        found = " ".join(f"{one}:{wall}" for one, wall in sorted(walls.items()))
        refused = Audit(now, caller.subject, "reconsidered", why, tuple(sorted(walls)), found)
        anew = releasing.reconsider(known, (), refused, now)
        await store.save(anew, events=(), fence=signals.fence, news=True)
        raise Conflict(
            f"{', '.join(walls)} kann inzwischen nicht mehr gefragt werden; es wird neu entschieden.",
            f"{', '.join(walls)} can't be asked any more; it is decided anew.",
        )
    await store.save(released, events=events, fence=signals.fence)
    return released


async def reconsider(
    store: Store, request_id: str, without: tuple[str, ...], caller: Caller, why: str, now: datetime
) -> Engagement:
    known = await engagement(store, request_id)
    for advisor_id in without:
        await get(store, advisor_id)
    anew = releasing.reconsider(known, without, Audit(now, caller.subject, "reconsidered", why, without), now)
    await store.save(anew, events=(), news=True)
    return anew


async def pin(store: Store, request_id: str, advisor_id: str, caller: Caller, why: str, now: datetime) -> Engagement:
    """Raises Conflict where they have a conflict of interest, too."""
    known = await engagement(store, request_id)
    one = candidate(await get(store, advisor_id), 0, 0)
    if one.conflicted(known.asked.municipality_ags):
        raise Conflict(
            f"{advisor_id} hat einen Interessenkonflikt mit dieser Kommune.",
            f"{advisor_id} has a conflict of interest here.",
        )
    pinned = releasing.pin(known, advisor_id, Audit(now, caller.subject, "pinned", why, (advisor_id,)), now)
    return await _kept(store, known, pinned)


async def unpin(store: Store, request_id: str, advisor_id: str, caller: Caller, why: str, now: datetime) -> Engagement:
    known = await engagement(store, request_id)
    freed = releasing.unpin(known, advisor_id, Audit(now, caller.subject, "unpinned", why, (advisor_id,)), now)
    return await _kept(store, known, freed)


async def note(
    store: Store, request_id: str, caller: Caller, text: str, now: datetime, cause: Insert | None = None
) -> Engagement:
    """Kept in the audit trail."""
    noted = (await engagement(store, request_id)).noted(Audit(now, caller.subject, "noted", text))
    await store.save(noted, events=(), cause=cause)
    return noted


async def flag_conflict(
    store: Store,
    request_id: str,
    advisor_id: str,
    caller: Caller,
    why: str,
    rules: Rules,
    policy: Policy,
    now: datetime,
) -> Engagement:
    """From now on they are not asked for this municipality; asked or seated, they are out or to be replaced."""
    signals = await store.signals()
    known = await engagement(store, request_id)
    one = await get(store, advisor_id)
    audit = Audit(now, caller.subject, "conflict_flagged", why, (advisor_id,))
    ags = known.asked.municipality_ags
    out, events = rounds.vacate(known, advisor_id, now, "conflict_of_interest")
    due = rules.after(rules.day(now), policy.rules.hand_over)
    out, more = handing.needed(out, advisor_id, "conflict", due, now)
    out = out.noted(audit)
    if ags in one.conflicts:
        await store.save(out, events=[*events, *more], fence=signals.fence, news=True)
    else:
        barred = replace(one, conflicts=(*one.conflicts, ags))
        await store.save_advisors([barred], [*events, *more], None, signals.fence, [out])
    return out


async def _kept(store: Store, known: Engagement, after: Engagement) -> Engagement:
    if after is known:
        await store.confirm(known)
    else:
        await store.save(after, events=(), news=True)
    return after
