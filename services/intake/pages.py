"""Pages for the municipality, without JavaScript: GET shows, POST acts. The link's token opens them."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import ValidationError
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException

from services.intake import domain, handlers, words
from services.intake.answers import StatusAnswer
from services.intake.api import RequestId
from services.intake.bodies import FeedbackBody
from services.intake.settings import Settings
from services.intake.store import Store
from shared import auth, web
from shared.errors import Malformed, Problem, Unavailable
from shared.mongo import is_transient

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
_log = structlog.get_logger(__name__)

Token = Annotated[str | None, Query(max_length=200)]


class Pages:
    """The templates with what all pages share."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._zone = settings.zone
        self._templates = Environment(
            loader=PackageLoader("services.intake"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def show(self, request: Request, template: str, code: int = 200, **values: Any) -> HTMLResponse:
        """`template` in the reader's language; in it `t(de, en)` picks the words."""
        language = web.language(request)
        body = self._templates.get_template(template).render(
            lang=language,
            programme=self._settings.programme_name,
            demonstration="demonstration" in self._settings.programme_name.casefold(),
            t=lambda de, en: words.pick((de, en), language),
            pick=lambda pair: words.pick(pair, language),
            stamp=lambda at: words.stamp(at, language, self._zone),
            **values,
        )
        return HTMLResponse(body, code, _HEADERS | {"Content-Language": language})

    def sorry(self, request: Request, error: Exception) -> HTMLResponse:
        """`error` as a page that can be read."""
        said = _problem(error)
        answer = self.show(request, "error.html", said.status, error=said)
        if said.retry_after is not None:
            answer.headers["Retry-After"] = str(said.retry_after)
        return answer


def _problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return web.invalid(error)
    if isinstance(error, HTTPException):
        return Malformed("Das Formular kam unvollständig an.", "The form arrived incomplete.")
    if isinstance(error, PyMongoError) and is_transient(error):
        return Unavailable(
            "Unsere Datenbank antwortet gerade nicht. Bitte laden Sie die Seite gleich noch einmal.",
            "Our database does not answer. Please load the page again in a moment.",
        )
    _log.error("page_failed", exc_info=error)
    return Problem(
        "Das ist unser Fehler. Bitte versuchen Sie es später noch einmal.",
        "This is our fault. Please try again later.",
    )


def _route(pages: Pages) -> type[APIRoute]:
    class PageRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def readable(request: Request) -> Response:
                try:
                    return await handle(request)
                except Exception as error:
                    return pages.sorry(request, error)

            return readable

    return PageRoute


def router(store: Store, settings: Settings) -> APIRouter:
    """The status page, the question before a withdrawal, and the feedback form."""
    pages = Pages(settings)
    routes = APIRouter(prefix="/requests", route_class=_route(pages), include_in_schema=False)
    secret = settings.secret.get_secret_value()
    deadlines, zone = settings.deadlines(), settings.zone

    async def own(request_id: RequestId, token: Token = None) -> str:
        auth.check(secret, token, "status", request_id)
        return request_id

    Own = Annotated[str, Depends(own)]

    async def answer(request: Request, request_id: str) -> StatusAnswer:
        found, standing = await handlers.view(store, request_id, datetime.now(UTC), deadlines)
        return StatusAnswer.of(found, standing, web.language(request), zone)

    def back(request_id: str) -> RedirectResponse:
        token = auth.sign(secret, "status", request_id)
        return RedirectResponse(f"/requests/{request_id}?token={token}", 303, _HEADERS)

    @routes.get("/{request_id}")
    async def status(request: Request, request_id: Own, token: Token = None) -> HTMLResponse:
        return pages.show(request, "status.html", status=await answer(request, request_id), token=token)

    @routes.get("/{request_id}/withdraw")
    async def ask_to_withdraw(request: Request, request_id: Own, token: Token = None) -> HTMLResponse:
        standing = await answer(request, request_id)
        return pages.show(request, "withdraw.html", status=standing, token=token, reasons=words.REASONS)

    @routes.post("/{request_id}/withdraw")
    async def withdraw(request_id: Own, reason: Annotated[domain.Reason, Form()] = "unspecified") -> Response:
        await handlers.withdraw(store, request_id, reason, datetime.now(UTC))
        return back(request_id)

    @routes.get("/{request_id}/feedback")
    async def ask_for_feedback(request: Request, request_id: Own, token: Token = None) -> HTMLResponse:
        standing = await answer(request, request_id)
        return pages.show(request, "feedback.html", status=standing, token=token, given={}, errors={})

    @routes.post("/{request_id}/feedback")
    async def give_feedback(request: Request, request_id: Own, token: Token = None) -> Response:
        form = await request.form(max_files=0, max_fields=20)
        given = {name: value for name, value in form.items() if isinstance(value, str) and value}
        try:
            body = FeedbackBody.model_validate_strings(given)
        except ValidationError as error:
            wrong = web.invalid(RequestValidationError([{**e, "loc": ("body", *e["loc"])} for e in error.errors()]))
            errors = {field.field: (field.de, field.en) for field in wrong.fields}
            standing = await answer(request, request_id)
            return pages.show(request, "feedback.html", 422, status=standing, token=token, given=given, errors=errors)
        await handlers.give_feedback(store, request_id, body.feedback(datetime.now(UTC)), lambda _: None)
        return back(request_id)

    return routes
