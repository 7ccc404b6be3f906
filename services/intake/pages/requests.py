"""The pages of a request that was sent: GET shows, POST acts. The token of the link opens them."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError
from pymongo.errors import PyMongoError

from services.intake import copies, domain, handlers, sheet, words
from services.intake.answers import StatusAnswer
from services.intake.api import RequestId
from services.intake.bodies import FeedbackBody
from services.intake.settings import Settings
from services.intake.store import Store
from services.intake.words import Pair
from shared import auth, web
from shared.access import by_link
from shared.errors import Conflict, Problem, Unavailable
from shared.look import Look

Token = Annotated[str | None, Query(max_length=200)]


def router(look: Look, store: Store, settings: Settings) -> APIRouter:
    """The status page, the question before a withdrawal, and the feedback form."""
    routes = APIRouter(prefix="/requests", route_class=look.route_class, include_in_schema=False)
    secret = settings.secret.get_secret_value()
    deadlines, zone = settings.deadlines(), settings.zone

    @by_link
    async def own(request_id: RequestId, token: Token = None) -> str:
        auth.check(secret, token, "status", request_id)
        return request_id

    Own = Annotated[str, Depends(own)]

    async def answer(request: Request, request_id: str) -> StatusAnswer:
        seen = await handlers.view(store, request_id, datetime.now(UTC), deadlines)
        return StatusAnswer.of(seen.request, seen.status, seen.names, web.language(request), zone)

    def back(request_id: str) -> RedirectResponse:
        token = auth.sign(secret, "status", request_id)
        return RedirectResponse(f"/requests/{request_id}?token={token}", 303)

    def feedback_page(
        request: Request,
        request_id: str,
        token: str | None,
        standing: StatusAnswer | None,
        given: Mapping[str, str] | None = None,
        errors: Mapping[str, Pair] | None = None,
        *,
        trouble: Problem | None = None,
        code: int = 200,
    ) -> HTMLResponse:
        """`standing`: None when nobody knows it now; then the form stands with all that was typed."""
        values = {"given": given or {}, "errors": errors or {}, "trouble": trouble, "here": f"/requests/{request_id}"}
        return look.show(request, "feedback.html", code, status=standing, token=token, **values)

    @routes.get("/{request_id}")
    async def status(request: Request, request_id: Own, token: Token = None) -> HTMLResponse:
        return look.show(request, "status.html", status=await answer(request, request_id), token=token)

    @routes.get("/{request_id}/sent")
    async def sent(request: Request, request_id: Own, token: Token = None) -> HTMLResponse:
        """Right after sending: the number, and what happens next."""
        return look.show(request, "sent.html", status=await answer(request, request_id), token=token)

    @routes.get("/{request_id}/copy.pdf")
    async def copy(request: Request, request_id: Own) -> Response:
        """What was asked for, to keep."""
        found, language, at = await store.request(request_id), web.language(request), datetime.now(UTC)
        entry = store.municipality(found.municipality_ags)
        municipality = sheet.place(entry, language) if entry else found.municipality_name
        made = await asyncio.to_thread(copies.make, found, municipality, settings.programme_name, language, zone, at)
        name = f'attachment; filename="{found.case_number}.pdf"'
        headers = {"Content-Disposition": name, "Cache-Control": "no-store", "Content-Language": language}
        return Response(made, media_type="application/pdf", headers=headers)

    @routes.get("/{request_id}/withdraw")
    async def ask_to_withdraw(request: Request, request_id: Own, token: Token = None) -> HTMLResponse:
        standing = await answer(request, request_id)
        return look.show(request, "withdraw.html", status=standing, token=token, reasons=words.REASONS)

    @routes.post("/{request_id}/withdraw")
    async def withdraw(request_id: Own, reason: Annotated[domain.Reason, Form()] = "unspecified") -> Response:
        await handlers.withdraw(store, request_id, reason, datetime.now(UTC))
        return back(request_id)

    @routes.get("/{request_id}/feedback")
    async def ask_for_feedback(request: Request, request_id: Own, token: Token = None) -> HTMLResponse:
        standing = await answer(request, request_id)
        return feedback_page(request, request_id, token, standing)

    @routes.post("/{request_id}/feedback")
    async def give_feedback(request: Request, request_id: Own, token: Token = None) -> Response:
        form = await request.form(max_files=0, max_fields=20)
        given = {name: value for name, value in form.items() if isinstance(value, str) and value}
        try:
            body = FeedbackBody.model_validate_strings(given)
        except ValidationError as error:
            wrong = web.invalid(RequestValidationError([{**e, "loc": ("body", *e["loc"])} for e in error.errors()]))
            errors = {field.field: (field.de, field.en) for field in wrong.fields}
            standing = None
            with suppress(Unavailable, PyMongoError):  # what was typed stands, whether or not that can be told
                standing = await answer(request, request_id)
            return feedback_page(request, request_id, token, standing, given, errors, code=422)
        try:
            await handlers.give_feedback(store, request_id, body.feedback(datetime.now(UTC)), lambda _: None)
        except Conflict as conflict:
            kept = (await store.request(request_id)).feedback
            if kept and kept == body.feedback(kept.given_at):  # the second click
                return back(request_id)
            standing = await answer(request, request_id)
            return feedback_page(request, request_id, token, standing, trouble=conflict, code=conflict.status)
        except (Unavailable, PyMongoError) as error:
            away = web.as_problem(error)
            return feedback_page(request, request_id, token, None, given, trouble=away, code=away.status)
        return back(request_id)

    return routes
