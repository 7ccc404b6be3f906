"""/api/advisors: the pool, for coordinators; an advisor sees themselves and announces absences."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from services.matching.api.bodies import AbsencesBody, LeaveBody, Page
from services.matching.api.door import Door, Limit, Number
from services.matching.domain.model import Advisor
from services.matching.entries import AdvisorEntry, NumberedEntry, unknown_places
from services.matching.handlers import advisors as handlers
from shared.auth import Caller, require
from shared.commit import again
from shared.errors import Forbidden, Invalid
from shared.events.base import AdvisorId, FieldCode
from shared.idempotency import Once
from shared.web import once


class AbsenceView(BaseModel):
    start: date
    end: date


class AdvisorView(BaseModel):
    """`erased_at`: the personal data were erased, only the number is left."""

    id: str
    name: str
    email: str
    phone: str | None
    correspondence: Literal["de", "en"]
    levels: dict[FieldCode, int]
    languages: list[str]
    regions: list[str]
    certified_on: date
    certified_until: date
    capacity: int
    absences: list[AbsenceView]
    conflicts: list[str]
    erased_at: datetime | None
    leaves_on: date | None = Field(description="their last day in the programme: they are asked for nothing new")

    @classmethod
    def of(cls, one: Advisor) -> "AdvisorView":
        return cls.model_validate(one, from_attributes=True)


def router(door: Door) -> APIRouter:
    made = APIRouter(prefix="/advisors", tags=["advisors"])
    deciding = require(door.secret, "coordinator")
    coordinator = Depends(deciding)
    concerned = require(door.secret, "coordinator", "advisor")
    store = door.store

    @made.get("", dependencies=[coordinator])
    async def advisors(limit: Limit = 50, after: Annotated[AdvisorId | None, Query()] = None) -> Page[AdvisorView]:
        """By number, erased ones too."""
        found = await store.advisors(after or "", limit + 1)
        items = [AdvisorView.of(one) for one in found[:limit]]
        return Page(items=items, next=items[-1].id if len(found) > limit else None)

    @made.post("", status_code=201, response_model=AdvisorView)
    async def add(
        body: NumberedEntry,
        caller: Annotated[Caller, Depends(deciding)],
        once: Annotated[Once, Depends(once(door.mongo))],
        response: Response,
    ) -> dict[str, Any]:
        """A new advisor; the matcher knows them at once. Takes an Idempotency-Key."""
        _check(body, door)

        async def act() -> dict[str, Any]:
            wanted = body.advisor(body.id, None)
            added = await handlers.add(
                store, wanted, caller.subject, door.clock(), lambda one: once.mark({"id": one.id})
            )
            return {"id": added.id}

        advisor_id = (await once.run(act))["id"]
        response.headers["Location"] = f"/api/advisors/{advisor_id}"
        return AdvisorView.of(await handlers.get(store, advisor_id)).model_dump()

    @made.get("/{advisor_id}")
    async def advisor(advisor_id: Number, caller: Annotated[Caller, Depends(concerned)]) -> AdvisorView:
        _own(caller, advisor_id)
        return AdvisorView.of(await handlers.get(store, advisor_id))

    @made.put("/{advisor_id}")
    async def change(
        advisor_id: Number, body: AdvisorEntry, caller: Annotated[Caller, Depends(deciding)]
    ) -> AdvisorView:
        """The whole entry; absences stay when they are left out."""
        _check(body, door)

        async def act() -> AdvisorView:
            known = await handlers.get(store, advisor_id)
            wanted, governed = body.advisor(advisor_id, known), await door.governed()
            return AdvisorView.of(await handlers.change(store, wanted, caller.subject, governed, door.clock()))

        return await again(act)

    @made.put("/{advisor_id}/absences")
    async def absences(
        advisor_id: Number, body: AbsencesBody, caller: Annotated[Caller, Depends(concerned)]
    ) -> AdvisorView:
        """All absences from now on. While absent nobody is asked.

        A long one, or one over a session, puts running consultations on the hand-over list.
        """
        _own(caller, advisor_id)
        away, governed = [entry.absence() for entry in body.absences], await door.governed()
        return AdvisorView.of(
            await again(lambda: handlers.announce(store, advisor_id, away, caller.subject, governed, door.clock()))
        )

    @made.post("/{advisor_id}/leave")
    async def leave(advisor_id: Number, body: LeaveBody, caller: Annotated[Caller, Depends(deciding)]) -> AdvisorView:
        """Their last day: nothing new is asked of them, what has begun goes on the hand-over list."""
        governed = await door.governed()
        return AdvisorView.of(
            await again(
                lambda: handlers.leave(
                    store, advisor_id, body.last_day, caller.subject, body.reason, governed, door.clock()
                )
            )
        )

    @made.delete("/{advisor_id}", status_code=204)
    async def erase(advisor_id: Number, caller: Annotated[Caller, Depends(deciding)]) -> None:
        """Erases their personal data here and in every copy, for good."""
        await again(lambda: handlers.erase(store, advisor_id, caller.subject, door.clock()))

    return made


def _own(caller: Caller, advisor_id: str) -> None:
    if caller.role == "advisor" and caller.subject != advisor_id:
        raise Forbidden("Das sind nicht Ihre Daten.", "These are not your data.")


def _check(body: AdvisorEntry, door: Door) -> None:
    if wrong := unknown_places(body, door.register):
        raise Invalid.of(*wrong)
