"""A service as a process, and questions to it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from shared.settings import Settings

MIGLOBE = str(Path(sys.executable).with_name("miglobe"))


@contextmanager
def running(command: list[str], settings: Settings, **env: str) -> Iterator[subprocess.Popen[str]]:
    """`command` with `settings` in its environment and its log on stderr; ended by SIGTERM."""
    given = {
        "MIGLOBE_KAFKA": settings.kafka,
        "MIGLOBE_MONGO": settings.mongo,
        "MIGLOBE_SECRET": settings.secret.get_secret_value(),
        "MIGLOBE_PREFIX": settings.prefix,
    }
    process = subprocess.Popen(command, env=os.environ | given | env, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@contextmanager
def serving(service: str, settings: Settings, port: int, **env: str) -> Iterator[subprocess.Popen[str]]:
    """`miglobe serve`."""
    with running([MIGLOBE, "serve", service, "--port", str(port)], settings, **env) as process:
        yield process


async def answer(port: int, path: str) -> httpx.Response | None:
    async with httpx.AsyncClient() as client:
        try:
            return await client.get(f"http://127.0.0.1:{port}{path}", timeout=10)
        except httpx.TransportError:
            return None


async def checks(port: int, **expected: str) -> dict[str, Any] | None:
    """`/readyz`, once each check begins as expected."""
    found = await answer(port, "/readyz")
    body: dict[str, Any] = found.json() if found else {"checks": {}}
    fits = all(body["checks"].get(name, "").startswith(begin) for name, begin in expected.items())
    return body if found and fits else None
