"""A consumer of the real broker whose effect is a document per event."""

import asyncio
from collections import Counter as Counting
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from shared import dlq
from shared.broker import Handler, Inlet, Meters, On
from shared.commit import Change, Committer, Insert, Put, committing
from shared.events import RequestCreated, RequestDossier, RequestWithdrawn
from shared.ids import new_id
from shared.mongo import Mongo
from shared.publisher import Publisher
from shared.settings import Settings
from shared.tasks import end


@dataclass
class Effects:
    """Can be told to fail, to hold its handlers in the middle (`gate`), to do something else (`react`).

    Two effects of one event would show.
    """

    commits: Committer
    failing: list[Exception] = field(default_factory=list)
    calls: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    react: Handler | None = None
    inlet: Inlet = field(init=False)

    def __post_init__(self) -> None:
        self.gate.set()

    async def on_any(self, event: Any, mark: Insert) -> None:
        self.calls += 1
        number = self.calls
        await self.gate.wait()
        if self.failing:
            raise self.failing.pop(0)
        if self.react:
            await self.react(event, mark)
            return
        seen = {"_id": new_id(), "event": mark.document["_id"]["m"], "key": event.key, "n": number}
        await self.commits.commit(Change((Insert("effects", seen),), mark=mark))

    async def erased(self, key: str, mark: Insert) -> None:
        await self.commits.commit(Change((Put("effects", {"_id": f"erased {key}"}),), mark=mark))


@asynccontextmanager
async def listening(
    mongo: Mongo, settings: Settings, *failing: Exception, held: bool = False, **consumer: Any
) -> AsyncIterator[Effects]:
    """`held`: with its gate shut; `consumer`: settings of aiokafka's consumer other than ours."""
    registry = CollectorRegistry()
    publisher = Publisher(settings.kafka, "test-dlq")
    async with committing(Committer(mongo, "matching")) as commits:
        effects = Effects(commits, list(failing))
        if held:
            effects.gate.clear()
        effects.inlet = inlet = Inlet(
            "matching",
            [
                On(RequestCreated, effects.on_any),
                On(RequestWithdrawn, effects.on_any),
                On(RequestDossier, effects.on_any, effects.erased),
            ],
            bootstrap=settings.kafka,
            prefix=settings.prefix,
            mongo=mongo,
            publisher=publisher,
            meters=Meters(
                Counter("h", "h", ("topic", "outcome"), registry=registry),
                *(Histogram(name, name, ("topic",), registry=registry) for name in "spt"),
            ),
        )
        inlet.subscriber._connection_args.update(consumer)
        await inlet.start()
        keeping = asyncio.create_task(inlet.keep())
        try:
            yield effects
        finally:
            effects.gate.set()
            await end(keeping)
            await inlet.broker.stop()
            await publisher.close()


async def count(mongo: Mongo, expected: int) -> bool:
    return await mongo["effects"].count_documents({}) == expected


async def per_event(mongo: Mongo) -> Counting[str]:
    """How many effects each event had."""
    return Counting([row["event"] for row in await mongo["effects"].find().to_list(None)])


async def dead(settings: Settings) -> list[dlq.Letter]:
    return [letter async for letter in dlq.letters(settings, dlq.names(settings, "matching"))]


async def buried(settings: Settings, number: int) -> list[dlq.Letter]:
    """The dead letters once there are so many."""
    found = await dead(settings)
    return found if len(found) >= number else []
