"""A plainly fictional case, in which every template can be looked at."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.notifications import calls
from services.notifications.case import Case, noted
from services.notifications.domain import BARRIER, PROOF, RESUME, Audience, Contact, Language, Message
from shared.events import AdvisorAssigned, RequestCreated
from shared.events.base import FieldCode, Mode, Role, Tandem
from shared.events.matching import Seat
from shared.ids import derived_id

_AT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
_REQUEST = derived_id(_AT, "sample", "request")
_ASSIGNMENT = derived_id(_AT, "sample", "assignment")
_EXAMPLE = derived_id(_AT, "sample", "example")
_LEAD, _CO = "A01", "A02"


def contacts(language: Language) -> dict[str, Contact]:
    """The municipality's contact, the coordinators and two advisors, all reading `language`."""
    request = Contact(
        key=f"request:{_REQUEST}",
        version=1,
        event_id=_REQUEST,
        name="Erika Musterfrau",
        email="erika.musterfrau@musterstadt.example",
        phone="+4971100000",
        office="Stabsstelle Integration",
        language=language,
        case_number="DEMO-0001",
        municipality="Musterstadt",
    )
    advisors = {_LEAD: ("Amina Beispiel", "amina@beratung.example"), _CO: ("Jo Muster", "jo@beratung.example")}
    unfinished = Contact(f"draft:{_REQUEST}", 1, _REQUEST, email=request.email, language=language)
    office = Contact(
        "coordinators", 1, "", name="Koordination", email="koordination@beratung.example", language=language
    )
    return {request.key: request, unfinished.key: unfinished, office.key: office} | {
        f"advisor:{key}": Contact(f"advisor:{key}", 1, _REQUEST, name=name, email=email, language=language)
        for key, (name, email) in advisors.items()
    }


def case() -> Case:
    """A request for which a tandem has been chosen."""
    created = RequestCreated(
        request_id=_REQUEST,
        case_number="DEMO-0001",
        municipality_ags="08117042",
        fields=(FieldCode.FAIR_WEEK, FieldCode.AGENDA_2030),
        languages=("de",),
        mode=Mode.EITHER,
        wanted_from=date(2026, 12, 1),
        tandem=Tandem.WANTED,
        submitted_at=_AT,
        channel="web",
    )
    assigned = AdvisorAssigned(
        assignment_id=_ASSIGNMENT,
        request_id=_REQUEST,
        municipality_ags="08117042",
        round=1,
        members=(
            Seat(advisor_id=_LEAD, role=Role.LEAD, score=0, points={}),
            Seat(advisor_id=_CO, role=Role.CO, score=0, points={}),
        ),
        policy_version="sample",
        released_by="policy",
        respond_by=date(2026, 11, 9),
        assigned_at=_AT,
    )
    found = Case(_REQUEST)
    for fact in (created, assigned):
        found = found.note(noted(derived_id(_AT, "sample", fact.topic), fact))
    return found


def message(template: str, audience: Audience | None = None) -> Message:
    """A message of `template` to its first audience, or to `audience`."""
    to = audience or calls.TEMPLATES[template][0]
    return Message(
        id=derived_id(_AT, "sample", template),
        version=1,
        request_id=_REQUEST,
        template=template,
        recipient=to,
        advisor_id=_LEAD if to == "advisor" else None,
        cause_id=derived_id(_AT, "sample", "cause"),
        happened_at=_AT,
        context=_CONTEXT.get(template, {}),
        state="queued",
    )


_SESSION = {
    "session_id": derived_id(_AT, "sample", "session"),
    "sequence": 0,
    "kind": "first_talk",
    "mode": "on_site",
    "starts_at": (_AT + timedelta(days=15)).isoformat(),
    "minutes": 90,
    "advisor_ids": [_LEAD, _CO],
}
_CONTEXT: dict[str, dict[str, Any]] = {
    "example_consent": {"example_id": _EXAMPLE, "status": "asked"},
    "example_published": {"example_id": _EXAMPLE, "status": "published"},
    "example_answered": {"example_id": _EXAMPLE, "status": "agreed"},
    BARRIER: {"due": "2026-11-16"},
    PROOF: {"proof": "interim", "of": "year", "starts_on": "2025-01-01", "due": "2026-12-02"},
    RESUME: {"until": "2026-12-02"},
    "assignment": {"assignment_id": _ASSIGNMENT, "respond_by": "2026-11-09", "role": "lead"},
    "reminder": {"assignment_id": _ASSIGNMENT, "respond_by": "2026-11-09"},
    "step_reminder": {"step": "schedule_first_talk", "due": "2026-11-16"},
    "escalation": {"step": "schedule_first_talk", "due": "2026-11-16", "level": 2, "advisor_ids": [_LEAD]},
    "hand_over": {"advisor_ids": [_LEAD], "reason": "leaving", "due": "2026-11-30"},
    "handed_over": {"assignment_id": _ASSIGNMENT},
    "delayed": {"submitted_at": _AT.isoformat()},
    "introduction": {"assignment_id": _ASSIGNMENT},
    "engagement_started": {"assignment_id": _ASSIGNMENT},
    "superseded": {"assignment_id": _ASSIGNMENT},
    "session_invite": _SESSION,
    "session_update": {**_SESSION, "sequence": 1},
    "session_cancelled": {**_SESSION, "sequence": 2},
}
