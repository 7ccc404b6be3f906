"""The page behind the link in an advisor's mail, without JavaScript: GET shows, POST answers."""

from collections.abc import Callable, Coroutine
from importlib import resources
from typing import Annotated, Any
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Form, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import ValidationError
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException

from services.matching import words
from services.matching.api.bodies import DeclineBody
from services.matching.api.door import AssignmentId, Door
from services.matching.domain.model import Engagement, Round, Seat
from services.matching.handlers import rounds as handlers
from shared import auth, web
from shared.commit import again
from shared.errors import Malformed, NotFound, Problem, Unavailable
from shared.events.base import AdvisorId
from shared.mongo import is_transient
from shared.telling import told

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
_PURPOSE = "answer"
_log = structlog.get_logger(__name__)

Advisor = Annotated[AdvisorId, Query()]
Token = Annotated[str | None, Query(max_length=200)]
Values = dict[str, Any]


def router(door: Door, programme: str) -> APIRouter:
    pages = Pages(programme)
    made = APIRouter(include_in_schema=False, route_class=_readable(pages))

    @made.get("/assets/matching.css")
    async def style() -> Response:
        text = resources.files("services.matching").joinpath("static/matching.css").read_text(encoding="utf-8")
        return Response(text, media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    @made.get("/assignments/{assignment_id}/answer")
    async def show(request: Request, assignment_id: AssignmentId, advisor: Advisor, token: Token = None) -> Response:
        """What is asked and why; or what has become of it."""
        auth.check(door.secret, token, _PURPOSE, assignment_id, advisor)
        known, asked, seat = await _seat(door, assignment_id, advisor)
        here = request.url.path + "?" + urlencode({"advisor": advisor, "token": token or ""})
        dossier = await door.store.dossier(known.id)
        values: Values = {
            "case": known.asked,
            "place": door.register.name(known.asked.municipality_ags),
            "need": dossier.need if dossier else None,
            "seat": seat,
            "asked": asked,
            "partner": next((one for one in asked.held if one.advisor_id != advisor), None),
            "here": here,
            "newer": _newer(door, known, asked, advisor),
            "standing": _standing(known, asked, seat),
        }
        return pages.show(request, "answer.html", values)

    @made.post("/assignments/{assignment_id}/answer")
    async def answer(
        request: Request,
        assignment_id: AssignmentId,
        advisor: Advisor,
        token: Token = None,
        answer: Annotated[str, Form(max_length=20)] = "",
        reason: Annotated[str, Form(max_length=40)] = "",
    ) -> Response:
        """Accepts or declines, then shows the result."""
        auth.check(door.secret, token, _PURPOSE, assignment_id, advisor)
        if answer not in ("accepted", "declined"):
            raise Malformed("Bitte wählen Sie zusagen oder absagen.", "Please choose to accept or to decline.")
        why = _reason(reason) if answer == "declined" else None
        said = "accepted" if answer == "accepted" else "declined"
        await again(
            lambda: handlers.answer(door.store, assignment_id, advisor, said, why, None, door.clock())  # type: ignore[arg-type]
        )
        return RedirectResponse(
            request.url.path + "?" + urlencode({"advisor": advisor, "token": token or ""}), 303, _HEADERS
        )

    return made


class Pages:
    """The templates with what all pages share."""

    def __init__(self, programme: str) -> None:
        self._programme = programme
        self._templates = Environment(
            loader=PackageLoader("services.matching"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def show(self, request: Request, template: str, values: Values, code: int = 200) -> HTMLResponse:
        """`template` in the reader's language; in it `t(de, en)` picks the words."""
        tongue = web.language(request)
        body = self._templates.get_template(template).render(
            lang=tongue,
            programme=self._programme,
            demonstration="demonstration" in self._programme.casefold(),
            t=lambda de, en: en if tongue == "en" else de,
            day=lambda value: words.day(value, tongue),
            language=lambda code: words.language_name(code, tongue),
            fields=words.FIELDS[tongue],
            modes=words.MODES[tongue],
            reasons=words.REASONS[tongue],
            roles=words.ROLES[tongue],
            criteria=words.CRITERIA[tongue],
            **values,
        )
        return HTMLResponse(body, code, _HEADERS | {"Content-Language": tongue})

    def problem(self, request: Request, error: Problem) -> HTMLResponse:
        values: Values = {
            "german": error.de,
            "english": error.en,
            "title_de": error.title_de,
            "title_en": error.title_en,
        }
        answer = self.show(request, "problem.html", values, error.status)
        if error.retry_after is not None:
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer


def _readable(pages: Pages) -> type[APIRoute]:
    """Routes whose errors are pages, not JSON."""

    class Readable(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            inner = super().get_route_handler()

            async def handler(request: Request) -> Response:
                try:
                    return await inner(request)
                except Problem as error:
                    return pages.problem(request, error)
                except (RequestValidationError, HTTPException):
                    german = "Dieser Link ist unvollständig. Bitte öffnen Sie ihn noch einmal aus Ihrer E-Mail."
                    return pages.problem(request, Malformed(german, "This link is incomplete. Open it from your mail."))
                except PyMongoError as error:
                    if not is_transient(error):
                        raise
                    _log.warning("database_away", error=told(error))
                    german = "Gerade nicht erreichbar. Bitte gleich noch einmal versuchen; es ist nichts verloren."
                    return pages.problem(request, Unavailable(german, "Not available now. Please try again shortly."))

            return handler

    return Readable


async def _seat(door: Door, assignment_id: str, advisor_id: str) -> tuple[Engagement, Round, Seat]:
    known = await handlers.of_assignment(door.store, assignment_id)
    asked = known.round(assignment_id)
    seat = asked.seat(advisor_id) if asked else None
    if asked is None or seat is None:
        raise NotFound("Diese Anfrage ist nicht an Sie gerichtet.", "This request is not addressed to you.")
    return known, asked, seat


def _standing(known: Engagement, asked: Round, seat: Seat) -> str:
    """Where the advisor stands: `asked`, their answer, or why none is wanted any more."""
    if seat.answer in ("declined", "expired"):
        return seat.answer
    if known.state in ("withdrawn", "closed"):
        return known.state
    if asked is not known.current and (known.current is None or known.current.seat(seat.advisor_id) is None):
        return "outdated"
    if seat.answer == "accepted":
        return "engaged" if known.state == "engaged" else "accepted"
    return "asked" if asked is known.current else "outdated"


def _newer(door: Door, known: Engagement, asked: Round, advisor_id: str) -> str | None:
    """The address of the current round's page, where this advisor is asked once more."""
    current = known.current
    if current is None or current is asked or known.state not in ("proposed", "pending"):
        return None
    seat = current.seat(advisor_id)
    if seat is None or seat.answer != "open":
        return None
    token = auth.sign(door.secret, _PURPOSE, current.assignment_id, advisor_id)
    return f"/assignments/{current.assignment_id}/answer?{urlencode({'advisor': advisor_id, 'token': token})}"


def _reason(given: str) -> Any:
    try:
        return DeclineBody.model_validate({"reason": given}).reason
    except ValidationError:
        raise Malformed(
            "Bitte wählen Sie einen Grund für die Absage.", "Please choose a reason for declining."
        ) from None
