"""Advisors: import, change, absences, leaving, erasure, and what each means for the engagements that they are in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.matching.domain import advisors, governing, handing, rounds
from services.matching.domain.model import Absence, Advisor, Audit, Engagement
from services.matching.domain.worklist import Rules
from services.matching.store import Store
from shared.commit import Insert
from shared.errors import Conflict, NotFound
from shared.events import AdvisorDossier, Event
from shared.outbox import Tombstone


@dataclass(frozen=True)
class Imported:
    """Numbers of those that are new, changed, as they were, and erased: the last are left out, for good."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    erased: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Governed:
    """By which times: those of the settings, and those of the policy."""

    times: Rules
    rules: governing.Rules


async def get(store: Store, advisor_id: str) -> Advisor:
    found = await store.advisor(advisor_id)
    if found is None:
        raise NotFound(f"{advisor_id} gibt es nicht.", f"There is no advisor {advisor_id}.")
    return found


async def add(
    store: Store, wanted: Advisor, by: str, now: datetime, mark: Callable[[Advisor], Insert | None]
) -> Advisor:
    """Raises Conflict when the number is given."""
    signals = await store.signals()
    if await store.advisor(wanted.id) is not None:
        raise Conflict(f"Die Nummer {wanted.id} ist schon vergeben.", f"The number {wanted.id} is taken.")
    entered, events = advisors.enter(None, wanted)
    entered = advisors.noted(entered, Audit(now, by, "advisor_entered", ""))
    await store.save_advisors([entered], events, mark(entered), signals.fence)
    return entered


async def change(
    store: Store, wanted: Advisor, by: str, governed: Governed, now: datetime, version: int | None = None
) -> Advisor:
    """The whole entry; what an absence in it means for what they are in is seen to.

    `version`: of the entry that the caller saw, where that counts. Raises Conflict when it has changed since.
    """
    signals = await store.signals()
    known = await get(store, wanted.id)
    if version is not None and version != known.version:
        raise Conflict(
            "Dieser Eintrag wurde inzwischen von jemand anderem geändert. Bitte vergleichen Sie und senden Sie erneut.",
            "This entry was changed by somebody else meanwhile. Please compare and send it again.",
        )
    entered, events = advisors.enter(known, wanted)
    if entered == known:
        await store.confirm(known)
        return known
    entered = advisors.noted(entered, Audit(now, by, "advisor_changed", "", to=advisors.differences(known, entered)))
    return await _told(store, known, entered, events, governed, signals.fence, now)


async def announce(
    store: Store, advisor_id: str, absences: Sequence[Absence], by: str, governed: Governed, now: datetime
) -> Advisor:
    """Their absences from now on. Long ones, or over a session, put what has begun on the hand-over list."""
    signals = await store.signals()
    known = await get(store, advisor_id)
    away = advisors.announce(known, absences)
    if away == known:
        await store.confirm(known)
        return known
    away = advisors.noted(
        away, Audit(now, by, "absences_announced", "", to=" ".join(f"{one.start}..{one.end}" for one in away.absences))
    )
    return await _told(store, known, away, (), governed, signals.fence, now)


async def bar(store: Store, advisor_id: str, ags: str, by: str, now: datetime) -> Advisor:
    """From now on they are not asked for `ags`. Twice is once."""
    signals = await store.signals()
    known = await get(store, advisor_id)
    if ags in known.conflicts:
        await store.confirm(known)
        return known
    barred = replace(known, conflicts=(*known.conflicts, ags))
    barred = advisors.noted(barred, Audit(now, by, "conflict_flagged", "", to=ags))
    await store.save_advisors([barred], (), None, signals.fence)
    return barred


