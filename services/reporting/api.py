"""HTTP door: reports, honoraria, exports, lineage, findings."""

from typing import Annotated, get_args
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query, Request

from services.reporting.api_claims import own
from services.reporting.figures import Granularity, parse
from services.reporting.findings import WORDS
from services.reporting.params import AfterDay, AfterRequest, From, Limit, To, after, period
from services.reporting.queries import ClaimFilter
from services.reporting.reports import Reports
from services.reporting.views import By, Findings, FindingView, Honoraria, Lineage, Summary
from shared.auth import Caller, require
from shared.errors import FieldError, Forbidden, Invalid, NotFound
from shared.events.base import AdvisorId, Id
from shared.web import language

FigureName = Annotated[
    str,
    Path(
        alias="id",
        pattern=r"^[a-z_]{1,40}~[a-z0-9_.=~-]{1,120}$",
        description="a figure's id as reports give it, or claim~ and a claim's id",
    ),
]


def router(reports: Reports, zone: ZoneInfo, secret: str) -> APIRouter:
    """All of reporting's routes."""
    routes = APIRouter(prefix="/api")
    _add_reports(routes, reports, zone, secret)
    _add_lineage(routes, reports, secret)
    return routes


def _add_reports(routes: APIRouter, reports: Reports, zone: ZoneInfo, secret: str) -> None:
    @routes.get("/reports/summary", dependencies=[Depends(require(secret, "skew", "coordinator"))])
    async def summary(
        request: Request,
        start: From = None,
        end: To = None,
        by: Annotated[By | None, Query(description="only this grouping; default: all")] = None,
        granularity: Annotated[Granularity, Query(description="of the grouping by period")] = "month",
        compare: Annotated[bool, Query(description="each figure beside that of the period before")] = False,
    ) -> Summary:
        """All figures of a period, in total and by period, district, field and size of the municipality.

        A request for two fields counts under both, so that the fields may add up to more than the total.
        """
        groups = (by,) if by else get_args(By)
        return await reports.summary(period(start, end, zone), groups, granularity, language(request), compare)

    @routes.get("/reports/honoraria")
    async def honoraria(
        caller: Annotated[Caller, Depends(require(secret, "skew", "coordinator", "advisor"))],
        start: From = None,
        end: To = None,
        advisor: Annotated[AdvisorId | None, Query(description="only this advisor's")] = None,
        request_id: Annotated[Id | None, Query(alias="request", description="only this request's")] = None,
        cursor: Annotated[AfterDay, Query(alias="after")] = None,
        limit: Limit = 50,
    ) -> Honoraria:
        """Claims of the sessions held in a period, with every factor. Advisors see their own."""
        if caller.role == "advisor":
            advisor = own(caller, advisor)
        scope = period(start, end, zone)
        wanted = ClaimFilter(scope.start, scope.end, advisor, request_id)
        return await reports.honoraria(wanted, after(cursor), limit)

    @routes.get("/findings", dependencies=[Depends(require(secret, "skew", "coordinator", "ops"))])
    async def findings(
        request: Request,
        code: Annotated[str | None, Query(json_schema_extra={"enum": list(WORDS)}, max_length=60)] = None,
        request_id: Annotated[Id | None, Query(alias="request", description="only this request's")] = None,
        cursor: Annotated[AfterRequest, Query(alias="after")] = None,
        limit: Limit = 50,
    ) -> Findings:
        """Contradictions and gaps among the facts, by request."""
        if code is not None and code not in WORDS:
            raise _unknown("code", WORDS)
        found = await reports.queries.findings(request_id, code, after(cursor), limit + 1)
        items = [
            FindingView(
                id=item.id,
                code=item.code,
                text=WORDS[item.code][language(request) == "en"],
                request_id=item.request_id,
                case_number=item.case_number,
                subject=item.subject,
                facts=list(item.facts),
            )
            for item in found[:limit]
        ]
        return Findings(items=items, next=f"{items[-1].request_id}~{items[-1].id}" if len(found) > limit else None)


def _add_lineage(routes: APIRouter, reports: Reports, secret: str) -> None:
    @routes.get("/figures/{id}/facts")
    async def lineage(
        caller: Annotated[Caller, Depends(require(secret, "skew", "coordinator", "advisor"))],
        figure: FigureName,
        cursor: Annotated[AfterDay, Query(alias="after")] = None,
        limit: Limit = 50,
    ) -> Lineage:
        """What a figure or a claim was counted from: contributions with their facts. Advisors: own claims only."""
        kind, _, name = figure.partition("~")
        if kind == "claim":
            claim = await reports.queries.claim(name)
            if claim is None or (caller.role == "advisor" and claim.advisor_id != caller.subject):
                raise NotFound("Diesen Anspruch gibt es nicht.", "There is no such claim.")
            return await reports.claim_lineage(claim)
        if caller.role == "advisor":
            raise Forbidden("Sie sehen nur Ihre eigenen Ansprüche.", "You may see your own claims only.")
        try:
            return await reports.lineage(parse(figure), after(cursor), limit)
        except ValueError as error:
            raise NotFound("Diese Kennzahl gibt es nicht.", f"There is no such figure: {error}.") from None


def _unknown(field: str, allowed: "list[str] | dict[str, tuple[str, str]]") -> Invalid:
    names = ", ".join(allowed)
    return Invalid.of(FieldError(field, "enum", f"Erlaubt sind: {names}.", f"Allowed are: {names}."))
