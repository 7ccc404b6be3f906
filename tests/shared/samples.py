"""Events for the plumbing's tests."""

from datetime import UTC, date, datetime

from shared.events import RequestCreated, RequestDossier, RequestWithdrawn
from shared.ids import new_id


def created(request_id: str | None = None) -> RequestCreated:
    return RequestCreated.model_validate(
        {
            "request_id": request_id or new_id(),
            "case_number": "MG-0000-0000",
            "municipality_ags": "08117042",
            "fields": ["fair_week"],
            "languages": ["de"],
            "mode": "either",
            "wanted_from": date(2026, 12, 1),
            "tandem": "wanted",
            "submitted_at": datetime(2026, 11, 2, 9, 30, tzinfo=UTC),
            "channel": "api",
        }
    )


def withdrawn(request_id: str) -> RequestWithdrawn:
    return RequestWithdrawn.model_validate(
        {
            "request_id": request_id,
            "municipality_ags": "08117042",
            "withdrawn_at": datetime(2026, 11, 3, tzinfo=UTC),
            "reason": "by_mistake",
        }
    )


def dossier(request_id: str) -> RequestDossier:
    return RequestDossier.model_validate(
        {
            "request_id": request_id,
            "case_number": "MG-0000-0000",
            "municipality_ags": "08117042",
            "municipality_name": "Beispielstadt",
            "contact": {"name": "Erika Beispiel", "email": "erika@example.org"},
            "need": "Wir möchten mehr Vereine erreichen.",
            "correspondence": "de",
            "consent_version": "1",
            "consent_at": datetime(2026, 11, 2, 9, 30, tzinfo=UTC),
        }
    )
