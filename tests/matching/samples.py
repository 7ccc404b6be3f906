"""Made-up advisors, requests and events for the tests of matching."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.matching.domain.model import Advisor, Facts
from services.matching.domain.policy import Candidate, Seeker
from shared.events import FeedbackGiven, RequestCreated, RequestDossier, RequestWithdrawn
from shared.events.base import FieldCode, Mode, Tandem
from shared.events.intake import Contact
from shared.ids import new_id

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # a Tuesday
TODAY = NOW.date()
AGS = "08117042"
FAIR, PARTNERS, AGENDA = FieldCode.FAIR_WEEK, FieldCode.PARTNERSHIPS, FieldCode.AGENDA_2030


def candidate(number: str, **given: Any) -> Candidate:
    values: dict[str, Any] = {
        "levels": {FAIR: 2},
        "languages": frozenset({"de"}),
        "regions": ("08117",),
        "certified_on": date(2025, 1, 1),
        "certified_until": date(2030, 1, 1),
        "capacity": 2,
    }
    values |= given
    values["levels"] = {str(code): level for code, level in values["levels"].items()}
    return Candidate(number, **values)


def seeker(request_id: str = "r1", **given: Any) -> Seeker:
    values: dict[str, Any] = {
        "ags": AGS,
        "fields": (FAIR,),
        "languages": ("de",),
        "tandem": Tandem.NOT_WANTED,
        "wanted_from": TODAY,
        "asked_on": TODAY,
    }
    values |= given
    values["fields"] = tuple(str(code) for code in values["fields"])
    return Seeker(request_id, **values)


def advisor(number: str = "A01", **given: Any) -> Advisor:
    values: dict[str, Any] = {
        "name": f"Beispiel {number}",
        "email": f"{number.lower()}@example.org",
        "levels": {FAIR: 2},
        "languages": ("de",),
        "regions": ("08117",),
        "certified_on": date(2025, 1, 1),
        "certified_until": date(2040, 1, 1),
        "capacity": 2,
    }
    return Advisor(number, **values | given)


def facts(**given: Any) -> Facts:
    values: dict[str, Any] = {
        "case_number": "BW-7F3K-2",
        "municipality_ags": AGS,
        "fields": (FAIR, PARTNERS),
        "languages": ("de",),
        "mode": Mode.EITHER,
        "wanted_from": TODAY,
        "tandem": Tandem.WANTED,
        "submitted_at": NOW,
        "channel": "web",
    }
    return Facts(**values | given)


def created(request_id: str | None = None, **given: Any) -> RequestCreated:
    values: dict[str, Any] = {
        "request_id": request_id or new_id(),
        "case_number": "BW-7F3K-2",
        "municipality_ags": AGS,
        "fields": (FAIR, PARTNERS),
        "languages": ("de",),
        "mode": Mode.EITHER,
        "wanted_from": TODAY,
        "tandem": Tandem.WANTED,
        "submitted_at": NOW,
        "channel": "web",
    }
    return RequestCreated(**values | given)


def withdrawn(request_id: str) -> RequestWithdrawn:
    return RequestWithdrawn(
        request_id=request_id, municipality_ags=AGS, withdrawn_at=NOW + timedelta(hours=1), reason="by_mistake"
    )


def feedback(request_id: str) -> FeedbackGiven:
    return FeedbackGiven(
        request_id=request_id,
        municipality_ags=AGS,
        satisfaction=5,
        would_recommend=True,
        options_taken_up=1,
        given_at=NOW,
    )


def dossier(request_id: str) -> RequestDossier:
    return RequestDossier(
        request_id=request_id,
        case_number="BW-7F3K-2",
        municipality_ags=AGS,
        municipality_name="Salach",
        contact=Contact(name="Beispiel Kontakt", email="kontakt@example.org"),
        need="Unser Fest der Nationen erreicht die Vereine nicht.",
        correspondence="de",
        consent_version="1",
        consent_at=NOW,
    )
