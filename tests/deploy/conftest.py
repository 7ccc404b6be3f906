"""Small stacks: Kafka and mongod are those of the session, so that starting one takes a second."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.stack import Stack

Small = Callable[..., Stack]


@pytest.fixture
def elsewhere(stack: Stack) -> dict[str, str]:
    """An environment that names the session's Kafka and mongod as servers elsewhere."""
    return {"MIGLOBE_KAFKA": stack.kafka, "MIGLOBE_MONGO": stack.mongo, "MIGLOBE_SMTP": ""}


@pytest.fixture
def small(elsewhere: dict[str, str], tmp_path: Path) -> Iterator[Small]:
    """Makes stacks that start a mail sink only; stopped after the test."""
    made: list[Stack] = []

    def make(services: tuple[str, ...] = (), home: Path = tmp_path / "home", **options: object) -> Stack:
        env = elsewhere | options.pop("env", {})  # type: ignore[operator]
        made.append(Stack(home, services, env=env, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.stop()


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie doesn't."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text() and os.getpgid(pid) > 0
    except (FileNotFoundError, ProcessLookupError):
        return False
