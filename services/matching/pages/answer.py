"""The page behind the link in an advisor's mail: GET shows, POST answers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from services.matching.api.door import AssignmentId, Door
from services.matching.finding import Finder
from services.matching.pages import asked
from services.matching.pages.showing import Pages, back
from shared import auth
from shared.access import by_link
from shared.errors import Conflict, Malformed, Problem
from shared.events.base import AdvisorId
from shared.login import noticed

Advisor = Annotated[AdvisorId, Query()]
Token = Annotated[str | None, Query(max_length=200)]


def router(door: Door, pages: Pages, finder: Finder) -> APIRouter:
    made = APIRouter(route_class=pages.route_class, dependencies=[Depends(noticed)])

    async def page(request: Request, assignment_id: str, advisor: str, refused: Problem | None = None) -> Response:
        known, round_, seat = await asked.seat(door, assignment_id, advisor)
        newer = asked.newer(known, round_, advisor)
        values = await asked.values(door, finder, known, round_, seat) | {
            "here": asked.link(door.secret, assignment_id, advisor),
            "newer": asked.link(door.secret, newer.assignment_id, advisor) if newer else None,
            "refused": refused,
        }
        return pages.show(request, "answer.html", values, refused.status if refused else 200)

    @made.get("/assignments/{assignment_id}/answer")
    @by_link
    async def show(request: Request, assignment_id: AssignmentId, advisor: Advisor, token: Token = None) -> Response:
        """What is asked and why; or what has become of it."""
        auth.check(door.secret, token, asked.PURPOSE, assignment_id, advisor)
        return await page(request, assignment_id, advisor)

    @made.post("/assignments/{assignment_id}/answer")
    @by_link
    async def answer(
        request: Request,
        assignment_id: AssignmentId,
        advisor: Advisor,
        token: Token = None,
        answer: Annotated[str, Form(max_length=20)] = "",
        reason: Annotated[str, Form(max_length=40)] = "",
    ) -> Response:
        """Accepts or declines, then shows the result; where that can't be, why not."""
        auth.check(door.secret, token, asked.PURPOSE, assignment_id, advisor)
        try:
            await asked.answer(door, assignment_id, advisor, answer, reason)
        except (Conflict, Malformed) as error:
            return await page(request, assignment_id, advisor, error)
        return back(asked.link(door.secret, assignment_id, advisor))

    return made
