"""The mark that an event was processed, stored with its effects: unique per consumer and event."""

from collections.abc import Iterable

from shared.commit import Insert
from shared.mongo import Mongo

COLLECTION = "inbox"


def mark(consumer: str, event_id: str) -> Insert:
    """Part of the `Change` that `event_id` has caused in `consumer`."""
    return Insert(COLLECTION, {"_id": {"g": consumer, "m": event_id}})


async def done(mongo: Mongo, consumer: str, event_ids: Iterable[str]) -> set[str]:
    """Those of `event_ids` that `consumer` has processed for good."""
    keys = [{"g": consumer, "m": event_id} for event_id in event_ids]
    found = await mongo.settled(COLLECTION).find({"_id": {"$in": keys}}).to_list(None)
    return {document["_id"]["m"] for document in found}
