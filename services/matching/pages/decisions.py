"""/coordination/governing/decisions: everything that people have decided: who, when, what, why."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from services.matching.api.door import Door
from services.matching.finding import Finder
from services.matching.pages.showing import GOVERNING, Guard, Pages, Values

ROWS = 50


def router(door: Door, pages: Pages, finder: Finder, guard: Guard) -> APIRouter:
    made = APIRouter(prefix=f"{GOVERNING}/decisions", route_class=pages.route_class)

    @made.get("", dependencies=[Depends(guard("coordinator"))])
    async def trail(
        request: Request,
        about: Annotated[str, Query(max_length=60)] = "",
        by: Annotated[str, Query(max_length=200)] = "",
        after: Annotated[str, Query(max_length=200)] = "",
    ) -> Response:
        """The newest first. `about`: a case number, an advisor's number, a budget or a version of the policy."""
        thing = about.strip()
        request_id = await finder.of_case(thing.upper()) if thing else None
        alike = request_id or (thing.upper() if await door.store.advisor(thing.upper()) else thing)
        found = await door.store.trail(alike or None, by.strip() or None, after, ROWS + 1)
        shown = found[:ROWS]
        mentioned = {one for each in shown for one in (each.entry.by, *each.entry.who)}
        people = {each.about for each in shown if each.kind == "advisor"}
        cases = await finder.cases(each.about for each in shown if each.kind == "request")
        kept = {name: value for name, value in (("about", thing), ("by", by.strip())) if value}
        values: Values = {
            "rows": shown,
            "names": await finder.names(mentioned | people),
            "cases": {
                one: (facts.case_number, door.register.name(facts.municipality_ags)) for one, facts in cases.items()
            },
            "about": thing,
            "by": by.strip(),
            "first": "?" + urlencode(kept) if kept else "",
            "begun": bool(after),
            "next": "?" + urlencode(kept | {"after": shown[-1].place}) if len(found) > ROWS else None,
        }
        return pages.show(request, "governing/decisions.html", values)

    return made
