"""/coordination/advisors/…/leave: an advisor's last day, and who takes over what they are in."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.matching.api.bodies import LeaveBody, NoteBody
from services.matching.api.door import Door, Number
from services.matching.finding import Finder
from services.matching.handlers import advisors as handlers
from services.matching.handlers import handing
from services.matching.pages import forms
from services.matching.pages.pool import HOME
from services.matching.pages.showing import Guard, Pages, Values, back
from shared.auth import Caller
from shared.commit import again
from shared.errors import Conflict, Invalid


def router(door: Door, pages: Pages, finder: Finder, guard: Guard) -> APIRouter:
    made = APIRouter(prefix=HOME, route_class=pages.route_class)
    Coordinator = Annotated[Caller, Depends(guard("coordinator"))]
    store = door.store

    async def page(request: Request, advisor_id: str, form: forms.Form, code: int = 200) -> Response:
        person, holding, policy = await asyncio.gather(
            handlers.get(store, advisor_id), store.holding(advisor_id), door.policy()
        )
        held = [one for one in holding if one.current and one.current.seat(advisor_id)]
        begun = [one for one in held if one.begun is not None]
        best = await handing.replacements(store, [(one, advisor_id) for one in begun], door.today(), policy)
        rows = [
            (one, door.register.name(one.asked.municipality_ags), best.get((one.id, advisor_id), ())) for one in begun
        ]
        values: Values = {
            "person": person,
            "begun": rows,
            "asked": [(one, door.register.name(one.asked.municipality_ags)) for one in held if one.begun is None],
            "names": await finder.names(each.advisor_id for many in best.values() for each in many),
            "form": form
            if form.sent or person.leaves_on is None
            else forms.Form(forms.parts("last_day", person.leaves_on)),
        }
        return pages.show(request, "governing/leave.html", values, code)

    @made.get("/{advisor_id}/leave")
    async def show(request: Request, advisor_id: Number, by: Coordinator) -> Response:
        """The form, and what becomes of each request and consultation that they are in."""
        return await page(request, advisor_id, forms.Form())

    @made.post("/{advisor_id}/leave")
    async def leave(request: Request, advisor_id: Number, by: Coordinator) -> Response:
        """Sets the last day; with the button `stays` they stay after all."""
        form = await forms.read(request)
        governed, stays = await door.governed(), bool(form.get("stays"))
        try:
            if stays:
                day, why = None, forms.check(NoteBody, {"text": form.get("reason")}).text
            else:
                told = {"last_day": forms.day(form, "last_day"), "reason": form.get("reason")}
                body = forms.check(LeaveBody, told)
                day, why = body.last_day, body.reason
            await again(lambda: handlers.leave(store, advisor_id, day, by.subject, why, governed, door.clock()))
        except (Conflict, Invalid) as error:
            form.blame(error, {"text": "reason"})
            return await page(request, advisor_id, form, error.status)
        return back(f"{HOME}/{advisor_id}", "goes_on" if stays else "leaves")

    return made
