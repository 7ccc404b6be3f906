"""Messages and contacts: plain data, and what becomes of one message. `calls.py` says which ones there are."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from services.notifications.case import Noted, uuid7
from shared.errors import Conflict
from shared.events import BarrierReported, DraftDossier, NotificationFailed, NotificationSent, ProofReminded
from shared.ids import derived_id

Audience = Literal["municipality", "advisor", "coordinators"]
COORDINATORS = "coordinators"
"""The key of their contact."""
State = Literal["waiting", "queued", "sent", "failed", "dropped"]
Language = Literal["de", "en"]

RESUME = "draft_saved"
"""The one template about what is no request yet: its recipient's address is that of the draft."""
BARRIER, PROOF = "barrier", "proof_due"
"""The templates about no request at all."""


@dataclass(frozen=True)
class Contact:
    """A copy of a dossier, or the trace of an erased one. `key`: request:<id>, draft:<id> or advisor:<id>;
    `COORDINATORS` for the programme's office, as the settings have it.
    """

    key: str
    version: int
    event_id: str
    erased: bool = False
    name: str = ""
    email: str = ""
    phone: str | None = None
    office: str | None = None
    language: Language = "de"
    case_number: str = ""
    municipality: str = ""


@dataclass(frozen=True)
class Resend:
    at: datetime
    by: str


@dataclass(frozen=True)
class Message:
    """One mail to one recipient about one event. `context`: codes, ids and times only.

    `request_id`: of the request, or of the draft, barrier or proof that it is about.
    `waiting_for`: contacts by their key, facts by their topic. `sending_until`: a sender has it until then, by the
    database's clock.
    `correlation_id` and `traceparent`: where what called for it belonged.
    `address`: where the last attempt went. `reason`: why it was dropped or has failed.
    """

    id: str
    version: int
    request_id: str
    template: str
    recipient: Audience
    advisor_id: str | None
    cause_id: str
    happened_at: datetime
    context: Mapping[str, Any] = field(default_factory=dict)
    state: State = "waiting"
    reason: str | None = None
    waiting_for: tuple[str, ...] = ()
    queued_at: datetime | None = None
    due_at: datetime | None = None
    sending_until: datetime | None = None
    sending_by: str | None = None
    attempts: int = 0
    last_error: str | None = None
    address: str | None = None
    sent_at: datetime | None = None
    resends: tuple[Resend, ...] = ()
    correlation_id: str | None = None
    traceparent: str | None = None

    @property
    def contact(self) -> str:
        """The key of the recipient's contact."""
        if self.template == RESUME:
            return f"draft:{self.request_id}"
        if self.recipient == "coordinators":
            return COORDINATORS
        return f"advisor:{self.advisor_id}" if self.advisor_id else f"request:{self.request_id}"

    def is_open(self) -> bool:
        return self.state in ("waiting", "queued")

    def is_claimed(self) -> bool:
        """By a sender: it may be on its way."""
        return self.state == "queued" and self.sending_by is not None


def draft(
    request_id: str,
    cause: Noted,
    template: str,
    advisor_id: str | None = None,
    context: Mapping[str, Any] | None = None,
    *,
    office: bool = False,
) -> Message:
    """The message to the municipality, to `advisor_id`, or to the coordinators' `office`: its id is the same whenever
    it is planned."""
    to: Audience = "coordinators" if office else "advisor" if advisor_id else "municipality"
    return _planned(request_id, cause.event_id, cause.at, template, to, advisor_id, context or {})


def resume(dossier: DraftDossier, event_id: str) -> Message:
    """The message with the link to a draft, one per telling of its dossier."""
    until = {"until": dossier.until.isoformat()}
    return _planned(dossier.request_id, event_id, dossier.asked_at, RESUME, "municipality", None, until)


def about_barrier(fact: BarrierReported, event_id: str) -> Message:
    """The message that tells the coordinators of a barrier."""
    due = {"due": fact.due.isoformat()}
    return _planned(fact.barrier_id, event_id, fact.reported_at, BARRIER, "coordinators", None, due)


