"""Idempotency-Key: the same POST sent again gets the same answer, and no second effect.

The key's mark holds the answer and is stored with the effect, in the same transaction or in the same document.
Keys belong to one route; a mark expires after `KEPT`.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from shared import carried
from shared.commit import Insert, Mark, again, settled
from shared.errors import Duplicate, FieldError, Invalid, Problem, Stale, Unavailable
from shared.mongo import Document, Mongo

COLLECTION = "idempotency"
KEPT = timedelta(days=7)


class Carried:
    """The marks that the new documents of `collection` carry, of calls of `route`.

    Marks that were made before documents carried them stand where those of other routes do, until they expire.
    """

    def __init__(self, mongo: Mongo, collection: str, route: str) -> None:
        self.route = route
        self._mongo = mongo
        self._collection = collection
        self._others: bool | None = None

    async def others(self) -> bool:
        """Whether there are such marks; they would not stop a repetition, and have to be looked for."""
        if self._others is None:
            theirs = {"_id": {"$gte": f"{self.route} ", "$lt": f"{self.route}!"}}
            self._others = await self._mongo[COLLECTION].find_one(theirs, {"_id": 1}) is not None
        return self._others

    async def find(self, mark_id: str | None, *, settled: bool = False) -> Document | None:
        documents = (self._mongo.settled if settled else self._mongo.__getitem__)(self._collection)
        found = await documents.find_one({carried.KEY: mark_id}, {"once": 1})
        return found["once"] if found else None


async def forget(mongo: Mongo, collection: str, now: datetime) -> int:
    """Takes marks that have expired out of the documents that carry them; from how many."""
    expired = {"once.at": {"$lte": now - KEPT}, carried.KEY: {"$exists": True}}
    return (await mongo[collection].update_many(expired, {"$unset": {"once": ""}})).modified_count


class Once:
    """One POST with its Idempotency-Key (or without: then nothing is remembered)."""

    def __init__(self, mongo: Mongo, route: str, key: str | None, body: bytes, marks: Carried | None = None) -> None:
        """`marks`: those that documents carry, where what this POST makes may be such a one."""
        if key is not None and not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
            raise Invalid.of(
                FieldError(
                    "Idempotency-Key",
                    "bad_key",
                    "Der Idempotency-Key braucht 1 bis 255 druckbare ASCII-Zeichen.",
                    "Idempotency-Key needs 1 to 255 printable ASCII characters.",
                )
            )
        self._mongo = mongo
        self._marks = marks if marks and marks.route == route else None
        self._id = f"{route} {key}" if key is not None else None
        self._hash = hashlib.sha256(body).hexdigest()

    def mark(self, answer: Mapping[str, Any]) -> Insert | None:
        """To be stored with the effect: `answer` (plain JSON, no secrets) is what a repetition gets."""
        if self._id is None:
            return None
        document = {"_id": self._id, "hash": self._hash, "answer": dict(answer), "at": datetime.now(UTC)}
        return Mark(COLLECTION, document)

    async def run(self, act: Callable[[], Awaitable[Mapping[str, Any]]]) -> dict[str, Any]:
        """`act`'s answer, or the first one's when this key was used before. Each act stores the mark.

        Nothing is looked up beforehand: a repetition fails on the mark of the first, or is refused by what
        the first has done. Raises Invalid when the key was used with another body.
        """
        if self._id and self._marks and await self._marks.others() and (before := await self._before()) is not None:
            return before
        try:
            return dict(await again(act))
        except Unavailable:
            raise
        except (Duplicate, Problem) as error:
            if self._id is not None and (before := await self._before()) is not None:
                return before
            if isinstance(error, Duplicate) and error.collection == COLLECTION:
                raise _unsettled() from error  # it was undone since
            raise

    async def _before(self) -> dict[str, Any] | None:
        """The first one's answer. Raises Unavailable while it may yet be undone."""
        found = await self._find()
        if found is None:
            return None
        if found["hash"] != self._hash:
            raise Invalid.of(
                FieldError(
                    "Idempotency-Key",
                    "key_reused",
                    "Dieser Idempotency-Key wurde schon mit anderem Inhalt verwendet.",
                    "This Idempotency-Key was used with another body.",
                )
            )
        try:
            await settled(lambda: self._find(settled=True), found)
        except Stale:
            raise _unsettled() from None
        return dict(found["answer"])

    async def _find(self, *, settled: bool = False) -> Document | None:
        marks = (self._mongo.settled if settled else self._mongo.__getitem__)(COLLECTION)
        found = await marks.find_one({"_id": self._id})
        if found is None and self._marks:
            return await self._marks.find(self._id, settled=settled)
        return found


def _unsettled() -> Unavailable:
    return Unavailable(
        "Die erste Anfrage mit diesem Schlüssel wird noch gespeichert.",
        "The first request with this key is still being stored.",
        retry_after=1,
    )


async def prepare(mongo: Mongo) -> None:
    await mongo.index(COLLECTION, "at", name="kept", expireAfterSeconds=int(KEPT.total_seconds()))
