"""What callers get to see of requests and assignments."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from services.matching.api.reasons import ExplanationView
from services.matching.api.sessions import SessionView
from services.matching.domain.model import (
    Answer,
    Audit,
    Engagement,
    HandOver,
    ListedState,
    Outcome,
    Parked,
    Reason,
    Round,
    Scored,
    Seat,
    Why,
    Withdrawal,
)
from services.matching.domain.worklist import Code, Rules, next_step
from shared import workdays
from shared.events import RequestDossier
from shared.events.base import FieldCode, Mode, Role, Tandem
from shared.events.intake import Contact
from shared.register import Register


class ScoredView(BaseModel):
    advisor_id: str
    role: Role
    score: int
    points: dict[str, int] = Field(description="points per criterion of the policy")

    @classmethod
    def of(cls, one: Scored) -> "ScoredView":
        return cls(advisor_id=one.advisor_id, role=one.role, score=one.score, points=one.points)


class SeatView(ScoredView):
    """`kept`: accepted in an earlier round."""

    kept: bool
    answer: Answer
    reason: Reason | None
    answered_at: datetime | None

    @classmethod
    def of_seat(cls, one: Seat) -> "SeatView":
        return cls(
            advisor_id=one.advisor_id,
            role=one.role,
            score=sum(one.points.values()),
            points=one.points,
            kept=one.kept,
            answer=one.answer,
            reason=one.reason,
            answered_at=one.answered_at,
        )


class AssignmentView(BaseModel):
    """One round. `current`: the newest of its request; only there can be answered."""

    assignment_id: str
    request_id: str
    case_number: str
    municipality_ags: str
    municipality_name: str
    state: ListedState = Field(description="of the request")
    round: int
    current: bool
    members: list[SeatView]
    policy_version: str
    released_by: Literal["policy", "coordinator"]
    respond_by: date
    assigned_at: datetime


class AssignmentDetail(AssignmentView):
    """`runners_up` and `explanation` for coordinators only, `need` as far as the dossier is there.

    `why`: in words, for coordinators of the whole choice, for an advisor of their own part.
    """

    fields: list[FieldCode]
    languages: list[str]
    mode: Mode
    wanted_from: date
    tandem: Tandem
    need: str | None
    runners_up: list[ScoredView]
    why: list[str]
    explanation: ExplanationView | None


class WorkItem(BaseModel):
    """One request with who has to do what by when; owner, next step and due date are null once it has ended."""

    request_id: str
    case_number: str
    municipality_ags: str
    municipality_name: str
    state: ListedState
    since: datetime = Field(description="when the state began")
    owner: str | None = Field(description="an advisor's number or `coordination`")
    next_step: Code | None
    due: date | None
    overdue: bool
    days_waiting: int = Field(description="working days since the request was submitted")
    round: int = Field(description="0: nobody was asked yet")
    parked: Parked | None


class AuditView(BaseModel):
    """What a person decided; `who`: the advisors whom it is about; `to`: what it was set to, in days and codes."""

    at: datetime
    by: str
    what: str
    why: str
    who: list[str]
    to: str

    @classmethod
    def of(cls, one: Audit) -> "AuditView":
        return cls(at=one.at, by=one.by, what=one.what, why=one.why, who=list(one.who), to=one.to)


class ProposalView(BaseModel):
    """What the matcher has decided and nobody has released yet: `assignment.current` is false."""

    assignment: AssignmentView
    look_by: date


class HandOverView(BaseModel):
    """An advisor who can't go on; `due`: by when a coordinator has to settle it."""

    advisor_id: str
    why: Why
    due: date
    opened_at: datetime
    settled_at: datetime | None

    @classmethod
    def of(cls, one: HandOver) -> "HandOverView":
        return cls.model_validate(one, from_attributes=True)


class ReservedView(BaseModel):
    """Minutes set aside in a budget."""

    budget: str
    minutes: int


class RequestDetail(WorkItem):
    """`need` for everybody who is asked, `contact` from an advisor's acceptance on; null while not there."""

    fields: list[FieldCode]
    languages: list[str]
    mode: Mode
    wanted_from: date
    tandem: Tandem
    submitted_at: datetime
    need: str | None
    contact: Contact | None
    assignments: list[AssignmentView]
    sessions: list[SessionView]
    outcome: Outcome | None
    withdrawn: Withdrawal | None
    satisfaction: int | None
    audit: list[AuditView]
    proposal: ProposalView | None = Field(description="for coordinators")
    pins: list[str] = Field(description="advisors whom a coordinator wants")
    excluded: list[str] = Field(description="advisors whom a coordinator does not want")
    handovers: list[HandOverView]
    reserved: ReservedView | None


