"""What the API answers."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from services.intake import words
from services.intake.domain import Reason, Request
from services.intake.status import Happened, Next, Owner, State, Status
from shared.events.base import Role, SessionKind
from shared.register import Kind, Municipality

Names = Mapping[str, str]
"""Advisors' names by their id; erased ones are left out."""


class MunicipalityAnswer(BaseModel):
    ags: str
    name: str
    kind: Kind
    district_ags: str
    district_name: str
    eligible: bool = Field(description="false for unincorporated areas, which may not ask")
    population: int | None

    @classmethod
    def of(cls, entry: Municipality) -> "MunicipalityAnswer":
        return cls(
            ags=entry.ags,
            name=entry.name,
            kind=entry.kind,
            district_ags=entry.district_ags,
            district_name=entry.district_name,
            eligible=entry.eligible,
            population=entry.population,
        )


class MunicipalitiesAnswer(BaseModel):
    """The best first; empty when nothing fits."""

    items: list[MunicipalityAnswer]


class SubmittedAnswer(BaseModel):
    request_id: str
    case_number: str
    status_token: str = Field(description="opens this request's own routes and its status page")


class EntryAnswer(BaseModel):
    code: Happened
    at: datetime
    text: str
    round: int | None = None
    session_kind: SessionKind | None = None
    starts_at: datetime | None = None
    day: date | None = Field(default=None, description="respond-by of a round; the day of a completed session")


class NextStepAnswer(BaseModel):
    code: Next
    text: str
    owner: Owner
    owner_text: str
    due: date
    overdue: bool
    overdue_text: str | None = None
    session_kind: SessionKind | None = None
    starts_at: datetime | None = None


class AdvisorAnswer(BaseModel):
    name: str
    role: Role
    role_text: str


class StatusAnswer(BaseModel):
    """Texts are German unless Accept-Language prefers English; codes are the same in both."""

    request_id: str
    case_number: str
    municipality_ags: str
    municipality_name: str
    state: State
    state_text: str
    submitted_at: datetime
    timeline: list[EntryAnswer] = Field(description="what has happened, the earliest first")
    next_step: NextStepAnswer | None = Field(description="null when there is nothing left to do")
    may_withdraw: bool
    may_give_feedback: bool
    advisors: list[AdvisorAnswer] = Field(default=[], description="who advises, once all have accepted; lead first")

    @classmethod
    def of(cls, request: Request, status: Status, names: Names, language: str, zone: ZoneInfo) -> "StatusAnswer":
        timeline = [
            EntryAnswer(
                code=entry.code,
                at=entry.at,
                text=words.happened(entry, language, zone),
                round=entry.round,
                session_kind=entry.session_kind,
                starts_at=entry.starts_at,
                day=entry.day,
            )
            for entry in status.timeline
        ]
        return cls(
            request_id=request.id,
            case_number=request.case_number,
            municipality_ags=request.municipality_ags,
            municipality_name=request.municipality_name,
            state=status.state,
            state_text=words.pick(words.STATES[status.state], language),
            submitted_at=request.submitted_at,
            timeline=timeline,
            next_step=_next_step(status, language, zone),
            may_withdraw=status.may_withdraw,
            may_give_feedback=status.may_give_feedback,
            advisors=[
                AdvisorAnswer(name=name, role=member.role, role_text=words.pick(words.ROLES[member.role], language))
                for member in status.advisors
                if (name := names.get(member.advisor_id))
            ],
        )


def _next_step(status: Status, language: str, zone: ZoneInfo) -> NextStepAnswer | None:
    step = status.next_step
    if step is None:
        return None
    return NextStepAnswer(
        code=step.code,
        text=words.comes(step, language, zone),
        owner=step.owner,
        owner_text=words.pick(words.OWNERS[step.owner], language),
        due=step.due,
        overdue=step.overdue,
        overdue_text=words.late(step, language),
        session_kind=step.session_kind,
        starts_at=step.starts_at,
    )


class WithdrawnAnswer(BaseModel):
    request_id: str
    case_number: str
    state: Literal["withdrawn"] = "withdrawn"
    withdrawn_at: datetime
    reason: Reason


class FeedbackAnswer(BaseModel):
    request_id: str
    case_number: str
    given_at: datetime
