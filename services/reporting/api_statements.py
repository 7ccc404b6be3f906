"""HTTP door: an advisor's statement of a month."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from services.reporting.api_claims import own
from services.reporting.deciding import Desk
from services.reporting.exports import statement
from services.reporting.exports.statement import Statement
from services.reporting.periods import scope_of
from services.reporting.queries import ClaimFilter
from services.reporting.records import tax_on
from services.reporting.reports import Reports
from shared.auth import Caller
from shared.errors import NotFound
from shared.events.base import AdvisorId
from shared.web import language

VOID = ("rejected", "reversed")
_PDF: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}
}
Month = Annotated[str, Path(pattern=r"^[1-9][0-9]{3}-(0[1-9]|1[0-2])$", description="2026-11")]


def router(
    desk: Desk, reports: Reports, payer: str, allowed: Callable[..., Awaitable[Caller]], prefix: str
) -> APIRouter:
    """`payer`: who pays, lines separated by |. `allowed`: lets in whom they are for, by token or by session."""
    routes = APIRouter(prefix=prefix, tags=["claims"])
    lines = [line.strip() for line in payer.split("|") if line.strip()]

    @routes.get("/statements/{advisor_id}/{month}.pdf", response_class=Response, responses=_PDF)
    async def of_month(
        request: Request,
        advisor_id: AdvisorId,
        month: Month,
        caller: Annotated[Caller, Depends(allowed)],
    ) -> Response:
        """All claims of the sessions held in a month, for whoever pays. Advisors: their own."""
        if caller.role == "advisor":
            own(caller, advisor_id)
        scope = scope_of(month)
        pages = reports.queries.all_claims(ClaimFilter(scope.start, scope.end, advisor_id))
        claims = [claim async for page in pages for claim in page if claim.status not in VOID]
        if not claims:
            raise NotFound("In diesem Monat gibt es nichts abzurechnen.", "There is nothing to claim in this month.")
        made = Statement(
            scope=scope,
            advisor_id=advisor_id,
            name=await desk.records.name(advisor_id),
            payer=lines,
            tax=tax_on(await desk.records.payees(advisor_id), scope.end),
            claims=claims,
            cards=await desk.store.cards(),
            made_at=datetime.now(UTC),
        )
        content = await asyncio.to_thread(statement.write, made, reports.register, language(request))
        name = f'attachment; filename="miglobe-{month}-{advisor_id}.pdf"'
        return Response(content, media_type="application/pdf", headers={"Content-Disposition": name})

    return routes
