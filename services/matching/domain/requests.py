"""A request as a whole: it comes, is taken back, is rated, ends. Pure: (engagement, events)."""

from dataclasses import replace
from datetime import datetime

from services.matching.domain.model import OPEN, Audit, Closing, Engagement, Facts, Feedback, Outcome, Withdrawn
from services.matching.domain.sessions import cancel_all
from shared.errors import Conflict
from shared.events import ConsultationClosed, Event

Outcomes = tuple[Engagement, list[Event]]


def receive(known: Engagement | None, request_id: str, facts: Facts, now: datetime) -> Engagement:
    """request.created has come: the matcher's turn, unless the request was withdrawn before it arrived."""
    if known is None:
        return Engagement(request_id, "pending", now, facts)
    if known.facts is not None:
        return known
    state = "pending" if known.state == "early" else known.state
    return replace(known, facts=facts, state=state, since=now if state == "pending" else known.since)


def withdraw(known: Engagement | None, request_id: str, taken_back: Withdrawn, now: datetime) -> Outcomes:
    """Frees the people, calls off what was arranged. A closed engagement stays closed."""
    if known is None:
        return Engagement(request_id, "withdrawn", now, withdrawn=taken_back), []
    if known.state in ("closed", "withdrawn"):
        return known, []
    known, events = cancel_all(known, now)
    gone = replace(known, state="withdrawn", since=now, withdrawn=taken_back, parked=None, proposal=None)
    return gone.noted(Audit(now, "municipality", "withdrawn", taken_back.reason)), events


def erase(known: Engagement) -> Engagement:
    """The municipality's data were erased: what people wrote beside it goes too; who, when and what stay."""
    return replace(known, audit=tuple(entry.wordless for entry in known.audit))


def rate(known: Engagement | None, request_id: str, feedback: Feedback, now: datetime) -> Engagement:
    """Keeps the municipality's feedback; the first one counts."""
    if known is None:
        return Engagement(request_id, "early", now, feedback=feedback)
    return known if known.feedback else replace(known, feedback=feedback)


def close(engagement: Engagement, outcome: Outcome, audit: Audit, now: datetime) -> Outcomes:
    """Ends the engagement; sessions that were still arranged are called off."""
    if engagement.state == "closed" and engagement.closing and engagement.closing.outcome == outcome:
        return engagement, []
    if engagement.state not in OPEN:
        raise too_late(engagement)
    begun = engagement.begun
    if begun is None and outcome != "no_longer_possible":
        raise Conflict(
            "Die Beratung hat noch nicht begonnen; möglich ist nur der Abschluss „nicht mehr möglich“.",
            "The consultation has not begun; the only possible outcome is no_longer_possible.",
        )
    if outcome == "completed" and not any(session.state == "completed" for session in engagement.sessions):
        raise Conflict(
            "Es ist noch keine Sitzung als durchgeführt erfasst; bitte erst erfassen oder ein anderes Ergebnis wählen.",
            "No session is recorded as held; record one first or choose another outcome.",
        )
    engagement, events = cancel_all(engagement, now)
    closed = replace(
        engagement, state="closed", since=now, parked=None, proposal=None, closing=Closing(outcome, now)
    ).noted(audit)
    told = ConsultationClosed(
        request_id=engagement.id,
        assignment_id=begun.assignment_id if begun else None,
        municipality_ags=engagement.asked.municipality_ags,
        outcome=outcome,
        closed_at=now,
    )
    return closed, [*events, told]


def too_late(engagement: Engagement) -> Conflict:
    german = {
        "engaged": "Die Beratung hat bereits begonnen.",
        "closed": "Die Beratung ist abgeschlossen.",
        "withdrawn": "Die Kommune hat ihre Anfrage zurückgezogen.",
        "parked": "Die Anfrage ist zurückgestellt.",
        "review": "Die Koordination sieht sich den Vorschlag gerade an.",
    }
    english = {
        "engaged": "The consultation has begun already.",
        "closed": "The consultation is closed.",
        "withdrawn": "The municipality has withdrawn its request.",
        "parked": "The request is parked.",
        "review": "The coordinators are looking at the proposal.",
    }
    state = engagement.state
    return Conflict(german.get(state, "Das ist jetzt nicht möglich."), english.get(state, "Not possible now."))
