"""/api/requests: the worklist, one request whole, the coordinator's choice, the closing."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from services.matching.api.bodies import AssignBody, CloseBody, Page
from services.matching.api.door import Door, Limit, RequestId
from services.matching.api.views import RequestDetail, WorkItem, request, work_item
from services.matching.domain.model import OPEN, Engagement, ListedState
from services.matching.handlers import rounds as handlers
from services.matching.handlers.sessions import allowed
from shared.auth import Caller, require
from shared.commit import again
from shared.events.base import Id
from shared.idempotency import Once
from shared.web import once


class Assigned(BaseModel):
    """`state`: engaged at once when everybody chosen had accepted already."""

    request_id: str
    assignment_id: str
    round: int
    state: ListedState


def router(door: Door) -> APIRouter:
    made = APIRouter(prefix="/requests", tags=["requests"])
    coordinator = require(door.secret, "coordinator")
    concerned = require(door.secret, "coordinator", "advisor")
    store = door.store

    async def detail(known: Engagement, caller: Caller) -> RequestDetail:
        if known.facts is None:
            raise handlers.unknown()
        item = work_item(known, door.register, door.rules, door.today())
        reader = caller.subject if caller.role == "advisor" else None
        return request(known, item, door.register, await store.dossier(known.id), reader)

    @made.get("", dependencies=[Depends(coordinator)])
    async def worklist(
        state: Annotated[ListedState | None, Query(description="without: all that are open")] = None,
        overdue: Annotated[bool, Query(description="only those whose due date has passed")] = False,
        limit: Limit = 50,
        after: Annotated[Id | None, Query()] = None,
    ) -> Page[WorkItem]:
        """Each request with its owner, next step and due date, the oldest first."""
        today = door.today()
        states = (state,) if state else OPEN
        found = await store.worklist(states, today if overdue else None, after or "", limit + 1)
        items = [work_item(one, door.register, door.rules, today) for one in found[:limit]]
        return Page(items=items, next=items[-1].request_id if len(found) > limit else None)

    @made.get("/{request_id}")
    async def one(request_id: RequestId, caller: Annotated[Caller, Depends(concerned)]) -> RequestDetail:
        """Whole, with the dossier. An advisor sees those where they have a seat, the contact once they accepted."""
        known = await handlers.engagement(store, request_id)
        allowed(known, caller)
        return await detail(known, caller)

    @made.post("/{request_id}/assign", status_code=201, response_model=Assigned)
    async def assign(
        request_id: RequestId,
        body: AssignBody,
        caller: Annotated[Caller, Depends(coordinator)],
        once: Annotated[Once, Depends(once(door.mongo))],
        response: Response,
    ) -> dict[str, Any]:
        """Chooses in place of the policy, with a reason, as long as the consultation has not begun.

        The chosen must be certified and without conflict. Capacity, absence and expertise are the coordinator's
        judgement; being over capacity is told in the audit with the reason. Who has accepted keeps the seat.
        409 when the budget does not allow it.
        """
        ids = (body.lead, body.co) if body.co else (body.lead,)

        async def act() -> dict[str, Any]:
            chosen = await handlers.assign(
                store,
                request_id,
                ids,
                caller,
                body.reason,
                door.rules,
                door.clock(),
                lambda engagement: once.mark(_assigned(engagement)),
            )
            return _assigned(chosen)

        answer = await once.run(act)
        response.headers["Location"] = f"/api/assignments/{answer['assignment_id']}"
        return answer

    @made.post("/{request_id}/close")
    async def close(
        request_id: RequestId, body: CloseBody, caller: Annotated[Caller, Depends(concerned)]
    ) -> RequestDetail:
        """Ends it, by the lead or a coordinator; arranged sessions are called off. The same outcome again is fine."""
        closed = await again(lambda: handlers.close(store, request_id, body.outcome, caller, door.clock()))
        return await detail(closed, caller)

    return made


def _assigned(engagement: Engagement) -> dict[str, Any]:
    current = engagement.current
    assert current is not None
    return {
        "request_id": engagement.id,
        "assignment_id": current.assignment_id,
        "round": current.number,
        "state": engagement.state,
    }
