"""/coordination/requests: one request whole, and what a coordinator decides about it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from services.matching.api.bodies import AdvisorBody, AssignBody, CloseBody
from services.matching.api.door import Door, RequestId
from services.matching.domain import notices
from services.matching.domain.model import Engagement
from services.matching.domain.worklist import next_step
from services.matching.finding import Finder
from services.matching.handlers import handing, releasing
from services.matching.handlers import rounds as handlers
from services.matching.pages import asked, forms
from services.matching.pages.showing import Guard, Pages, Show, Values, back
from shared import workdays
from shared.auth import Caller
from shared.commit import again
from shared.errors import Conflict, Invalid, Malformed, NotFound
from shared.ids import new_id


def router(door: Door, pages: Pages, finder: Finder, guard: Guard) -> APIRouter:
    made = APIRouter(prefix="/coordination/requests", route_class=pages.route_class)
    Coordinator = Annotated[Caller, Depends(guard("coordinator"))]
    store = door.store

    page = shower(door, pages, finder)

    @made.get("/{request_id}")
    async def show(request: Request, request_id: RequestId, by: Coordinator) -> Response:
        return await page(request, request_id)

    # -- answer for somebody, close ----------------------------------------------------------------------------

    @made.post("/{request_id}/answer")
    async def answer(request: Request, request_id: RequestId, by: Coordinator) -> Response:
        """In an advisor's place, such as after a call."""
        form = await forms.read(request)
        try:
            await asked.answer(
                door, form.get("assignment_id"), form.get("advisor_id"), form.get("answer"), form.get("reason"), by
            )
        except (Conflict, Malformed, NotFound) as error:
            form.blame(error, {})
            return await page(request, request_id, form, error.status)
        return back(f"/coordination/requests/{request_id}", "answered")

    @made.post("/{request_id}/close")
    async def close(request: Request, request_id: RequestId, by: Coordinator) -> Response:
        form = await forms.read(request)
        try:
            body = forms.check(CloseBody, {"outcome": form.get("outcome")})
            await again(lambda: handlers.close(store, request_id, body.outcome, by, door.clock()))
        except (Conflict, Invalid) as error:
            form.blame(error, {})
            return await page(request, request_id, form, error.status)
        return back(f"/coordination/requests/{request_id}", "closed")

    # -- override -------------------------------------------------------------------------------------------------

    async def choosing(request: Request, request_id: str, form: forms.Form, code: int = 200) -> Response:
        known = await _known(door, request_id)
        values = _values(door, known) | {
            "pool": await finder.everybody(),
            "form": form,
            "key": form.get("key", new_id()),
        }
        return pages.show(request, "coordination/assign.html", values, code)

    @made.get("/{request_id}/assign")
    async def assign_form(
        request: Request,
        request_id: RequestId,
        by: Coordinator,
        lead: Annotated[str, Query(max_length=20)] = "",
        co: Annotated[str, Query(max_length=20)] = "",
    ) -> Response:
        """`lead`, `co`: who stands in the form at first."""
        return await choosing(request, request_id, forms.Form({"lead": lead, "co": co}))

    @made.post("/{request_id}/assign")
    async def assign(request: Request, request_id: RequestId, by: Coordinator) -> Response:
        form = await forms.read(request)
        try:
            chosen = {name: form.get(name).strip().upper() for name in ("lead", "co")}
            body = forms.check(AssignBody, chosen | {"reason": form.get("reason")})
            once = forms.once(door.mongo, request, form)
            ids = (body.lead, body.co) if body.co else (body.lead,)

            async def act() -> dict[str, Any]:
                done = await handlers.assign(
                    store,
                    request_id,
                    ids,
                    by,
                    body.reason,
                    door.rules,
                    door.clock(),
                    lambda _: once.mark({"request_id": request_id}),
                )
                return {"request_id": done.id}

            await once.run(act)
        except (Conflict, Invalid) as error:
            form.blame(error, {"body": "co"})
            return await choosing(request, request_id, form, error.status)
        return back(f"/coordination/requests/{request_id}", "assigned")

    # -- conflict of interest ---------------------------------------------------------------------------------------

    @made.post("/{request_id}/conflict")
    async def conflict(request: Request, request_id: RequestId, by: Coordinator) -> Response:
        """An advisor must not advise this municipality from now on, and here is out, or to be replaced."""
        form = await forms.read(request)
        advisor_id = form.get("conflict_advisor").strip().upper()
        try:
            known = await _known(door, request_id)
            told = {"advisor": advisor_id, "reason": form.get("conflict_reason")}
            why, policy = forms.check(AdvisorBody, told).reason, await door.policy()
            await again(
                lambda: releasing.flag_conflict(store, known.id, advisor_id, by, why, door.rules, policy, door.clock())
            )
        except (Conflict, Invalid, NotFound) as error:
            form.blame(error, {"advisor": "conflict_advisor", "reason": "conflict_reason"})
            return await page(request, request_id, form, error.status)
        return back(f"/coordination/requests/{request_id}", "barred")

    return made


def shower(door: Door, pages: Pages, finder: Finder) -> Show:
    """Makes the function that shows one request, with a form that could not be carried out."""

    async def page(request: Request, request_id: str, form: forms.Form | None = None, code: int = 200) -> Response:
        known = await _known(door, request_id)
        today = door.today()
        submitted = door.rules.day(known.asked.submitted_at)
        gone = [(known, one.advisor_id) for one in known.leaving] if known.state == "engaged" else []
        found = await handing.replacements(door.store, gone, today, await door.policy()) if gone else {}
        best = {advisor_id: many for (_, advisor_id), many in found.items()}
        names = await finder.names(_mentioned(known) | {one.advisor_id for many in best.values() for one in many})
        values: Values = _values(door, known) | {
            "dossier": await door.store.dossier(known.id),
            "step": next_step(known, door.rules, today),
            "waited": workdays.workdays_between(submitted, today, door.rules.subdivision),
            "replacements": best,
            "names": names,
            "pin_choices": [(one, f"{names.get(one, '')} ({one})".strip()) for one in known.pins],
            "sessions": sorted(known.sessions, key=lambda one: one.starts_at),
            "today": today,
            "may_remind": notices.may_remind(known, door.rules, (await door.policy()).rules, door.clock()),
            "now": door.clock(),
            "form": form or forms.Form(),
        }
        return pages.show(request, "coordination/request.html", values, code)

    return page


async def _known(door: Door, request_id: str) -> Engagement:
    known = await handlers.engagement(door.store, request_id)
    if known.facts is None:
        raise handlers.unknown()
    return known


def _values(door: Door, known: Engagement) -> Values:
    ags = known.asked.municipality_ags
    return {"known": known, "case": known.asked, "place": door.register.name(ags), "key": new_id()}


def _mentioned(known: Engagement) -> set[str]:
    """Everybody whose number the page shows."""
    rounds = [*known.rounds, *([known.proposal.asked] if known.proposal else [])]
    seats = {seat.advisor_id for one in rounds for seat in one.seats}
    runners = {runner.advisor_id for one in rounds for runner in one.runners_up}
    decided = {one for entry in known.audit for one in (entry.by, *entry.who)}
    return seats | runners | decided | {one.advisor_id for one in known.handovers} | {*known.pins, *known.excluded}
