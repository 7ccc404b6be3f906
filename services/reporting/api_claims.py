"""HTTP door: claims from hand to hand, and the tax status of those who are paid."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from services.reporting import deciding
from services.reporting.deciding import MAY, Desk, Outcome, Step
from services.reporting.decisions import STEPS, Decided, Reason
from services.reporting.params import AfterDay, Day, From, Limit, To, after
from services.reporting.queries import ClaimFilter
from services.reporting.records import Payee, Tax
from services.reporting.reports import Reports
from services.reporting.views import ClaimLine, Honoraria, View
from shared.auth import Caller, require
from shared.errors import Forbidden, NotFound
from shared.events.base import AdvisorId, Id
from shared.events.reporting import ClaimStatus
from shared.idempotency import Once
from shared.mongo import Mongo
from shared.web import language, once

EVER = date(2000, 1, 1), date(9999, 12, 31)
ClaimId = Annotated[str, Path(alias="id", pattern=r"^[a-z0-9_.]{1,60}$")]


class StepBody(BaseModel):
    """`reason` when it is rejected or reopened (status draft), else null; `note` is never part of a fact."""

    model_config = ConfigDict(extra="forbid")

    status: Decided
    reason: Reason | None = None
    note: str = Field(default="", max_length=1000)

    def step(self) -> Step:
        return Step(self.status, self.reason, self.note.strip())


class BulkBody(StepBody):
    claims: list[Annotated[str, Field(pattern=r"^[a-z0-9_.]{1,60}$")]] = Field(min_length=1, max_length=200)


class Result(View):
    claim_id: str
    refused: str | None = Field(description="why it stays as it is; null: done")


class Results(View):
    items: list[Result]
    done: int


class DecisionView(View):
    """One step of a claim's way."""

    at: datetime
    status: str
    reason: str | None
    note: str
    by: str
    role: str


class ClaimDetail(View):
    """A claim, the steps that the caller's role may take next, and its way so far."""

    claim: ClaimLine
    next_steps: list[Decided] = Field(description="by role and status; whether by this very person is seen when tried")
    history: list[DecisionView] = Field(description="empty for advisors")


class PayeeBody(BaseModel):
    """Tax status of an advisor from a day on; claims checked before keep what they were checked with."""

    model_config = ConfigDict(extra="forbid")

    valid_from: Day
    tax: Tax = Field(description="standard: VAT by the card; small_business: exempt (§ 19 UStG); not_liable")


class PayeeView(View):
    advisor_id: str
    valid_from: date
    tax: Tax
    by: str
    at: datetime


class Payees(View):
    items: list[PayeeView] = Field(description="by advisor and day; of the same day the last one holds")


def router(desk: Desk, reports: Reports, mongo: Mongo, secret: str) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["claims"])
    Office = Annotated[Caller, Depends(require(secret, "coordinator", "skew"))]
    Concerned = Annotated[Caller, Depends(require(secret, "coordinator", "skew", "advisor"))]

    @routes.get("/claims")
    async def claims(
        caller: Concerned,
        status: Annotated[ClaimStatus | None, Query(description="only those that stand so")] = None,
        start: From = None,
        end: To = None,
        advisor: Annotated[AdvisorId | None, Query(description="only this advisor's")] = None,
        request_id: Annotated[Id | None, Query(alias="request", description="only this request's")] = None,
        cursor: Annotated[AfterDay, Query(alias="after")] = None,
        limit: Limit = 50,
    ) -> Honoraria:
        """Claims and counter-entries by the day of their session, of all days unless asked for some. Advisors: own."""
        if caller.role == "advisor":
            advisor = own(caller, advisor)
        wanted = ClaimFilter(start or EVER[0], end or EVER[1], advisor, request_id, status)
        return await reports.honoraria(wanted, after(cursor), limit)

    @routes.get("/claims/{id}")
    async def claim(claim_id: ClaimId, caller: Concerned) -> ClaimDetail:
        """A claim with its way from hand to hand."""
        found = await reports.queries.claim(claim_id)
        if found is None or (caller.role == "advisor" and found.advisor_id != caller.subject):
            raise NotFound("Diesen Anspruch gibt es nicht.", "There is no such claim.")
        taken = [] if caller.role == "advisor" else await desk.records.decisions(claim_id)
        return ClaimDetail(
            claim=reports.line(found),
            next_steps=[step for step in STEPS[found.status] if caller.role in MAY[step]],
            history=[DecisionView.model_validate(one, from_attributes=True) for one in taken],
        )

    @routes.post("/claims/{id}/decisions")
    async def decide(claim_id: ClaimId, body: StepBody, caller: Office) -> ClaimDetail:
        """Check, approve, submit, pay, reject or reopen (status draft) a claim. The same again changes nothing.

        The coordinator checks and submits, SKEW tells what was paid; who approves is not who has checked.
        """
        (outcome,) = await deciding.decide(desk, [claim_id], body.step(), caller, datetime.now(UTC))
        if outcome.refused is not None:
            raise outcome.refused
        return await claim(claim_id, caller)

    @routes.post("/claims/decisions")
    async def decide_all(request: Request, body: BulkBody, caller: Office) -> Results:
        """The same step for many claims, each by itself: those that may not take it stay as they are."""
        outcomes = await deciding.decide(desk, body.claims, body.step(), caller, datetime.now(UTC))
        items = [_result(outcome, language(request)) for outcome in outcomes]
        return Results(items=items, done=sum(item.refused is None for item in items))

    @routes.get("/payees", dependencies=[Depends(require(secret, "coordinator", "skew"))])
    async def payees(advisor: AdvisorId | None = None) -> Payees:
        """Who is liable for VAT, from which day on, and who said so."""
        kept = await desk.records.payees(advisor)
        return Payees(items=[PayeeView.model_validate(one, from_attributes=True) for one in kept])

    @routes.post("/payees/{advisor_id}", status_code=201, response_model=PayeeView)
    async def set_payee(
        advisor_id: AdvisorId, body: PayeeBody, caller: Office, once: Annotated[Once, Depends(once(mongo))]
    ) -> dict[str, Any]:
        """Set an advisor's tax status from a day on. What held before stays in the list. Takes an Idempotency-Key."""

        async def act() -> dict[str, Any]:
            payee = Payee(advisor_id, body.valid_from, body.tax, caller.subject, datetime.now(UTC))
            answer = PayeeView.model_validate(payee, from_attributes=True).model_dump(mode="json")
            await desk.records.add_payee(payee, once.mark(answer))
            return answer

        return await once.run(act)

    return routes


def own(caller: Caller, advisor: str | None) -> str:
    """The advisor that an advisor asks about. Raises Forbidden for another."""
    if advisor not in (None, caller.subject):
        raise Forbidden("Sie sehen nur Ihre eigenen Ansprüche.", "You may see your own claims only.")
    return caller.subject


def _result(outcome: Outcome, language: str) -> Result:
    refused = outcome.refused
    return Result(
        claim_id=outcome.claim_id, refused=None if refused is None else refused.en if language == "en" else refused.de
    )
