"""The whole service with its consumer, projector and relay, and facts as they come to it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from services.reporting.app import build
from services.reporting.facts import Fact
from services.reporting.settings import Settings
from shared.auth import Role, token
from shared.publisher import Message
from shared.tasks import end
from tests.conftest import SECRET
from tests.shared.kafka import send


def on_the_wire(fact: Fact, prefix: str) -> Message:
    head = {
        "ce_specversion": "1.0",
        "ce_id": fact.id,
        "ce_type": fact.type,
        "ce_source": fact.source,
        "ce_time": fact.time,
        "ce_subject": fact.key,
    }
    return Message(
        prefix + fact.topic, fact.key.encode(), fact.data.encode(), [(k, v.encode()) for k, v in head.items()]
    )


async def tell(settings: Settings, facts: Sequence[Fact]) -> None:
    await send(settings.kafka, [on_the_wire(fact, settings.prefix) for fact in facts])


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The service, asked by SKEW unless a request brings a token of its own."""
    app = build(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=as_("skew")) as client:
            yield client


@asynccontextmanager
async def working(app: FastAPI, *names: str) -> AsyncIterator[None]:
    """Those of the service's loops alone, for doors that are asked without it running."""
    tasks = [asyncio.create_task(app.state.service._jobs[name]()) for name in names]
    try:
        yield
    finally:
        await end(*tasks)


def as_(role: Role, subject: str = "x") -> dict[str, str]:
    return {"Authorization": f"Bearer {token(SECRET, role, subject)}"}


async def ask(client: httpx.AsyncClient, path: str, role: Role = "coordinator", who: str = "anna", **query: Any) -> Any:
    answer = await client.get(path, params=query, headers=as_(role, who))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def post(
    client: httpx.AsyncClient, path: str, body: Any, role: Role = "coordinator", who: str = "anna", status: int = 200
) -> Any:
    answer = await client.post(path, json=body, headers=as_(role, who))
    assert answer.status_code == status, answer.text
    return answer.json()