def about_proof(fact: ProofReminded, event_id: str) -> Message:
    """The message that tells the coordinators of a proof that is due."""
    context = fact.model_dump(mode="json", include={"proof", "of", "starts_on", "due"})
    return _planned(fact.proof_id, event_id, fact.reminded_at, PROOF, "coordinators", None, context)


def _planned(
    about: str,
    event_id: str,
    at: datetime,
    template: str,
    to: Audience,
    advisor_id: str | None,
    context: Mapping[str, Any],
) -> Message:
    recipient = f"advisor:{advisor_id}" if advisor_id else to
    return Message(
        id=derived_id(at, event_id, recipient, template),
        version=0,
        request_id=about,
        template=template,
        recipient=to,
        advisor_id=advisor_id,
        cause_id=event_id if uuid7(event_id) else derived_id(at, event_id),
        happened_at=at,
        context=dict(context),
    )


def is_newer(event_id: str, than: Contact | None) -> bool:
    """False for a dossier that was overtaken; emitters' UUIDv7 rise with time."""
    if than is None or not (uuid7(event_id) and uuid7(than.event_id)):
        return True
    return event_id > than.event_id


def queued(message: Message, due_at: datetime, now: datetime) -> Message:
    return replace(message, version=message.version + 1, state="queued", waiting_for=(), queued_at=now, due_at=due_at)


def dropped(message: Message, reason: str) -> Message:
    """It will not be written: `superseded`, `erased` or `too_old`."""
    return replace(
        message,
        version=message.version + 1,
        state="dropped",
        reason=reason,
        waiting_for=(),
        sending_until=None,
        sending_by=None,
    )


def sent(message: Message, address: str, now: datetime) -> tuple[Message, NotificationSent]:
    """The mail server has it. Also true when the message was dropped while it was on its way."""
    done = replace(
        message,
        version=message.version + 1,
        state="sent",
        reason=None,
        address=None if message.reason == "erased" else address,
        sent_at=now,
        sending_until=None,
        sending_by=None,
        last_error=None,
    )
    event = NotificationSent(
        message_id=message.id,
        request_id=message.request_id,
        template=message.template,
        recipient=message.recipient,
        advisor_id=message.advisor_id,
        cause_id=message.cause_id,
        sent_at=now,
    )
    return done, event


def failed(
    message: Message, address: str | None, reason: str, error: str, now: datetime
) -> tuple[Message, NotificationFailed]:
    """Nobody will try again by themselves."""
    done = replace(
        message,
        version=message.version + 1,
        state="failed",
        reason=reason,
        address=address,
        sending_until=None,
        sending_by=None,
        last_error=error[:500],
    )
    event = NotificationFailed(
        message_id=message.id,
        request_id=message.request_id,
        template=message.template,
        recipient=message.recipient,
        advisor_id=message.advisor_id,
        cause_id=message.cause_id,
        reason=reason,
        failed_at=now,
    )
    return done, event


def postponed(message: Message, address: str | None, pause: timedelta, error: str, now: datetime) -> Message:
    """To be tried again after `pause`."""
    return replace(
        message,
        version=message.version + 1,
        due_at=now + pause,
        address=address,
        sending_until=None,
        sending_by=None,
        last_error=error[:500],
    )


def pause(attempts: int, first: float, cap: float) -> timedelta:
    """Seconds after the `attempts`-th failed attempt: `first`, doubled each time, at most `cap`."""
    return timedelta(seconds=min(first * 2 ** min(attempts - 1, 30), cap))


def resent(message: Message, by: str, now: datetime) -> Message:
    """Queued once more, under another Message-ID. Raises Conflict unless it was sent, has failed or was too old."""
    if message.is_open():
        raise Conflict("Diese Nachricht ist noch unterwegs.", "This message is still on its way.")
    if message.state == "dropped" and message.reason != "too_old":
        raise Conflict(
            "Diese Nachricht wird nicht mehr gebraucht oder ihr Empfänger wurde gelöscht.",
            "This message is no longer needed, or its recipient was erased.",
        )
    anew = replace(
        message,
        reason=None,
        attempts=0,
        last_error=None,
        address=None,
        sent_at=None,
        resends=(*message.resends, Resend(now, by)),
    )
    return queued(anew, now, now)
