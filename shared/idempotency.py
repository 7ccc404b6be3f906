"""Idempotency-Key: the same POST sent again gets the same answer, and no second effect.

The key's mark holds the answer and is stored with the effect, in the same transaction. Keys belong to
one route; a mark expires after `KEPT`.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.commit import Insert, again, settled
from shared.errors import Duplicate, FieldError, Invalid, Problem, Stale, Unavailable
from shared.mongo import Mongo

COLLECTION = "idempotency"
KEPT = timedelta(days=7)


class Once:
    """One POST with its Idempotency-Key (or without: then nothing is remembered)."""

    def __init__(self, mongo: Mongo, route: str, key: str | None, body: bytes) -> None:
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
        self._id = f"{route} {key}" if key is not None else None
        self._hash = hashlib.sha256(body).hexdigest()

    def mark(self, answer: Mapping[str, Any]) -> Insert | None:
        """To be stored with the effect: `answer` (plain JSON, no secrets) is what a repetition gets."""
        if self._id is None:
            return None
        document = {"_id": self._id, "hash": self._hash, "answer": dict(answer), "at": datetime.now(UTC)}
        return Insert(COLLECTION, document)

    async def run(self, act: Callable[[], Awaitable[Mapping[str, Any]]]) -> dict[str, Any]:
        """`act`'s answer, or the first one's when this key was used before. Each act stores the mark.

        Nothing is looked up beforehand: a repetition fails on the mark of the first, or is refused by what
        the first has done. Raises Invalid when the key was used with another body.
        """
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
        found = await self._mongo[COLLECTION].find_one({"_id": self._id})
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
            await settled(lambda: self._mongo.settled(COLLECTION).find_one({"_id": self._id}), found)
        except Stale:
            raise _unsettled() from None
        return dict(found["answer"])


def _unsettled() -> Unavailable:
    return Unavailable(
        "Die erste Anfrage mit diesem Schlüssel wird noch gespeichert.",
        "The first request with this key is still being stored.",
        retry_after=1,
    )


async def prepare(mongo: Mongo) -> None:
    await mongo.index(COLLECTION, "at", name="kept", expireAfterSeconds=int(KEPT.total_seconds()))
