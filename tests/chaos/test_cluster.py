"""Three brokers and three replicas; `make chaos CLUSTER=1` breaks them in more ways than there is time for here."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from shared import inbox
from shared.commit import Change, Committer, committing
from shared.errors import Unavailable
from shared.idempotency import Once
from shared.mongo import Mongo
from shared.outbox import Relay
from shared.publisher import Message, Publisher
from tests.chaos.cluster import MEMBERS, Clustered, clustered
from tests.chaos.elsewhere import OWN
from tests.chaos.faults import Fault
from tests.chaos.harness import SETTINGS, arena, rounds
from tests.chaos.nodes import CLUSTER
from tests.waiting import until

SLACK = 4.0
LOST = Fault("node-away", "leader+primary", after=1.0, seconds=14.0)
KEY = "0123456789"


@pytest.fixture(scope="module")
def stack() -> Iterator[Clustered]:
    with tempfile.TemporaryDirectory(prefix="miglobe-cluster-") as home, clustered(Path(home), OWN | SETTINGS) as one:
        yield one


class Recorded(Publisher):
    """Keeps what it is to publish."""

    def __init__(self) -> None:
        super().__init__("", "test")
        self.ids: list[str] = []

    async def publish(self, messages: Sequence[Message]) -> None:
        self.ids += [(message.key or b"").decode() for message in messages]


@asynccontextmanager
async def unheard(stack: Clustered) -> AsyncIterator[None]:
    """Nobody follows the primary; it takes some seconds to notice."""
    primary = await stack.cluster.primary()
    others = [name for name in MEMBERS if name != primary]
    for name in others:
        stack.cluster.pause(name)
    try:
        yield
    finally:
        for name in others:
            stack.cluster.resume(name)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_what_only_the_primary_has_is_neither_told_nor_believed_nor_published(stack: Clustered) -> None:
    """An election may undo it; once the majority has it, all of it holds."""
    mongo, relayed = Mongo(stack.mongo, "unheard"), Recorded()
    alone = mongo.client.get_database("unheard", write_concern=WriteConcern(w=1))
    relay = Relay(mongo, relayed, "", "test")

    def row(name: str) -> dict[str, Any]:
        return {"_id": name, "topic": "t", "key": name, "order": 1, "headers": {}, "body": None, "pending": True}

    async with committing(Committer(mongo, "test")) as commits:
        once = Once(mongo, "POST /x", KEY, b"")
        mark = once.mark({"said": "first"})
        assert mark is not None

        async def act() -> dict[str, Any]:
            await commits.commit(Change(mark=once.mark({"said": "second"})))
            return {"said": "second"}

        for name in ("idempotency", inbox.COLLECTION, "outbox"):
            await mongo[name].insert_one({"_id": "made"})
        await mongo["outbox"].insert_one(row("before"))
        running = asyncio.create_task(relay.run())
        try:
            await until(lambda: relayed.ids == ["before"])
            async with unheard(stack):
                await alone["idempotency"].insert_one(dict(mark.document))
                await alone[inbox.COLLECTION].insert_one(dict(inbox.mark("g", "m").document))
                await alone["outbox"].insert_one(row("after"))
                relay.wake()
                with pytest.raises((Unavailable, PyMongoError)):
                    await once.run(act)
                assert await inbox.done(mongo, "g", ["m"]) == set()
                assert relayed.ids == ["before"]

            async def told() -> Any:
                try:
                    return (await once.run(act))["said"]
                except (Unavailable, PyMongoError):
                    return None

            said = await until(told)
            assert await until(told) == said
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await mongo.close()


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_leader_and_primary_lost_under_load(stack: Clustered) -> None:
    async with arena(CLUSTER, stack, stack.mail_dir, "", "cluster", 1.0, SLACK, hasty=True) as one:
        [played] = await rounds(one, [LOST])
    assert played.verdict.sound, played.line()
    assert played.requests
