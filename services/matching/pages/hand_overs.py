"""/coordination/governing/hand-overs: who can't go on, and who would be best in their place."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from services.matching.api.door import Door
from services.matching.finding import Finder
from services.matching.handlers import handing
from services.matching.pages.showing import GOVERNING, Guard, Pages, Values
from shared.events.base import AdvisorId, Id

ROWS = 20


def router(door: Door, pages: Pages, finder: Finder, guard: Guard) -> APIRouter:
    made = APIRouter(prefix=f"{GOVERNING}/hand-overs", route_class=pages.route_class)

    @made.get("", dependencies=[Depends(guard("coordinator"))])
    async def vacancies(
        request: Request,
        advisor: Annotated[AdvisorId | None, Query()] = None,
        after: Annotated[Id | None, Query()] = None,
    ) -> Response:
        """The oldest requests first; `advisor`: only what they have to hand over."""
        found = await handing.vacancies(
            door.store, door.today(), after or "", ROWS + 1, await door.policy(), of=advisor
        )
        ids = list(dict.fromkeys(one.engagement.id for one in found))
        shown = [one for one in found if one.engagement.id in ids[:ROWS]]
        people = {one.entry.advisor_id for one in shown} | {
            each.advisor_id for one in shown for each in one.replacements
        }
        values: Values = {
            "rows": [(one, door.register.name(one.engagement.asked.municipality_ags)) for one in shown],
            "names": await finder.names(people | ({advisor} if advisor else set())),
            "advisor": advisor,
            "today": door.today(),
            "begun": after is not None,
            "next": ids[ROWS - 1] if len(ids) > ROWS else None,
        }
        return pages.show(request, "governing/hand_overs.html", values)

    return made
