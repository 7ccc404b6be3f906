"""A request from submission to feedback: pure, each action returns the new state and its events."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal, get_args

from services.intake.rules import Rules
from shared import events as told
from shared.errors import Conflict, Invalid
from shared.events import Event, FeedbackGiven, RequestCreated, RequestDossier, RequestWithdrawn
from shared.events.base import FieldCode, Mode, Tandem, moment
from shared.outbox import Tombstone
from shared.register import Municipality

Channel = Literal["web", "api", "staff", "advisor"]
Correspondence = Literal["de", "en"]
Reason = Literal["no_longer_needed", "too_slow", "solved_otherwise", "by_mistake", "unspecified"]
REASONS: tuple[Reason, ...] = get_args(Reason)


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to write to; `phone` in E.164."""

    name: str
    email: str
    phone: str | None = None
    office: str | None = None


@dataclass(frozen=True, slots=True)
class Dossier:
    """What a person told us: all of a request that is personal, gone after an erasure."""

    contact: Contact
    need: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What was sent, in good form; whether it may be asked for is still to be decided."""

    municipality_ags: str
    fields: tuple[FieldCode, ...]
    dossier: Dossier
    languages: tuple[str, ...]
    mode: Mode
    wanted_from: date
    tandem: Tandem
    correspondence: Correspondence
    consent_version: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class Withdrawal:
    at: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class Feedback:
    """The municipality's judgement; `comment` stays in intake."""

    satisfaction: int
    would_recommend: bool
    options_taken_up: int
    comment: str | None
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """One municipality's request. `version` counts its changes and orders its events."""

    id: str
    version: int
    case_number: str
    municipality_ags: str
    municipality_name: str
    fields: tuple[FieldCode, ...]
    languages: tuple[str, ...]
    mode: Mode
    wanted_from: date
    tandem: Tandem
    channel: Channel
    correspondence: Correspondence
    consent_version: str
    submitted_at: datetime
    dossier: Dossier | None
    withdrawal: Withdrawal | None = None
    feedback: Feedback | None = None
    erased_at: datetime | None = None


def submit(
    wish: Wish,
    entry: Municipality | None,
    rules: Rules,
    now: datetime,
    request_id: str,
    case_number: str,
    version: int = 1,
) -> tuple[Request, tuple[Event, ...]]:
    """The request and what is told of it. `entry`: the register's, for the wish's AGS. Raises Invalid.

    `version`: higher where a draft was told of under the same id.
    """
    wrong = rules.broken(wish.municipality_ags, entry, wish.wanted_from)
    if wrong or entry is None:
        raise Invalid.of(*wrong)
    request = Request(
        id=request_id,
        version=version,
        case_number=case_number,
        municipality_ags=entry.ags,
        municipality_name=entry.name,
        fields=wish.fields,
        languages=wish.languages,
        mode=wish.mode,
        wanted_from=wish.wanted_from,
        tandem=wish.tandem,
        channel=wish.channel,
        correspondence=wish.correspondence,
        consent_version=wish.consent_version,
        submitted_at=moment(now),
        dossier=wish.dossier,
    )
    return request, (_created(request), _dossier(request, wish.dossier))


def withdraw(
    request: Request, closed: bool, reason: Reason, now: datetime
) -> tuple[Request, tuple[RequestWithdrawn, ...]]:
    """Takes the request back; nothing changes when it was already. Raises Conflict once it is closed."""
    if request.withdrawal:
        return request, ()
    if closed:
        raise Conflict(
            "Die Beratung ist bereits abgeschlossen; zurückziehen geht nicht mehr.",
            "The consultation is closed already; it can no longer be withdrawn.",
        )
    withdrawn_at = moment(now)
    changed = replace(request, version=request.version + 1, withdrawal=Withdrawal(withdrawn_at, reason))
    event = RequestWithdrawn(
        request_id=request.id,
        municipality_ags=request.municipality_ags,
        withdrawn_at=withdrawn_at,
        reason=reason,
    )
    return changed, (event,)


def give_feedback(
    request: Request, engagement_closed: bool, feedback: Feedback
) -> tuple[Request, tuple[FeedbackGiven, ...]]:
    """Keeps the answer to the one closed engagement. Raises Conflict before its closing and the second time."""
    if request.feedback:
        raise Conflict(
            "Sie haben Ihre Rückmeldung schon gegeben. Vielen Dank!", "Your feedback was given already. Thank you!"
        )
    if not engagement_closed:
        raise Conflict(
            "Eine Rückmeldung ist möglich, sobald eine Beratung abgeschlossen ist.",
            "Feedback can be given once a consultation is closed.",
        )
    changed = replace(request, version=request.version + 1, feedback=feedback)
    event = FeedbackGiven(
        request_id=request.id,
        municipality_ags=request.municipality_ags,
        satisfaction=feedback.satisfaction,
        would_recommend=feedback.would_recommend,
        options_taken_up=feedback.options_taken_up,
        given_at=feedback.given_at,
    )
    return changed, (event,)


def erase(request: Request, now: datetime) -> tuple[Request, tuple[Tombstone, ...]]:
    """Empties what is personal; the facts stay. Every time tells all copies again to do the same."""
    changed = replace(
        request,
        version=request.version + 1,
        dossier=None,
        feedback=replace(request.feedback, comment=None) if request.feedback else None,
        erased_at=request.erased_at or moment(now),
    )
    return changed, (Tombstone(RequestDossier, request.id),)


def _created(request: Request) -> RequestCreated:
    return RequestCreated(
        request_id=request.id,
        case_number=request.case_number,
        municipality_ags=request.municipality_ags,
        fields=request.fields,
        languages=request.languages,
        mode=request.mode,
        wanted_from=request.wanted_from,
        tandem=request.tandem,
        submitted_at=request.submitted_at,
        channel=request.channel,
    )


def _dossier(request: Request, dossier: Dossier) -> RequestDossier:
    contact = dossier.contact
    return RequestDossier(
        request_id=request.id,
        case_number=request.case_number,
        municipality_ags=request.municipality_ags,
        municipality_name=request.municipality_name,
        contact=told.intake.Contact(name=contact.name, email=contact.email, phone=contact.phone, office=contact.office),
        need=dossier.need,
        correspondence=request.correspondence,
        consent_version=request.consent_version,
        consent_at=request.submitted_at,
    )
