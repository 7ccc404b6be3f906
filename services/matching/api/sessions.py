"""Sessions: arrange, move, call off, record."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from services.matching.api.bodies import CompleteBody, MoveBody, SessionBody
from services.matching.api.door import AssignmentId, Door, SessionId
from services.matching.domain.model import Session
from services.matching.handlers import sessions as handlers
from services.matching.handlers.rounds import of_assignment
from shared.auth import Caller, require
from shared.commit import again
from shared.events.base import FieldCode, Mode, SessionKind
from shared.idempotency import Once
from shared.web import once


class PresenceView(BaseModel):
    advisor_id: str
    minutes: int
    travel_km: int


class OptionView(BaseModel):
    id: str
    field: FieldCode
    text: str


class RecordView(BaseModel):
    held_on: date
    minutes: int
    mode: Mode
    participants: int
    members: list[PresenceView]
    options: list[OptionView]
    completed_at: datetime


class SessionView(BaseModel):
    """`minutes` as planned; `record`: how it was held, once it is recorded."""

    id: str
    assignment_id: str
    kind: SessionKind
    mode: Mode
    starts_at: datetime
    minutes: int
    advisor_ids: list[str]
    sequence: int
    state: Literal["scheduled", "cancelled", "completed"]
    record: RecordView | None

    @classmethod
    def of(cls, one: Session) -> "SessionView":
        return cls.model_validate(one, from_attributes=True)


class Sessions(BaseModel):
    """All of one assignment, in the order in which they were arranged."""

    items: list[SessionView]
    next: None = None


def router(door: Door) -> APIRouter:
    made = APIRouter(tags=["sessions"])
    Concerned = Annotated[Caller, Depends(require(door.secret, "coordinator", "advisor"))]
    store = door.store

    @made.get("/assignments/{assignment_id}/sessions")
    async def sessions(assignment_id: AssignmentId, caller: Concerned) -> Sessions:
        known = await of_assignment(store, assignment_id)
        handlers.allowed(known, caller)
        return Sessions(items=[SessionView.of(one) for one in known.sessions if one.assignment_id == assignment_id])

    @made.post("/assignments/{assignment_id}/sessions", status_code=201, response_model=SessionView)
    async def schedule(
        assignment_id: AssignmentId,
        body: SessionBody,
        caller: Concerned,
        once: Annotated[Once, Depends(once(door.mongo))],
        response: Response,
    ) -> dict[str, Any]:
        """Arrange a session of the tandem, once everybody has accepted. Takes an Idempotency-Key."""

        async def act() -> dict[str, Any]:
            arranged = await handlers.schedule(
                store,
                assignment_id,
                body.kind,
                body.mode,
                body.starts_at,
                body.minutes,
                caller,
                lambda session: once.mark(SessionView.of(session).model_dump(mode="json")),
                door.clock(),
            )
            return SessionView.of(arranged).model_dump(mode="json")

        answer = await once.run(act)
        response.headers["Location"] = f"/api/sessions/{answer['id']}"
        return answer

    @made.get("/sessions/{session_id}")
    async def session(session_id: SessionId, caller: Concerned) -> SessionView:
        return SessionView.of(await handlers.get(store, session_id, caller))

    @made.post("/sessions/{session_id}/reschedule")
    async def reschedule(session_id: SessionId, body: MoveBody, caller: Concerned) -> SessionView:
        moved = await again(
            lambda: handlers.reschedule(store, session_id, body.starts_at, body.minutes, caller, door.clock())
        )
        return SessionView.of(moved)

    @made.post("/sessions/{session_id}/cancel")
    async def cancel(session_id: SessionId, caller: Concerned) -> SessionView:
        return SessionView.of(await again(lambda: handlers.cancel(store, session_id, caller, door.clock())))

    @made.post("/sessions/{session_id}/complete")
    async def complete(session_id: SessionId, body: CompleteBody, caller: Concerned) -> SessionView:
        """Record how it was held, once; the same record again is fine."""
        record = body.record(door.clock())
        held = await again(lambda: handlers.complete(store, session_id, record, door.rules, caller))
        return SessionView.of(held)

    @made.post("/sessions/{session_id}/correct", dependencies=[Depends(require(door.secret, "coordinator"))])
    async def correct(session_id: SessionId, body: CompleteBody, caller: Concerned) -> SessionView:
        """Record anew how it was held, when the record was wrong; the closing is no hindrance.

        Claims that rest on the old record are taken back by counter-entries; nothing is overwritten.
        """
        record = body.record(door.clock())
        anew = await again(lambda: handlers.correct(store, session_id, record, door.rules, caller))
        return SessionView.of(anew)

    return made
