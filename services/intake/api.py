"""The HTTP door: the open form and search, and the routes that belong to one request."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request

from services.intake import handlers
from services.intake.answers import (
    FeedbackAnswer,
    MunicipalitiesAnswer,
    MunicipalityAnswer,
    StatusAnswer,
    SubmittedAnswer,
    WithdrawnAnswer,
)
from services.intake.bodies import FeedbackBody, RequestBody, WithdrawBody, request_body, schema
from services.intake.limits import Limits, network
from services.intake.rules import Rules
from services.intake.settings import Settings
from services.intake.store import Store
from shared import auth
from shared.access import by_link, everybody
from shared.events.base import Id
from shared.idempotency import Once
from shared.web import Json, language

RequestId = Annotated[Id, Path(description="UUIDv7")]
_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "the same key and body get the same answer, and no second effect",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}
_SUBMIT: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": schema(RequestBody)}}},
    "parameters": [_KEY],
}


def router(store: Store, once: Callable[[Request], Awaitable[Once]], settings: Settings, limits: Limits) -> APIRouter:
    """All of intake's routes under /api. `once`: the dependency that makes a POST's `Once`."""
    routes = APIRouter(prefix="/api")
    secret = settings.secret.get_secret_value()
    zone, deadlines = settings.zone, settings.deadlines()

    @by_link
    async def own(
        request_id: RequestId,
        token: Annotated[str | None, Query(max_length=200, description="status token")] = None,
        x_status_token: Annotated[str | None, Header(max_length=200)] = None,
    ) -> str:
        """The request's id, when the caller has its status token."""
        auth.check(secret, token or x_status_token, "status", request_id)
        return request_id

    Own = Annotated[str, Depends(own)]

    @routes.get("/municipalities")
    @everybody
    async def municipalities(
        q: Annotated[str, Query(max_length=100, description="name, part of it, or the beginning of the key")] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 20,
    ) -> MunicipalitiesAnswer:
        """Municipalities and districts that `q` may mean, the likeliest first."""
        found = await handlers.find(store, q, limit)
        return MunicipalitiesAnswer(items=[MunicipalityAnswer.of(entry) for entry in found])

    @routes.post("/requests", status_code=201, response_model=SubmittedAnswer, openapi_extra=_SUBMIT)
    @everybody
    async def submit(request: Request) -> Json:
        """A municipality asks for advice. No account needed; the status token opens the request's routes."""
        keyed = await once(request)  # a dependency solved by hand: the hot path
        limits.addresses.take(network(request.client.host if request.client else None))
        body = await request_body(request)
        limits.emails.take(body.contact.email.casefold())
        now = datetime.now(UTC)
        rules = Rules(settings.state, settings.today(now))
        answer = await keyed.run(lambda: handlers.submit(store, body.wish(), rules, now, keyed.mark))
        request_id = answer["request_id"]
        answer["status_token"] = auth.sign(secret, "status", request_id)
        return Json(answer, 201, {"Location": f"/api/requests/{request_id}"})

    @routes.get("/requests/{request_id}")
    async def status(request: Request, request_id: Own) -> StatusAnswer:
        """What has happened, what comes next, by when and whose turn it is."""
        seen = await handlers.view(store, request_id, datetime.now(UTC), deadlines)
        return StatusAnswer.of(seen.request, seen.status, seen.names, language(request), zone)

    @routes.post("/requests/{request_id}/withdraw")
    async def withdraw(request_id: Own, body: WithdrawBody) -> WithdrawnAnswer:
        """Takes the request back; a second time changes nothing and answers the same. 409 once it is closed."""
        found = await handlers.withdraw(store, request_id, body.reason, datetime.now(UTC))
        assert found.withdrawal is not None
        return WithdrawnAnswer(
            request_id=found.id,
            case_number=found.case_number,
            withdrawn_at=found.withdrawal.at,
            reason=found.withdrawal.reason,
        )

    @routes.post("/requests/{request_id}/feedback", status_code=201, openapi_extra={"parameters": [_KEY]})
    async def give_feedback(
        request_id: Own, body: FeedbackBody, once: Annotated[Once, Depends(once)]
    ) -> FeedbackAnswer:
        """How the consultation was, once it is closed. 409 before, and the second time."""
        feedback = body.feedback(datetime.now(UTC))
        answer = await once.run(lambda: handlers.give_feedback(store, request_id, feedback, once.mark))
        return FeedbackAnswer.model_validate(answer)

    return routes
