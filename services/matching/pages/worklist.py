"""/coordination: everything that waits, by due date, with owner and next step; and the search over all of it."""

import asyncio
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.matching.api.door import Door
from services.matching.domain import governing
from services.matching.domain import notices as domain
from services.matching.domain.model import Advisor, Engagement
from services.matching.domain.worklist import COORDINATION, next_step
from services.matching.finding import Finder, Kind, Place
from services.matching.handlers import notices
from services.matching.pages import forms
from services.matching.pages.showing import Guard, Pages
from shared.auth import Caller
from shared.events.base import Id

ROWS = 50
FOUND_ADVISORS = 20
CERTIFICATE_DAYS = 60
"""So many working days before it ends a certificate stands on the worklist."""

Shown = Literal[Kind, "certificates"]
Kinds = Annotated[Shown | None, Query()]
After = Annotated[str, Query(max_length=80)]
_ID = re.compile(r"[0-9a-f-]{36}")
_NOBODY = ("Bitte wählen Sie aus, wer erinnert werden soll.", "Please choose who shall be reminded.")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a request, or an advisor whose certificate ends. `owner`: an advisor's number or `coordination`."""

    id: str
    address: str
    case: str
    who: str
    state: str | None
    step: str
    owner: str
    due: date
    parked: str | None = None
    may_remind: bool = False


def router(door: Door, pages: Pages, finder: Finder, guard: Guard) -> APIRouter:
    made = APIRouter(prefix="/coordination", route_class=pages.route_class)
    Coordinator = Depends(guard("coordinator"))

    async def listed(
        request: Request, kind: Shown | None, after: str, form: forms.Form | None = None, code: int = 200
    ) -> Response:
        today, place = door.today(), Place(*after.split("~", 1)) if "~" in after else Place()
        until = door.rules.after(today, CERTIFICATE_DAYS)
        requests, certificates, counts, lapsing = await asyncio.gather(
            finder.due(kind, today, place, ROWS + 1) if kind != "certificates" else _nothing(),
            finder.lapsing(until, place, ROWS + 1) if kind in (None, "certificates") else _nothing(),
            finder.counts(today),
            finder.lapsing_count(until),
        )
        rules, now = (await door.policy()).rules, door.clock()
        rows = [*(_request(one, door, rules, now) for one in requests), *map(_certificate, certificates)]
        rows.sort(key=lambda row: (row.due, row.id))
        shown = rows[:ROWS]
        values = {
            "kind": kind,
            "counts": {name: counts[name] for name in get_args(Kind)} | {"certificates": lapsing},
            "all": counts[None] + lapsing,
            "rows": shown,
            "names": await finder.names(row.owner for row in shown if row.owner != COORDINATION),
            "today": today,
            "begun": bool(place.id),
            "here": _query(kind=kind, after=after),
            "form": form or forms.Form(),
            "reminded": _number(request, "reminded"),
            "spared": _number(request, "spared"),
            "next": _query(kind=kind, after=f"{shown[-1].due}~{shown[-1].id}") if len(rows) > ROWS else None,
        }
        return pages.show(request, "coordination/worklist.html", values, code)

    @made.get("", dependencies=[Coordinator])
    async def worklist(request: Request, kind: Kinds = None, after: After = "") -> Response:
        return await listed(request, kind, after)

    @made.post("/remind")
    async def remind(
        request: Request, by: Annotated[Caller, Coordinator], kind: Kinds = None, after: After = ""
    ) -> Response:
        """Those who were chosen on the list: each once, whoever is late; a second click finds it done."""
        form = await forms.read(request)
        chosen = [one for one in form.many.get("remind", ()) if _ID.fullmatch(one)][: 2 * ROWS]
        if not chosen:
            form.errors["remind"] = _NOBODY
            return await listed(request, kind, after, form, 422)
        rules = (await door.policy()).rules
        done, spared = await notices.remind_many(door.store, chosen, by, door.rules, rules, door.clock())
        told = {"reminded": str(done), "spared": str(spared)}
        return RedirectResponse("/coordination" + _query(kind=kind, after=after, **told), 303)

    @made.get("/search", dependencies=[Coordinator])
    async def search(
        request: Request,
        q: Annotated[str, Query(max_length=100)] = "",
        before: Annotated[Id | None, Query()] = None,
    ) -> Response:
        """By case number, municipality (name or key) and advisor (number or name), all at once."""
        words = " ".join(q.split())
        people = await finder.people(words, "", FOUND_ADVISORS + 1) if words else []
        places = door.register.like(words) if words else []
        case = words.upper() if re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z0-9]*)*", words) and len(words) > 2 else None
        found = await finder.search(case, places, [one.id for one in people], before or "", ROWS + 1)
        if len(found) == 1 and found[0].asked.case_number == case:
            return RedirectResponse(f"/coordination/requests/{found[0].id}", 303)
        rows = [(one, door.register.name(one.asked.municipality_ags)) for one in found[:ROWS]]
        seats = {seat.advisor_id for one, _ in rows for seat in (one.current.held if one.current else ())}
        values = {
            "q": words,
            "rows": rows,
            "people": people[:FOUND_ADVISORS] if before is None else [],
            "more_people": len(people) > FOUND_ADVISORS,
            "names": await finder.names(seats),
            "next": _query(q=words, before=found[ROWS - 1].id) if len(found) > ROWS else None,
        }
        return pages.show(request, "coordination/search.html", values)

    return made


async def _nothing() -> list[Any]:
    return []


def _number(request: Request, name: str) -> int | None:
    given = request.query_params.get(name, "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 4 else None


def _request(one: Engagement, door: Door, rules: governing.Rules, now: datetime) -> Row:
    step = next_step(one, door.rules, door.rules.day(now))
    assert step is not None
    return Row(
        one.id,
        f"/coordination/requests/{one.id}",
        one.asked.case_number,
        door.register.name(one.asked.municipality_ags),
        one.state,
        step.code,
        step.owner,
        step.due,
        one.parked,
        domain.may_remind(one, door.rules, rules, now),
    )


def _certificate(one: Advisor) -> Row:
    address = f"/coordination/advisors/{one.id}"
    return Row(one.id, address, one.id, one.name, None, "renew_certificate", COORDINATION, one.certified_until)


def _query(**given: str | None) -> str:
    known = {name: value for name, value in given.items() if value}
    return "?" + urlencode(known) if known else ""
