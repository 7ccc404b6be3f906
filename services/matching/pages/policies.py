"""/coordination/governing/policies: the versions of the policy, a new one from an old one, and which one decides."""

import re
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.matching import policy_words
from services.matching.api.bodies import Body
from services.matching.api.door import Door
from services.matching.api.policies import ActivateBody, LimitsBody, Version, WeightsBody
from services.matching.domain.governing import Rules
from services.matching.domain.policy import Limits, Policy
from services.matching.finding import Finder
from services.matching.handlers import policies as handlers
from services.matching.handlers import trials
from services.matching.pages import forms
from services.matching.pages.showing import GOVERNING, Guard, Pages, Values, back
from services.matching.pages.simulations import DAYS, TRIALS, period
from services.matching.store import Store
from shared.auth import Caller
from shared.commit import again
from shared.errors import Conflict, FieldError, Invalid
from shared.events.base import Id

HOME = f"{GOVERNING}/policies"
_WEIGHTS = tuple(name for name in policy_words.WEIGHTS["de"] if not name.startswith("region"))
_RULES = ("respond", "look_within", "remind_every", "delay_after", "starvation", "absence", "hand_over")
_NAMES = {
    **{f"weights.region.{n}": f"region_{n}" for n in range(4)},
    **{f"weights.{name}": name for name in _WEIGHTS},
    **{f"limits.{name}": name for name in policy_words.LIMITS["de"]},
    **{f"rules.look.{name}": f"look_{name}" for name in ("everything", "fields", "below")},
    **{f"rules.{name}": name for name in (*_RULES, "escalate", "expected_minutes")},
    "rules": "escalate",
}
"""The body's field → the page's."""


class Draft(Body):
    """Everything that a version is made of, in full."""

    version: Version
    weights: WeightsBody
    limits: LimitsBody
    rules: Rules


def router(door: Door, pages: Pages, finder: Finder, guard: Guard) -> APIRouter:
    made = APIRouter(prefix=GOVERNING, route_class=pages.route_class)
    Coordinator = Annotated[Caller, Depends(guard("coordinator"))]
    store = door.store

    @made.get("")
    async def governing(by: Coordinator) -> Response:
        return RedirectResponse(HOME, 303)

    @made.get("/policies")
    async def versions(request: Request, by: Coordinator) -> Response:
        """The newest first; which decides now, and which did when."""
        editions, activations = await handlers.editions(store), await store.activations()
        values: Values = {
            "rows": editions[::-1],
            "active": (await handlers.active(store)).version,
            "activations": activations[::-1],
            "names": await finder.names([*(one.by for one in editions), *(one.by for one in activations)]),
        }
        return pages.show(request, "governing/policies.html", values)

    async def version_page(request: Request, version: str, form: forms.Form, code: int = 200) -> Response:
        found = await handlers.edition(store, version)
        before = await handlers.of_version(store, found.based_on) if found.based_on else None
        activations = [one for one in await store.activations() if one.version == version]
        values: Values = {
            "edition": found,
            "before": before,
            "active": (await handlers.active(store)).version,
            "activations": activations[::-1],
            "names": await finder.names([found.by, *(one.by for one in activations)]),
            "form": form,
        }
        return pages.show(request, "governing/policy.html", values, code)

    @made.get("/policies/versions/{version}")
    async def one(request: Request, version: Version, by: Coordinator) -> Response:
        """All its settings, what it changed, and the form that lets it decide."""
        return await version_page(request, version, forms.Form())

    @made.post("/policies/versions/{version}/activate")
    async def activate(request: Request, version: Version, by: Coordinator) -> Response:
        form = await forms.read(request)
        try:
            body = forms.check(ActivateBody, {"reason": form.get("reason")})
            await again(lambda: handlers.activate(store, version, by.subject, body.reason, door.clock()))
        except (Conflict, Invalid) as error:
            form.blame(error, {})
            return await version_page(request, version, form, error.status)
        return back(f"{HOME}/versions/{version}", "activated")

    # -- a new one ------------------------------------------------------------------------------------------------

    async def editing(request: Request, base: Policy, form: forms.Form, code: int = 200) -> Response:
        fields = form.many.get("look_fields", ()) if form.sent else policy_words.values(base)["look_fields"]
        values: Values = {
            "base": base,
            "fields_chosen": fields,
            "groups": policy_words.GROUPS,
            "form": form if form.sent else forms.Form(await _given(store, base, period(door.today()))),
        }
        return pages.show(request, "governing/policy_edit.html", values, code)

    @made.get("/policies/new")
    async def new(
        request: Request,
        by: Coordinator,
        based_on: Annotated[Version | None, Query()] = None,
        draft: Annotated[Id | None, Query(description="a trial: goes on with what was tried there")] = None,
    ) -> Response:
        if draft is not None:
            tried = await trials.get(store, draft)
            typed = await _given(store, tried.b, (tried.first, tried.last))
            chosen = [code.value for code in tried.b.rules.look.fields]
            return await editing(request, tried.a, forms.Form(typed, {"look_fields": chosen}))
        base = await handlers.of_version(store, based_on) if based_on else await handlers.active(store)
        return await editing(request, base, forms.Form())

    @made.post("/policies/new")
    async def preview(request: Request, by: Coordinator) -> Response:
        """Keeps nothing yet: leads to what would change, and to what it would have changed over a past period."""
        form = await forms.read(request)
        base = await handlers.of_version(store, form.get("based_on"))
        try:
            body = forms.check(Draft, _body(form))
            await _free(body.version)
            first, last = period(door.today(), form)
            policy = Policy(body.version, body.weights.weights(), Limits(**body.limits.model_dump()), body.rules)
            tried = await trials.ask(store, base, policy, first, last, by.subject, door.clock(), draft=True)
        except Invalid as error:
            form.blame(error, _NAMES | DAYS)
            return await editing(request, base, form, error.status)
        return RedirectResponse(f"{TRIALS}/{tried.id}", 303)

    async def _free(version: str) -> None:
        if any(one.policy.version == version for one in await handlers.editions(store)):
            german, english = f"Die Fassung {version} gibt es schon.", f"There is a version {version} already."
            raise Invalid.of(FieldError("version", "taken", german, english))

    return made


