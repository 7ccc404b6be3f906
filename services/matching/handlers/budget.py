"""Budgets: told by reporting or set by coordinators, looked at with what is used and reserved."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from services.matching.domain import budget
from services.matching.domain.budget import Budget
from services.matching.domain.model import Audit
from services.matching.store import Store
from shared.commit import Insert
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
    store: Store, budget_id: str, start: date, end: date, minutes: int, by: str, why: str, now: datetime
) -> Standing:
    """A new one, or another sum or period for a known one. Raises Conflict when periods would overlap."""
    signals = await store.signals()
    known = {one.id: one for one in await store.budgets()}
    before = known.get(budget_id, Budget(budget_id, start, end, minutes))
    wanted = replace(before, start=start, end=end, minutes=minutes)
    budget.check(wanted, known.values())
    audit = Audit(now, by, "budget_set", why, to=f"{start}..{end} {minutes}")
    decided = replace(wanted, audit=(*wanted.audit, audit))
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
    said = Audit(event.set_at, "reporting", "budget_set", f"{event.cents / 100:.2f} €")
    await store.save_budget(replace(told, audit=(*told.audit, said)), signals.fence, mark)
