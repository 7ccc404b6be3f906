"""/coordination/governing/budgets: minutes of advice by period: what is used and reserved, and what waits for more."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from services.matching.api.bodies import BudgetBody, BudgetName
from services.matching.api.door import Door
from services.matching.domain import budget as domain
from services.matching.domain.model import Engagement
from services.matching.finding import Finder
from services.matching.handlers import budget as handlers
from services.matching.pages import forms
from services.matching.pages.showing import GOVERNING, Guard, Pages, Values, back
from shared.auth import Caller
from shared.commit import again
from shared.errors import Conflict, Invalid
from shared.events.base import Id

ROWS = 50
HOME = f"{GOVERNING}/budgets"


def router(door: Door, pages: Pages, finder: Finder, guard: Guard) -> APIRouter:
    made = APIRouter(prefix=HOME, route_class=pages.route_class)
    Coordinator = Annotated[Caller, Depends(guard("coordinator"))]
    Name = Annotated[str, Path(pattern=domain.ID)]
    store = door.store

    def places(found: list[Engagement]) -> list[tuple[Engagement, str]]:
        return [(one, door.register.name(one.asked.municipality_ags)) for one in found]

    @made.get("")
    async def budgets(request: Request, by: Coordinator) -> Response:
        """All of them, with what is left, and the requests that wait because of it."""
        waiting = await finder.unpaid(ROWS + 1)
        rows = await handlers.standings(store)
        values: Values = {
            "rows": rows,
            "holding": domain.holding([one.budget for one in rows], door.today()),
            "waiting": places(waiting[:ROWS]),
            "more": len(waiting) > ROWS,
            "each": (await door.policy()).rules.expected_minutes,
        }
        return pages.show(request, "governing/budgets.html", values)

    async def one_page(
        request: Request, standing: handlers.Standing | None, form: forms.Form, after: str = "", code: int = 200
    ) -> Response:
        found = await finder.reserving(standing.budget.id, after, ROWS + 1) if standing else []
        known = standing.budget if standing else None
        audit = known.audit if known else ()
        values: Values = {
            "standing": standing,
            "rows": [(one, place, domain.used(one), domain.committed(one)) for one, place in places(found[:ROWS])],
            "begun": bool(after),
            "next": found[ROWS - 1].id if len(found) > ROWS else None,
            "names": await finder.names(entry.by for entry in audit),
            "form": form if form.sent or known is None else forms.Form(_given(known)),
        }
        return pages.show(request, "governing/budget.html", values, code)

    @made.get("/new")
    async def new(request: Request, by: Coordinator) -> Response:
        return await one_page(request, None, forms.Form())

    @made.post("/new")
    async def add(request: Request, by: Coordinator) -> Response:
        form = await forms.read(request)
        try:
            name = forms.check(BudgetName, {"id": form.get("id").strip().lower()}).id
            await keep(name, form, by, 0)
        except (Conflict, Invalid) as error:
            form.blame(error, {"body": "end"})
            return await one_page(request, None, form, code=error.status)
        return back(f"{HOME}/{name}", "budget")

    @made.get("/{budget_id}")
    async def one(
        request: Request, budget_id: Name, by: Coordinator, after: Annotated[Id | None, Query()] = None
    ) -> Response:
        """What has used or reserved it; the form to change it; who has set it to what."""
        return await one_page(request, await handlers.standing(store, budget_id), forms.Form(), after or "")

    @made.post("/{budget_id}")
    async def change(request: Request, budget_id: Name, by: Coordinator) -> Response:
        form = await forms.read(request)
        standing = await handlers.standing(store, budget_id)
        try:
            await keep(budget_id, form, by, forms.number(form, "version"))
        except (Conflict, Invalid) as error:
            form.blame(error, {"body": "end"})
            if isinstance(error, Conflict):
                form.given = dict(form.given) | {"version": str(standing.budget.version)}
            return await one_page(request, standing, form, code=error.status)
        return back(f"{HOME}/{budget_id}", "budget")

    async def keep(name: str, form: forms.Form, by: Caller, seen: int | None) -> None:
        told: dict[str, Any] = {day: forms.day(form, day) for day in ("start", "end")}
        body = forms.check(BudgetBody, told | {"minutes": _minutes(form), "reason": form.get("reason")})
        days = body.start, body.end
        await again(
            lambda: handlers.set_budget(store, name, *days, body.minutes, by.subject, body.reason, door.clock(), seen)
        )

    return made


def _minutes(form: forms.Form) -> str | int:
    """Of the hours that were typed, with a comma or a point in them; what is no number stays as it is."""
    typed = form.get("hours").strip()
    try:
        return round(float(typed.replace(".", "").replace(",", ".") if "," in typed else typed) * 60)
    except (ValueError, OverflowError):
        return typed


def _given(known: domain.Budget) -> dict[str, str]:
    hours = f"{known.minutes / 60:g}".replace(".", ",")
    return {
        "hours": hours,
        "version": str(known.version),
        **forms.parts("start", known.start),
        **forms.parts("end", known.end),
    }
