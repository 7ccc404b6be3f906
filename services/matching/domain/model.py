"""The data of matching: advisors, and one engagement per request with its rounds and sessions inside."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from shared.events.base import FieldCode, Mode, Role, SessionKind, Tandem

State = Literal["early", "pending", "proposed", "engaged", "parked", "closed", "withdrawn"]
"""`early`: an event came before request.created; `pending`: the matcher has to decide."""
ListedState = Literal["pending", "proposed", "engaged", "parked", "closed", "withdrawn"]
OPEN: tuple[ListedState, ...] = ("pending", "proposed", "engaged", "parked")
Answer = Literal["open", "accepted", "declined", "expired"]
Reason = Literal["no_time", "too_far", "not_my_field", "conflict_of_interest", "other"]
Parked = Literal["nobody_certified", "nobody_free", "nobody_suitable", "all_declined"]
Outcome = Literal["completed", "ended_early", "no_longer_possible"]
Channel = Literal["web", "api", "staff", "advisor"]
Withdrawal = Literal["no_longer_needed", "too_slow", "solved_otherwise", "by_mistake", "unspecified"]
HeldMode = Literal[Mode.ON_SITE, Mode.ONLINE]
"""How a session is held: here it is settled, `either` is only a wish."""


@dataclass(frozen=True, slots=True)
class Absence:
    """Both days included."""

    start: date
    end: date

    def covers(self, day: date) -> bool:
        return self.start <= day <= self.end


@dataclass(frozen=True, slots=True)
class Advisor:
    """`levels`: 0 none … 3 expert; `regions`, `conflicts`: AGS, for conflicts own employer, council seat and the like.

    Origin, ethnicity and gender are not stored: they must not be inputs (mission, rule 8).
    """

    id: str
    name: str
    email: str
    levels: dict[FieldCode, int]
    languages: tuple[str, ...]
    regions: tuple[str, ...]
    certified_on: date
    certified_until: date
    capacity: int
    phone: str | None = None
    correspondence: Literal["de", "en"] = "de"
    absences: tuple[Absence, ...] = ()
    conflicts: tuple[str, ...] = ()
    erased_at: datetime | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What request.created told."""

    case_number: str
    municipality_ags: str
    fields: tuple[FieldCode, ...]
    languages: tuple[str, ...]
    mode: Mode
    wanted_from: date
    tandem: Tandem
    submitted_at: datetime
    channel: Channel


@dataclass(frozen=True, slots=True)
class Scored:
    """An advisor with the points per criterion, as chosen or as runner-up for a role."""

    advisor_id: str
    role: Role
    points: dict[str, int]

    @property
    def score(self) -> int:
        return sum(self.points.values())


@dataclass(frozen=True, slots=True)
class Seat:
    """One place in a round. `kept`: accepted in an earlier round, so `answer` is accepted from the start."""

    advisor_id: str
    role: Role
    points: dict[str, int]
    kept: bool = False
    answer: Answer = "open"
    reason: Reason | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """One assignment: who is asked, why, until when, and what they said. `basis`: what it was decided from, as kept."""

    assignment_id: str
    number: int
    seats: tuple[Seat, ...]
    runners_up: tuple[Scored, ...]
    policy_version: str
    released_by: Literal["policy", "coordinator"]
    respond_by: date
    assigned_at: datetime
    basis: str | None = None

    @property
    def complete(self) -> bool:
        return all(seat.answer == "accepted" for seat in self.seats)

    @property
    def held(self) -> tuple[Seat, ...]:
        """The seats of those who are asked or have accepted."""
        return tuple(seat for seat in self.seats if seat.answer in ("open", "accepted"))

    def seat(self, advisor_id: str) -> Seat | None:
        return next((seat for seat in self.seats if seat.advisor_id == advisor_id), None)


@dataclass(frozen=True, slots=True)
class Presence:
    """What one advisor gave to a session: minutes, kilometres there and back."""

    advisor_id: str
    minutes: int
    travel_km: int = 0


@dataclass(frozen=True, slots=True)
class Option:
    """An option for action; `text` never leaves matching."""

    id: str
    field: FieldCode
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """How a session was held."""

    held_on: date
    minutes: int
    mode: HeldMode
    participants: int
    members: tuple[Presence, ...]
    options: tuple[Option, ...]
    completed_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """Planned `minutes` from `starts_at`; `sequence` rises with each change of the plan."""

    id: str
    assignment_id: str
    kind: SessionKind
    mode: HeldMode
    starts_at: datetime
    minutes: int
    advisor_ids: tuple[str, ...]
    sequence: int = 0
    state: Literal["scheduled", "cancelled", "completed"] = "scheduled"
    record: Record | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """What a person decided: who, when, what, why."""

    at: datetime
    by: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Closing:
    outcome: Outcome
    at: datetime


@dataclass(frozen=True, slots=True)
class Withdrawn:
    reason: Withdrawal
    at: datetime


@dataclass(frozen=True, slots=True)
class Feedback:
    satisfaction: int
    would_recommend: bool
    options_taken_up: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Engagement:
    """Everything of one request. `since`: when `state` began; `version`: as loaded, 0 for a new one.

    `pins`: advisors whom a coordinator wants in whatever is decided.
    """

    id: str
    state: State
    since: datetime
    facts: Facts | None = None
    rounds: tuple[Round, ...] = ()
    sessions: tuple[Session, ...] = ()
    parked: Parked | None = None
    closing: Closing | None = None
    withdrawn: Withdrawn | None = None
    feedback: Feedback | None = None
    audit: tuple[Audit, ...] = field(default=())
    pins: tuple[str, ...] = ()
    version: int = 0

    @property
    def current(self) -> Round | None:
        return self.rounds[-1] if self.rounds else None

    @property
    def asked(self) -> Facts:
        """The facts, where the state says that they are there."""
        assert self.facts is not None
        return self.facts

    @property
    def holders(self) -> tuple[str, ...]:
        """The advisors whose capacity this engagement uses."""
        if self.state not in ("pending", "proposed", "engaged") or self.current is None:
            return ()
        return tuple(seat.advisor_id for seat in self.current.held)

    @property
    def refused(self) -> frozenset[str]:
        """Those who declined or let the time pass, in any round: they are not asked again by policy."""
        seats = (seat for asked in self.rounds for seat in asked.seats)
        return frozenset(seat.advisor_id for seat in seats if seat.answer in ("declined", "expired"))

    def round(self, assignment_id: str) -> Round | None:
        return next((found for found in self.rounds if found.assignment_id == assignment_id), None)
