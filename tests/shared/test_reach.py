"""Kafka is found again, whatever became of the connection on which it was asked."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from deploy.local import ports
from deploy.local.stack import Stack
from shared.reach import Reach
from tests.chaos.proxy import Way


@pytest.fixture
async def way(stack: Stack) -> AsyncIterator[Way]:
    """To the run's Kafka."""
    made = Way(lambda: urlsplit(f"//{stack.kafka}").port or 0)
    made.open()
    yield made
    await asyncio.to_thread(made.close)


async def test_silence_is_no_answer_and_is_forgotten_when_it_ends(way: Way) -> None:
    reach = Reach(f"127.0.0.1:{way.port}", "test")
    way.turn("swallowing")
    assert not await reach.answers(0.5)
    assert not any(await asyncio.gather(reach.answers(0.5), reach.answers(0.5)))
    way.turn("fair")
    assert all(await asyncio.gather(reach.answers(20), reach.answers(20)))
    await reach.close()
    assert await reach.answers(20)
    await reach.close()


async def test_nobody_there_is_no_answer() -> None:
    chosen = ports.free(["nobody"], {})
    reach = Reach(f"127.0.0.1:{chosen['nobody']}", "test")
    assert not await reach.answers(5)
    await reach.close()
    chosen.release()
