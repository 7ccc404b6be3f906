"""The data of matching: advisors, and one engagement per request with its rounds and sessions inside."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal

from shared.events.base import FieldCode, Mode, Role, SessionKind, Tandem

State = Literal["early", "pending", "review", "proposed", "engaged", "parked", "closed", "withdrawn"]
"""`early`: an event came before request.created; `pending`: the matcher has to decide; `review`: a coordinator looks
at what it has decided before anybody is asked."""
ListedState = Literal["pending", "review", "proposed", "engaged", "parked", "closed", "withdrawn"]
OPEN: tuple[ListedState, ...] = ("pending", "review", "proposed", "engaged", "parked")
Answer = Literal["open", "accepted", "declined", "expired"]
Reason = Literal["no_time", "too_far", "not_my_field", "conflict_of_interest", "other"]
Parked = Literal["nobody_certified", "nobody_free", "nobody_suitable", "all_declined", "budget"]
Outcome = Literal["completed", "ended_early", "no_longer_possible"]
Channel = Literal["web", "api", "staff", "advisor"]
Withdrawal = Literal["no_longer_needed", "too_slow", "solved_otherwise", "by_mistake", "unspecified"]
HeldMode = Literal[Mode.ON_SITE, Mode.ONLINE]
"""How a session is held: here it is settled, `either` is only a wish."""
Why = Literal["absent", "leaving", "conflict"]
"""Why an advisor can't go on."""
DECISIONS = (
    *("assigned", "assigned_over_capacity", "released", "reconsidered", "pinned", "unpinned"),
    *("accepted", "declined", "withdrawn", "closed", "noted", "reminded"),
    *("handed_over", "stays", "conflict_flagged"),
    *("session_scheduled", "session_moved", "session_cancelled", "session_recorded", "session_corrected"),
    *("advisor_entered", "advisor_changed", "absences_announced", "advisor_leaves", "advisor_erased", "budget_set"),
    *("policy_made", "policy_activated"),
)
"""What people decide, as the audit trail has it."""
CODED = ("accepted", "declined", "withdrawn", "closed", "session_scheduled")
"""Of these `why` is a code and no words."""


@dataclass(frozen=True, slots=True)
class Absence:
    """Both days included."""

    start: date
    end: date

    def covers(self, day: date) -> bool:
        return self.start <= day <= self.end


@dataclass(frozen=True, slots=True)
class Audit:
    """What a person decided: who, when, what (one of `DECISIONS`), why; `who`: the advisors whom it is about.

    `by`: the subject of their token, an advisor's number, `municipality`, or the command that was run. `to`: what it
    was set to, in days, numbers and codes.
    """

    at: datetime
    by: str
    what: str
    why: str
    who: tuple[str, ...] = ()
    to: str = ""

    @property
    def wordless(self) -> "Audit":
        """Without the words of whoever decided; who, when and what stay."""
        return self if self.what in CODED else replace(self, why="")


@dataclass(frozen=True, slots=True)
class Advisor:
    """`levels`: 0 none … 3 expert; `regions`, `conflicts`: AGS, for conflicts own employer, council seat and the like.

    `leaves_on`: their last day in the programme, once it is known: they are asked for nothing new.

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
    leaves_on: date | None = None
    audit: tuple[Audit, ...] = ()


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
    reminded_on: date | None = None


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
class Proposal:
    """What the matcher has decided and nobody has released: `asked` will be the next round, if it is."""

    asked: Round
    look_by: date


@dataclass(frozen=True, slots=True)
class HandOver:
    """An advisor of a running consultation who can't go on: a coordinator finds another, or settles that they do."""

    advisor_id: str
    why: Why
    due: date
    opened_at: datetime
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rung:
    """How far the ladder has been climbed for a step that is due on `due`, and when the last time was."""

    step: str
    due: date
    level: int
    on: date


@dataclass(frozen=True, slots=True)
class Reserved:
    """Minutes of `budget` that were set aside when `seats` advisors were to be asked."""

    budget: str
    minutes: int
    seats: int


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

    `pins`, `excluded`: advisors whom a coordinator wants, or doesn't want, in whatever is decided.
    `informed_at`: when the municipality was last told that it takes longer.
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
    excluded: tuple[str, ...] = ()
    proposal: Proposal | None = None
    handovers: tuple[HandOver, ...] = ()
    rungs: tuple[Rung, ...] = ()
    informed_at: datetime | None = None
    reserved: Reserved | None = None
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
    def begun(self) -> Round | None:
        """The last round in which everybody has accepted: the consultation as it is, or was before a hand-over."""
        return next((asked for asked in reversed(self.rounds) if asked.complete), None)

    @property
    def holders(self) -> tuple[str, ...]:
        """The advisors whose capacity this engagement uses."""
        if self.state not in ("pending", "review", "proposed", "engaged"):
            return ()
        seats = (*(self.current.held if self.current else ()), *(self.proposal.asked.seats if self.proposal else ()))
        return tuple(dict.fromkeys(seat.advisor_id for seat in seats))

    @property
    def refused(self) -> frozenset[str]:
        """Those who declined or let the time pass, in any round, or were excluded: policy doesn't ask them again."""
        seats = (seat for asked in self.rounds for seat in asked.seats)
        said_no = (seat.advisor_id for seat in seats if seat.answer in ("declined", "expired"))
        return frozenset((*said_no, *self.excluded))

    @property
    def leaving(self) -> tuple[HandOver, ...]:
        """The hand-overs that are not settled."""
        return tuple(one for one in self.handovers if one.settled_at is None)

    def round(self, assignment_id: str) -> Round | None:
        return next((found for found in self.rounds if found.assignment_id == assignment_id), None)

    def noted(self, entry: Audit) -> "Engagement":
        return replace(self, audit=(*self.audit, entry))
