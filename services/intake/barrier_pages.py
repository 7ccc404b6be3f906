"""Report a barrier: a form for everybody, and the office's list of what was reported."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError
from pymongo.errors import PyMongoError

from services.intake.api import RequestId
from services.intake.barriers import SHOWN, BarrierBody, Barriers
from services.intake.limits import Window, network
from services.intake.settings import Settings
from shared import web
from shared.access import everybody
from shared.errors import Problem
from shared.events.base import Id, moment
from shared.ids import new_id
from shared.login import Viewer, noticed, signed_in
from shared.look import Look
from shared.workdays import add_workdays


def router(look: Look, barriers: Barriers, settings: Settings) -> APIRouter:
    routes = APIRouter(route_class=look.route_class, include_in_schema=False, dependencies=[Depends(noticed)])
    addresses = Window(
        settings.limit_barriers_hour,
        3600,
        "Von Ihrem Anschluss kamen gerade viele Meldungen. Bitte schreiben Sie uns eine E-Mail.",
        "Many reports came from your network just now. Please write us an e-mail.",
    )
    Coordinator = Annotated[Viewer, Depends(signed_in("coordinator"))]

    def now() -> datetime:
        return moment(datetime.now(UTC))

    @routes.get("/barrier")
    @everybody
    async def form(request: Request, page: Annotated[str, Query(max_length=500)] = "") -> HTMLResponse:
        return look.show(request, "barrier.html", given={"id": new_id(), "page": page}, errors={}, trouble=None)

    @routes.post("/barrier")
    @everybody
    async def report(request: Request) -> Response:
        """Keeps it. A wrong entry, or a database that is away, shows the form again with all that was typed."""
        sent = await request.form(max_files=0, max_fields=20)
        given = {name: value for name, value in sent.items() if isinstance(value, str)}
        try:
            body = BarrierBody.model_validate(given)
        except ValidationError as error:
            found = web.invalid(RequestValidationError([{**e, "loc": ("body", *e["loc"])} for e in error.errors()]))
            errors = {field.field: (field.de, field.en) for field in found.fields}
            shown = {"id": new_id(), "page": "", **given} if "id" not in errors else given | {"id": new_id()}
            errors.pop("id", None)
            return look.show(request, "barrier.html", 422, given=shown, errors=errors, trouble=None)
        at = now()
        due = add_workdays(settings.today(at), settings.due_barrier_days, settings.subdivision)
        try:
            addresses.take(network(request.client.host if request.client else None))
            await barriers.report(body, at, due)
        except (Problem, PyMongoError) as error:
            away = web.as_problem(error)
            return look.show(request, "barrier.html", away.status, given=given, errors={}, trouble=away)
        return RedirectResponse("/barrier/thanks", 303)

    @routes.get("/barrier/thanks")
    @everybody
    async def thanks(request: Request) -> HTMLResponse:
        return look.show(request, "barrier_thanks.html", days=settings.due_barrier_days)

    @routes.get("/barriers")
    async def listed(
        request: Request,
        viewer: Coordinator,
        after: Annotated[str, Query(max_length=80)] = "",
        barrier: Annotated[Id | None, Query()] = None,
    ) -> HTMLResponse:
        """`barrier`: the page that holds this one, wherever it is by now."""
        after = await barriers.before(barrier) if barrier else after
        found, done = await barriers.open(after, SHOWN + 1), [] if after else await barriers.done()
        values = {"waiting": found[:SHOWN], "done": done, "today": settings.today(now()), "begun": bool(after)}
        further = found[SHOWN - 1].place if len(found) > SHOWN else None
        return look.show(request, "barriers.html", csrf=viewer.csrf, next=further, **values)

    @routes.post("/barriers/{barrier_id}/settled")
    async def settled(barrier_id: RequestId, viewer: Coordinator) -> Response:
        await barriers.settle(barrier_id, viewer.subject, now)
        return RedirectResponse("/barriers", 303)

    return routes
