"""The breaks themselves: each takes one guarantee out of the plumbing that all services share."""

import asyncio
from collections.abc import Iterable
from typing import Any

from aiokafka import TopicPartition

from shared import broker, carried, inbox
from shared.commit import Committer, Insert
from shared.ids import new_id
from shared.mongo import Document, Mongo
from shared.outbox import Relay

GAP = 1.0
"""Seconds between the two halves of what was one step; a fault falls in there."""

EARLY = ("intake", "matching")
"""Who tells too early; the others go on as fast as ever."""


def apply(kinds: str) -> None:
    """`kinds`: names with a space between them."""
    for kind in kinds.split():
        {"inbox": _inbox, "early": _early, "late": _late, "forget": _forget, "keep": _keep}[kind]()


def _inbox() -> None:
    def mark(consumer: str, event_id: str) -> Insert:
        unique = f"{event_id} {new_id()}"
        return Insert(inbox.COLLECTION, {"_id": {"g": consumer, "m": event_id, "x": unique}})

    async def done(mongo: Mongo, consumer: str, event_ids: Iterable[str]) -> set[str]:
        del mongo, consumer, event_ids
        return set()

    inbox.mark, inbox.done = mark, done


def _early() -> None:
    write, insert = Committer._write, Committer._insert

    async def publish_first(self: Committer, batch: Any) -> None:
        relay = getattr(self.stored, "__self__", None)
        rows = [row for waiting in batch for row in waiting.rows]
        rows += [row for waiting in batch if waiting.carrier for row in carried.rows(waiting.carrier)]
        if rows and isinstance(relay, Relay) and self._service in EARLY:
            await relay._publisher.publish([relay._message(row) for row in rows])
            await asyncio.sleep(GAP)

    async def write_second(self: Committer, batch: Any) -> None:
        await publish_first(self, batch)
        await write(self, batch)

    async def insert_second(self: Committer, collection: str, entries: Any) -> Any:
        await publish_first(self, entries)
        return await insert(self, collection, entries)

    Committer._write = write_second  # type: ignore[method-assign]
    Committer._insert = insert_second  # type: ignore[method-assign]


def _late() -> None:
    publish = Relay._publish

    async def mark_first(self: Relay, wave: list[Document]) -> set[str]:
        await self._mark(wave)
        await asyncio.sleep(GAP)
        return await publish(self, wave)

    Relay._publish = mark_first  # type: ignore[method-assign]


def _forget() -> None:
    handle = broker.Inlet._handle

    async def commit_first(self: broker.Inlet, batch: Any) -> None:
        ends: dict[Any, int] = {}
        for record in batch:
            place = TopicPartition(record.topic, record.partition)
            ends[place] = max(ends.get(place, 0), record.offset + 1)
        assert self.subscriber.consumer is not None
        await self.subscriber.consumer.commit(ends)
        await asyncio.sleep(GAP)
        await handle(self, batch)

    broker.Inlet._handle = commit_first  # type: ignore[method-assign]


def _keep() -> None:
    async def erase_nothing(self: broker.Inlet, on: broker.On, record: Any) -> str:
        del self, on, record
        return "erased"

    broker.Inlet._erase = erase_nothing  # type: ignore[method-assign]
