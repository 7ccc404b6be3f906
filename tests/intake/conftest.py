"""Intake's app on the real database; Kafka is never reached, facts come in by the consumer's own functions."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from deploy.local.stack import Stack
from services.intake import consumer
from services.intake.app import build
from services.intake.settings import Settings
from services.intake.store import Store
from shared import auth, carried
from shared.events import Event
from shared.ids import new_id
from shared.inbox import mark
from shared.mongo import Document, Mongo
from shared.service import Service
from tests.intake import samples
from tests.waiting import until

SECRET = "only-for-intakes-tests-0123456789-0123456789"


@dataclass
class Intake:
    """A running intake and what a test needs of it."""

    app: FastAPI
    http: httpx.AsyncClient
    settings: Settings

    @property
    def mongo(self) -> Mongo:
        service: Service = self.app.state.service
        return service.mongo

    async def post(self, **changes: Any) -> dict[str, str]:
        """A request that was taken: its answer."""
        answer = await self.http.post("/api/requests", json=samples.body(**changes))
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def hear(self, *facts: Event) -> None:
        store = Store(self.mongo, self.app.state.service.commits)
        for fact in facts:
            (on,) = [on for on in consumer.reactions(store) if on.event is type(fact)]
            await on.handle(fact, mark("intake", new_id()))

    def token(self, request_id: str) -> str:
        return auth.sign(SECRET, "status", request_id)

    def path(self, request_id: str, tail: str = "", root: str = "/api/requests") -> str:
        return f"{root}/{request_id}{tail}?token={self.token(request_id)}"

    async def rows(self, request_id: str) -> list[Document]:
        """What is told of a request, in order."""
        request = await self.mongo["requests"].find_one({"_id": request_id}) or {}
        return carried.rows(request) + await self.mongo["outbox"].find({"key": request_id}).sort("order", 1).to_list(
            None
        )


def intake_settings(stack: Stack, **values: Any) -> Settings:
    given = {"kafka": "127.0.0.1:1", "mongo": stack.mongo, "secret": SECRET, "prefix": f"t{secrets.token_hex(4)}-"}
    return Settings.model_validate({**given, "limit_address_minute": 0, "limit_email_day": 0, **values})


async def running(stack: Stack, **values: Any) -> AsyncIterator[Intake]:
    settings = intake_settings(stack, **values)
    app = build(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://intake.test") as http,
    ):
        intake = Intake(app, http, settings)
        await until(lambda: _serves(http), what="intake takes requests")
        yield intake
        await intake.mongo.client.drop_database(intake.mongo.db.name)


async def _serves(http: httpx.AsyncClient) -> bool:
    """An unknown key is refused only when the register was read."""
    contact = {"name": "Probe", "email": f"{new_id()}@rathaus.example"}
    answer = await http.post("/api/requests", json=samples.body(municipality_ags="08999999", contact=contact))
    return answer.status_code == 422


@pytest.fixture(scope="module")
async def intake(stack: Stack) -> AsyncIterator[Intake]:
    async for each in running(stack):
        yield each


@pytest.fixture
async def limited(stack: Stack) -> AsyncIterator[Intake]:
    async for each in running(stack, limit_address_minute=0, limit_email_day=2):
        yield each
