"""/coordination/requests/…/why: why these, what else could have been, and why not somebody else."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from services.matching import reasons
from services.matching.api.door import Door, RequestId
from services.matching.finding import Finder
from services.matching.handlers import explaining, policies
from services.matching.handlers import rounds as handlers
from services.matching.pages.showing import Guard, Pages, Values
from shared.errors import NotFound
from shared.web import language


def router(door: Door, pages: Pages, finder: Finder, guard: Guard) -> APIRouter:
    made = APIRouter(prefix="/coordination/requests", route_class=pages.route_class)
    store = door.store

    @made.get("/{request_id}/why", dependencies=[Depends(guard("coordinator"))])
    async def why(
        request: Request, request_id: RequestId, advisor: Annotated[str, Query(max_length=20)] = ""
    ) -> Response:
        """`advisor`: of whom is asked why not."""
        known = await handlers.engagement(store, request_id)
        asked, number = known.current, advisor.strip().upper()
        if known.facts is None or asked is None:
            raise NotFound("Hier wurde noch niemand gefragt.", "Nobody was asked here yet.")
        tongue, policy = language(request), await policies.active(store)
        basis, as_decided = await explaining.basis(store, known, asked, policy, door.rules, door.clock())
        explainer = await explaining.lay_out(basis)
        found = await explaining.explain(explainer, known.id, asked)
        choices = list(found.alternatives)
        said, missing = None, None
        try:
            other = await explaining.why_not(explainer, known.id, asked, number) if number else None
        except NotFound as error:
            other, missing = None, error
        people = await finder.everybody()
        cases = await explaining.cases(store, [*choices, *([other.best] if other and other.best else [])])
        if other is not None:
            said = reasons.why_not(other, number, cases, tongue, people, by_person=not as_decided)
        values: Values = {
            "known": known,
            "case": known.asked,
            "place": door.register.name(known.asked.municipality_ags),
            "chosen": reasons.chosen(found, tongue, people),
            "alternatives": [reasons.alternative(one, cases, tongue, people) for one in choices],
            "as_decided": as_decided,
            "optimal": basis.optimal,
            "oldest_first": basis.oldest_first,
            "together": len(basis.seekers),
            "advisor": number,
            "said": said,
            "missing": missing,
            "best": other.best if other else None,
            "pool": people,
        }
        return pages.show(request, "coordination/why.html", values)

    return made