async def leave(
    store: Store, advisor_id: str, last_day: date | None, by: str, why: str, governed: Governed, now: datetime
) -> Advisor:
    """They are asked for nothing new; what has begun is to be handed over by then. None: they stay after all."""
    signals = await store.signals()
    known = await get(store, advisor_id)
    left = advisors.leave(known, last_day)
    if left == known:
        await store.confirm(known)
        return known
    left = advisors.noted(left, Audit(now, by, "advisor_leaves", why, to=str(last_day or "")))
    return await _told(store, known, left, (), governed, signals.fence, now)


async def take_over(
    store: Store, wanted: Sequence[Advisor], by: str, governed: Governed, now: datetime, *, dry_run: bool
) -> Imported:
    """All of `wanted` or, when one can't be, none. `dry_run`: says what would be done."""
    signals = await store.signals()
    known = {one.id: one for one in await store.advisors()}
    gone = tuple(one.id for one in wanted if (there := known.get(one.id)) and there.erased_at is not None)
    wanted = [one for one in wanted if one.id not in gone]
    entered = [(one, *advisors.enter(known.get(one.id), one)) for one in wanted]
    fresh = [now for _, now, _ in entered if now.id not in known]
    changed = [now for _, now, _ in entered if now.id in known and now != known[now.id]]
    if (fresh or changed) and not dry_run:
        events: list[Event | Tombstone] = [
            told for _, one, tolds in entered if one != known.get(one.id) for told in tolds
        ]
        engagements: dict[str, Engagement] = {}
        for one in changed:
            if one.absences != known[one.id].absences:
                events += await _concerned(store, one, engagements, governed, now)
        noted = [
            *(advisors.noted(one, Audit(now, by, "advisor_entered", "")) for one in fresh),
            *(
                advisors.noted(one, Audit(now, by, "advisor_changed", "", to=advisors.differences(known[one.id], one)))
                for one in changed
            ),
        ]
        await store.save_advisors(noted, events, None, signals.fence, list(engagements.values()))
    touched = {one.id for one in (*fresh, *changed)}
    return Imported(
        tuple(one.id for one in fresh),
        tuple(one.id for one in changed),
        tuple(one.id for one in wanted if one.id not in touched),
        gone,
    )


async def erase(store: Store, advisor_id: str, by: str, now: datetime) -> Advisor:
    """Empties their data here and everywhere; what they were only asked for goes to the next in line.

    Raises Conflict while they hold an accepted seat.
    """
    signals = await store.signals()
    known = await get(store, advisor_id)
    running = await store.holding(advisor_id)
    emptied = advisors.erase(known, running, now)
    if emptied is known:
        await store.forget_outbox(advisor_id)
        return known
    emptied = advisors.noted(emptied, Audit(now, by, "advisor_erased", ""))
    vacated = [rounds.vacate(one, advisor_id, now) for one in running]
    told: list[Event | Tombstone] = [event for _, events in vacated for event in events]
    told.append(Tombstone(AdvisorDossier, advisor_id))
    await store.save_advisors([emptied], told, None, signals.fence, [one for one, _ in vacated])
    await store.forget_outbox(advisor_id)
    return emptied


async def _told(
    store: Store,
    known: Advisor,
    after: Advisor,
    events: Sequence[Event],
    governed: Governed,
    fence: int,
    now: datetime,
) -> Advisor:
    """Stores `after` with what it means for the engagements that they are in."""
    engagements: dict[str, Engagement] = {}
    told: list[Event | Tombstone] = list(events)
    if (after.absences, after.leaves_on) != (known.absences, known.leaves_on):
        told += await _concerned(store, after, engagements, governed, now)
    await store.save_advisors([after], told, None, fence, list(engagements.values()))
    return after


async def _concerned(
    store: Store, advisor: Advisor, engagements: dict[str, Engagement], governed: Governed, now: datetime
) -> list[Event]:
    """Puts into `engagements` those that change; two of a tandem may be away at once."""
    events: list[Event] = []
    for one in await store.holding(advisor.id):
        before = engagements.get(one.id, one)
        after, told = handing.concerned(before, advisor, governed.times, governed.rules, now)
        if after is not before:
            engagements[one.id] = after
            events += told
    return events
