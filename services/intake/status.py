"""Where a request stands: its state, what has happened, what comes next, by when and whose turn it is. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from services.intake.domain import Request
from services.intake.progress import Member, Progress, Step
from shared.events.base import Role, SessionKind
from shared.workdays import add_workdays

State = Literal["submitted", "asked", "parked", "engaged", "closed", "withdrawn"]
Owner = Literal["office", "advisors", "you"]
Happened = Literal[
    "submitted",
    "assigned",
    "accepted",
    "parked",
    "session_scheduled",
    "session_moved",
    "session_cancelled",
    "session_completed",
    "closed",
    "feedback_given",
    "withdrawn",
    "erased",
]
Next = Literal[
    "match", "next_round", "answer", "retry", "first_talk", "session", "record", "next_session", "give_feedback"
]

_SHOWN: dict[str, Happened] = {
    "assigned": "assigned",
    "accepted": "accepted",
    "parked": "parked",
    "scheduled": "session_scheduled",
    "rescheduled": "session_moved",
    "cancelled": "session_cancelled",
    "completed": "session_completed",
    "closed": "closed",
}


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Promised working days per step, and whose calendar and clock count."""

    match: int
    parked: int
    first_talk: int
    next_session: int
    record: int
    feedback: int
    subdivision: str
    zone: ZoneInfo

    def after(self, at: datetime, days: int) -> date:
        return add_workdays(at.astimezone(self.zone).date(), days, self.subdivision)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened; `day` and `starts_at` say more about it."""

    code: Happened
    at: datetime
    round: int | None = None
    session_kind: SessionKind | None = None
    starts_at: datetime | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True)
class NextStep:
    """What comes next: by `due` at the latest, at `starts_at` if it is a session."""

    code: Next
    owner: Owner
    due: date
    overdue: bool
    session_kind: SessionKind | None = None
    starts_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Status:
    state: State
    timeline: tuple[Entry, ...]
    next_step: NextStep | None
    may_withdraw: bool
    may_give_feedback: bool
    advisors: tuple[Member, ...] = ()
    """Who advises, once all of them have accepted; the lead first."""


def of(request: Request, progress: Progress, now: datetime, deadlines: Deadlines) -> Status:
    """Where `request` stands at `now`, whatever has been heard of it so far."""
    turn = _turn(progress)
    state = _state(request, progress, turn)
    may_give_feedback = progress.engagement_closed and request.feedback is None
    return Status(
        state=state,
        timeline=tuple(sorted(_timeline(request, progress), key=lambda entry: entry.at)),
        next_step=_next(state, request, progress, turn, now, deadlines),
        may_withdraw=state not in ("closed", "withdrawn"),
        may_give_feedback=may_give_feedback,
        advisors=_advisors(progress, turn) if state in ("engaged", "closed") else (),
    )


def _advisors(progress: Progress, turn: Step | None) -> tuple[Member, ...]:
    if turn is None or not turn.complete:
        return ()
    for step in reversed(progress.steps):
        if step.what == "assigned" and step.assignment_id == turn.assignment_id:
            return tuple(sorted(step.members, key=lambda member: (member.role != Role.LEAD, member.advisor_id)))
    return ()


def _turn(progress: Progress) -> Step | None:
    """The latest step of matching: advisors asked, all accepted, or nobody found."""
    turns = [
        step
        for step in progress.steps
        if step.what in ("assigned", "parked") or (step.what == "accepted" and step.complete)
    ]
    return turns[-1] if turns else None


def _state(request: Request, progress: Progress, turn: Step | None) -> State:
    if request.withdrawal:
        return "withdrawn"
    if progress.closed:
        return "closed"
    if turn is None:
        return "submitted"
    if turn.complete:
        return "engaged"
    return "parked" if turn.what == "parked" else "asked"


def _timeline(request: Request, progress: Progress) -> Iterator[Entry]:
    yield Entry("submitted", request.submitted_at)
    parked = False
    for step in progress.steps:
        if step.what in ("declined", "expired") or (step.what == "accepted" and not step.complete):
            continue
        if step.what == "parked" and parked:
            continue  # tried again without success: nothing new for the reader
        parked = step.what == "parked"
        begun = step.what == "assigned" and step.complete  # nobody was asked: all had accepted before
        yield Entry(
            "accepted" if begun else _SHOWN[step.what],
            step.at,
            round=step.number if step.what == "assigned" and not begun else None,
            session_kind=step.kind,
            starts_at=step.starts_at,
            day=None if begun else step.day,
        )
    if request.feedback:
        yield Entry("feedback_given", request.feedback.given_at)
    if request.withdrawal:
        yield Entry("withdrawn", request.withdrawal.at)
    if request.erased_at:
        yield Entry("erased", request.erased_at)


def _next(
    state: State, request: Request, progress: Progress, turn: Step | None, now: datetime, deadlines: Deadlines
) -> NextStep | None:
    today = now.astimezone(deadlines.zone).date()

    def step(code: Next, owner: Owner, due: date) -> NextStep:
        return NextStep(code, owner, due, overdue=today > due)

    if state == "withdrawn" or (state == "closed" and (request.feedback or not progress.engagement_closed)):
        return None
    if state == "closed":
        ended = max(each.at for each in progress.steps if each.what == "closed")
        return step("give_feedback", "you", deadlines.after(ended, deadlines.feedback))
    if turn is None:
        return step("match", "office", deadlines.after(request.submitted_at, deadlines.match))
    if state == "parked":
        return step("retry", "office", deadlines.after(turn.at, deadlines.parked))
    if state == "engaged":
        return _next_session(progress, turn, now, deadlines)
    refused = [
        each.at
        for each in progress.steps
        if each.what in ("declined", "expired") and each.assignment_id == turn.assignment_id
    ]
    if refused:
        return step("next_round", "office", deadlines.after(min(refused), deadlines.match))
    assert turn.day is not None
    return step("answer", "advisors", turn.day)


def _next_session(progress: Progress, accepted: Step, now: datetime, deadlines: Deadlines) -> NextStep:
    """The next session if one is arranged, else what has to happen for it."""
    today = now.astimezone(deadlines.zone).date()
    held = {step.session_id: step.at for step in progress.steps if step.what == "completed"}
    arranged = _arranged(progress, set(held))
    for starts_at, session in arranged:
        if starts_at >= now:
            due = starts_at.astimezone(deadlines.zone).date()
            return NextStep("session", "advisors", due, False, session.kind, starts_at)
    if arranged:
        starts_at, session = arranged[0]
        due = deadlines.after(starts_at, deadlines.record)
        return NextStep("record", "advisors", due, today > due, session.kind, starts_at)
    if held:
        due = deadlines.after(max(held.values()), deadlines.next_session)
        return NextStep("next_session", "advisors", due, today > due)
    due = deadlines.after(accepted.at, deadlines.first_talk)
    return NextStep("first_talk", "advisors", due, today > due)


def _arranged(progress: Progress, held: set[str | None]) -> list[tuple[datetime, Step]]:
    """Each session that stands and was not recorded yet, by the last change of it, in the order of their start."""
    changes = [step for step in progress.steps if step.what in ("scheduled", "rescheduled", "cancelled")]
    latest = {change.session_id: change for change in sorted(changes, key=lambda step: step.number)}
    standing = [
        (step.starts_at, step)
        for session_id, step in latest.items()
        if step.starts_at and step.what != "cancelled" and session_id not in held
    ]
    return sorted(standing, key=lambda each: (each[0], each[1].session_id or ""))
