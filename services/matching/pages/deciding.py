"""/coordination/requests: release, decide anew, pin, remind, notes, and who takes over from whom."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel

from services.matching.api.bodies import AdvisorBody, HandOverBody, NoteBody, ReconsiderBody, ReleaseBody
from services.matching.api.door import Door, RequestId
from services.matching.handlers import handing, notices, releasing
from services.matching.pages import forms
from services.matching.pages.showing import Guard, Pages, Show, back
from shared.auth import Caller
from shared.commit import again
from shared.errors import Conflict, Invalid, NotFound

B = TypeVar("B", bound=BaseModel)


def router(door: Door, pages: Pages, guard: Guard, show: Show) -> APIRouter:
    made = APIRouter(prefix="/coordination/requests", route_class=pages.route_class)
    Coordinator = Annotated[Caller, Depends(guard("coordinator"))]
    store = door.store

    async def decide(
        request: Request,
        request_id: str,
        done: str,
        model: type[B],
        names: Mapping[str, str],
        act: Callable[[forms.Form, B], Awaitable[Any]],
        lists: tuple[str, ...] = (),
    ) -> Response:
        """`names`: the model's field → the page's; `lists`: those of several values in one field."""
        form = await forms.read(request)
        values: dict[str, Any] = {}
        for field, name in names.items():
            text = form.get(name).strip()
            values[field] = text.upper().replace(",", " ").split() if field in lists else text
            if field in ("advisor", "to"):
                values[field] = text.upper()
        try:
            body = forms.check(model, values)
            await again(lambda: act(form, body))
        except (Conflict, Invalid, NotFound) as error:
            form.blame(error, names)
            return await show(request, request_id, form, error.status)
        return back(f"/coordination/requests/{request_id}", done)

    @made.post("/{request_id}/release")
    async def release(request: Request, request_id: RequestId, by: Coordinator) -> Response:
        """Asks whom the matcher has proposed, as the page showed it."""
        policy = await door.policy()

        async def act(form: forms.Form, body: ReleaseBody) -> None:
            shown, why = form.get("assignment_id"), body.reason or ""
            await releasing.release(store, shown, by, why, policy, door.rules, door.clock())

        return await decide(request, request_id, "released", ReleaseBody, {"reason": "release_reason"}, act)

    @made.post("/{request_id}/reconsider")
    async def reconsider(request: Request, request_id: RequestId, by: Coordinator) -> Response:
        async def act(_: forms.Form, body: ReconsiderBody) -> None:
            without = tuple(dict.fromkeys(body.without))
            await releasing.reconsider(store, request_id, without, by, body.reason, door.clock())

        names = {"without": "without", "reason": "reconsider_reason"}
        return await decide(request, request_id, "reconsidered", ReconsiderBody, names, act, ("without",))

    @made.post("/{request_id}/pin")
    async def pin(request: Request, request_id: RequestId, by: Coordinator) -> Response:
        """This advisor is kept in whatever is decided; the rest is found round them."""

        async def act(_: forms.Form, body: AdvisorBody) -> None:
            await releasing.pin(store, request_id, body.advisor, by, body.reason, door.clock())

        names = {"advisor": "pin_advisor", "reason": "pin_reason"}
        return await decide(request, request_id, "pinned", AdvisorBody, names, act)

    @made.post("/{request_id}/unpin")
    async def unpin(request: Request, request_id: RequestId, by: Coordinator) -> Response:
        async def act(_: forms.Form, body: AdvisorBody) -> None:
            await releasing.unpin(store, request_id, body.advisor, by, body.reason, door.clock())

        names = {"advisor": "unpin_advisor", "reason": "unpin_reason"}
        return await decide(request, request_id, "unpinned", AdvisorBody, names, act)

    @made.post("/{request_id}/note")
    async def note(request: Request, request_id: RequestId, by: Coordinator) -> Response:
        """Kept once, also when the form is sent twice."""
        once_key: dict[str, Any] = {}

        async def act(form: forms.Form, body: NoteBody) -> None:
            once = once_key.setdefault("once", forms.once(door.mongo, request, form))

            async def keep() -> dict[str, Any]:
                await releasing.note(store, request_id, by, body.text, door.clock(), once.mark({"noted": True}))
                return {"noted": True}

            await once.run(keep)

        return await decide(request, request_id, "noted", NoteBody, {"text": "note"}, act)

    @made.post("/{request_id}/remind")
    async def remind(request: Request, request_id: RequestId, by: Coordinator) -> Response:
        rules = (await door.policy()).rules

        async def act(_: forms.Form, __: ReleaseBody) -> None:
            await notices.remind(store, request_id, by, door.rules, rules, door.clock())

        return await decide(request, request_id, "reminded", ReleaseBody, {}, act)

    @made.post("/{request_id}/hand-over")
    async def hand_over(request: Request, request_id: RequestId, by: Coordinator) -> Response:
        policy = await door.policy()

        async def act(_: forms.Form, body: HandOverBody) -> None:
            await handing.hand_over(
                store, request_id, body.advisor, body.to, by, body.reason, door.rules, door.clock(), policy
            )

        names = {"advisor": "leaving", "to": "to", "reason": "hand_over_reason"}
        return await decide(request, request_id, "handed_over", HandOverBody, names, act)

    @made.post("/{request_id}/stays")
    async def stays(request: Request, request_id: RequestId, by: Coordinator) -> Response:
        async def act(_: forms.Form, body: AdvisorBody) -> None:
            await handing.stays(store, request_id, body.advisor, by, body.reason, door.clock())

        names = {"advisor": "leaving", "reason": "hand_over_reason"}
        return await decide(request, request_id, "stays", AdvisorBody, names, act)

    return made
