"""What callers send, and the pages they get."""

import re
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from services.matching.domain import budget
from services.matching.domain.model import HeldMode, Option, Outcome, Presence, Reason, Record
from services.matching.entries import AbsenceEntry, Day
from shared.events.base import AdvisorId, FieldCode, SessionKind, moment
from shared.ids import new_id

T = TypeVar("T")

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=1000)]
Minutes = Annotated[int, Field(gt=0, le=1440)]


def _written(value: object) -> object:
    """Numbers would pass as seconds since 1970."""
    if not (isinstance(value, str) and re.match(r"\d{4}-\d{2}-\d{2}[Tt ]", value)):
        german = "Bitte einen Zeitpunkt nach ISO 8601 mit Zeitzone."
        raise ValueError(german, "Please give a time as ISO 8601 with its time zone.")
    return value


When = Annotated[
    AwareDatetime,
    BeforeValidator(_written),
    Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC)),
    AfterValidator(lambda value: moment(value.astimezone(UTC))),
]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Page(BaseModel, Generic[T]):
    """`next` is the `after` of the following page, null on the last."""

    items: list[T]
    next: str | None


class DeclineBody(Body):
    reason: Reason


class AssignBody(Body):
    """A coordinator's choice; `reason` is kept in the audit."""

    lead: AdvisorId
    co: AdvisorId | None = None
    reason: Words

    @model_validator(mode="after")
    def _two_people(self) -> "AssignBody":
        if self.lead == self.co:
            raise ValueError("Ein Tandem braucht zwei Personen.", "A tandem needs two people.")
        return self


class ReleaseBody(Body):
    """`reason` as far as there is one to give."""

    reason: Words | None = None


class ReconsiderBody(Body):
    """`without`: advisors whom the matcher shall not choose any more for this request."""

    without: list[AdvisorId] = Field(default=[], max_length=20)
    reason: Words


class AdvisorBody(Body):
    """About one advisor, with the reason that is kept in the audit."""

    advisor: AdvisorId
    reason: Words


class HandOverBody(AdvisorBody):
    """`to` takes the seat of `advisor`; without, the other of the tandem goes on alone."""

    to: AdvisorId | None = None


class NoteBody(Body):
    text: Words


class LeaveBody(Body):
    """`last_day` null: they stay after all."""

    last_day: Day | None
    reason: Words


class BudgetName(Body):
    id: Annotated[str, StringConstraints(pattern=budget.ID)]


class BudgetBody(Body):
    """Minutes of advice that may be reserved from `start` to `end`, both included."""

    start: Day
    end: Day
    minutes: int = Field(ge=0, le=100_000_000)
    reason: Words

    @model_validator(mode="after")
    def _in_order(self) -> "BudgetBody":
        if self.end < self.start:
            raise ValueError("Das Ende liegt vor dem Anfang.", "The end is before the start.")
        return self


class CloseBody(Body):
    outcome: Outcome


class AbsencesBody(Body):
    """All absences from now on; an empty list takes them back."""

    absences: list[AbsenceEntry] = Field(max_length=100)


class MoveBody(Body):
    starts_at: When
    minutes: Minutes


class SessionBody(MoveBody):
    kind: SessionKind
    mode: HeldMode


class PresenceBody(Body):
    """What one advisor gave: minutes, kilometres there and back."""

    advisor_id: AdvisorId
    minutes: int = Field(ge=0, le=1440)
    travel_km: int = Field(default=0, ge=0, le=5000)


class OptionBody(Body):
    """An option for action that was agreed; the text stays in this service."""

    field: FieldCode
    text: Words


class CompleteBody(Body):
    """How a session was held; `participants`: people reached, without the advisors."""

    held_on: Day
    minutes: Minutes
    mode: HeldMode
    participants: int = Field(ge=0, le=10_000)
    members: list[PresenceBody] = Field(min_length=1, max_length=2)
    options: list[OptionBody] = Field(default=[], max_length=50)

    @model_validator(mode="after")
    def _each_once(self) -> "CompleteBody":
        if len({member.advisor_id for member in self.members}) < len(self.members):
            raise ValueError("Jede Person bitte nur einmal.", "Each person once, please.")
        return self

    def record(self, now: datetime) -> Record:
        return Record(
            self.held_on,
            self.minutes,
            self.mode,
            self.participants,
            tuple(Presence(one.advisor_id, one.minutes, one.travel_km) for one in self.members),
            tuple(Option(new_id(), one.field, one.text) for one in self.options),
            now,
        )