def assignment(one: Engagement, asked: Round, register: Register) -> AssignmentView:
    facts = one.asked
    return AssignmentView(
        assignment_id=asked.assignment_id,
        request_id=one.id,
        case_number=facts.case_number,
        municipality_ags=facts.municipality_ags,
        municipality_name=register.name(facts.municipality_ags),
        state=_listed(one),
        round=asked.number,
        current=asked is one.current,
        members=[SeatView.of_seat(seat) for seat in asked.seats],
        policy_version=asked.policy_version,
        released_by=asked.released_by,
        respond_by=asked.respond_by,
        assigned_at=asked.assigned_at,
    )


def explained(
    one: Engagement,
    asked: Round,
    register: Register,
    dossier: RequestDossier | None,
    why: list[str],
    explanation: ExplanationView | None,
) -> AssignmentDetail:
    """`explanation`: for whoever may see the whole."""
    facts = one.asked
    return AssignmentDetail(
        **assignment(one, asked, register).model_dump(),
        fields=list(facts.fields),
        languages=list(facts.languages),
        mode=facts.mode,
        wanted_from=facts.wanted_from,
        tandem=facts.tandem,
        need=dossier.need if dossier else None,
        runners_up=[ScoredView.of(runner) for runner in asked.runners_up] if explanation else [],
        why=why,
        explanation=explanation,
    )


def work_item(one: Engagement, register: Register, rules: Rules, today: date) -> WorkItem:
    facts, step = one.asked, next_step(one, rules, today)
    return WorkItem(
        request_id=one.id,
        case_number=facts.case_number,
        municipality_ags=facts.municipality_ags,
        municipality_name=register.name(facts.municipality_ags),
        state=_listed(one),
        since=one.since,
        owner=step.owner if step else None,
        next_step=step.code if step else None,
        due=step.due if step else None,
        overdue=step is not None and step.due < today,
        days_waiting=workdays.workdays_between(rules.day(facts.submitted_at), today, rules.subdivision),
        round=len(one.rounds),
        parked=one.parked,
    )


def request(
    one: Engagement, item: WorkItem, register: Register, dossier: RequestDossier | None, reader: str | None
) -> RequestDetail:
    """`reader`: the advisor who looks, None for a coordinator, who sees all."""
    facts = one.asked
    seat = one.current.seat(reader) if one.current and reader else None
    introduced = reader is None or (seat is not None and seat.answer == "accepted")
    rounds = [asked for asked in one.rounds if reader is None or asked.seat(reader)]
    return RequestDetail(
        **item.model_dump(),
        fields=list(facts.fields),
        languages=list(facts.languages),
        mode=facts.mode,
        wanted_from=facts.wanted_from,
        tandem=facts.tandem,
        submitted_at=facts.submitted_at,
        need=dossier.need if dossier else None,
        contact=dossier.contact if dossier and introduced else None,
        assignments=[assignment(one, asked, register) for asked in rounds],
        sessions=[SessionView.of(session) for session in one.sessions],
        outcome=one.closing.outcome if one.closing else None,
        withdrawn=one.withdrawn.reason if one.withdrawn else None,
        satisfaction=one.feedback.satisfaction if one.feedback else None,
        audit=[AuditView.of(entry) for entry in one.audit] if reader is None else [],
        proposal=proposal(one, register) if reader is None else None,
        pins=list(one.pins) if reader is None else [],
        excluded=list(one.excluded) if reader is None else [],
        handovers=[HandOverView.of(entry) for entry in one.handovers] if reader is None else [],
        reserved=ReservedView.model_validate(one.reserved, from_attributes=True)
        if one.reserved and reader is None
        else None,
    )


def proposal(one: Engagement, register: Register) -> ProposalView | None:
    if one.proposal is None:
        return None
    return ProposalView(assignment=assignment(one, one.proposal.asked, register), look_by=one.proposal.look_by)


def _listed(one: Engagement) -> ListedState:
    """An engagement with its facts is never `early`."""
    assert one.state != "early"
    return one.state
