"""What `/readyz` of each service says while something is broken."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from tests.chaos.world import SERVICES

PAUSE = 0.5
PATIENCE = 5.0
"""Seconds after which an orchestrator would call a service dead."""


@dataclass(frozen=True)
class Look:
    """One GET /readyz; `status` 0: no answer."""

    began: float
    ended: float
    service: str
    status: int
    checks: Mapping[str, str]

    @property
    def well(self) -> bool:
        return self.status == 200 and all(said == "up" for said in self.checks.values())

    def names(self, dependency: str) -> bool:
        return self.checks.get(dependency, "up") != "up"


@asynccontextmanager
async def watch(urls: Mapping[str, str], slack: float) -> AsyncIterator[list[Look]]:
    """Asks throughout the block, each service by itself: one that is frozen holds up no other."""
    looks: list[Look] = []
    async with httpx.AsyncClient(timeout=PATIENCE * slack) as http:
        following = [asyncio.create_task(_follow(http, name, urls[name], looks)) for name in SERVICES]
        try:
            yield looks
        finally:
            for task in following:
                task.cancel()
            await asyncio.wait(following)


async def _follow(http: httpx.AsyncClient, service: str, url: str, looks: list[Look]) -> None:
    while True:
        began = time.monotonic()
        try:
            answer = await http.get(f"{url}/readyz")
            status, checks = answer.status_code, answer.json()["checks"]
        except httpx.TransportError:
            status, checks = 0, {}
        looks.append(Look(began, time.monotonic(), service, status, checks))
        await asyncio.sleep(PAUSE)
