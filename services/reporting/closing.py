"""Periods: their result, closing them, what has changed of closed ones since; budgets and what they are spent on."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.reporting.decisions import OUT
from services.reporting.figures import Scope
from services.reporting.frozen import Frozen
from services.reporting.journey import Rules
from services.reporting.periods import Due, Proofs, correction, dues, ended, kind_of, name_of, scope_of, sums_of
from services.reporting.queries import ClaimFilter, ClaimSums
from services.reporting.rates import card_on
from services.reporting.reports import Reports
from services.reporting.result import Closing, Correction, Result
from shared.errors import Conflict, Unavailable
from shared.ids import new_id

Held = Callable[[], AbstractAsyncContextManager[None]]
"""Keeps the projector from changing the read models for as long as the block."""


@dataclass(frozen=True)
class Office:
    """What closing and budgets need."""

    reports: Reports
    frozen: Frozen
    rules: Rules
    held: Held


@dataclass(frozen=True, slots=True)
class Spending:
    """A period's budget (None: none was set) and what it is spent on, in cents, VAT included where it is fixed.

    `claimed`: all claims that were not rejected; `submitted` and `paid` are parts of it. `committed`: what engagements
    that run are expected still to cost. `left`: budget without claimed and committed.
    """

    budget: int | None
    claimed: int
    submitted: int
    paid: int
    committed: int

    @property
    def left(self) -> int | None:
        return None if self.budget is None else self.budget - self.claimed - self.committed


async def result(
    office: Office, scope: Scope, now: datetime, *, live: bool = False, at_most: int | None = None
) -> Result:
    """Of a closed period what was frozen, unless it shall be `live`; else what is known now, with corrections.

    With `at_most` claims are listed up to that number only, of more there are the sums.
    """
    name = name_of(scope)
    closed = None if live else await office.frozen.closed(name)
    if closed is not None:
        return await office.frozen.result(closed, at_most)
    found = await office.reports.result(scope, now, at_most)
    return replace(found, corrections=await corrections(office, name))


async def check(office: Office, name: str, today: date) -> None:
    """Raises Conflict when `name` has not ended or is closed already."""
    if scope_of(name).end >= today:
        raise Conflict("Der Zeitraum ist noch nicht zu Ende.", "The period has not ended yet.")
    if await office.frozen.closed(name):
        raise Conflict("Der Zeitraum ist schon abgeschlossen.", "The period is closed already.")


async def close(office: Office, name: str, by: str, now: datetime, today: date) -> Result:
    """Freezes the figures and claims of `name` with the ledger's place; its reader closes `vouchers`.

    Raises Conflict as `check`, Unavailable while facts are still being counted.
    """
    scope = scope_of(name)
    await check(office, name, today)
    async with office.held():
        if (await office.reports.store.position()).seq < await office.reports.ledger.head():
            raise Unavailable("Es werden noch Ereignisse ausgewertet.", "Facts are still being counted.", retry_after=2)
        made = await office.reports.result(scope, now)
        told = await corrections(office, name)
    found = replace(made, corrections=told, closing=Closing(name, now, by))
    try:
        await office.frozen.freeze(found, new_id())
    except BaseException:
        found.vouchers.close()
        raise
    return found


async def _known(office: Office, today: date) -> list[str]:
    """All months, quarters and years of the programme that have ended, the last ones first."""
    first = await office.reports.queries.first_day()
    return ended(first, today) if first else []


async def to_close(office: Office, today: date) -> list[str]:
    """Of them, those that are open."""
    closed = {one.closing.period for one in await office.frozen.all_closed()}
    return [name for name in await _known(office, today) if name not in closed]


async def due(office: Office, proofs: Proofs, today: date) -> list[Due]:
    """What is due for the years of the programme, the next one first."""
    names = sorted({*await _known(office, today), str(today.year)})
    return dues(proofs.deadlines, names, await office.frozen.met(), today, proofs.ahead)


async def corrections(office: Office, name: str) -> list[Correction]:
    """What has become known of closed periods of the same kind before `name`, beyond what others have told since."""
    kind, start = kind_of(name), scope_of(name).start
    if kind == "free":
        return []
    closed = await office.frozen.all_closed(kind)
    found = []
    for one in closed:
        if one.scope.end < start:
            period = one.closing.period
            told = [told.figures for other in closed for told in other.corrections if told.period == period]
            now = await office.reports.count(one.scope, ())
            if (changed := correction(period, sums_of(now.totals), one.sums, told)) is not None:
                found.append(changed)
    return found


async def spending(office: Office, name: str) -> Spending:
    """How the budget of `name` stands."""
    scope, budgets = scope_of(name), await office.frozen.budgets(name)
    by_status = await office.reports.queries.sums_by_status(ClaimFilter(scope.start, scope.end))
    none = ClaimSums()
    return Spending(
        budget=budgets[-1].cents if budgets else None,
        claimed=sum(sums.gross_cents for status, sums in by_status.items() if status != "rejected"),
        submitted=sum(by_status.get(status, none).gross_cents for status in OUT),
        paid=by_status.get("paid", none).gross_cents,
        committed=await office.reports.queries.committed(scope.end),
    )


async def expected(office: Office, advisors: int, day: date) -> int:
    """What a new engagement of so many advisors is expected to cost, in cents, by the card that holds on `day`."""
    card = card_on(await office.reports.store.cards() or office.rules.cards, day)
    return card.expected_cents(office.rules.expected_minutes) * advisors if card else 0
