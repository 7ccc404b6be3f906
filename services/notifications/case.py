"""A case: all facts of one request that messages are written about. Pure; the order of arrival plays no part."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from shared.events import (
    AdvisorAnswered,
    AdvisorAssigned,
    AdvisorReminded,
    ConsultationClosed,
    ExampleDecided,
    HandoverOpened,
    RequestCreated,
    RequestDelayed,
    RequestEscalated,
    RequestParked,
    RequestWithdrawn,
    SessionScheduled,
)
from shared.events.base import moment

CaseFact = (
    RequestCreated
    | RequestWithdrawn
    | AdvisorAssigned
    | AdvisorAnswered
    | RequestParked
    | RequestDelayed
    | RequestEscalated
    | AdvisorReminded
    | HandoverOpened
    | SessionScheduled
    | ConsultationClosed
    | ExampleDecided
)
F = TypeVar("F", bound=CaseFact)

_MOMENT = {
    RequestCreated: "submitted_at",
    RequestWithdrawn: "withdrawn_at",
    AdvisorAssigned: "assigned_at",
    AdvisorAnswered: "answered_at",
    RequestParked: "parked_at",
    RequestDelayed: "delayed_at",
    RequestEscalated: "escalated_at",
    AdvisorReminded: "reminded_at",
    HandoverOpened: "opened_at",
    SessionScheduled: "changed_at",
    ConsultationClosed: "closed_at",
    ExampleDecided: "decided_at",
}


@dataclass(frozen=True, slots=True)
class Noted:
    """A fact as its case keeps it; `at` is when it happened."""

    event_id: str
    at: datetime
    fact: CaseFact


@dataclass(frozen=True)
class Case:
    """All facts of one request that messages are written about. A set: the order of arrival plays no part."""

    request_id: str
    version: int = 0
    facts: tuple[Noted, ...] = ()

    def of(self, kind: type[F]) -> Iterator[tuple[Noted, F]]:
        """The facts of one kind, oldest first."""
        for noted in self.facts:
            if isinstance(noted.fact, kind):
                yield noted, noted.fact

    def note(self, noted: Noted) -> "Case":
        facts = sorted((*self.facts, noted), key=lambda item: (item.at, item.event_id))
        return replace(self, version=self.version + 1, facts=tuple(facts))

    @property
    def created(self) -> RequestCreated | None:
        return next((fact for _, fact in self.of(RequestCreated)), None)

    @property
    def is_withdrawn(self) -> bool:
        return any(self.of(RequestWithdrawn))

    @property
    def is_closed(self) -> bool:
        return any(self.of(ConsultationClosed))

    @property
    def current(self) -> AdvisorAssigned | None:
        """The latest assignment."""
        return max((fact for _, fact in self.of(AdvisorAssigned)), key=rank, default=None)

    @property
    def example(self) -> ExampleDecided | None:
        """How its practice example stands."""
        return max((fact for _, fact in self.of(ExampleDecided)), key=lambda fact: fact.decided_at, default=None)

    def has_begun(self, assignment_id: str) -> bool:
        """Everybody in it has accepted."""
        assignment = self.assignment(assignment_id)
        kept = assignment is not None and all(seat.kept for seat in assignment.members)
        return kept or any(
            fact.complete and fact.assignment_id == assignment_id for _, fact in self.of(AdvisorAnswered)
        )

    def assignment(self, assignment_id: str) -> AdvisorAssigned | None:
        return next((fact for _, fact in self.of(AdvisorAssigned) if fact.assignment_id == assignment_id), None)

    def answer(self, assignment_id: str, advisor_id: str | None) -> str | None:
        """What an advisor has answered to an assignment, as far as it is known."""
        found = None
        for _, fact in self.of(AdvisorAnswered):
            if fact.assignment_id == assignment_id and fact.advisor_id == advisor_id:
                found = fact.answer
        return found


def noted(event_id: str, fact: CaseFact) -> Noted:
    """`fact` with its moment: its own, else that of the UUIDv7 `event_id`, else the session's."""
    at: datetime | None = getattr(fact, _MOMENT[type(fact)])
    if at is None:
        assert isinstance(fact, SessionScheduled)
        uuid = uuid7(event_id)
        at = datetime.fromtimestamp((uuid.int >> 80) / 1000, UTC) if uuid else fact.starts_at
    return Noted(event_id, moment(at.astimezone(UTC)), fact)


def members(assignment: AdvisorAssigned | None) -> set[str]:
    return {seat.advisor_id for seat in assignment.members} if assignment else set()


def rank(assignment: AdvisorAssigned) -> tuple[int, datetime, str]:
    """Sorts the assignments of a case by their round."""
    return assignment.round, assignment.assigned_at, assignment.assignment_id


def uuid7(text: str) -> UUID | None:
    """`text` as a UUIDv7, when it is one in its canonical form."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if found.version == 7 and str(found) == text else None
