"""/coordination/governing/simulations: two versions of the policy over a past period, as a table and plots."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from services.matching import plots
from services.matching.api.bodies import Body
from services.matching.api.door import Door
from services.matching.api.policies import ActivateBody, Version
from services.matching.domain.trial import Trial
from services.matching.entries import Day
from services.matching.finding import Finder
from services.matching.handlers import policies, trials
from services.matching.pages import forms
from services.matching.pages.showing import GOVERNING, Guard, Pages, Values, back
from services.matching.simulator import Simulator
from shared.auth import Caller
from shared.errors import Conflict, Invalid, NotFound
from shared.events.base import Id
from shared.web import language

TRIALS = f"{GOVERNING}/simulations"
KEPT = f"{GOVERNING}/policies/versions/"
DAYS = {"from": "first"}
"""Fields of what a trial refuses → the page's."""
LISTED = 20
SHOWN = 100
"""So many requests are named for which others would have been asked."""
PATIENCE_SECONDS = 1.5
"""So long a page waits for its trial before it says that it is still being played."""


class PeriodBody(Body):
    first: Day
    last: Day


class TrialBody(PeriodBody):
    a: Version
    b: Version


def period(today: date, form: forms.Form | None = None) -> tuple[date, date]:
    """What was typed, or the last twelve months. Raises Invalid."""
    if form is None:
        return today - timedelta(days=364), today
    body = forms.check(PeriodBody, {name: forms.day(form, name) for name in ("first", "last")})
    return body.first, body.last


def router(door: Door, pages: Pages, finder: Finder, guard: Guard, simulator: Simulator) -> APIRouter:
    made = APIRouter(prefix=TRIALS, route_class=pages.route_class)
    Coordinator = Annotated[Caller, Depends(guard("coordinator"))]
    store = door.store

    async def asking(request: Request, form: forms.Form, code: int = 200) -> Response:
        kept = await store.trials(LISTED)
        active, versions = await policies.active(store), await policies.editions(store)
        first, last = period(door.today())
        others = [one.policy.version for one in versions if one.policy.version != active.version]
        values: Values = {
            "rows": kept,
            "names": await finder.names(one.by for one in kept),
            "versions": [(one.policy.version, one.policy.version) for one in versions[::-1]],
            "active": active.version,
            "other": others[-1] if others else active.version,
            "form": form if form.sent else forms.Form(forms.parts("first", first) | forms.parts("last", last)),
        }
        return pages.show(request, "governing/simulations.html", values, code)

    @made.get("")
    async def simulations(request: Request, by: Coordinator) -> Response:
        """The form, and what was compared of late."""
        return await asking(request, forms.Form())

    @made.post("")
    async def ask(request: Request, by: Coordinator) -> Response:
        form = await forms.read(request)
        try:
            days = {name: forms.day(form, name) for name in ("first", "last")}
            body = forms.check(TrialBody, days | {"a": form.get("a"), "b": form.get("b")})
            a, b = await policies.of_version(store, body.a), await policies.of_version(store, body.b)
            tried = await trials.ask(store, a, b, body.first, body.last, by.subject, door.clock())
        except (Invalid, NotFound) as error:
            form.blame(error, DAYS)
            return await asking(request, form, error.status)
        simulator.take(tried.id)
        return RedirectResponse(f"{TRIALS}/{tried.id}", 303)

    async def page(request: Request, tried: Trial, form: forms.Form, code: int = 200) -> Response:
        tongue, found = language(request), tried.outcome
        changed = found.changed if found else ()
        numbers = {number for one in changed[:SHOWN] for number in (*one.a, *one.b)}
        values: Values = {
            "trial": tried,
            "figures": plots.table(found.a, found.b, tongue) if found else [],
            "bars": plots.bars(found.a, found.b, tongue) if found else [],
            "changed": changed[:SHOWN],
            "count": len(changed),
            "names": await finder.names({tried.by} | numbers),
            "form": form,
        }
        return pages.show(request, "governing/simulation.html", values, code)

    @made.get("/{trial_id}")
    async def one(request: Request, trial_id: Id, by: Coordinator) -> Response:
        """What would have differed, or how far it has been played; it may be loaded again at any time."""
        tried = await trials.get(store, trial_id)
        if not tried.ended:
            simulator.take(trial_id)
            await simulator.soon(trial_id, PATIENCE_SECONDS)
            tried = await trials.get(store, trial_id)
        return await page(request, tried, forms.Form())

    @made.post("/{trial_id}/keep")
    async def keep(request: Request, trial_id: Id, by: Coordinator) -> Response:
        """The draft becomes a version; sent twice it is one."""
        form, tried = await forms.read(request), await trials.get(store, trial_id)
        if not tried.draft:
            raise NotFound("Hier gibt es keinen Entwurf.", "There is no draft here.")
        try:
            why = forms.check(ActivateBody, {"reason": form.get("reason")}).reason
            await policies.add(store, tried.b, tried.a.version, by.subject, why, door.clock(), lambda _: None)
        except Invalid as error:
            form.blame(error, {})
            return await page(request, tried, form, error.status)
        except Conflict as error:
            if await policies.of_version(store, tried.b.version) != tried.b:
                form.blame(error, {})
                return await page(request, tried, form, error.status)
        return back(KEPT + tried.b.version, "kept")

    return made
