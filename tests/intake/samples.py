"""Plainly fictional requests and facts, for intake's tests."""

from datetime import UTC, date, datetime
from typing import Any, Literal

from services.intake import domain
from services.intake.case_numbers import complete
from services.intake.domain import Contact, Dossier, Request, Wish
from services.intake.rules import Rules
from shared.events import (
    AdvisorAnswered,
    AdvisorAssigned,
    ConsultationClosed,
    RequestParked,
    SessionCompleted,
    SessionScheduled,
)
from shared.events.base import FieldCode, Mode, Role, SessionKind, Tandem
from shared.events.matching import Attendance, Seat
from shared.ids import derived_id, new_id
from shared.register import Municipality

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)  # a Monday, after All Saints' Day
RULES = Rules("08", date(2026, 11, 2))
AGS = "08117042"
CASE_NUMBER = complete("7K4M2PQ")
ENTRY = Municipality(AGS, "Salach", "municipality", "08117", "Göppingen", 48.692, 9.7371, 7778)


def some_id(*parts: str) -> str:
    return derived_id(NOW, *parts)


def wish(**changes: Any) -> Wish:
    given: dict[str, Any] = {
        "municipality_ags": AGS,
        "fields": (FieldCode.FAIR_WEEK, FieldCode.PARTNERSHIPS),
        "dossier": Dossier(Contact("Erika Beispiel", "erika@rathaus.example"), "Wir erreichen die Vereine nicht."),
        "languages": ("de", "tr"),
        "mode": Mode.ON_SITE,
        "wanted_from": date(2026, 12, 1),
        "tandem": Tandem.WANTED,
        "correspondence": "de",
        "consent_version": "2026-01",
        "channel": "web",
    }
    return Wish(**given | changes)


def request(case_number: str = CASE_NUMBER, at: datetime = NOW) -> Request:
    return domain.submit(wish(), ENTRY, RULES, at, new_id(), case_number)[0]


def body(**changes: Any) -> dict[str, Any]:
    """A request as it is posted."""
    given: dict[str, Any] = {
        "municipality_ags": AGS,
        "fields": ["fair_week", "partnerships"],
        "need": "Zum Fest der Nationen erreichen wir die migrantischen Vereine nicht.",
        "contact": {"name": "Erika Beispiel", "email": "erika@rathaus.example", "phone": "07161 650-0"},
        "languages": ["de", "tr"],
        "mode": "on_site",
        "wanted_from": datetime.now(UTC).date().replace(day=28).isoformat(),
        "tandem": "wanted",
        "consent": {"privacy_notice": True, "version": "2026-01"},
        "channel": "web",
    }
    return given | changes


def assigned(
    request_id: str, round: int, at: datetime, respond_by: date, assignment_id: str | None = None
) -> AdvisorAssigned:
    return AdvisorAssigned(
        assignment_id=assignment_id or some_id(request_id, "assignment", str(round)),
        request_id=request_id,
        municipality_ags=AGS,
        round=round,
        members=(Seat(advisor_id="A01", role=Role.LEAD, score=9, points={"fields": 9}),),
        policy_version="plain.1",
        released_by="policy",
        respond_by=respond_by,
        assigned_at=at,
    )


def answered(
    request_id: str, round: int, at: datetime, answer: Literal["accepted", "declined", "expired"], advisor: str = "A01"
) -> AdvisorAnswered:
    return AdvisorAnswered(
        assignment_id=some_id(request_id, "assignment", str(round)),
        request_id=request_id,
        advisor_id=advisor,
        answer=answer,
        complete=answer == "accepted",
        answered_at=at,
    )


def parked(request_id: str, round: int, at: datetime) -> RequestParked:
    return RequestParked(request_id=request_id, municipality_ags=AGS, round=round, reason="nobody_free", parked_at=at)


def scheduled(
    request_id: str,
    name: str,
    at: datetime | None,
    starts_at: datetime,
    change: Literal["scheduled", "rescheduled", "cancelled"] = "scheduled",
    sequence: int = 0,
    kind: SessionKind = SessionKind.FIRST_TALK,
) -> SessionScheduled:
    return SessionScheduled(
        session_id=some_id(request_id, name),
        assignment_id=some_id(request_id, "assignment", "1"),
        request_id=request_id,
        municipality_ags=AGS,
        change=change,
        sequence=sequence,
        kind=kind,
        mode=Mode.ON_SITE,
        starts_at=starts_at,
        minutes=90,
        advisor_ids=("A01",),
        changed_at=at,
    )


def completed(request_id: str, name: str, at: datetime, kind: SessionKind = SessionKind.FIRST_TALK) -> SessionCompleted:
    return SessionCompleted(
        session_id=some_id(request_id, name),
        assignment_id=some_id(request_id, "assignment", "1"),
        request_id=request_id,
        municipality_ags=AGS,
        kind=kind,
        held_on=at.date(),
        minutes=90,
        mode=Mode.ON_SITE,
        participants=4,
        members=(Attendance(advisor_id="A01", minutes=90, travel_km=20),),
        completed_at=at,
    )


def closed(request_id: str, at: datetime, engaged: bool = True) -> ConsultationClosed:
    return ConsultationClosed(
        request_id=request_id,
        assignment_id=some_id(request_id, "assignment", "1") if engaged else None,
        municipality_ags=AGS,
        outcome="completed" if engaged else "no_longer_possible",
        closed_at=at,
    )
