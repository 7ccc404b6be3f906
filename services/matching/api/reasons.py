"""What callers get to see of why: the choice, its alternatives, and why not somebody else."""

from datetime import date

from pydantic import BaseModel, Field

from services.matching import reasons
from services.matching.domain.basis import Basis
from services.matching.domain.explanation import Choice, Explanation, WhyNot


class NeededView(BaseModel):
    """Who serves another request of the pass, and what would be missing there without them; `criterion` null: nobody
    else could.
    """

    advisor_id: str
    request_id: str
    case_number: str | None
    loss: int
    criterion: str | None


class ChoiceView(BaseModel):
    """`difference`: points more than what was chosen. `price`: what the places of its members were worth to the other
    requests of the pass, beyond those of the chosen.
    """

    members: list[str] = Field(description="the lead first")
    score: int
    points: dict[str, int]
    difference: int
    price: float
    needed: list[NeededView]
    words: str


class InputsView(BaseModel):
    """What was known of the request and its members; the whole pass is kept, see `miglobe match replay`."""

    today: date
    requests: int = Field(description="decided together")
    advisors: int
    waiting_days: int
    open_engagements: dict[str, int]
    paid_minutes: dict[str, int] = Field(description="of twelve months, as fairness counts them")


class ExplanationView(BaseModel):
    """`as_decided` false: a person has chosen, and this is reckoned from how things stand now."""

    as_decided: bool
    policy_version: str
    optimal: bool = Field(description="proven; else `gap` is what may be missing, as a part of all points")
    gap: float
    oldest_first: bool = Field(description="more were pending than are weighed against each other")
    points: dict[str, int] = Field(description="of all members together")
    score: int
    words: str
    alternatives: list[ChoiceView]
    inputs: InputsView


class WhyNotView(BaseModel):
    """`reason`: what bars them, or member, fewer_points, equal_points, needed_elsewhere, plain_choice."""

    advisor_id: str
    reason: str
    words: str
    best: ChoiceView | None = Field(description="the best choice with them")
    lost: dict[str, int] | None = Field(description="points by criterion that it has less than what was chosen")


def explanation(
    found: Explanation, basis: Basis, request_id: str, cases: dict[str, str], tongue: str, *, as_decided: bool
) -> ExplanationView:
    wish, people = basis.seeker(request_id), {one.id: one for one in basis.candidates}
    members = found.chosen.members
    return ExplanationView(
        as_decided=as_decided,
        policy_version=basis.decided_by,
        optimal=basis.optimal,
        gap=basis.gap,
        oldest_first=basis.oldest_first,
        points=found.chosen.points,
        score=found.chosen.score,
        words=reasons.chosen(found, tongue),
        alternatives=[_choice(one, cases, tongue) for one in found.alternatives],
        inputs=InputsView(
            today=basis.today,
            requests=len(basis.seekers),
            advisors=len(basis.candidates),
            waiting_days=wish.waiting_days if wish else 0,
            open_engagements={one: people[one].open for one in members},
            paid_minutes={one: people[one].paid_minutes for one in members},
        ),
    )


def why_not(found: WhyNot, advisor_id: str, cases: dict[str, str], tongue: str, *, as_decided: bool) -> WhyNotView:
    return WhyNotView(
        advisor_id=advisor_id,
        reason=found.reason,
        words=reasons.why_not(found, advisor_id, cases, tongue, by_person=not as_decided),
        best=_choice(found.best, cases, tongue) if found.best else None,
        lost=found.lost,
    )


def _choice(one: Choice, cases: dict[str, str], tongue: str) -> ChoiceView:
    return ChoiceView(
        members=list(one.members),
        score=one.score,
        points=one.points,
        difference=one.difference,
        price=one.price,
        needed=[
            NeededView(
                advisor_id=need.advisor_id,
                request_id=need.request_id,
                case_number=cases.get(need.request_id),
                loss=need.loss,
                criterion=need.criterion,
            )
            for need in one.needed
        ],
        words=reasons.alternative(one, cases, tongue),
    )
