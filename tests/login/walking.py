"""The four services' applications as they are, without Kafka, and somebody who tries every door."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import httpx
from fastapi import FastAPI
from pymongo import AsyncMongoClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import access
from shared.auth import Person
from shared.ids import new_id
from shared.login.login import Login
from shared.service import Service
from shared.settings import ServiceName
from tests.conftest import SECRET
from tests.login.issuing import Issuer

SITE = "https://site.example"
OWNER, FOREIGN = "A01", "A03"


@dataclass(frozen=True)
class Door:
    """One method of one route, with its parameters filled in."""

    method: str
    path: str
    url: str
    access: access.Access | None

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


class Walker:
    """Tries the doors of one service. `ids`: what stands for parameters, by the route's path or by their name; anything
    else gets a new id.
    """

    def __init__(self, app: FastAPI, issuer: Issuer) -> None:
        self.app, self.issuer = app, issuer
        self.service: Service = app.state.service
        self.login: Login = app.state.login
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(_begun(app)), base_url=SITE)

    def doors(self, ids: Mapping[str, str] | None = None, *by: access.By) -> Iterator[Door]:
        for route in access.routes(self.app.routes):
            if by and (route.access is None or route.access.by not in by):
                continue
            url = re.sub(r"{(\w+)(:\w+)?}", partial(_filled, ids or {}, route.path), route.path)
            for method in route.methods:
                yield Door(method, route.path, url, route.access)

    async def bearing(self, door: Door, token: str | None, **options: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return await self._asks(door, headers | options.pop("headers", {}), **options)

    async def seated(self, door: Door, session: str | None, *, csrf: bool = True, data: Any = None) -> httpx.Response:
        """With a session's cookie, as a browser sends it; with the form's token unless `csrf` is False."""
        headers = {"origin": SITE, "sec-fetch-site": "same-origin"}
        if session:
            headers["cookie"] = f"{self.login.cookies.name('session')}={session}"
            found = await self.login.sessions.find(session)
            if found and csrf:
                headers["x-csrf-token"] = self.login.viewer(found).csrf
        return await self._asks(door, headers, data=data)

    async def session(self, role: access.Role | None, number: str | None = None) -> str:
        person = Person(number or role or "nobody", "Beispiel", (role,) if role else (), number)
        return await self.login.sessions.begin(person, "an id token")

    async def contents(self) -> dict[str, list[Any]]:
        """All that the service has stored, but for logins."""
        db = self.service.mongo.db
        names = sorted(set(await db.list_collection_names()) - {"web_sessions", "kept_forms"})
        return {name: [one async for one in db[name].find().sort("_id", 1)] for name in names}

    async def _asks(self, door: Door, headers: Mapping[str, str], **options: Any) -> httpx.Response:
        return await self.http.request(door.method, door.url, headers=dict(headers), **options)


def _begun(app: FastAPI) -> ASGIApp:
    """`app`, whose streams end when they have begun: that they do is enough to know."""

    async def cut(scope: Scope, receive: Receive, send: Send) -> None:
        streams = False

        async def passing(message: Message) -> None:
            nonlocal streams
            await send(message)
            if (b"content-type", b"text/event-stream") in [
                (n, v.partition(b";")[0]) for n, v in message.get("headers", ())
            ]:
                streams = True
                await send({"type": "http.response.body", "body": b""})
                raise ConnectionAbortedError

        try:
            await app(scope, receive, passing)
        except ConnectionAbortedError:
            assert streams

    return cut


def _filled(ids: Mapping[str, str], path: str, found: re.Match[str]) -> str:
    return ids.get(path) or ids.get(found[1]) or new_id()


@asynccontextmanager
async def walking(service: ServiceName, mongo: str, prefix: str, issuer: Issuer) -> AsyncIterator[Walker]:
    """One service with a provider, on a database of its own that is dropped in the end."""
    root = import_module(f"services.{service}.app")
    given = {"secret": SECRET, "mongo": mongo, "prefix": prefix, "oidc_issuer": issuer.url, "site_url": SITE}
    settings = import_module(f"services.{service}.settings").Settings.model_validate(given)
    walker = Walker(root.build(settings), issuer)
    committing = asyncio.create_task(walker.service.commits.run())
    try:
        await walker.login.sessions.prepare()
        yield walker
    finally:
        walker.service.commits.close()
        await committing
        await walker.service.publisher.close()
        await walker.service.mongo.close()
        async with AsyncMongoClient[Any](mongo) as client:
            await client.drop_database(settings.database(service))
