"""Budgets: told by reporting or set by coordinators, looked at with what is used and reserved."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from services.matching.domain import budget
from services.matching.domain.budget import Budget
from services.matching.domain.model import Audit
from services.matching.store import Store
from shared.commit import Insert
from shared.errors import Conflict, NotFound
from shared.events import BudgetSet


@dataclass(frozen=True, slots=True)
class Standing:
    """Minutes; `left` may be less than 0."""

    budget: Budget
    committed: int

    @property
    def left(self) -> int:
        return self.budget.minutes - self.committed


async def standings(store: Store) -> list[Standing]:
    """All budgets by their first day."""
    committed = await store.committed()
    return [Standing(one, committed.get(one.id, 0)) for one in await store.budgets()]


async def set_budget(
    store: Store,
    budget_id: str,
    start: date,
    end: date,
    minutes: int,
    by: str,
    why: str,
    now: datetime,
    seen: int | None = None,
) -> Standing:
    """A new one, or another sum or period for a known one; as it is already, nothing is decided.

    `seen`: the version that the caller saw, 0 for a new one, where that counts. Raises Conflict when it has changed
    since, or periods would overlap.
    """
    signals = await store.signals()
    known = {one.id: one for one in await store.budgets()}
    before = known.get(budget_id, Budget(budget_id, start, end, minutes))
    decided = replace(before, start=start, end=end, minutes=minutes)
    if decided != before or not before.version:
        if seen is not None and seen != before.version:
            raise Conflict(
                f"Das Budget {budget_id} hat inzwischen jemand anderes geändert. Bitte vergleichen und erneut senden.",
                f"Somebody else has changed the budget {budget_id} meanwhile. Please compare and send it again.",
            )
        budget.check(decided, known.values())
        audit = Audit(now, by, "budget_set", why, to=f"{start}..{end} {minutes}")
        decided = replace(decided, audit=(*before.audit, audit))
        await store.save_budget(decided, signals.fence)
    return Standing(decided, (await store.committed()).get(budget_id, 0))


async def follow(store: Store, event: BudgetSet, mark: Insert) -> None:
    """What the payer's money affords holds from now on, whatever was set here for its days; the last telling counts."""
    signals = await store.signals()
    budget_id = event.period.replace("_", "-")
    known = next((one for one in await store.budgets() if one.id == budget_id), None)
    if known is not None and known.told_at is not None and known.told_at >= event.set_at:
        await store.note(mark)
        return
    before = known or Budget(budget_id, event.starts_on, event.ends_on, event.minutes)
    told = replace(before, start=event.starts_on, end=event.ends_on, minutes=event.minutes, told_at=event.set_at)
    set_to = f"{event.starts_on}..{event.ends_on} {event.minutes}"
    said = Audit(event.set_at, "reporting", "budget_set", f"{event.cents / 100:.2f} €", to=set_to)
    await store.save_budget(replace(told, audit=(*told.audit, said)), signals.fence, mark)


async def standing(store: Store, budget_id: str) -> Standing:
    found = next((one for one in await standings(store) if one.budget.id == budget_id), None)
    if found is None:
        raise NotFound(f"Das Budget {budget_id} gibt es nicht.", f"There is no budget {budget_id}.")
    return found
