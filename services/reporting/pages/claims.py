"""Honorarium claims from hand to hand: in bulk, one by one, and each advisor's own."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, cast, get_args
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.reporting import deciding
from services.reporting.api_claims import EVER
from services.reporting.deciding import MAY, Outcome, Step
from services.reporting.decisions import STATUS_NAMES, STEPS, WITH_REASON, Decided, Reason
from services.reporting.pages.desk import Pages
from services.reporting.pages.overview import month
from services.reporting.params import AfterDay, From, To, after
from services.reporting.queries import ClaimFilter
from shared.errors import NotFound
from shared.events.base import AdvisorId
from shared.events.reporting import ClaimStatus
from shared.login import Viewer, signed_in
from shared.web import language

PAGE = 50
Office = Annotated[Viewer, Depends(signed_in("coordinator", "skew"))]
ClaimId = Annotated[str, Path(alias="id", pattern=r"^[a-z0-9_.]{1,60}$")]
STEP_WORDS: dict[Decided, tuple[str, str]] = {
    "checked": ("Als geprüft vermerken", "Mark as checked"),
    "approved": ("Freigeben", "Approve"),
    "submitted": ("Als eingereicht vermerken", "Mark as submitted"),
    "paid": ("Als bezahlt vermerken", "Mark as paid"),
    "rejected": ("Ablehnen", "Reject"),
    "draft": ("Zurückholen", "Reopen"),
}


def add(routes: APIRouter, pages: Pages) -> None:
    """The claims of all for the office, and `/reporting/mine` for advisors."""
    look, reports, desk = pages.look, pages.reports, pages.desk

    async def listed(
        request: Request,
        viewer: Viewer,
        status: ClaimStatus | None,
        wanted: ClaimFilter,
        cursor: str | None,
        outcomes: Sequence[Outcome] = (),
    ) -> HTMLResponse:
        found = await reports.honoraria(wanted, after(cursor), PAGE)
        return look.show(
            request,
            "claims.html",
            found=found,
            status=status,
            wanted=wanted,
            bounded=(wanted.start, wanted.end) != EVER,
            choices=get_args(ClaimStatus),
            steps=_plain(status, viewer),
            step_words=STEP_WORDS,
            refused=[outcome for outcome in outcomes if outcome.refused],
            done=sum(outcome.refused is None for outcome in outcomes),
            csrf=viewer.csrf,
        )

    @routes.get("/reporting/claims")
    async def claims(
        request: Request,
        viewer: Office,
        status: ClaimStatus | None = None,
        start: From = None,
        end: To = None,
        advisor: AdvisorId | None = None,
        cursor: Annotated[AfterDay, Query(alias="after")] = None,
    ) -> HTMLResponse:
        wanted = ClaimFilter(start or EVER[0], end or EVER[1], advisor, None, status)
        return await listed(request, viewer, status, wanted, cursor)

    @routes.post("/reporting/claims")
    async def decide_all(
        request: Request,
        viewer: Office,
        step: Annotated[Decided, Form()],
        claims: Annotated[list[str], Form()] = [],  # noqa: B006
        status: ClaimStatus | None = None,
        start: From = None,
        end: To = None,
        advisor: AdvisorId | None = None,
    ) -> Response:
        outcomes = await deciding.decide(desk, claims[:200], Step(step), viewer, datetime.now(UTC)) if claims else []
        wanted = ClaimFilter(start or EVER[0], end or EVER[1], advisor, None, status)
        return await listed(request, viewer, status, wanted, None, outcomes)

    @routes.get("/reporting/claims/{id}")
    async def claim(request: Request, claim_id: ClaimId, viewer: Office) -> HTMLResponse:
        return await shown(request, claim_id, viewer)

    async def shown(
        request: Request, claim_id: str, viewer: Viewer, code: int = 200, /, **given: object
    ) -> HTMLResponse:
        found = await reports.queries.claim(claim_id)
        if found is None:
            raise NotFound("Diesen Anspruch gibt es nicht.", "There is no such claim.")
        opened = await reports.claim_lineage(found)
        values: dict[str, object] = {"errors": {}, "reason": "", "note": "", "chosen": None, **given}
        return look.show(
            request,
            "claim.html",
            code,
            claim=reports.line(found),
            history=await desk.records.decisions(claim_id),
            steps=[step for step in STEPS[found.status] if viewer.role in MAY[step]],
            with_reason=WITH_REASON,
            step_words=STEP_WORDS,
            facts=opened.items[0].facts if opened.items else [],
            csrf=viewer.csrf,
            **values,
        )

    @routes.post("/reporting/claims/{id}")
    async def decide(
        request: Request,
        claim_id: ClaimId,
        viewer: Office,
        step: Annotated[Decided, Form()],
        reason: Annotated[Reason | str, Form()] = "",
        note: Annotated[str, Form(max_length=1000)] = "",
    ) -> Response:
        why = cast("Reason", reason) if step in WITH_REASON and reason in get_args(Reason) else None
        wanted = Step(step, why, note.strip())
        (outcome,) = await deciding.decide(desk, [claim_id], wanted, viewer, datetime.now(UTC))
        if outcome.refused is not None:
            errors = {"reason" if step in WITH_REASON and why is None else "steps": outcome.refused}
            told = {name: (refused.de, refused.en) for name, refused in errors.items()}
            return await shown(request, claim_id, viewer, 409, errors=told, reason=reason, note=note, chosen=step)
        return RedirectResponse(f"/reporting/claims/{quote(claim_id)}", 303)

    @routes.get("/reporting/mine")
    async def mine(
        request: Request,
        viewer: Annotated[Viewer, Depends(signed_in("advisor"))],
        cursor: Annotated[AfterDay, Query(alias="after")] = None,
    ) -> HTMLResponse:
        found = await reports.honoraria(ClaimFilter(*EVER, viewer.subject), after(cursor), PAGE)
        keys = sorted({f"{claim.held_on:%Y-%m}" for claim in found.items})
        months = [(key, month(key, language(request), "yMMMM")) for key in keys]
        return look.show(
            request, "mine.html", found=found, order=list(STATUS_NAMES), advisor_id=viewer.subject, months=months
        )


def _plain(status: ClaimStatus | None, viewer: Viewer) -> list[Decided]:
    """What may be done with many at once: the steps that need no reason."""
    may = STEPS[status] if status else ()
    return [step for step in may if viewer.role in MAY[step] and step not in WITH_REASON]
