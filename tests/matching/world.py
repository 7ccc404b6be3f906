"""The HTTP door on a real database, without Kafka: the test turns the matcher itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from services.matching import api, pages
from services.matching.api.door import Door
from services.matching.domain.worklist import Rules
from services.matching.finding import Finder
from services.matching.settings import Settings
from services.matching.simulator import Simulator
from services.matching.store import Store
from shared import auth, idempotency, outbox, register, web
from shared.commit import Committer, committing
from shared.login import noticed
from shared.mongo import Mongo
from shared.tasks import end
from tests.matching.play import Play

SECRET = "only-for-tests-0123456789-0123456789"
REGISTER = register.load()


class World(Play):
    """`Play` with a client; `sign` makes the links of the mails."""

    def __init__(self, store: Store, mongo: Mongo) -> None:
        super().__init__(store, Rules())
        self.mongo = mongo
        self.simulator = Simulator(store, self.rules)
        self.app = FastAPI()
        web.install(self.app)
        self.app.dependency_overrides[noticed] = lambda: None  # nobody logs in here: a bearer says who it is
        door = Door(store, mongo, self.rules, REGISTER, SECRET, lambda: self.now)
        self.app.include_router(api.router(door), responses=web.RESPONSES)
        look = pages.look_of(Settings(secret=SecretStr(SECRET)))
        self.app.include_router(
            pages.router(look, door, lambda *roles: auth.require(SECRET, *roles), self.simulator),
            responses=web.RESPONSES,
        )
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://matching")

    def bearer(self, role: auth.Role, subject: str = "koordination") -> dict[str, str]:
        return {"authorization": f"Bearer {auth.token(SECRET, role, subject)}"}

    def link(self, assignment_id: str, advisor_id: str) -> dict[str, str]:
        return {"advisor": advisor_id, "token": auth.sign(SECRET, "answer", assignment_id, advisor_id)}

    async def get(self, path: str, *, by: str | None = "", **params: object) -> httpx.Response:
        return await self.client.get(path, headers=self._headers(by), params=params)  # type: ignore[arg-type]

    async def post(
        self, path: str, body: object = None, *, by: str | None = "", key: str | None = None, **params: object
    ) -> httpx.Response:
        """`by`: an advisor's number, "" for a coordinator, None for nobody."""
        headers = self._headers(by) | ({"idempotency-key": key} if key else {})
        return await self.client.post(path, json=body, headers=headers, params=params)  # type: ignore[arg-type]

    async def put(self, path: str, body: object, *, by: str | None = "") -> httpx.Response:
        return await self.client.put(path, json=body, headers=self._headers(by))

    async def rows(self, topic: str) -> list[dict[str, object]]:
        return await self.mongo[outbox.COLLECTION].find({"topic": topic}).sort("_id", 1).to_list(None)

    def _headers(self, by: str | None) -> dict[str, str]:
        if by is None:
            return {}
        return self.bearer("advisor", by) if by else self.bearer("coordinator")


@asynccontextmanager
async def world(mongo: Mongo, now: datetime | None = None) -> AsyncIterator[World]:
    await outbox.prepare(mongo)
    await idempotency.prepare(mongo)
    async with committing(Committer(mongo, "matching")) as commits:
        store = Store(mongo, commits, Rules())
        await store.prepare()
        await Finder(mongo).prepare()
        made = World(store, mongo)
        made.now = now or made.now
        simulating = asyncio.create_task(made.simulator.run())
        try:
            async with made.client:
                yield made
        finally:
            await end(simulating)
