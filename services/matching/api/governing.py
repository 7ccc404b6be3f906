"""/api/requests/…: what a coordinator decides beside the assignment itself."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends

from services.matching.api.bodies import AdvisorBody, NoteBody, ReconsiderBody
from services.matching.api.door import Door, RequestId
from services.matching.api.views import RequestDetail, request, work_item
from services.matching.domain.model import Engagement
from services.matching.handlers import notices, releasing
from shared.auth import Caller, require
from shared.commit import again


def router(door: Door) -> APIRouter:
    made = APIRouter(prefix="/requests", tags=["requests"])
    Coordinator = Annotated[Caller, Depends(require(door.secret, "coordinator"))]
    store = door.store

    async def done(act: Callable[[], Awaitable[Engagement]]) -> RequestDetail:
        known = await again(act)
        item = work_item(known, door.register, door.rules, door.today())
        return request(known, item, door.register, await store.dossier(known.id), None)

    @made.post("/{request_id}/reconsider")
    async def reconsider(request_id: RequestId, body: ReconsiderBody, caller: Coordinator) -> RequestDetail:
        """The matcher decides once more, in place of a proposal or of parking, and not for those in `without`."""
        without = tuple(dict.fromkeys(body.without))
        return await done(lambda: releasing.reconsider(store, request_id, without, caller, body.reason, door.clock()))

    @made.post("/{request_id}/pin")
    async def pin(request_id: RequestId, body: AdvisorBody, caller: Coordinator) -> RequestDetail:
        """This advisor is kept in whatever is decided; the rest is found round them. Pinning twice is fine."""
        return await done(lambda: releasing.pin(store, request_id, body.advisor, caller, body.reason, door.clock()))

    @made.post("/{request_id}/unpin")
    async def unpin(request_id: RequestId, body: AdvisorBody, caller: Coordinator) -> RequestDetail:
        """The choice is free again where nobody was asked yet."""
        return await done(lambda: releasing.unpin(store, request_id, body.advisor, caller, body.reason, door.clock()))

    @made.post("/{request_id}/notes")
    async def note(request_id: RequestId, body: NoteBody, caller: Coordinator) -> RequestDetail:
        """A note for the coordinators, in the audit trail."""
        return await done(lambda: releasing.note(store, request_id, caller, body.text, door.clock()))

    @made.post("/{request_id}/conflict")
    async def conflict(request_id: RequestId, body: AdvisorBody, caller: Coordinator) -> RequestDetail:
        """This advisor must not advise this municipality: neither asked nor seated any more, or to be replaced."""
        policy = await door.policy()
        return await done(
            lambda: releasing.flag_conflict(
                store, request_id, body.advisor, caller, body.reason, door.rules, policy, door.clock()
            )
        )

    @made.post("/{request_id}/remind")
    async def remind(request_id: RequestId, caller: Coordinator) -> RequestDetail:
        """Those who have not answered, now. 409 when they were asked or reminded only just."""
        rules = (await door.policy()).rules
        return await done(lambda: notices.remind(store, request_id, caller, door.rules, rules, door.clock()))

    return made
