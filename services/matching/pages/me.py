"""/advisor/me: absence, load beside the pool's average, and all that matching holds of the advisor who looks."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import TypeAdapter

from services.matching.api.door import Door
from services.matching.domain.model import Advisor, Audit, Engagement, Seat, Session
from services.matching.finding import Finder
from services.matching.handlers import advisors as handlers
from services.matching.pages import forms
from services.matching.pages.pool import absence
from services.matching.pages.showing import Guard, Pages, Values, back
from shared.auth import Caller
from shared.errors import Conflict, Invalid

_ADVISOR, _SEAT = TypeAdapter(Advisor), TypeAdapter(Seat)
_SESSION, _AUDIT = TypeAdapter(Session), TypeAdapter(Audit)


def router(door: Door, pages: Pages, finder: Finder, guard: Guard) -> APIRouter:
    made = APIRouter(prefix="/advisor/me", route_class=pages.route_class)
    Me = Annotated[Caller, Depends(guard("advisor"))]
    store = door.store

    async def page(request: Request, me: str, form: forms.Form, code: int = 200) -> Response:
        person = await handlers.get(store, me)
        loads, listed = await store.loads(door.today()), await finder.listed()
        paid = [loads.paid.get(one, 0) for one in listed]
        places = door.register.districts
        values: Values = {
            "person": person,
            "regions": [places.get(key) or door.register.name(key) for key in person.regions],
            "mine": loads.paid.get(me, 0),
            "average": sum(paid) / max(1, len(paid)),
            "most": max([loads.paid.get(me, 0), 1, *paid]),
            "open": loads.open.get(me, 0),
            "open_average": sum(loads.open.get(one, 0) for one in listed) / max(1, len(listed)),
            "pool": len(listed),
            "today": door.today(),
            "form": form,
        }
        return pages.show(request, "advisor/me.html", values, code)

    @made.get("")
    async def mine(request: Request, me: Me) -> Response:
        return await page(request, me.subject, forms.Form())

    @made.post("/absences")
    async def absences(request: Request, me: Me) -> Response:
        """Adds one, or takes one back."""
        form = await forms.read(request)
        try:
            await absence(door, me.subject, form, me)
        except (Conflict, Invalid) as error:
            form.blame(error, {"body": "end"})
            return await page(request, me.subject, form, error.status)
        return back("/advisor/me", "absence")

    @made.get("/data.json")
    async def data(me: Me) -> Response:
        """Everything here that is about them, as a file."""
        person = await handlers.get(store, me.subject)
        found = await finder.everything_of(me.subject)
        told = {
            "as_of": door.clock().isoformat(),
            "advisor": _ADVISOR.dump_python(person, mode="json"),
            "requests": [_of(one, me.subject, door) for one in found],
        }
        body = json.dumps(told, ensure_ascii=False, indent=2)
        name = f'attachment; filename="miglobe-{me.subject}.json"'
        headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
        return Response(body, media_type="application/json", headers=headers)

    return made


def _of(one: Engagement, me: str, door: Door) -> dict[str, Any]:
    """What of a request is about `me`: their seats, their part in sessions, decisions by or about them."""
    facts = one.facts
    return {
        "request_id": one.id,
        "case_number": facts.case_number if facts else None,
        "municipality": door.register.name(facts.municipality_ags) if facts else None,
        "state": one.state,
        "seats": [
            _SEAT.dump_python(seat, mode="json") | {"assignment_id": asked.assignment_id, "round": asked.number}
            for asked in one.rounds
            for seat in asked.seats
            if seat.advisor_id == me
        ],
        "runner_up": [
            {"assignment_id": asked.assignment_id, "role": runner.role, "points": runner.points}
            for asked in one.rounds
            for runner in asked.runners_up
            if runner.advisor_id == me
        ],
        "sessions": [_session(session, me) for session in one.sessions if me in session.advisor_ids],
        "decisions": [_AUDIT.dump_python(audit, mode="json") for audit in one.audit if me in (audit.by, *audit.who)],
    }


def _session(session: Session, me: str) -> dict[str, Any]:
    """With their own part of the record only."""
    told: dict[str, Any] = _SESSION.dump_python(session, mode="json")
    if told["record"]:
        told["record"]["members"] = [one for one in told["record"]["members"] if one["advisor_id"] == me]
    return told
