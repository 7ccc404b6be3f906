"""What intake emits."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from shared.events.base import (
    Ags,
    CaseNumber,
    Dossier,
    Fact,
    FieldCode,
    Id,
    Language,
    Mode,
    Moment,
    Part,
    Tandem,
)


class RequestCreated(Fact):
    """A municipality has asked for advice."""

    topic: ClassVar[str] = "request.created"

    request_id: Id
    case_number: CaseNumber
    municipality_ags: Ags
    fields: tuple[FieldCode, ...] = Field(min_length=1)
    languages: tuple[Language, ...] = Field(min_length=1)
    mode: Mode
    wanted_from: date
    tandem: Tandem
    submitted_at: Moment
    channel: Literal["web", "api", "staff", "advisor"]


class RequestWithdrawn(Fact):
    """The municipality has taken its request back."""

    topic: ClassVar[str] = "request.withdrawn"

    request_id: Id
    municipality_ags: Ags
    withdrawn_at: Moment
    reason: Literal["no_longer_needed", "too_slow", "solved_otherwise", "by_mistake", "unspecified"]


class Contact(Part):
    name: str
    email: str
    phone: str | None = Field(default=None, description="E.164")
    office: str | None = None


class RequestDossier(Dossier):
    """The contact and the need, as the municipality told them."""

    topic: ClassVar[str] = "request.dossier"

    request_id: Id
    case_number: CaseNumber
    municipality_ags: Ags
    municipality_name: str
    contact: Contact
    need: str
    correspondence: Literal["de", "en"] = Field(description="language of mails to the contact")
    consent_version: str
    consent_at: Moment


class DraftDossier(Dossier):
    """Where to mail the link to a request that is not finished, once per telling. Gone when it is sent or expires."""

    topic: ClassVar[str] = "draft.dossier"

    request_id: Id = Field(description="of the request that it may become")
    email: str
    correspondence: Literal["de", "en"]
    asked_at: Moment
    until: date = Field(description="the last day on which the link works, as far as is known now")


class BarrierReported(Fact):
    """Somebody can't use a page. What they wrote stays with intake, for the programme's office to read there."""

    topic: ClassVar[str] = "barrier.reported"

    barrier_id: Id
    due: date = Field(description="by when it shall be answered")
    reported_at: Moment

    @property
    def key(self) -> str:
        return self.barrier_id


class FeedbackGiven(Fact):
    """The municipality's answer after the closing, once per engagement."""

    topic: ClassVar[str] = "feedback.given"

    request_id: Id
    municipality_ags: Ags
    satisfaction: int = Field(ge=1, le=5, description="1 not at all … 5 very satisfied")
    would_recommend: bool
    options_taken_up: int = Field(ge=0, description="options for action taken up so far")
    given_at: Moment
