"""Instances of matching as JSON files: everything that a decision rests on, so that anybody can check one.

In: the policy's weights (each may be left out), advisors, requests. All listed advisors are certified and present.
Out: who is asked, with points per criterion, who isn't and why, and whether that is proven to be the optimum. Members
that are not known are passed over, so that no name and no origin can change anything.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints, ValidationError, model_validator

from services.matching.domain.governing import Rules
from services.matching.domain.points import Scale
from services.matching.domain.policy import OPTIMAL, Candidate, Decision, Limits, Policy, Seeker, Weights
from shared.events.base import FieldCode, Role, Tandem

DAY = date(2000, 1, 3)
"""Any day: all are certified and present."""

Whole = Annotated[int, Strict(), Field(ge=0, le=100_000)]
Signed = Annotated[int, Strict(), Field(ge=-100_000, le=100_000)]
Level = Annotated[int, Strict(), Field(ge=0, le=3)]
Key = Annotated[str, StringConstraints(pattern=r"^\d{5}(\d{3})?$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class WeightsIn(Part):
    """`batch_step` may not be negative: then each assignment would be cheaper than the one before."""

    expertise: Whole = OPTIMAL.weights.expertise
    region: tuple[Whole, Whole, Whole, Whole] = OPTIMAL.weights.region
    languages: Whole = OPTIMAL.weights.languages
    fairness: Whole = OPTIMAL.weights.fairness
    tandem_wanted: Signed = OPTIMAL.weights.tandem_wanted
    tandem_either: Signed = OPTIMAL.weights.tandem_either
    waiting_per_day: Whole = OPTIMAL.weights.waiting_per_day
    waiting_max: Whole = OPTIMAL.weights.waiting_max
    batch_step: Whole = OPTIMAL.weights.batch_step

    def weights(self) -> Weights:
        return Weights(**self.model_dump())


class RulesIn(Part):
    starvation: Annotated[int, Strict(), Field(ge=0)] | None = Field(default=None, description="working days")


class PolicyIn(Part):
    weights: WeightsIn = WeightsIn()
    rules: RulesIn = RulesIn()


class AdvisorIn(Part):
    id: Name
    levels: dict[FieldCode, Level] = {}
    languages: list[Name] = []
    regions: list[Key] = []
    capacity: Whole
    paid_minutes: Annotated[int, Strict(), Field(ge=0, le=10_000_000)] = 0
    conflicts: list[Key] = []

    def candidate(self) -> Candidate:
        return Candidate(
            self.id,
            {code.value: level for code, level in self.levels.items()},
            frozenset(self.languages),
            tuple(self.regions),
            DAY,
            DAY,
            self.capacity,
            (),
            tuple(self.conflicts),
            0,
            self.paid_minutes,
        )


class RequestIn(Part):
    id: Name
    ags: Key
    fields: list[FieldCode] = []
    languages: Annotated[list[Name], Field(max_length=100)] = []
    tandem: Tandem
    waiting_days: Whole = 0

    def seeker(self) -> Seeker:
        fields = tuple(dict.fromkeys(code.value for code in self.fields))
        languages = tuple(dict.fromkeys(self.languages))
        return Seeker(self.id, self.ags, fields, languages, self.tandem, DAY, DAY, waiting_days=self.waiting_days)


class Problem(Part):
    policy: PolicyIn = PolicyIn()
    advisors: list[AdvisorIn]
    requests: list[RequestIn]

    @model_validator(mode="after")
    def _each_once(self) -> "Problem":
        for what, some in (("advisor", self.advisors), ("request", self.requests)):
            for one, times in Counter(one.id for one in some).items():
                if times > 1:
                    raise ValueError(f"there are {times} {what}s {one}")
        return self

    def decided(self) -> dict[str, Any]:
        """The answer, as JSON; a pure function of the problem."""
        from services.matching.engine.choice import decide  # with numpy and the solver

        weights = self.policy.weights.weights()
        rules = replace(Rules(), starvation=self.policy.rules.starvation)
        policy = Policy("file", weights, Limits(optimum_up_to=None), rules)
        candidates = [one.candidate() for one in self.advisors]
        seekers = {one.id: one.seeker() for one in self.requests}
        verdict = decide(candidates, tuple(seekers.values()), DAY, policy)
        scale, decisions = Scale(candidates, weights), sorted(verdict.decisions, key=lambda one: one.request_id)
        return {
            "assignments": [_told(one, scale, seekers[one.request_id]) for one in decisions if one.members],
            "unassigned": [
                {"request_id": one.request_id, "reason": _reason(one)} for one in decisions if not one.members
            ],
            "objective": verdict.objective,
            "optimal": verdict.optimal,
            "gap": verdict.gap,
        }


def _reason(one: Decision) -> str:
    """`nobody_free`: who is eligible is full, or better asked elsewhere."""
    return "nobody_free" if one.nobody == "nobody_free" else "nobody_suitable"


def _told(one: Decision, scale: Scale, wish: Seeker) -> dict[str, Any]:
    ids = [member.advisor_id for member in one.members]
    points = scale.points(ids, wish)
    co = next((member.advisor_id for member in one.members if member.role == Role.CO), None)
    return {
        "request_id": one.request_id,
        "lead": ids[0],
        "co": co,
        "points": points,
        "score": sum(points.values()),
    }


def read(text: str | bytes) -> Problem:
    """Raises ValueError with one sentence that says what is wrong and where."""
    try:
        return Problem.model_validate_json(text)
    except ValidationError as error:
        raise ValueError(_sentence(error.errors(include_url=False, include_input=False))) from None


def _sentence(errors: Sequence[Any]) -> str:
    first, more = errors[0], len(errors) - 1
    where = ".".join(map(str, first["loc"])) or "the file"
    message = first["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" + (f" (and {more} more)" if more else "")
