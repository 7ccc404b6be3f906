"""Documents that carry what is told of them: state, events and Idempotency-Key in one insert, without a transaction.

For a change that stores one new document and nothing else, in a collection that its service calls a carrier, under the
`_id` that is the events' key. `told` holds the events; of published ones ids and topics are left, no bodies, and of
forgotten dossiers ids. `once` holds the mark of the key, for as long as keys are kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from shared import envelope
from shared.events import Event
from shared.ids import new_id
from shared.mongo import Document, Mongo
from shared.telemetry import current


class Carrier(NamedTuple):
    """Where an event stands; `last`: after all others of its document."""

    collection: str
    last: bool


PENDING = {"told.pending": True}
KEY = "once._id"
FORGOTTEN = "told.forgotten"


def carrier(
    document: Mapping[str, Any],
    events: Sequence[Event],
    version: int,
    service: str,
    now: datetime,
    mark: Mapping[str, Any] | None,
) -> Document:
    """`document` with `events`, all of the key that its `_id` is, and with the `mark` of the caller's key."""
    carrying = dict(document)
    if events:
        carrying["told"] = {
            "pending": True,
            "at": now,
            "order": version << 16,
            "headers": envelope.common(carrying["_id"], service, now, current(carrying["_id"])),
            "events": [
                {
                    "id": new_id(),
                    "topic": event.topic,
                    "type": event.type(),
                    "body": event.model_dump_json().encode(),
                }
                for event in events
            ],
        }
    if mark is not None:
        carrying["once"] = mark
    return carrying


def rows(document: Document, collection: str = "") -> list[Document]:
    """The events that `document` carries, as rows of the outbox; without bodies where they are published.

    `carrier`: where they stand.
    """
    told = document.get("told")
    if told is None:
        return []
    common, last = told.get("headers", {}), len(told["events"]) - 1
    return [
        {
            "_id": event["id"],
            "topic": event["topic"],
            "key": document["_id"],
            "order": told["order"] | place,
            "headers": {**common, "ce_id": event["id"], "ce_type": event["type"]},
            "body": event.get("body"),
            "created_at": told["at"],
            "carrier": Carrier(collection, place == last),
        }
        for place, event in enumerate(told["events"])
    ]


async def pending(mongo: Mongo, collection: str, limit: int) -> list[Document]:
    """What documents carry that is not published, of the oldest ones."""
    carriers = mongo.settled(collection).find(PENDING, {"told": 1}).sort("_id", 1).limit(limit)
    return _unpublished(await carriers.to_list(None), collection)


async def pending_of(mongo: Mongo, collection: str, keys: Iterable[str]) -> list[Document]:
    """What is not published of these keys."""
    carriers = mongo.settled(collection).find({**PENDING, "_id": {"$in": list(keys)}}, {"told": 1})
    return _unpublished(await carriers.to_list(None), collection)


async def published(mongo: Mongo, collection: str, done: Sequence[Document]) -> bool:
    """Notes that these rows of carriers are in Kafka. False when one of them may have been forgotten by now."""
    stood = True
    whole = {row["key"] for row in done if row["carrier"].last}
    if whole:  # an event goes out after those before it
        gone = {"told.pending": "", "told.headers": "", "told.events.$[].body": "", "told.events.$[].sent": ""}
        change = {"$set": {"told.published_at": datetime.now(UTC)}, "$unset": gone}
        theirs = {"_id": {"$in": list(whole)}, **PENDING}
        noted = await mongo[collection].update_many({**theirs, FORGOTTEN: None}, change)
        if noted.matched_count < len(whole):
            stood = False
            await mongo[collection].update_many(theirs, change)
    for row in done:
        if row["key"] not in whole:
            one = {"$set": {"told.events.$[one].sent": True}, "$unset": {"told.events.$[one].body": ""}}
            there = {"_id": row["key"], "told.events.id": row["_id"], **PENDING}
            noted = await mongo[collection].update_one(there, one, array_filters=[{"one.id": row["_id"]}])
            stood = stood and noted.matched_count == 1
    return stood


async def forget(mongo: Mongo, collection: str, key: str, topics: Sequence[str]) -> int:
    """Takes the events of `topics` out of what was told, published or not; how many were still to be published.

    Their ids stay, for a relay that has them in hand.
    """
    theirs = {"$in": ["$$this.topic", list(topics)]}
    ids = {"$map": {"input": {"$filter": {"input": "$told.events", "cond": theirs}}, "in": "$$this.id"}}
    left = {"$filter": {"input": "$told.events", "cond": {"$not": [theirs]}}}
    any_left = {"$anyElementTrue": [{"$map": {"input": "$told.events", "in": {"$not": ["$$this.sent"]}}}]}
    before = await mongo[collection].find_one_and_update(
        {"_id": key, "told.events.topic": {"$in": list(topics)}},
        [
            {"$set": {FORGOTTEN: {"$concatArrays": [{"$ifNull": [f"${FORGOTTEN}", []]}, ids]}, "told.events": left}},
            {"$set": {"told.pending": {"$cond": [{"$and": ["$told.pending", any_left]}, True, "$$REMOVE"]}}},
        ],
    )
    return sum(event["topic"] in topics and "body" in event for event in before["told"]["events"]) if before else 0


async def forgotten(mongo: Mongo, collection: str, keys: Iterable[str]) -> set[str]:
    """The ids of what was forgotten of these keys."""
    found = mongo.settled(collection).find({"_id": {"$in": list(keys)}, FORGOTTEN: {"$exists": True}}, {FORGOTTEN: 1})
    return {one for document in await found.to_list(None) for one in document["told"]["forgotten"]}


async def prepare(mongo: Mongo, collection: str) -> None:
    """The indexes of a carrier."""
    await mongo.index(
        collection, [("told.pending", 1), ("_id", 1)], name="told_pending", partialFilterExpression=PENDING
    )
    there = {"partialFilterExpression": {KEY: {"$exists": True}}}
    await mongo.index(collection, KEY, name="once", unique=True, **there)
    await mongo.index(collection, "once.at", name="once_at", **there)


def _unpublished(carriers: Iterable[Document], collection: str) -> list[Document]:
    return [
        row
        for document in carriers
        for row, event in zip(rows(document, collection), document["told"]["events"], strict=True)
        if not event.get("sent")
    ]