async def _given(store: Store, base: Policy, days: tuple[date, date]) -> dict[str, str]:
    """`base` as it stands in the form, under a name that is free."""
    known = {one.policy.version for one in await handlers.editions(store)}
    first, last = days
    return {
        **{name: _written(value) for name, value in policy_words.values(base).items()},
        "version": _next(base.version, known) if base.version in known else base.version,
        **forms.parts("first", first),
        **forms.parts("last", last),
    }


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return "" if value is None or value is False else "true" if value is True else str(value)


def _next(version: str, known: set[str]) -> str:
    """Such as optimal.2 after optimal.1."""
    stem, _, number = version.rpartition(".")
    stem, count = (stem, int(number)) if stem and number.isdigit() else (version[:50], 1)
    while f"{stem}.{count}" in known:
        count += 1
    return f"{stem}.{count}"


def _body(form: forms.Form) -> dict[str, Any]:
    """The form as the values of a Draft."""
    rules: dict[str, Any] = {name: _number(form.get(name)) for name in (*_RULES, "expected_minutes")}
    rules |= {name: _or_none(form, name) for name in ("respond", "starvation")}
    look = {"everything": bool(form.get("look_everything")), "fields": [*form.many.get("look_fields", ())]}
    return {
        "version": form.get("version").strip().lower(),
        "weights": {name: _number(form.get(name)) for name in _WEIGHTS}
        | {"region": [_number(form.get(f"region_{n}")) for n in range(4)]},
        "limits": {
            "newcomer_days": _number(form.get("newcomer_days")),
            "optimum_up_to": _or_none(form, "optimum_up_to"),
        },
        "rules": rules
        | {
            "escalate": form.get("escalate").replace(",", " ").split(),
            "look": look | {"below": _or_none(form, "look_below")},
        },
    }


def _or_none(form: forms.Form, name: str) -> int | str | None:
    typed = _number(form.get(name))
    return typed if typed != "" else None


def _number(text: str) -> int | str:
    """What is no whole number stays as it was typed."""
    typed = text.strip().replace("−", "-")
    return int(typed) if re.fullmatch(r"-?\d{1,9}", typed, re.ASCII) else typed
