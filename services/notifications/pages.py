"""/messages: what was sent to whom, with its outcome, for coordinators and operations; and send again."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.notifications import handlers, words
from services.notifications.domain import Message, State
from services.notifications.letters import Letter, Letters
from services.notifications.store import Store
from shared import web
from shared.errors import Conflict, Problem, Stale, Unavailable
from shared.events.base import Id, moment
from shared.idempotency import Once
from shared.ids import new_id
from shared.login import Viewer, signed_in
from shared.look import Look
from shared.mongo import Mongo

ROWS = 50
MessageId = Annotated[Id, Path()]
_TOKEN = re.compile(r"(token=)[A-Za-z0-9_-]{20,}")
_CASE = re.compile(r"(?:MG)?([0-9A-Z]{4})([0-9A-Z]{4})")


def router(look: Look, store: Store, letters: Letters, mongo: Mongo) -> APIRouter:
    routes = APIRouter(prefix="/messages", route_class=look.route_class, include_in_schema=False)
    Looking = Annotated[Viewer, Depends(signed_in("coordinator", "ops"))]
    Coordinator = Annotated[Viewer, Depends(signed_in("coordinator"))]

    @routes.get("")
    async def listing(
        request: Request,
        viewer: Looking,
        case: Annotated[str, Query(max_length=200)] = "",
        state: Annotated[State | Literal[""], Query()] = "",
        before: Annotated[Id | None, Query()] = None,
    ) -> HTMLResponse:
        """The newest first; `case`: a case number as people write it."""
        found, numbers, contacts = await handlers.listed(store, typed(case), state or None, before, ROWS + 1)
        kept = {name: value for name, value in (("case", case.strip()), ("state", state)) if value}
        older = urlencode({**kept, "before": found[ROWS - 1].id}) if len(found) > ROWS else ""
        return look.show(
            request,
            "pages/messages.html",
            messages=found[:ROWS],
            numbers=numbers,
            names={key: contact.name for key, contact in contacts.items() if not contact.erased},
            templates=words.TEMPLATES,
            states=words.STATES,
            case=case,
            state=state,
            newest=urlencode(kept) if before else None,
            older=older,
        )

    async def page(request: Request, message: Message, viewer: Viewer, trouble: Problem | None = None) -> HTMLResponse:
        case, contacts, writable = await handlers.shown(store, message)
        letter = letters.write(message, case, contacts) if writable and viewer.role == "coordinator" else None
        numbers = await store.case_numbers([message.request_id])
        return look.show(
            request,
            "pages/message.html",
            trouble.status if trouble else 200,
            message=message,
            number=numbers.get(message.request_id),
            template=words.TEMPLATES[message.template],
            state=words.STATES[message.state],
            reason=words.REASONS.get(message.reason or "", message.reason),
            name=contacts[message.contact].name if message.contact in contacts else "",
            letter=_masked(letter) if letter else None,
            may_resend=viewer.role == "coordinator" and not message.is_open(),
            csrf=viewer.csrf,
            key=new_id(),
            resent=request.query_params.get("resent") == "1",
            trouble=trouble,
        )

    @routes.get("/{message_id}")
    async def one(request: Request, message_id: MessageId, viewer: Looking) -> HTMLResponse:
        return await page(request, await handlers.read(store, message_id), viewer)

    @routes.post("/{message_id}/resend")
    async def resend(
        request: Request, message_id: MessageId, viewer: Coordinator, key: Annotated[Id, Form()]
    ) -> Response:
        """Once per page that was shown: a second click finds the first one's mark."""
        once = Once(mongo, f"POST /messages/{message_id}/resend", key, message_id.encode())

        async def act() -> dict[str, object]:
            before = await handlers.read(store, message_id)
            answer: dict[str, object] = {"id": message_id}
            await handlers.resend(store, before, viewer.subject, moment(datetime.now(UTC)), once.mark(answer))
            return answer

        try:
            await once.run(act)
        except (Conflict, Unavailable, Stale) as error:
            said = web.as_problem(error)
            return await page(request, await handlers.read(store, message_id), viewer, said)
        return RedirectResponse(f"/messages/{message_id}?resent=1", 303)

    return routes


def typed(case: str) -> str:
    """A case number as it is stored, of what somebody typed; other words find nothing."""
    plain = "".join(each for each in case.upper() if each.isalnum())
    found = _CASE.fullmatch(plain)
    return f"MG-{found[1]}-{found[2]}" if found else case.strip()


def _masked(letter: Letter) -> tuple[str, str]:
    """Subject and text; links open nothing for those who only look."""
    return letter.subject, _TOKEN.sub(r"\1…", letter.text)
