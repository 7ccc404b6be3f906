"""The HTTP door: what went to whom, send again, look at the templates."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from services.notifications import calls, handlers, sample
from services.notifications.domain import Audience, Language, Message, State
from services.notifications.letters import Letters
from services.notifications.store import Store
from shared import web
from shared.auth import Caller, require
from shared.errors import NotFound
from shared.events.base import AdvisorId, Code, Id, moment
from shared.idempotency import Once
from shared.mongo import Mongo

MessageId = Annotated[Id, Path(description="the message's id")]
TemplateName = Annotated[Code, Path(description="as `GET /api/templates` lists it")]
_SHOWN = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'", "Cache-Control": "no-store"}


class ResendItem(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    at: datetime
    by: str = Field(description="who asked for it")


class MessageItem(BaseModel):
    """One mail to one recipient about one event."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    request_id: str
    template: str
    recipient: Audience
    advisor_id: str | None
    address: str | None = Field(description="where the last attempt went; empty before it and after an erasure")
    state: State
    reason: str | None = Field(description="why it was dropped (superseded, erased, too_old) or has failed")
    waiting_for: list[str] = Field(
        description="dossiers as request:<id> or advisor:<id>, facts by their topic, that must arrive first"
    )
    cause_id: str = Field(description="ce_id of the event that it is about")
    happened_at: datetime = Field(description="when that event happened")
    queued_at: datetime | None
    due_at: datetime | None = Field(description="the next attempt, while queued")
    attempts: int
    last_error: str | None = Field(description="what the mail server said last")
    sent_at: datetime | None
    resends: list[ResendItem]


class MessagePage(BaseModel):
    items: list[MessageItem]
    next: str | None = Field(description="`after` of the next page")


class Queued(BaseModel):
    id: str
    state: State
    resends: int = Field(description="how often it was asked to be sent again")


class TemplateItem(BaseModel):
    name: str
    audiences: list[Audience]
    languages: list[Language]
    formats: list[Literal["text", "html"]]


class TemplatePage(BaseModel):
    items: list[TemplateItem]
    next: None = None


def router(store: Store, letters: Letters, secret: str, mongo: Mongo) -> APIRouter:
    api = APIRouter(prefix="/api", tags=["notifications"])
    looking = Depends(require(secret, "coordinator", "ops"))
    coordinator = require(secret, "coordinator")

    @api.get("/messages", dependencies=[looking])
    async def messages(
        request_id: Annotated[Id | None, Query(description="only those of one case")] = None,
        advisor_id: Annotated[AdvisorId | None, Query(description="only those to one advisor")] = None,
        state: State | None = None,
        template: Annotated[Code | None, Query(description="only those of one template")] = None,
        after: Annotated[Id | None, Query(description="`next` of the page before")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> MessagePage:
        """What went to whom, in the order of the events that it is about."""
        wanted = {"request_id": request_id, "advisor_id": advisor_id, "state": state, "template": template}
        filters = {name: value for name, value in wanted.items() if value is not None}
        found = await store.page(filters, after, limit + 1)
        items = [_item(message) for message in found[:limit]]
        return MessagePage(items=items, next=items[-1].id if len(found) > limit else None)

    @api.get("/messages/{message_id}", dependencies=[looking])
    async def message(message_id: MessageId) -> MessageItem:
        """One message."""
        return _item(await handlers.read(store, message_id))

    @api.post("/messages/{message_id}/resend", status_code=202, openapi_extra=_IDEMPOTENT)
    async def resend(
        message_id: MessageId,
        caller: Annotated[Caller, Depends(coordinator)],
        once: Annotated[Once, Depends(web.once(mongo))],
    ) -> Queued:
        """Send a message once more, to the address that is known now. It gets a new Message-ID.

        409 while it is on its way, when what it says no longer holds, and after an erasure.
        """

        async def act() -> dict[str, object]:
            now = moment(datetime.now(UTC))
            before = await handlers.read(store, message_id)
            answer = {"id": message_id, "state": "queued", "resends": len(before.resends) + 1}
            await handlers.resend(store, before, caller.subject, now, once.mark(answer))
            return answer

        return Queued.model_validate(await once.run(act))

    @api.get("/templates", dependencies=[looking])
    async def templates() -> TemplatePage:
        """All templates and who gets them."""
        return TemplatePage(
            items=[
                TemplateItem(name=name, audiences=list(to), languages=["de", "en"], formats=["text", "html"])
                for name, to in calls.TEMPLATES.items()
            ]
        )

    @api.get(
        "/templates/{name}/preview",
        dependencies=[looking],
        response_class=PlainTextResponse,
        responses={200: {"description": "the mail", "content": {"text/html": {"schema": {"type": "string"}}}}},
    )
    async def preview(
        name: TemplateName,
        lang: Language = "de",
        form: Annotated[Literal["text", "html"], Query(alias="format")] = "text",
        to: Annotated[Audience | None, Query(description="where a template has two audiences")] = None,
    ) -> Response:
        """A template filled with plainly fictional data; the text begins with its subject."""
        if name not in calls.TEMPLATES or (to is not None and to not in calls.TEMPLATES[name]):
            raise NotFound("Diese Vorlage gibt es nicht.", "There is no such template.")
        letter = letters.write(sample.message(name, to), sample.case(), sample.contacts(lang))
        if form == "html":
            return HTMLResponse(letter.html, headers=_SHOWN)
        return PlainTextResponse(f"{letter.subject}\n\n{letter.text}", headers=_SHOWN)

    return api


def _item(message: Message) -> MessageItem:
    return MessageItem.model_validate(message)


_IDEMPOTENT = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            "description": "the same key gets the same answer and no second mail",
        }
    ]
}
