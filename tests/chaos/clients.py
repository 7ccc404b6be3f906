"""Clients as they are in the field: each repeats until it is answered, and remembers what it was told."""

import asyncio
import email
import email.policy
import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx

from shared.auth import Role, token

PATIENCE = 150.0
"""Seconds after which a client gives up; longer than any outage that is played."""
ADVISORS = "@beratung.example"
AGAIN = (429, 502, 503, 504)


class Refused(Exception):
    """A clear no: what was asked for is not possible (any more)."""


class NoAnswer(Exception):
    """The client has given up."""


@dataclass(frozen=True)
class Attempt:
    """One POST /api/requests on the wire; `status` 0: no answer."""

    began: float
    ended: float
    status: int
    retry_after: bool


@dataclass
class Told:
    """Everything that the services have confirmed to somebody."""

    intended: set[str] = field(default_factory=set)
    """The number of each request that somebody wanted to make; it stands in its need."""
    begun: dict[str, float] = field(default_factory=dict)
    """Number → when the wish was first spoken."""
    requests: dict[str, str] = field(default_factory=dict)
    """Number → request_id, answered 201."""
    withdrawn: set[str] = field(default_factory=set)
    answers: dict[tuple[str, str], str] = field(default_factory=dict)
    """(assignment_id, advisor_id) → accepted or declined."""
    sessions: dict[str, str] = field(default_factory=dict)
    """session_id → request_id."""
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    """session_id → the record that was confirmed."""
    closed: set[str] = field(default_factory=set)
    rated: set[str] = field(default_factory=set)
    erasing: dict[str, str] = field(default_factory=dict)
    """Id of a request, draft or advisor whose erasure was begun → the word that stands in all that they have told."""
    erased: dict[str, str] = field(default_factory=dict)
    """Word → id, of those whose erasure was confirmed."""
    attempts: list[Attempt] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    """Answers that no client should ever get: 500s, silence after the outage."""


class Mailbox:
    """The links by which advisors answer, out of the mails that the sink has."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._read: set[str] = set()
        self._links: dict[tuple[str, str], str] = {}
        self._looked = 0.0

    async def link(self, assignment_id: str, advisor_id: str) -> str | None:
        """The token of the link that asks `advisor_id`; None while the mail has not come."""
        if (assignment_id, advisor_id) not in self._links and time.monotonic() > self._looked + 0.3:
            self._looked = time.monotonic()
            await asyncio.to_thread(self._look)
        return self._links.get((assignment_id, advisor_id))

    def _look(self) -> None:
        for path in self._directory.glob("*.eml"):
            if path.name in self._read:
                continue
            self._read.add(path.name)
            raw = path.read_bytes()
            if ADVISORS.encode() not in raw[:500]:
                continue
            message = email.message_from_bytes(raw, policy=email.policy.default)
            part = message.get_body(("plain",))
            for found in re.finditer(r"/assignments/([0-9a-f-]{36})/answer\?(\S+)", part.get_content() if part else ""):
                given = parse_qs(found[2])
                self._links[found[1], given["advisor"][0]] = given["token"][0]


class Client:
    """Talks to the four services as municipality, advisor or coordinator."""

    def __init__(self, urls: Mapping[str, str], secret: str, told: Told, seconds: float) -> None:
        """`seconds`: how long one waits for an answer."""
        self._urls = urls
        self._secret = secret
        self._told = told
        self._tokens: dict[tuple[str, str], str] = {}
        self._http = httpx.AsyncClient(timeout=seconds, limits=httpx.Limits(max_connections=1000))

    async def close(self) -> None:
        await self._http.aclose()

    async def get(self, service: str, path: str, **params: str) -> Any:
        """GET as a coordinator."""
        return await self.ask("GET", service, path, role="coordinator", params=params)

    async def ask(
        self,
        method: str,
        service: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        key: str | None = None,
        role: Role | None = None,
        subject: str = "chaos",
        params: Mapping[str, str] | None = None,
    ) -> Any:
        """The answer, after as many attempts as it takes. Raises Refused or NoAnswer."""
        headers = {"Idempotency-Key": key} if key else {}
        if role:
            headers["Authorization"] = f"Bearer {self._token(role, subject)}"
        submits = (method, path) == ("POST", "/api/requests")
        give_up, pause = time.monotonic() + PATIENCE, 0.2
        while True:
            began, status, later, said = time.monotonic(), 0, False, ""
            try:
                answer = await self._http.request(
                    method, self._urls[service] + path, json=body, headers=headers, params=params
                )
                status, later, said = answer.status_code, "retry-after" in answer.headers, answer.text[:300]
            except httpx.TransportError as error:
                said = repr(error)
            if submits:
                self._told.attempts.append(Attempt(began, time.monotonic(), status, later))
            if 200 <= status < 300:
                return answer.json() if answer.content else None
            if status and status not in AGAIN:
                self._told.refusals[f"{method} {service} {status}"] += 1
                if status >= 500:
                    self._told.complaints.append(f"{method} {service}{path}: {status} {said}")
                raise Refused(f"{method} {service}{path}: {status} {said}")
            if time.monotonic() > give_up:
                self._told.complaints.append(f"{method} {service}{path}: no answer in {PATIENCE:.0f} s: {said}")
                raise NoAnswer(path)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)

    def _token(self, role: Role, subject: str) -> str:
        if (role, subject) not in self._tokens:
            self._tokens[role, subject] = token(self._secret, role, subject)
        return self._tokens[role, subject]
