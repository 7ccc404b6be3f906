"""One advisor before one round: what is asked, why they, where they stand."""

from typing import Any, get_args
from urllib.parse import urlencode

from services.matching.api.door import Door
from services.matching.domain.model import Engagement, Reason, Round, Seat
from services.matching.finding import Finder
from services.matching.handlers import rounds as handlers
from shared import auth, workdays
from shared.auth import Caller
from shared.commit import again
from shared.errors import Malformed, NotFound

PURPOSE = "answer"
"""Of the links that answer."""

Values = dict[str, Any]


async def seat(door: Door, assignment_id: str, advisor_id: str) -> tuple[Engagement, Round, Seat]:
    known = await handlers.of_assignment(door.store, assignment_id)
    asked = known.round(assignment_id)
    place = asked.seat(advisor_id) if asked else None
    if asked is None or place is None:
        raise NotFound("Diese Anfrage ist nicht an Sie gerichtet.", "This request is not addressed to you.")
    return known, asked, place


async def values(door: Door, finder: Finder, known: Engagement, asked: Round, place: Seat) -> Values:
    """For `_asked.html`."""
    dossier = await door.store.dossier(known.id)
    partner = next((one for one in asked.held if one.advisor_id != place.advisor_id), None)
    names = await finder.names([partner.advisor_id]) if partner else {}
    return {
        "known": known,
        "case": known.asked,
        "place": door.register.name(known.asked.municipality_ags),
        "need": dossier.need if dossier else None,
        "seat": place,
        "asked": asked,
        "partner": partner,
        "partner_name": names.get(partner.advisor_id) if partner else None,
        "standing": standing(known, asked, place),
        "days_left": workdays.workdays_between(door.today(), asked.respond_by, door.rules.subdivision),
    }


async def answer(
    door: Door, assignment_id: str, advisor_id: str, said: str, reason: str, by: Caller | None = None
) -> None:
    """Accepts or declines; `by`: the coordinator who does it in the advisor's place.

    Raises Malformed when the form says neither, or no reason.
    """
    if said == "declined" and reason not in get_args(Reason):
        raise Malformed("Bitte wählen Sie einen Grund für die Absage.", "Please choose a reason for declining.")
    if said not in ("accepted", "declined"):
        raise Malformed("Bitte wählen Sie zusagen oder absagen.", "Please choose to accept or to decline.")
    why: Any = reason if said == "declined" else None
    chosen: Any = said
    who = by.subject if by else None
    await again(lambda: handlers.answer(door.store, assignment_id, advisor_id, chosen, why, who, door.clock()))


def standing(known: Engagement, asked: Round, place: Seat) -> str:
    """Where the advisor stands: `asked`, their answer, or why none is wanted any more."""
    if place.answer in ("declined", "expired"):
        return place.answer
    if known.state in ("withdrawn", "closed"):
        return known.state
    if asked is not known.current and (known.current is None or known.current.seat(place.advisor_id) is None):
        return "outdated"
    if place.answer == "accepted":
        return "engaged" if known.state == "engaged" else "accepted"
    return "asked" if asked is known.current else "outdated"


def newer(known: Engagement, asked: Round, advisor_id: str) -> Round | None:
    """The current round, where this advisor is asked once more."""
    current = known.current
    if current is None or current is asked or known.state not in ("proposed", "pending"):
        return None
    place = current.seat(advisor_id)
    return current if place is not None and place.answer == "open" else None


def last(known: Engagement, advisor_id: str) -> Round | None:
    """The latest round in which this advisor had a seat."""
    return next((one for one in reversed(known.rounds) if one.seat(advisor_id)), None)


def link(secret: str, assignment_id: str, advisor_id: str) -> str:
    """The address of the page that answers without signing in."""
    token = auth.sign(secret, PURPOSE, assignment_id, advisor_id)
    return f"/assignments/{assignment_id}/answer?{urlencode({'advisor': advisor_id, 'token': token})}"
