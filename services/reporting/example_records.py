"""Practice examples as they are kept, and every query of them. No rebuild touches them."""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from services.reporting.examples import Example
from shared.commit import Change, Committer, Insert, Replace
from shared.events import ExampleDecided
from shared.mongo import Document, Mongo

EXAMPLES = "examples"
_EXAMPLE = TypeAdapter(Example)


class ExampleRecords:
    def __init__(self, mongo: Mongo, commits: Committer) -> None:
        self._mongo = mongo
        self._commits = commits

    async def prepare(self) -> None:
        await self._mongo.index(EXAMPLES, "request_id", name="request", unique=True)
        await self._mongo.index(EXAMPLES, "status", name="status")

    async def one(self, example_id: str) -> Example | None:
        """As it stands for good: what is off the page must not come back."""
        found = await self._mongo.settled(EXAMPLES).find_one({"_id": example_id})
        return _example(found) if found else None

    async def of_request(self, request_id: str) -> Example | None:
        found = await self._mongo[EXAMPLES].find_one({"request_id": request_id})
        return _example(found) if found else None

    async def all(self, skip: int = 0, limit: int = 0) -> list[Example]:
        """The last one drafted first; at most `limit`, 0 is no limit."""
        found = self._mongo[EXAMPLES].find().sort("_id", -1).skip(skip).limit(limit)
        return [_example(document) for document in await found.to_list(None)]

    async def public(self, skip: int = 0, limit: int = 0) -> list[Example]:
        """The last one published first; at most `limit`, 0 is no limit."""
        found = self._mongo.settled(EXAMPLES).find({"status": "published"})
        last = [("history.at", -1), ("_id", -1)]  # the latest of its steps: that it was published
        return [_example(document) for document in await found.sort(last).skip(skip).limit(limit).to_list(None)]

    async def told(self) -> list[str]:
        """The requests of all that are public or ever were: what was read stays known."""
        return sorted(await self._mongo[EXAMPLES].distinct("request_id", {"history.act": "published"}))

    async def save(self, example: Example, events: Sequence[ExampleDecided] = (), mark: Insert | None = None) -> None:
        """Raises Stale when somebody else was faster, Duplicate when its request has another one.

        `mark`: of the call, see `shared/idempotency.py`.
        """
        write = Replace(EXAMPLES, _document(example), example.version - 1)
        await self._commits.commit(Change((write,), tuple(events), example.version, mark))


def _document(example: Example) -> Document:
    document: Document = _EXAMPLE.dump_python(example)
    return {"_id": document.pop("id"), **document}


def _example(document: dict[str, Any]) -> Example:
    return _EXAMPLE.validate_python({"id": document["_id"], **document})
