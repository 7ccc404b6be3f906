"""Proofs are reminded of, each reminder once; budgets are told to matching as what they afford."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.reporting import budgets, handlers, reminding
from services.reporting.closing import Office
from services.reporting.frozen import Budget, Frozen
from services.reporting.periods import Proofs, load_deadlines
from services.reporting.projector import lease
from services.reporting.reminding import stage
from services.reporting.reports import Reports
from services.reporting.settings import Settings
from shared import outbox, register
from shared.commit import Committer, committing
from shared.errors import Conflict
from shared.events import BudgetSet, Event, ProofReminded
from shared.ids import new_id
from tests.conftest import SECRET
from tests.reporting.conftest import Kept
from tests.reporting.journeys import RULES, Journey, whole

DAYS = (30, 14, 7, -1)
PROOFS = Proofs(load_deadlines(), DAYS)
DUE = date(2027, 2, 28)
"""Of the interim proof of 2026."""


@pytest.mark.parametrize(
    ("left", "reached"), [(31, None), (30, 30), (29, 30), (14, 14), (8, 14), (7, 7), (0, 7), (-1, -1), (-400, -1)]
)
def test_the_reminder_that_has_come_is_the_last_one(left: int, reached: int | None) -> None:
    assert stage(DUE, DUE - timedelta(days=left), DAYS) == reached


def test_when_one_is_reminded_is_a_setting() -> None:
    assert Settings(secret=SECRET).proofs().remind == DAYS
    assert Settings(secret=SECRET, remind_days="3,60,-1,-8").proofs() == Proofs(load_deadlines(), (60, 3, -1, -8))
    with pytest.raises(ValueError, match="remind_days"):
        Settings(secret=SECRET, remind_days="soon")


async def an_office(kept: Kept, commits: Committer) -> Office:
    mongo = kept.mongo
    assert mongo is not None
    frozen = Frozen(mongo, commits)
    await frozen.prepare()
    reports = Reports(kept.ledger, kept.store, kept.queries, register.load())
    return Office(reports, frozen, RULES, lambda: lease(mongo, new_id()).held())


@pytest.fixture
async def office(database: Kept) -> AsyncIterator[Office]:
    """With one engagement in November 2026, so that 2026 is a year of the programme."""
    assert database.mongo is not None
    await database.store.hold_rates(RULES.cards)
    async with committing(Committer(database.mongo, "reporting")) as commits:
        found = await an_office(database, commits)
        await recorded(found, whole())
        yield found


async def recorded(office: Office, journey: Journey) -> None:
    await office.reports.ledger.record(journey.facts)
    while await handlers.step(office.reports.ledger, office.reports.store, RULES):
        pass


async def told(database: Kept, model: type[Event]) -> list[Any]:
    assert database.mongo is not None
    rows = await database.mongo[outbox.COLLECTION].find({"topic": model.topic}).sort("_id", 1).to_list(None)
    return [model.model_validate_json(row["body"]) for row in rows]


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


async def through(office: Office, first: date, last: date) -> list[date]:
    """The days on which a look told something."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [day for day in days if await reminding.remind(office, PROOFS, noon(day))]


async def test_each_reminder_is_told_once_and_none_after_it_was_handed_in(office: Office, database: Kept) -> None:
    found = await through(office, date(2027, 1, 1), date(2027, 2, 20))
    assert found == [DUE - timedelta(days=30), DUE - timedelta(days=14)]
    await office.frozen.meet("2026", "interim", "anna", noon(date(2027, 2, 20)))
    assert await through(office, date(2027, 2, 21), date(2027, 3, 10)) == []
    one, two = await told(database, ProofReminded)
    assert (one.proof, one.of, one.starts_on, one.due) == ("interim", "year", date(2026, 1, 1), DUE)
    assert one.model_copy(update={"reminded_at": two.reminded_at}) == two
    final = date(2027, 4, 30)
    assert await through(office, date(2027, 3, 11), date(2027, 5, 30)) == [
        final - timedelta(days=30),
        final - timedelta(days=14),
        final - timedelta(days=7),
        final + timedelta(days=1),
    ]


