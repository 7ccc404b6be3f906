"""Advisors: import, change, absences, erasure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.matching.domain import advisors, rounds
from services.matching.domain.model import Absence, Advisor
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


async def get(store: Store, advisor_id: str) -> Advisor:
    found = await store.advisor(advisor_id)
    if found is None:
        raise NotFound(f"{advisor_id} gibt es nicht.", f"There is no advisor {advisor_id}.")
    return found


async def add(store: Store, wanted: Advisor, mark: Callable[[Advisor], Insert | None]) -> Advisor:
    """Raises Conflict when the number is given."""
    signals = await store.signals()
    if await store.advisor(wanted.id) is not None:
        raise Conflict(f"Die Nummer {wanted.id} ist schon vergeben.", f"The number {wanted.id} is taken.")
    entered, events = advisors.enter(None, wanted)
    await store.save_advisors([entered], events, mark(entered), signals.fence)
    return entered


async def change(store: Store, wanted: Advisor, version: int | None = None) -> Advisor:
    """`version`: of the entry that the caller saw, where that counts. Raises Conflict when it has changed since."""
    signals = await store.signals()
    known = await get(store, wanted.id)
    if version is not None and version != known.version:
        raise Conflict(
            "Dieser Eintrag wurde inzwischen von jemand anderem geändert. Bitte vergleichen Sie und senden Sie erneut.",
            "This entry was changed by somebody else meanwhile. Please compare and send it again.",
        )
    entered, events = advisors.enter(known, wanted)
    if entered != known:
        await store.save_advisors([entered], events, None, signals.fence)
    else:
        await store.confirm(known)
    return entered


async def announce(store: Store, advisor_id: str, absences: Sequence[Absence]) -> Advisor:
    """Their absences from now on; open engagements stay with them."""
    signals = await store.signals()
    known = await get(store, advisor_id)
    away = advisors.announce(known, absences)
    if away != known:
        await store.save_advisors([away], (), None, signals.fence)
    else:
        await store.confirm(known)
    return away


async def bar(store: Store, advisor_id: str, ags: str) -> Advisor:
    """From now on they are not asked for `ags`. Twice is once."""
    signals = await store.signals()
    known = await get(store, advisor_id)
    if ags in known.conflicts:
        await store.confirm(known)
        return known
    barred = replace(known, conflicts=(*known.conflicts, ags))
    await store.save_advisors([barred], (), None, signals.fence)
    return barred


async def take_over(store: Store, wanted: Sequence[Advisor], *, dry_run: bool) -> Imported:
    """All of `wanted` or, when one can't be, none. `dry_run`: says what would be done."""
    signals = await store.signals()
    known = {one.id: one for one in await store.advisors()}
    gone = tuple(one.id for one in wanted if (there := known.get(one.id)) and there.erased_at is not None)
    wanted = [one for one in wanted if one.id not in gone]
    entered = [(one, *advisors.enter(known.get(one.id), one)) for one in wanted]
    fresh = [now for _, now, _ in entered if now.id not in known]
    changed = [now for _, now, _ in entered if now.id in known and now != known[now.id]]
    if (fresh or changed) and not dry_run:
        events = [event for _, now, told in entered if now != known.get(now.id) for event in told]
        await store.save_advisors([*fresh, *changed], events, None, signals.fence)
    touched = {one.id for one in (*fresh, *changed)}
    return Imported(
        tuple(one.id for one in fresh),
        tuple(one.id for one in changed),
        tuple(one.id for one in wanted if one.id not in touched),
        gone,
    )


async def erase(store: Store, advisor_id: str, now: datetime) -> Advisor:
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
    for one in running:
        expired, events = rounds.expire(one, frozenset({advisor_id}), now)
        await store.save(expired, events=events, news=True)
    told: list[Event | Tombstone] = [Tombstone(AdvisorDossier, advisor_id)]
    await store.save_advisors([emptied], told, None, signals.fence)
    await store.forget_outbox(advisor_id)
    return emptied
