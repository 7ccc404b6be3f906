"""HTTP door of webhooks: for systems without Kafka that don't want to ask again and again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from services.reporting import webhooks as store
from services.reporting.entries import Entries
from services.reporting.ledger import Ledger
from services.reporting.params import Limit
from services.reporting.views import View
from services.reporting.webhooks import Allowed, Of, Webhook, Webhooks
from shared.auth import Caller, require
from shared.commit import Change, Committer, Insert
from shared.errors import FieldError, Invalid
from shared.events.base import Id
from shared.idempotency import Once
from shared.mongo import Mongo
from shared.web import once


class NewWebhook(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(max_length=500, description="https, on a host that the operator has named")]
    of: Of = "entries"
    after: Annotated[int | None, Field(ge=0, description="cursor to begin behind; without: only what is new")] = None


class WebhookView(View):
    """Messages are CloudEvents as the feeds have them, signed after Standard Webhooks."""

    id: str
    url: str
    of: Of
    position: int = Field(description="cursor of the last item that was taken")
    state: Literal["active", "disabled"] = Field(description="disabled: nothing was taken for days; see `enable`")
    created_by: str
    created_at: datetime
    failing_since: datetime | None
    attempts: int
    next_at: datetime | None
    last_error: str | None


class WebhookSecret(WebhookView):
    secret: str = Field(description="to check signatures with; for a day after a rotation the old one holds too")


class Delivery(View):
    id: str
    item: str = Field(description="the message's webhook-id")
    at: datetime
    attempt: int
    status: int | None = Field(description="null: no answer")
    error: str | None
    ms: int


class Deliveries(View):
    items: list[Delivery]
    next: str | None


class Listed(View):
    items: list[WebhookView]


Number = Annotated[Id, Path(alias="id")]


def router(
    mongo: Mongo, commits: Committer, kept: Webhooks, ledger: Ledger, entries: Entries, allowed: Allowed, secret: str
) -> APIRouter:
    needed = require(secret, "skew", "ops")
    routes = APIRouter(prefix="/api/webhooks", dependencies=[Depends(needed)])

    def with_secret(hook: Webhook) -> WebhookSecret:
        return WebhookSecret(**_view(hook), secret=store.secret(secret, hook.id, hook.generation))

    @routes.post("", status_code=201)
    async def add(
        body: NewWebhook,
        caller: Annotated[Caller, Depends(needed)],
        once: Annotated[Once, Depends(once(mongo))],
        response: Response,
    ) -> WebhookSecret:
        """A new webhook; the answer has its secret. Takes an Idempotency-Key."""
        if not allowed.permits(body.url):
            raise Invalid.of(
                FieldError(
                    "url",
                    "not_allowed",
                    "Erlaubt sind nur https-Adressen auf Servern, die der Betreiber freigegeben hat.",
                    "Only https addresses on hosts that the operator has named are allowed (MIGLOBE_WEBHOOK_HOSTS).",
                )
            )

        async def act() -> Mapping[str, Any]:
            head = (await entries.head())[0] if body.of == "entries" else await ledger.head()
            position = head if body.after is None else body.after
            made = await kept.new(body.url, body.of, position, caller.subject)
            answer = {"id": made["_id"]}
            await commits.commit(Change((Insert(store.WEBHOOKS, made),), mark=once.mark(answer)))
            return answer

        hook = await kept.get((await once.run(act))["id"])
        response.headers["Location"] = f"/api/webhooks/{hook.id}"
        return with_secret(hook)

    @routes.get("")
    async def listed() -> Listed:
        return Listed(items=[WebhookView(**_view(hook)) for hook in await kept.all()])

    @routes.delete("/{id}", status_code=204)
    async def remove(webhook_id: Number) -> None:
        """Nothing is delivered to it any more."""
        await kept.remove(webhook_id)

    @routes.post("/{id}/rotate")
    async def rotate(webhook_id: Number) -> WebhookSecret:
        """A new secret. For a day messages are signed with both."""
        return with_secret(await kept.rotate(webhook_id))

    @routes.post("/{id}/enable")
    async def enable(webhook_id: Number) -> WebhookView:
        """Goes on at once behind the last item that was taken."""
        return WebhookView(**_view(await kept.enable(webhook_id)))

    @routes.get("/{id}/deliveries")
    async def deliveries(
        webhook_id: Number,
        before: Annotated[Id | None, Query(alias="after", description="`next` of the page before")] = None,
        limit: Limit = 50,
    ) -> Deliveries:
        """Each attempt of the last 30 days, the last one first."""
        await kept.get(webhook_id)
        found = await kept.deliveries(webhook_id, before, limit + 1)
        items = [Delivery.model_validate({**one, "id": one["_id"]}) for one in found[:limit]]
        return Deliveries(items=items, next=items[-1].id if len(found) > limit else None)

    return routes


def _view(hook: Webhook) -> dict[str, Any]:
    return {name: getattr(hook, name) for name in WebhookView.model_fields}
