"""Budgets: set by coordinators, looked at with what is used and reserved."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from services.matching.domain import budget
from services.matching.domain.budget import Budget
from services.matching.domain.model import Audit
from services.matching.store import Store


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
