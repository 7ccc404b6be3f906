"""What everybody has to do, out of what stands beside the engagements for it.

Read with every pass and on many pages, so only indexes are read: `held`, who holds a place, as one string, and `paid`,
the minutes of each that are recorded, from the day `paid_from` to `paid_until`. Few engagements have records of both
sides of a year's edge; of these the records are read.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from pymongo import UpdateOne

from services.matching.domain.model import Engagement, Session
from shared.mongo import Document, Mongo

_SESSIONS = TypeAdapter(tuple[Session, ...])
_COLLECTION = "engagements"
_YEAR = timedelta(days=365)
_BATCH = 500


class Loads(NamedTuple):
    """Advisor → open engagements, and paid minutes in the twelve months up to a day."""

    open: dict[str, int]
    paid: dict[str, int]


def beside(engagement: Engagement) -> Document:
    return _beside(engagement.holders, engagement.sessions)


async def prepare(mongo: Mongo) -> None:
    """The indexes; and what an earlier release has stored without it gets what stands beside."""
    await mongo.index(_COLLECTION, [("held", 1)])
    recorded = {"paid_until": {"$gt": ""}}
    keys = [("paid_until", 1), ("paid_from", 1), ("paid", 1)]
    await mongo.index(_COLLECTION, keys, partialFilterExpression=recorded)
    found = mongo[_COLLECTION].find({"held": None}, {"version": 1, "holders": 1, "sessions": 1}).limit(_BATCH)
    while without := await found.clone().to_list(None):
        await mongo[_COLLECTION].bulk_write(
            [
                UpdateOne(  # whoever has saved it meanwhile has given it that
                    {"_id": one["_id"], "version": one["version"]},
                    {"$set": _beside(one.get("holders", ()), _SESSIONS.validate_python(one.get("sessions", ())))},
                )
                for one in without
            ]
        )


async def read(mongo: Mongo, today: date) -> Loads:
    since = (today - _YEAR).isoformat()

    async def counted(field: str, wanted: Document) -> list[Document]:
        return await mongo.aggregate(
            _COLLECTION, [{"$match": wanted}, {"$group": {"_id": f"${field}", "n": {"$sum": 1}}}]
        )

    held, within, over = await asyncio.gather(
        counted("held", {"held": {"$gt": ""}}),
        counted("paid", {"paid_until": {"$gte": since}, "paid_from": {"$gte": since}}),
        mongo[_COLLECTION]
        .find({"paid_until": {"$gte": since}, "paid_from": {"$lt": since}}, {"sessions": 1})
        .to_list(None),
    )
    open_now, paid = Counter[str](), Counter[str]()
    for row in held:
        for one in row["_id"].split():
            open_now[one] += row["n"]
    for row in within:
        for one, minutes in _parted(row["_id"]):
            paid[one] += minutes * row["n"]
    for document in over:
        paid.update(_paid(_SESSIONS.validate_python(document["sessions"]), since))
    return Loads(dict(open_now), dict(paid))


def _beside(holders: Sequence[str], sessions: Sequence[Session]) -> Document:
    days = sorted(one.record.held_on.isoformat() for one in sessions if one.record)
    found: dict[str, Any] = {"held": " ".join(sorted(holders))}
    if days:
        paid = " ".join(f"{one}:{minutes}" for one, minutes in sorted(_paid(sessions).items()))
        found |= {"paid": paid, "paid_from": days[0], "paid_until": days[-1]}
    return found


def _paid(sessions: Sequence[Session], since: str = "") -> Counter[str]:
    found = Counter[str]()
    for session in sessions:
        if session.record and session.record.held_on.isoformat() >= since:
            for member in session.record.members:
                found[member.advisor_id] += member.minutes
    return found


def _parted(paid: str) -> Sequence[tuple[str, int]]:
    return [(one, int(minutes)) for one, _, minutes in (part.rpartition(":") for part in paid.split())]
