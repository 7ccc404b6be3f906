"""/api/policies: what decisions are made by; each version is kept, one is active, two can be compared."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from services.matching import plots
from services.matching.api.bodies import Body, Words
from services.matching.api.door import Door
from services.matching.domain.governing import Rules
from services.matching.domain.policy import Activation, Edition, Limits, Policy, Weights
from services.matching.entries import Day
from services.matching.handlers import policies as handlers
from services.matching.problem import WeightsIn
from shared.auth import Caller, require
from shared.commit import again
from shared.errors import FieldError, Invalid
from shared.events.base import Code
from shared.idempotency import Once
from shared.web import language, once

_RULES = TypeAdapter(Rules)
Version = Annotated[Code, Field(description="such as optimal.1")]


class WeightsBody(WeightsIn):
    """What is left out keeps the weight that is usual."""

    model_config = ConfigDict(extra="forbid")


class LimitsBody(Body):
    newcomer_days: int = Field(default=Limits().newcomer_days, ge=0, le=365)
    optimum_up_to: int | None = Field(
        default=Limits().optimum_up_to,
        ge=1,
        description="so many pending at once are decided together; more of them the oldest first. null: however many",
    )


class PolicyBody(Body):
    """A part that is left out is that of `based_on`, without it of the active version."""

    version: Version
    based_on: Version | None = None
    weights: WeightsBody | None = None
    limits: LimitsBody | None = None
    rules: Rules | None = None
    reason: Words


class ActivateBody(Body):
    reason: Words


class PolicyView(BaseModel):
    """`active`: decides now. `based_on`: what it was made from; the first one of nothing."""

    version: str
    based_on: str | None
    active: bool
    weights: dict[str, Any]
    limits: dict[str, Any]
    rules: dict[str, Any]
    by: str
    at: datetime
    reason: str


class ActivationView(BaseModel):
    version: str
    by: str
    at: datetime
    reason: str


class PoliciesView(BaseModel):
    items: list[PolicyView]
    activations: list[ActivationView]


class ChangedView(BaseModel):
    """A request for which the two ask others; empty: nobody."""

    request_id: str
    case_number: str
    a: list[str]
    b: list[str]


class ComparisonView(BaseModel):
    """What `a` and `b` would have come to over the requests of the period; nothing was changed by asking."""

    first: date
    last: date
    a: dict[str, Any] = Field(description="figures; `waited` in working days, `gini` 0 is even")
    b: dict[str, Any]
    changed: list[ChangedView]


def router(door: Door) -> APIRouter:
    coordinator = require(door.secret, "coordinator")
    made = APIRouter(prefix="/policies", tags=["policies"])
    store = door.store

    async def view(found: Edition) -> PolicyView:
        return _view(found, (await handlers.active(store)).version)

    async def compared(
        first: Annotated[Day, Query(alias="from", description="first day of the period")],
        last: Annotated[Day, Query(alias="to", description="last day")],
        b: Annotated[Version, Query(description="the version to compare")],
        a: Annotated[Version | None, Query(description="with this one; without: the active")] = None,
        days: Annotated[int, Query(ge=1, le=730, description="that an engagement takes a place")] = 120,
        minutes: Annotated[int, Query(ge=0, le=100_000, description="that it pays each; without: as ruled")] = 600,
    ) -> handlers.Comparison:
        if not 0 <= (last - first).days <= 1_100:
            german = "Der Zeitraum darf höchstens drei Jahre lang sein und nicht rückwärts laufen."
            raise Invalid.of(FieldError("to", "bad_period", german, "At most three years, and not backwards."))
        one = await handlers.of_version(store, a) if a else await handlers.active(store)
        other = await handlers.of_version(store, b)
        return await handlers.compare(store, one, other, first, last, door.rules, days, minutes)

    @made.get("", dependencies=[Depends(coordinator)])
    async def policies() -> PoliciesView:
        """All versions, the oldest first, and which was active from when on."""
        now = (await handlers.active(store)).version
        items = [_view(one, now) for one in await handlers.editions(store)]
        return PoliciesView(items=items, activations=[_activation(one) for one in await store.activations()])

    @made.get("/simulation", dependencies=[Depends(coordinator)])
    async def simulation(found: Annotated[handlers.Comparison, Depends(compared)]) -> ComparisonView:
        """Replays the requests of a period under two versions: coverage, distance, fairness, waiting, unassigned."""
        return ComparisonView(
            first=found.first,
            last=found.last,
            a=asdict(found.a.figures),
            b=asdict(found.b.figures),
            changed=[
                ChangedView(
                    request_id=one,
                    case_number=found.cases[one],
                    a=list(found.a.members.get(one, ())),
                    b=list(found.b.members.get(one, ())),
                )
                for one in found.changed
            ],
        )

    @made.get("/simulation.svg", dependencies=[Depends(coordinator)], response_class=Response)
    async def plot(found: Annotated[handlers.Comparison, Depends(compared)], request: Request) -> Response:
        """The same as a plot."""
        return Response(plots.compared(found.a.figures, found.b.figures, language(request)), media_type="image/svg+xml")

    @made.get("/active", dependencies=[Depends(coordinator)])
    async def active() -> PolicyView:
        """The version that decides now."""
        return await view(await handlers.edition(store, (await handlers.active(store)).version))

    @made.get("/{version}", dependencies=[Depends(coordinator)])
    async def one(version: Version) -> PolicyView:
        return await view(await handlers.edition(store, version))

    @made.post("", status_code=201, response_model=PolicyView)
    async def add(
        body: PolicyBody,
        caller: Annotated[Caller, Depends(coordinator)],
        once: Annotated[Once, Depends(once(door.mongo))],
        response: Response,
    ) -> dict[str, Any]:
        """Keeps a version, which can't be changed any more; compare it, then activate it."""
        base = await handlers.of_version(store, body.based_on) if body.based_on else await handlers.active(store)
        policy = Policy(
            body.version,
            body.weights.weights() if body.weights else base.weights,
            Limits(**body.limits.model_dump()) if body.limits else base.limits,
            body.rules or base.rules,
        )

        async def act() -> dict[str, Any]:
            kept = await handlers.add(
                store,
                policy,
                base.version,
                caller.subject,
                body.reason,
                door.clock(),
                lambda edition: once.mark(_view(edition, "").model_dump(mode="json")),
            )
            return _view(kept, "").model_dump(mode="json")

        answer = await once.run(act)
        response.headers["Location"] = f"/api/policies/{answer['version']}"
        return answer

    @made.post("/{version}/activate")
    async def activate(
        version: Version, body: ActivateBody, caller: Annotated[Caller, Depends(coordinator)]
    ) -> ActivationView:
        """From now on it decides; what is parked is looked at again. What has been decided stays."""
        done = await again(lambda: handlers.activate(store, version, caller.subject, body.reason, door.clock()))
        return _activation(done)

    return made


def _view(found: Edition, active: str) -> PolicyView:
    policy = found.policy
    return PolicyView(
        version=policy.version,
        based_on=found.based_on or None,
        active=policy.version == active,
        weights=TypeAdapter(Weights).dump_python(policy.weights, mode="json"),
        limits=asdict(policy.limits),
        rules=_RULES.dump_python(policy.rules, mode="json"),
        by=found.by,
        at=found.at,
        reason=found.why,
    )


def _activation(one: Activation) -> ActivationView:
    return ActivationView(version=one.version, by=one.by, at=one.at, reason=one.why)
