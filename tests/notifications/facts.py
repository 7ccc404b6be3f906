"""Facts and dossiers of one plainly fictional request, made short."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from services.notifications.case import Case, CaseFact, noted
from services.notifications.domain import Contact
from shared.commit import Insert
from shared.events import (
    AdvisorAnswered,
    AdvisorAssigned,
    AdvisorDossier,
    AdvisorReminded,
    BarrierReported,
    ConsultationClosed,
    DraftDossier,
    ExampleDecided,
    HandoverOpened,
    ProofReminded,
    RequestCreated,
    RequestDelayed,
    RequestDossier,
    RequestEscalated,
    RequestParked,
    RequestWithdrawn,
    SessionScheduled,
)
from shared.events.base import FieldCode, Mode, Role, SessionKind, Tandem
from shared.events.intake import Contact as ContactTold
from shared.events.matching import Seat
from shared.events.reporting import ExampleStatus
from shared.ids import derived_id
from shared.inbox import mark

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
NOW = AT + timedelta(hours=1)
LONG = timedelta(days=30)
REQUEST = derived_id(AT, "request")
AGS = "08117042"
ROUND = {number: derived_id(AT, "assignment", str(number)) for number in (1, 2, 3)}
SESSION = derived_id(AT, "session")


def at(minutes: int) -> datetime:
    return AT + timedelta(minutes=minutes)


def created(request_id: str = REQUEST) -> RequestCreated:
    return RequestCreated(
        request_id=request_id,
        case_number="K7M2-4QXP",
        municipality_ags=AGS,
        fields=(FieldCode.FAIR_WEEK,),
        languages=("de",),
        mode=Mode.EITHER,
        wanted_from=date(2026, 12, 1),
        tandem=Tandem.WANTED,
        submitted_at=at(0),
        channel="web",
    )


def withdrawn(minutes: int = 50) -> RequestWithdrawn:
    return RequestWithdrawn(
        request_id=REQUEST, municipality_ags=AGS, withdrawn_at=at(minutes), reason="no_longer_needed"
    )


def assigned(
    *advisor_ids: str,
    number: int = 1,
    kept: tuple[str, ...] = (),
    by: Literal["policy", "coordinator"] = "policy",
    minutes: int | None = None,
) -> AdvisorAssigned:
    roles = (Role.LEAD, Role.CO)
    return AdvisorAssigned(
        assignment_id=ROUND[number],
        request_id=REQUEST,
        municipality_ags=AGS,
        round=number,
        members=tuple(
            Seat(advisor_id=advisor_id, role=role, score=10, points={"expertise": 10}, kept=advisor_id in kept)
            for advisor_id, role in zip(advisor_ids, roles, strict=False)
        ),
        policy_version="v1",
        released_by=by,
        respond_by=date(2026, 11, 9),
        assigned_at=at(minutes if minutes is not None else 10 * number),
    )


def answered(
    advisor_id: str,
    answer: Literal["accepted", "declined", "expired"] = "accepted",
    *,
    complete: bool = False,
    number: int = 1,
) -> AdvisorAnswered:
    return AdvisorAnswered(
        assignment_id=ROUND[number],
        request_id=REQUEST,
        advisor_id=advisor_id,
        answer=answer,
        complete=complete,
        answered_at=at(10 * number + 2),
    )


def parked(number: int = 1, minutes: int = 5) -> RequestParked:
    return RequestParked(
        request_id=REQUEST, municipality_ags=AGS, round=number, reason="nobody_free", parked_at=at(minutes)
    )


def reminded(advisor_id: str, step: str = "answer", *, number: int = 1, minutes: int = 15) -> AdvisorReminded:
    return AdvisorReminded(
        request_id=REQUEST,
        assignment_id=ROUND[number],
        municipality_ags=AGS,
        advisor_id=advisor_id,
        step=step,
        due=date(2026, 11, 9),
        reminded_at=at(minutes),
    )


def example(
    status: ExampleStatus = "asked", by: Literal["office", "municipality"] = "office", minutes: int = 60
) -> ExampleDecided:
    return ExampleDecided(
        example_id=derived_id(AT, "example"),
        request_id=REQUEST,
        status=status,
        revision=1,
        decided_by=by,
        decided_at=at(minutes),
    )


def proof() -> ProofReminded:
    return ProofReminded(
        proof_id=derived_id(AT, "proof"),
        proof="interim",
        of="year",
        starts_on=date(2025, 1, 1),
        due=date(2026, 11, 30),
        reminded_at=at(0),
    )


def escalated(advisor_id: str | None = None, level: int = 1) -> RequestEscalated:
    return RequestEscalated(
        request_id=REQUEST,
        municipality_ags=AGS,
        level=level,
        step="schedule_first_talk" if advisor_id else "find_advisor",
        advisor_id=advisor_id,
        due=date(2026, 11, 9),
        escalated_at=at(40 + level),
    )


def delayed(minutes: int = 8) -> RequestDelayed:
    return RequestDelayed(request_id=REQUEST, municipality_ags=AGS, submitted_at=at(0), delayed_at=at(minutes))


def handover(advisor_id: str = "A01") -> HandoverOpened:
    return HandoverOpened(
        request_id=REQUEST,
        assignment_id=ROUND[1],
        municipality_ags=AGS,
        advisor_id=advisor_id,
        reason="leaving",
        due=date(2026, 11, 9),
        opened_at=at(35),
    )


def session(
    change: Literal["scheduled", "rescheduled", "cancelled"] = "scheduled",
    sequence: int = 0,
    advisor_ids: tuple[str, ...] = ("A01", "A02"),
) -> SessionScheduled:
    return SessionScheduled(
        session_id=SESSION,
        assignment_id=ROUND[1],
        request_id=REQUEST,
        municipality_ags=AGS,
        change=change,
        sequence=sequence,
        kind=SessionKind.FIRST_TALK,
        mode=Mode.ON_SITE,
        starts_at=datetime(2026, 11, 17, 9, 30, tzinfo=UTC) + timedelta(hours=sequence),
        minutes=90,
        advisor_ids=advisor_ids,
        changed_at=at(30 + sequence),
    )


def closed(
    outcome: Literal["completed", "ended_early", "no_longer_possible"] = "completed", *, engaged: bool = True
) -> ConsultationClosed:
    return ConsultationClosed(
        request_id=REQUEST,
        assignment_id=ROUND[1] if engaged else None,
        municipality_ags=AGS,
        outcome=outcome,
        closed_at=at(45),
    )


def request_dossier(
    name: str = "Erika Musterfrau",
    email: str = "erika@musterstadt.example",
    language: Literal["de", "en"] = "de",
    request_id: str = REQUEST,
) -> RequestDossier:
    return RequestDossier(
        request_id=request_id,
        case_number="K7M2-4QXP",
        municipality_ags=AGS,
        municipality_name="Musterstadt",
        contact=ContactTold(name=name, email=email, phone="+4971100000", office="Hauptamt"),
        need="Das Fest der Nationen erreicht die Vereine nicht mehr: sehr vertraulich.",
        correspondence=language,
        consent_version="1",
        consent_at=AT,
    )


def draft_dossier(email: str = "erika@musterstadt.example", request_id: str = REQUEST, asked: int = 1) -> DraftDossier:
    return DraftDossier(
        request_id=request_id,
        email=email,
        correspondence="de",
        asked_at=at(-60 + asked),
        until=date(2026, 12, 2),
    )


def barrier() -> BarrierReported:
    return BarrierReported(barrier_id=derived_id(AT, "barrier"), due=date(2026, 11, 16), reported_at=at(3))


def advisor_dossier(
    advisor_id: str = "A01", email: str | None = None, language: Literal["de", "en"] = "de"
) -> AdvisorDossier:
    return AdvisorDossier(
        advisor_id=advisor_id,
        name=f"Berta Beispiel {advisor_id}",
        email=email or f"{advisor_id.lower()}@beratung.example",
        correspondence=language,
    )


def event_id(what: object) -> str:
    """The ce_id of `what`: always the same one."""
    return derived_id(AT, repr(what))


def cause(what: object) -> Insert:
    """The mark under which `what` is handled."""
    return mark("notifications", event_id(what))


def case(*facts: CaseFact) -> Case:
    found = Case(REQUEST)
    for fact in facts:
        found = found.note(noted(event_id(fact), fact))
    return found


def contacts(*advisor_ids: str, **changes: Any) -> dict[str, Contact]:
    """The municipality's contact, the office's and those of `advisor_ids`; `changes` to the municipality's."""
    request: dict[str, Any] = {
        "key": f"request:{REQUEST}",
        "version": 1,
        "event_id": event_id("request"),
        "name": "Erika Musterfrau",
        "email": "erika@musterstadt.example",
        "phone": "+4971100000",
        "office": "Hauptamt",
        "case_number": "K7M2-4QXP",
        "municipality": "Musterstadt",
    }
    office = Contact("coordinators", 1, "", name="Koordination", email="koordination@beratung.example")
    known = [Contact(**{**request, **changes}), office]
    for advisor_id in advisor_ids:
        name, email = f"Berta Beispiel {advisor_id}", f"{advisor_id.lower()}@beratung.example"
        known.append(Contact(f"advisor:{advisor_id}", 1, event_id(advisor_id), name=name, email=email))
    return {contact.key: contact for contact in known}
