"""What matching emits."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from shared.events.base import (
    AdvisorId,
    Ags,
    Code,
    Dossier,
    Fact,
    FieldCode,
    Id,
    Mode,
    Moment,
    Part,
    Role,
    SessionKind,
)


class Seat(Part):
    """One advisor's place in an assignment and the points by which it was given."""

    advisor_id: AdvisorId
    role: Role
    score: int = Field(description="sum of the points")
    points: dict[Code, int] = Field(description="points per criterion")
    kept: bool = Field(default=False, description="accepted in an earlier round: need not answer again")


class AdvisorAssigned(Fact):
    """An advisor or a tandem is asked to take a request; each seat not kept has to answer."""

    topic: ClassVar[str] = "advisor.assigned"

    assignment_id: Id
    request_id: Id
    municipality_ags: Ags
    round: int = Field(ge=1)
    members: tuple[Seat, ...] = Field(min_length=1, max_length=2)
    policy_version: Code
    released_by: Literal["policy", "coordinator"]
    respond_by: date
    assigned_at: Moment


class AdvisorAnswered(Fact):
    """One advisor's answer to an assignment."""

    topic: ClassVar[str] = "advisor.answered"

    assignment_id: Id
    request_id: Id
    advisor_id: AdvisorId
    answer: Literal["accepted", "declined", "expired"]
    reason: Literal["no_time", "too_far", "not_my_field", "conflict_of_interest", "other"] | None = None
    complete: bool = Field(description="with this answer every seat is accepted: the engagement begins")
    answered_at: Moment


class RequestParked(Fact):
    """Nobody suitable is free; the request waits and is tried again on every change."""

    topic: ClassVar[str] = "request.parked"

    request_id: Id
    municipality_ags: Ags
    round: int = Field(ge=1)
    reason: Literal["nobody_certified", "nobody_free", "nobody_suitable", "all_declined", "budget"]
    parked_at: Moment


class AdvisorReminded(Fact):
    """An advisor was reminded of what they have to do: to answer, or the next step of their consultation."""

    topic: ClassVar[str] = "advisor.reminded"

    request_id: Id
    assignment_id: Id
    municipality_ags: Ags
    advisor_id: AdvisorId
    step: Code
    due: date
    reminded_at: Moment


class RequestEscalated(Fact):
    """A step was not done in time: the coordinators are told, level by level."""

    topic: ClassVar[str] = "request.escalated"

    request_id: Id
    municipality_ags: Ags
    level: int = Field(ge=1, description="how often it was told of this step")
    step: Code
    advisor_id: AdvisorId | None = Field(default=None, description="who should have done it; none: the coordinators")
    due: date
    escalated_at: Moment


class RequestDelayed(Fact):
    """There is no advisor yet although the municipality has waited long: it is told so."""

    topic: ClassVar[str] = "request.delayed"

    request_id: Id
    municipality_ags: Ags
    submitted_at: Moment
    delayed_at: Moment


class HandoverOpened(Fact):
    """An advisor of a running consultation can't go on; a coordinator has to find another."""

    topic: ClassVar[str] = "handover.opened"

    request_id: Id
    assignment_id: Id
    municipality_ags: Ags
    advisor_id: AdvisorId
    reason: Literal["absent", "leaving", "conflict"]
    due: date
    opened_at: Moment


class SessionScheduled(Fact):
    """A session was arranged, moved or called off; `sequence` rises with each change."""

    topic: ClassVar[str] = "session.scheduled"

    session_id: Id
    assignment_id: Id
    request_id: Id
    municipality_ags: Ags
    change: Literal["scheduled", "rescheduled", "cancelled"]
    sequence: int = Field(ge=0)
    kind: SessionKind
    mode: Mode
    starts_at: Moment
    minutes: int = Field(gt=0, le=1440, description="planned")
    advisor_ids: tuple[AdvisorId, ...] = Field(min_length=1)
    changed_at: Moment | None = Field(default=None, description="when it was arranged, moved or called off")


class Attendance(Part):
    """What one advisor gave to a session."""

    advisor_id: AdvisorId
    minutes: int = Field(ge=0, le=1440)
    travel_km: int = Field(default=0, ge=0, le=5000, description="there and back")


class OptionAgreed(Part):
    """An option for action that was agreed; its words stay in matching."""

    option_id: Id
    field: FieldCode


class SessionCompleted(Fact):
    """A session took place, with each advisor's part in it."""

    topic: ClassVar[str] = "session.completed"

    session_id: Id
    assignment_id: Id
    request_id: Id
    municipality_ags: Ags
    kind: SessionKind
    held_on: date
    minutes: int = Field(gt=0, le=1440)
    mode: Mode
    participants: int = Field(ge=0, le=10000, description="people reached, without the advisors")
    members: tuple[Attendance, ...] = Field(min_length=1)
    options_agreed: tuple[OptionAgreed, ...] = ()
    completed_at: Moment


class ConsultationClosed(Fact):
    """The engagement has ended."""

    topic: ClassVar[str] = "consultation.closed"

    request_id: Id
    assignment_id: Id | None
    municipality_ags: Ags
    outcome: Literal["completed", "ended_early", "no_longer_possible"]
    closed_at: Moment


class AdvisorDossier(Dossier):
    """Who an advisor is, for those who write to them."""

    topic: ClassVar[str] = "advisor.dossier"

    advisor_id: AdvisorId
    name: str
    email: str
    phone: str | None = None
    correspondence: Literal["de", "en"] = "de"

    @property
    def key(self) -> str:
        return self.advisor_id
