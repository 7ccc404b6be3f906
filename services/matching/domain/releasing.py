"""A coordinator looks at what the matcher has decided, or tells it what to keep to. Pure: (engagement, events)."""

from dataclasses import replace
from datetime import date, datetime

from services.matching.domain.model import Audit, Engagement, Scored
from services.matching.domain.requests import too_late
from services.matching.domain.rounds import Outcomes, ask, seated
from shared.errors import Conflict


def release(engagement: Engagement, audit: Audit, respond_by: date, now: datetime) -> Outcomes:
    """Asks whom the proposal names; who has accepted meanwhile need not answer again."""
    if engagement.proposal is None:
        raise too_late(engagement)
    asked = engagement.proposal.asked
    seats = tuple(seated(Scored(seat.advisor_id, seat.role, seat.points), engagement) for seat in asked.seats)
    asked = replace(asked, seats=seats, released_by="coordinator", respond_by=respond_by, assigned_at=now)
    return ask(engagement.noted(audit), asked, now)


def reconsider(engagement: Engagement, without: tuple[str, ...], audit: Audit, now: datetime) -> Engagement:
    """The matcher decides once more, and no longer for `without`. Who has accepted keeps the seat."""
    if engagement.state not in ("pending", "review", "parked"):
        raise too_late(engagement)
    held = engagement.current.held if engagement.current and engagement.state != "parked" else ()
    if seats := [seat.advisor_id for seat in held if seat.advisor_id in without]:
        names = ", ".join(seats)
        raise Conflict(
            f"{names}: bereits gefragt. Bitte stattdessen selbst zuordnen.",
            f"{names}: asked already. Assign somebody yourself instead.",
        )
    excluded = tuple(dict.fromkeys((*engagement.excluded, *without)))
    pins = tuple(one for one in engagement.pins if one not in without)
    return _anew(replace(engagement, excluded=excluded, pins=pins), audit, now)


def pin(engagement: Engagement, advisor_id: str, audit: Audit, now: datetime) -> Engagement:
    """`advisor_id` is kept in whatever is decided from now on. Pinned twice is pinned once.

    Raises Conflict for a third, for who has refused, and once others were asked.
    """
    if advisor_id in engagement.pins:
        return engagement
    current = engagement.current
    seat = current.seat(advisor_id) if current else None
    if (
        seat is not None
        and seat.answer in ("open", "accepted")
        and engagement.state in ("pending", "review", "proposed")
    ):
        return replace(engagement, pins=(*engagement.pins, advisor_id)).noted(audit)
    if engagement.state not in ("pending", "review", "parked") or (
        engagement.state != "parked" and current and current.held
    ):
        raise too_late(engagement)
    if advisor_id in engagement.refused:
        raise Conflict(
            f"{advisor_id} hat für diese Anfrage abgesagt oder wurde ausgeschlossen.",
            f"{advisor_id} has declined this request or was excluded.",
        )
    if len(engagement.pins) == 2:
        raise Conflict("Es sind schon zwei Personen festgesetzt.", "Two people are pinned already.")
    return _anew(replace(engagement, pins=(*engagement.pins, advisor_id)), audit, now)


def unpin(engagement: Engagement, advisor_id: str, audit: Audit, now: datetime) -> Engagement:
    """The choice is free again where nobody was asked yet."""
    if advisor_id not in engagement.pins:
        return engagement
    pins = tuple(one for one in engagement.pins if one != advisor_id)
    freed = replace(engagement, pins=pins)
    return _anew(freed, audit, now) if freed.state in ("pending", "review", "parked") else freed.noted(audit)


def _anew(engagement: Engagement, audit: Audit, now: datetime) -> Engagement:
    since = engagement.since if engagement.state == "pending" else now
    return replace(engagement, state="pending", since=since, parked=None, proposal=None).noted(audit)
