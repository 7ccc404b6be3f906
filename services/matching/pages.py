"""The page behind the link in an advisor's mail, without JavaScript: GET shows, POST answers."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from services.matching import words
from services.matching.api.bodies import DeclineBody
from services.matching.api.door import AssignmentId, Door
from services.matching.domain.model import Engagement, Round, Seat
from services.matching.handlers import rounds as handlers
from services.matching.settings import Settings
from shared import auth
from shared.access import by_link
from shared.commit import again
from shared.errors import Malformed, NotFound
from shared.events.base import AdvisorId
from shared.look import Look

_PURPOSE = "answer"

Advisor = Annotated[AdvisorId, Query()]
Token = Annotated[str | None, Query(max_length=200)]
Values = dict[str, Any]


def look_of(settings: Settings) -> Look:
    """The look, with the words that matching's pages have for its codes."""
    return Look(
        settings,
        "services.matching",
        fields=words.FIELDS.__getitem__,
        modes=words.MODES.__getitem__,
        reasons=words.REASONS.__getitem__,
        roles=words.ROLES.__getitem__,
        criteria=words.CRITERIA.__getitem__,
    )


def router(look: Look, door: Door) -> APIRouter:
    made = APIRouter(include_in_schema=False, route_class=look.route_class)

    @made.get("/assignments/{assignment_id}/answer")
    @by_link
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
        return look.show(request, "answer.html", **values)

    @made.post("/assignments/{assignment_id}/answer")
    @by_link
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
        return RedirectResponse(request.url.path + "?" + urlencode({"advisor": advisor, "token": token or ""}), 303)

    return made


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
