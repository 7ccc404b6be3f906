"""Budgets: set by the office, and told to matching as minutes of advice, by which it reserves and parks.

There is one budget for both: the money that is set here. What it affords is the money without what travel and VAT have
taken, by what an engagement's minutes are expected to cost; so it is told anew when those have taken their part.
"""

from datetime import UTC, date, datetime, timedelta

from services.reporting import closing
from services.reporting.closing import Office
from services.reporting.frozen import FENCE, Budget
from services.reporting.periods import scope_of
from services.reporting.queries import ClaimFilter
from shared.commit import Insert, again
from shared.errors import Conflict
from shared.events import BudgetSet
from shared.ids import derived_id

WORTH_TELLING = 60
"""Minutes by which what is afforded must differ from what was told, unless it is another sum of money."""


async def set_budget(office: Office, said: Budget, mark: Insert | None = None) -> None:
    """Keeps and tells it. Raises Conflict when another budget covers some of its days."""

    async def keep() -> None:
        fence = await office.frozen.told(FENCE)
        days = scope_of(said.period)
        for name in await office.frozen.budgeted():
            other = scope_of(name)
            if name != said.period and other.start <= days.end and days.start <= other.end:
                raise Conflict(
                    f"Für einige dieser Tage gilt schon das Budget {name}.",
                    f"The budget {name} already holds for some of these days.",
                )
        await office.frozen.set_budget(said, fence, mark)

    await again(keep)
    await again(lambda: tell(office, said.period, said.at))


async def tell_all(office: Office, now: datetime) -> None:
    """Tells of each budget that has not ended what it affords, if that is not known yet."""
    for name in await office.frozen.budgeted():
        if scope_of(name).end >= office.rules.day(now):
            await again(lambda name=name: tell(office, name, now))  # type: ignore[misc]


async def tell(office: Office, name: str, now: datetime) -> None:
    """Tells matching what the budget of `name` affords, unless it was told so. Raises Stale."""
    said, told = (await office.frozen.budgets(name))[-1], await office.frozen.told(f"budget~{name}")
    minutes = await affords(office, said, office.rules.day(now))
    if minutes is None or (told is not None and said.at <= told.at and abs(told.value - minutes) < WORTH_TELLING):
        return
    at, days = max(now, told.at + timedelta(milliseconds=1)) if told else now, scope_of(name)
    event = BudgetSet(
        budget_id=derived_id(_midnight(days.start), "budget", name),
        period=name.lower().replace("-", "_"),
        starts_on=days.start,
        ends_on=days.end,
        cents=said.cents,
        minutes=minutes,
        set_at=at,
    )
    await office.frozen.tell(f"budget~{name}", minutes, at, told, event)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


async def affords(office: Office, budget: Budget, today: date) -> int | None:
    """Minutes of advice that are paid by it; None when no rate is known or expected."""
    days, minutes = scope_of(budget.period), office.rules.expected_minutes
    cost = await closing.expected(office, 1, min(max(today, days.start), days.end))
    if not cost or not minutes:
        return None
    by_status = await office.reports.queries.sums_by_status(ClaimFilter(days.start, days.end))
    beside = sum(one.travel_cents + one.vat_cents for status, one in by_status.items() if status != "rejected")
    return max(0, budget.cents - beside) * minutes // cost
