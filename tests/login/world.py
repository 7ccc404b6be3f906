"""A service with a few pages, and a browser that keeps cookies and follows redirects to the provider and back."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from typing import Annotated, Any
from urllib.parse import urljoin

import httpx
from fastapi import Depends, FastAPI, Form, Request

from shared import login, web
from shared.auth import Caller, require
from shared.mongo import Mongo
from shared.settings import Settings

SITE = "https://site.example"
SECRET = "only-for-tests-0123456789-0123456789"
Coordinator = Annotated[login.Viewer, Depends(login.signed_in("coordinator"))]
Advisor = Annotated[login.Viewer, Depends(login.signed_in("advisor"))]


class Browser:
    """One person's browser."""

    def __init__(self, app: FastAPI, site: str) -> None:
        self.http = httpx.AsyncClient(
            mounts={f"all://{httpx.URL(site).host}": httpx.ASGITransport(app)},
            transport=httpx.AsyncHTTPTransport(),
            base_url=site,
            follow_redirects=True,
            trust_env=False,
        )

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.http.get(path, **options)

    async def post(self, path: str, data: Any = None, **headers: str) -> httpx.Response:
        """As a browser sends a form of this site."""
        sent = {"origin": str(self.http.base_url).rstrip("/"), "sec-fetch-site": "same-origin"} | headers
        return await self.http.post(path, data=data, headers=sent)

    async def log_in(self, account: str, to: str = "/mine") -> httpx.Response:
        """Opens `to`, chooses `account` at the provider, and comes back."""
        asked = await self.get(to)
        assert asked.url.path.endswith("/oauth2/authorize"), (asked.url, asked.text[:300])
        return await self.http.post(asked.url, data={"sub": account})

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.name: cookie.value or "" for cookie in self.http.cookies.jar}


def field(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found, page.text
    return unescape(found[1])


def link(page: httpx.Response, words: str) -> str:
    found = re.search(rf'href="([^"]+)"[^>]*>(?:<span[^>]*>)?{re.escape(words)}', page.text)
    assert found, page.text
    return urljoin(str(page.url), unescape(found[1]))


class World:
    def __init__(self, mongo: Mongo, issuer: str, site: str = SITE, **settings: Any) -> None:
        self.mongo = mongo
        self.settings = Settings.model_validate(
            {"secret": SECRET, "oidc_issuer": issuer, "oidc_client_secret": "any", "site_url": site} | settings
        )
        self.site = site
        self.notes: list[tuple[str, str]] = []
        self.app = FastAPI()
        web.install(self.app)
        self.login = login.install(self.app, "matching", self.settings, mongo)
        self._pages()

    def _pages(self) -> None:
        @self.app.get("/mine")
        async def mine(viewer: Annotated[login.Viewer, Depends(login.signed_in())]) -> dict[str, Any]:
            told = {"subject": viewer.subject, "role": viewer.role, "name": viewer.name}
            return told | {"csrf": viewer.csrf, "logout": viewer.logout, "ends_in": viewer.ends_in}

        @self.app.get("/worklist")
        async def worklist(viewer: Coordinator, request: Request) -> dict[str, str]:
            return {"by": viewer.subject, "query": request.url.query}

        @self.app.get("/offers")
        async def offers(viewer: Advisor) -> dict[str, str]:
            return {"by": viewer.subject}

        @self.app.post("/notes")
        async def note(viewer: Coordinator, text: Annotated[str, Form()] = "") -> dict[str, str]:
            self.notes.append((viewer.subject, text))
            return {"text": text}

        @self.app.get("/api/work")
        async def work(caller: Annotated[Caller, Depends(require(SECRET, "coordinator"))]) -> dict[str, str]:
            return {"by": caller.subject}

    def browser(self) -> Browser:
        return Browser(self.app, self.site)


@asynccontextmanager
async def world(mongo: Mongo, issuer: str, site: str = SITE, **settings: Any) -> AsyncIterator[World]:
    made = World(mongo, issuer, site, **settings)
    await made.login.sessions.prepare()
    yield made
