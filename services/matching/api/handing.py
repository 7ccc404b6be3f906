"""The hand-over list, and what a coordinator makes of it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.matching.api.bodies import AdvisorBody, HandOverBody, Page
from services.matching.api.door import Door, Limit, RequestId
from services.matching.api.views import HandOverView, ScoredView, WorkItem, work_item
from services.matching.handlers import handing
from shared.auth import Caller, require
from shared.commit import again
from shared.events.base import Id


class VacancyView(BaseModel):
    """A seat that has to be given to somebody else."""

    request: WorkItem
    hand_over: HandOverView
    replacements: list[ScoredView] = Field(
        description="who could take the seat, the best first; points: of all together who would advise then"
    )


def router(door: Door) -> APIRouter:
    made = APIRouter(tags=["hand-overs"])
    coordinator = require(door.secret, "coordinator")
    store = door.store

    @made.get("/hand-overs", dependencies=[Depends(coordinator)])
    async def vacancies(limit: Limit = 50, after: Annotated[Id | None, Query()] = None) -> Page[VacancyView]:
        """Running consultations with an advisor who can't go on, the oldest requests first."""
        found = await handing.vacancies(store, door.today(), after or "", limit + 1, await door.policy())
        ids = list(dict.fromkeys(one.engagement.id for one in found))
        shown = set(ids[:limit])
        items = [
            VacancyView(
                request=work_item(one.engagement, door.register, door.rules, door.today()),
                hand_over=HandOverView.of(one.entry),
                replacements=[ScoredView.of(each) for each in one.replacements],
            )
            for one in found
            if one.engagement.id in shown
        ]
        return Page(items=items, next=ids[limit - 1] if len(ids) > limit else None)

    @made.post("/requests/{request_id}/hand-over")
    async def hand_over(
        request_id: RequestId, body: HandOverBody, caller: Annotated[Caller, Depends(coordinator)]
    ) -> WorkItem:
        """Asks `to` to take the seat of `advisor`. What is arranged goes over when everybody has accepted."""
        policy = await door.policy()
        known = await again(
            lambda: handing.hand_over(
                store, request_id, body.advisor, body.to, caller, body.reason, door.rules, door.clock(), policy
            )
        )
        return work_item(known, door.register, door.rules, door.today())

    @made.post("/requests/{request_id}/stays")
    async def stays(
        request_id: RequestId, body: AdvisorBody, caller: Annotated[Caller, Depends(coordinator)]
    ) -> WorkItem:
        """Settled otherwise: the advisor goes on after all."""
        known = await again(lambda: handing.stays(store, request_id, body.advisor, caller, body.reason, door.clock()))
        return work_item(known, door.register, door.rules, door.today())

    return made