async def test_after_a_long_silence_and_within_three_days_there_is_one_reminder(office: Office, database: Kept) -> None:
    assert await through(office, DUE - timedelta(days=8), DUE - timedelta(days=8)), "two dates were missed"
    found = await through(office, DUE - timedelta(days=7), DUE + timedelta(days=20))
    assert found == [DUE - timedelta(days=5), DUE + timedelta(days=1)], "not on the day after the first one"
    assert len(await told(database, ProofReminded)) == 3


async def test_of_several_processes_and_after_a_restart_one_tells(office: Office, database: Kept) -> None:
    assert database.mongo is not None
    async with committing(Committer(database.mongo, "reporting")) as commits:
        other = await an_office(database, commits)
        looks = [reminding.remind(one, PROOFS, noon(DUE)) for one in (office, other, office, other)]
        assert sum(await asyncio.gather(*looks)) == 1
    async with committing(Committer(database.mongo, "reporting")) as commits:
        assert await reminding.remind(await an_office(database, commits), PROOFS, noon(DUE)) == 0
    assert len(await told(database, ProofReminded)) == 1


AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


async def test_a_budget_is_told_as_the_minutes_that_it_affords(office: Office, database: Kept) -> None:
    await budgets.set_budget(office, Budget("2027", 750_000, "anna", AT))
    (first,) = await told(database, BudgetSet)
    assert [first] == [
        BudgetSet(
            budget_id=first.budget_id,
            period="2027",
            starts_on=date(2027, 1, 1),
            ends_on=date(2027, 12, 31),
            cents=750_000,
            minutes=6000,  # 75 euros an hour
            set_at=AT,
        )
    ]
    await budgets.tell_all(office, AT + timedelta(days=1))
    assert len(await told(database, BudgetSet)) == 1, "it is known"
    await budgets.set_budget(office, Budget("2027", 750_001, "anna", AT + timedelta(days=2)))
    (_, second) = await told(database, BudgetSet)
    assert (second.cents, second.minutes, second.key) == (750_001, 6000, first.key)


async def test_what_travel_and_vat_have_taken_pays_no_advice_and_is_told_anew(office: Office, database: Kept) -> None:
    await budgets.set_budget(office, Budget("2026", 750_000, "anna", AT))
    (first,) = await told(database, BudgetSet)
    spent = 750_000 - first.minutes * 7500 // 60
    assert spent > 0, "whole() has travelled"
    for _ in range(8):
        await recorded(office, whole())
    await budgets.tell_all(office, AT + timedelta(hours=1))
    (_, again) = await told(database, BudgetSet)
    assert 750_000 - again.minutes * 7500 // 60 == pytest.approx(9 * spent, abs=10 * 125)
    await budgets.tell_all(office, datetime(2027, 1, 2, tzinfo=UTC))
    assert len(await told(database, BudgetSet)) == 2, "it is over"


async def test_of_no_two_budgets_the_days_overlap_even_when_they_are_set_at_once(office: Office) -> None:
    await budgets.set_budget(office, Budget("2026-Q1", 1, "anna", AT))
    for name in ("2026", "2026-02", "2025-12-31_2026-01-01"):
        with pytest.raises(Conflict, match="2026-Q1"):
            await budgets.set_budget(office, Budget(name, 1, "anna", AT))
    at_once = [Budget("2027", 1, "anna", AT), Budget("2027-Q4", 1, "ben", AT)]
    found = await asyncio.gather(*(budgets.set_budget(office, one) for one in at_once), return_exceptions=True)
    assert sorted(type(one).__name__ for one in found) == ["Conflict", "NoneType"]


async def test_without_a_rate_nothing_is_told(office: Office, database: Kept) -> None:
    await budgets.set_budget(office, Budget("1999", 100, "anna", AT))
    assert await told(database, BudgetSet) == []
