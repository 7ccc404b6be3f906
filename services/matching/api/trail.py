"""/api/audit: everything that people have decided: who, when, what, why."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from services.matching.api.bodies import Page
from services.matching.api.door import Door, Limit
from services.matching.api.views import AuditView
from services.matching.trail import Kind
from shared.auth import require


class TrailView(AuditView):
    about: str = Field(description="which request, advisor, budget or version of the policy")
    kind: Kind


def router(door: Door) -> APIRouter:
    made = APIRouter(prefix="/audit", tags=["audit"])
    coordinator = Depends(require(door.secret, "coordinator"))

    @made.get("", dependencies=[coordinator])
    async def trail(
        about: Annotated[
            str | None, Query(max_length=40, description="a request, an advisor, a budget or a version")
        ] = None,
        by: Annotated[str | None, Query(max_length=200, description="whoever decided")] = None,
        limit: Limit = 50,
        after: Annotated[str | None, Query(max_length=200)] = None,
    ) -> Page[TrailView]:
        """The newest first."""
        found = await door.store.trail(about, by, after or "", limit + 1)
        items = [
            TrailView(**AuditView.of(one.entry).model_dump(), about=one.about, kind=one.kind) for one in found[:limit]
        ]
        return Page(items=items, next=found[limit - 1].place if len(found) > limit else None)

    return made
