"""What matching has told about a request, kept as a set of steps: the same set in whatever order they came.

A step for a request that intake doesn't know is kept just the same, and read if the request ever appears.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal, get_args

from shared.events import (
    AdvisorAnswered,
    AdvisorAssigned,
    ConsultationClosed,
    RequestParked,
    SessionCompleted,
    SessionScheduled,
)
from shared.events.base import Role, SessionKind

What = Literal[
    "parked",
    "assigned",
    "declined",
    "expired",
    "accepted",
    "scheduled",
    "rescheduled",
    "cancelled",
    "completed",
    "closed",
]

_CAUSAL: tuple[What, ...] = get_args(What)
"""The order of what is told of the same moment."""


@dataclass(frozen=True, slots=True)
class Member:
    advisor_id: str
    role: Role


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened; which of the optional parts it has depends on `what`."""

    what: What
    at: datetime
    assignment_id: str | None = None
    advisor_id: str | None = None
    session_id: str | None = None
    number: int = 0
    """The round of an assignment or parking, the sequence of a session's change."""
    complete: bool = False
    """With this answer every seat is accepted; or with this round, when all in it had accepted before."""
    day: date | None = None
    """Respond-by of an assignment; the day on which a session was held."""
    kind: SessionKind | None = None
    starts_at: datetime | None = None
    members: tuple[Member, ...] = ()
    """Who is asked, of an assignment."""

    @property
    def identity(self) -> tuple[str, str, str, str, int]:
        """The same for the same thing, told twice. A request may be parked again and again in one round."""
        about = self.at.isoformat() if self.what == "parked" else self.session_id or ""
        return self.what, self.assignment_id or "", self.advisor_id or "", about, self.number


@dataclass(frozen=True, slots=True)
class Progress:
    """The steps of one request, in the order in which they happened."""

    request_id: str
    version: int = 0
    steps: tuple[Step, ...] = ()

    @property
    def closed(self) -> Step | None:
        return next((step for step in self.steps if step.what == "closed"), None)

    @property
    def engagement_closed(self) -> bool:
        """True when a consultation took place and has ended, so that it can be judged."""
        return any(step.what == "closed" and step.assignment_id for step in self.steps)


def note(progress: Progress, step: Step) -> Progress:
    """`progress` with `step`; unchanged when it is known. Of two tellings the earlier moment counts."""
    known = {other.identity: other for other in progress.steps}
    before = known.get(step.identity)
    if before and before.at <= step.at:
        return progress
    known[step.identity] = step
    ordered = sorted(known.values(), key=lambda each: (each.at, _CAUSAL.index(each.what), each.identity))
    return replace(progress, version=progress.version + 1, steps=tuple(ordered))


def assigned(event: AdvisorAssigned) -> Step:
    return Step(
        "assigned",
        event.assigned_at,
        assignment_id=event.assignment_id,
        number=event.round,
        complete=all(seat.kept for seat in event.members),
        day=event.respond_by,
        members=tuple(Member(seat.advisor_id, seat.role) for seat in event.members),
    )


def answered(event: AdvisorAnswered) -> Step:
    return Step(
        event.answer,
        event.answered_at,
        assignment_id=event.assignment_id,
        advisor_id=event.advisor_id,
        complete=event.complete,
    )


def parked(event: RequestParked) -> Step:
    return Step("parked", event.parked_at, number=event.round)


def scheduled(event: SessionScheduled, heard_at: datetime) -> Step:
    """`heard_at` stands in for a change that doesn't say when it was made."""
    return Step(
        event.change,
        event.changed_at or heard_at,
        assignment_id=event.assignment_id,
        session_id=event.session_id,
        number=event.sequence,
        kind=event.kind,
        starts_at=event.starts_at,
    )


def completed(event: SessionCompleted) -> Step:
    return Step(
        "completed",
        event.completed_at,
        assignment_id=event.assignment_id,
        session_id=event.session_id,
        kind=event.kind,
        day=event.held_on,
    )


def closed(event: ConsultationClosed) -> Step:
    return Step("closed", event.closed_at, assignment_id=event.assignment_id)
