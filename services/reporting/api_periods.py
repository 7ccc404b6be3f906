"""HTTP door: periods and their closing, deadlines, budgets, and what of closed years everybody may see."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.reporting import budgets, closing
from services.reporting.closer import Closer
from services.reporting.closing import Office
from services.reporting.example_records import ExampleRecords
from services.reporting.figures import Granularity, Scope
from services.reporting.frozen import Budget, Closed
from services.reporting.indicators import INDICATORS
from services.reporting.periods import PATTERN, Proofs, scope_of
from services.reporting.public import PublicYear, known_of, public_year
from services.reporting.result import Correction
from services.reporting.views import Period, Summary, View
from shared.access import everybody
from shared.auth import Caller, require
from shared.errors import FieldError, Invalid, NotFound
from shared.events.base import moment
from shared.idempotency import Once
from shared.mongo import Mongo
from shared.web import language, once


class CorrectionView(View):
    period: str
    figures: dict[str, tuple[int, int]] = Field(description="indicator → change of its sum and of its n")
    total_cents: int = Field(description="change of the honoraria")


class PeriodView(View):
    """`closed_at`: null while it is open."""

    name: str
    period: Period
    closed_at: datetime | None
    closed_by: str | None
    position: int | None = Field(description="place in the ledger that it was closed with")
    total_cents: int | None = Field(description="honoraria as they were frozen, without VAT")
    corrections: list[CorrectionView] = Field(description="told in it of earlier periods")


class ClosingView(View):
    """How many claims are frozen so far; 0 of 0 before the first."""

    name: str
    since: datetime
    by: str
    done: int
    total: int


class Periods(View):
    closed: list[PeriodView]
    closing: list[ClosingView] = Field(description="being closed just now")
    to_close: list[str] = Field(description="months, quarters and years that have ended and are open, the last first")


class DueView(View):
    period: str
    code: str
    name: str
    due: date
    state: Literal["done", "overdue", "soon", "open"]


class Dues(View):
    items: list[DueView]
    reminders: int = Field(description="how many are overdue or soon due")


class BudgetBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cents: int = Field(ge=0, le=10**12)


class BudgetView(View):
    """Amounts in integer cents; claims with VAT where it is fixed."""

    period: str
    budget_cents: int | None
    claimed_cents: int = Field(description="all claims that were not rejected")
    submitted_cents: int = Field(description="of them, with the payer or paid")
    paid_cents: int = Field(description="of them, paid")
    committed_cents: int = Field(description="what engagements that run are expected still to cost")
    left_cents: int | None = Field(description="budget without claimed and committed; null without a budget")
    exceeded: bool
    history: list[Budget]


class Forecast(View):
    """Whether a new engagement would exceed the budget."""

    period: str
    expected_cents: int
    left_cents: int | None
    exceeds: bool
    warning: str | None


Name = Annotated[str, Path(pattern=PATTERN, description="2026-03, 2026-Q1, 2026 or 2026-02-10_2026-03-15")]


def router(
    office: Office, closer: Closer, proofs: Proofs, examples: ExampleRecords, mongo: Mongo, secret: str
) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["periods"])
    Staff = Annotated[Caller, Depends(require(secret, "coordinator", "skew"))]
    staff = [Depends(require(secret, "coordinator", "skew"))]
    rules, frozen, reports = office.rules, office.frozen, office.reports

    def today() -> date:
        return rules.day(datetime.now(UTC))

    @routes.get("/periods", dependencies=staff)
    async def periods() -> Periods:
        """Closed periods, and those that could be closed."""
        closed = await frozen.all_closed()
        to_close = await closing.to_close(office, today())
        under_way = [
            ClosingView(name=one.period, since=one.at, by=one.by, done=one.done, total=one.total)
            for one in await frozen.wishes()
        ]
        return Periods(closed=[_view(one) for one in closed], closing=under_way, to_close=to_close)

    @routes.get("/periods/{name}", dependencies=staff)
    async def period(name: Name) -> PeriodView:
        """One period; while it is open with the corrections that it would tell now."""
        scope = _scope(name)
        closed = await frozen.closed(name)
        if closed is not None:
            return _view(closed)
        told = [_correction(one) for one in await closing.corrections(office, name)]
        days = Period(start=scope.start, end=scope.end)
        return PeriodView(
            name=name, period=days, closed_at=None, closed_by=None, position=None, total_cents=None, corrections=told
        )

    @routes.get("/periods/{name}/summary", dependencies=staff)
    async def summary(request: Request, name: Name, granularity: Granularity = "month") -> Summary:
        """The figures of a closed period as they were frozen, of an open one as they are now."""
        scope, closed = _scope(name), await frozen.closed(name)
        counted = closed.counted if closed else await reports.count(scope)
        return reports.present(counted, scope, granularity=granularity, language=language(request))

    @routes.post("/periods/{name}/close", responses={202: {"model": PeriodView, "description": "it takes longer"}})
    async def close(name: Name, caller: Staff, answer: Response) -> PeriodView:
        """Freeze the figures and claims with the ledger's place. What comes later is a correction in the next one.

        202 when that takes longer: `closing` of `GET /api/periods` tells how far it is.
        """
        _scope(name)
        if not await closer.close(name, caller.subject, datetime.now(UTC)):
            answer.status_code = 202
        return await period(name)

    @routes.get("/deadlines", dependencies=staff)
    async def due(request: Request) -> Dues:
        """What is due for the years of the programme, the next one first."""
        english = language(request) == "en"
        found = await closing.due(office, proofs, today())
        items = [
            DueView(period=one.period, code=one.code, name=one.name[english], due=one.due, state=one.state)
            for one in found
        ]
        return Dues(items=items, reminders=sum(one.state in ("overdue", "soon") for one in items))

    @routes.post("/deadlines/{name}/{code}/done")
    async def done(request: Request, name: Name, code: str, caller: Staff) -> Dues:
        """The proof was handed in."""
        if code not in {one.code for one in proofs.deadlines}:
            raise NotFound("Diese Frist gibt es nicht.", "There is no such deadline.")
        await frozen.meet(name, code, caller.subject, datetime.now(UTC))
        return await due(request)

    @routes.get("/budgets/{name}", dependencies=staff)
    async def budget(name: Name) -> BudgetView:
        """A period's budget against what was claimed, paid, and what running engagements bind."""
        _scope(name)
        found = await closing.spending(office, name)
        return BudgetView(
            period=name,
            budget_cents=found.budget,
            claimed_cents=found.claimed,
            submitted_cents=found.submitted,
            paid_cents=found.paid,
            committed_cents=found.committed,
            left_cents=found.left,
            exceeded=found.left is not None and found.left < 0,
            history=await frozen.budgets(name),
        )

    @routes.post("/budgets/{name}", status_code=201, response_model=Budget)
    async def set_budget(
        name: Name, body: BudgetBody, caller: Staff, once: Annotated[Once, Depends(once(mongo))]
    ) -> dict[str, Any]:
        """Set a period's budget; what was said before stays in its history. Takes an Idempotency-Key.

        Matching reserves by it from then on. 409 when another period's budget covers some of its days.
        """
        _scope(name)

        async def act() -> dict[str, Any]:
            said = Budget(name, body.cents, caller.subject, moment(datetime.now(UTC)))
            answer = {**asdict(said), "at": said.at.isoformat()}
            await budgets.set_budget(office, said, once.mark(answer))
            return answer

        return await once.run(act)

    @routes.get("/budgets/{name}/forecast", dependencies=staff)
    async def forecast(
        request: Request, name: Name, advisors: Annotated[int, Query(ge=1, le=2, description="of the engagement")] = 2
    ) -> Forecast:
        """Whether a new engagement would exceed the budget, before it is released."""
        scope = _scope(name)
        cost = await closing.expected(office, advisors, min(max(today(), scope.start), scope.end))
        left = (await closing.spending(office, name)).left
        exceeds = left is not None and cost > left
        german, english = (
            "Eine weitere Beratung würde das Budget voraussichtlich überschreiten.",
            "Another engagement would probably exceed the budget.",
        )
        warning = (english if language(request) == "en" else german) if exceeds else None
        return Forecast(period=name, expected_cents=cost, left_cents=left, exceeds=exceeds, warning=warning)

    @routes.get("/public/{year}")
    @everybody
    async def public(request: Request, year: Annotated[str, Path(pattern="^[0-9]{4}$")]) -> PublicYear:
        """Figures of a closed year, for everybody. Whatever is below five is left out, and what would give it away."""
        closed = await frozen.closed(year)
        if closed is None:
            raise NotFound("Dieses Jahr ist nicht abgeschlossen.", "This year is not closed.")
        known = await known_of(reports.queries, await examples.told(), closed.scope)
        return public_year(reports, closed, language(request), known)

    return routes


def _view(closed: Closed) -> PeriodView:
    return PeriodView(
        name=closed.closing.period,
        period=Period(start=closed.scope.start, end=closed.scope.end),
        closed_at=closed.closing.at,
        closed_by=closed.closing.by,
        position=closed.counted.position,
        total_cents=closed.counted.cents(),
        corrections=[_correction(one) for one in closed.corrections],
    )


def _correction(one: Correction) -> CorrectionView:
    figures = {code: change for code, change in one.figures.items() if code in INDICATORS}
    return CorrectionView(period=one.period, figures=figures, total_cents=one.cents)


def _scope(name: str) -> Scope:
    try:
        return scope_of(name)
    except ValueError as error:
        german = "Diesen Zeitraum gibt es nicht."
        raise Invalid.of(FieldError("name", "no_period", german, f"There is no such period: {error}.")) from None
