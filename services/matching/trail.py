"""What people have decided, out of all things that hold it, the newest first.

Nothing has these entries in their order, so they are read in spans of time, each found by an index: a day back from
where the page begins, then four times as much each, until the page is full.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from pydantic import TypeAdapter

from services.matching.domain.model import Audit
from shared.mongo import Document, Mongo

_AUDIT = TypeAdapter(Audit)
_AUDITED = {"audit.0": {"$exists": True}}
_SPANS = tuple(timedelta(days=4**n) for n in range(7))

Kind = Literal["request", "advisor", "budget", "policy"]
"""What a decision is about."""


class Decided(NamedTuple):
    """An entry of the audit trail; `about`: the id of what it is about; `place`: where the next page begins."""

    about: str
    entry: Audit
    place: str
    kind: Kind = "request"


async def prepare(mongo: Mongo) -> None:
    """The indexes, over those of which something was decided."""
    for collection in ("engagements", "advisors"):
        for keys in ([("audit.at", 1)], [("audit.by", 1), ("audit.at", 1)]):
            await mongo.index(collection, keys, partialFilterExpression=_AUDITED)


async def read(mongo: Mongo, about: str | None, by: str | None, after: str, limit: int) -> list[Decided]:
    """From the one after `after`; `about`: the id of a thing; `by`: whoever decided."""
    found: list[Decided] = []
    start, end = _beyond(after), "~"
    if start:
        end = _second(start)
    elif not about:
        start = await _newest(mongo)
    for since in (*(_second(start - span) for span in _SPANS if start and not about), ""):
        found += await _between(mongo, about, by, (since, end), after, limit - len(found))
        if len(found) >= limit:
            break
        end = since
    return found


def _beyond(after: str) -> datetime | None:
    """The second that follows the place."""
    try:
        found = datetime.fromisoformat(after[:19]).replace(tzinfo=UTC) + timedelta(seconds=1)
    except (ValueError, OverflowError):
        return None
    return found if found.year >= 1970 else None


async def _newest(mongo: Mongo) -> datetime | None:
    known = await mongo["engagements"].find_one(_AUDITED, {"audit.at": 1}, sort=[("audit.at", -1)])
    return datetime.fromisoformat(max(one["at"] for one in known["audit"])) if known else None


def _second(moment: datetime) -> str:
    """As the texts of all moments in it begin."""
    return moment.isoformat()[:19]


async def _between(
    mongo: Mongo, about: str | None, by: str | None, span: tuple[str, str], after: str, limit: int
) -> list[Decided]:
    """Those of `span`: the first second of it, and the first after it."""
    moment = {"$toDate": "$audit.at"}  # written as it is, a whole second would come after its parts
    place = [{"$toString": moment}, "~", "$_id", "~", {"$toString": "$n"}]
    entry = {"at": {"$gte": span[0], "$lt": span[1]}} | ({"by": by} if by else {})
    wanted = _AUDITED | {"audit": {"$elemMatch": entry}} | ({"_id": about} if about else {})
    fitting = {f"audit.{name}": value for name, value in entry.items()}

    def entries(kind: Kind, *audits: Document, what: str = "") -> list[Document]:
        return [
            *audits,
            {"$match": wanted},
            {"$project": {"audit": 1}},
            {"$unwind": {"path": "$audit", "includeArrayIndex": "n"}},
            {"$match": fitting},
            {"$set": {"kind": kind, "place": {"$concat": [*place, what]}}},
        ]

    def audit(what: str, of: str) -> Document:
        told = {name: f"${of}{name}" for name in ("at", "by", "why")}
        return told | {"what": what, "who": [], "to": {"$ifNull": [f"${of}based_on", ""]}}

    made: Document = {"$project": {"audit": [audit("policy_made", "edition.")]}}
    activated: Document = {"$project": {"_id": "$version", "audit": [audit("policy_activated", "")]}}
    found = await mongo.aggregate(
        "engagements",
        [
            *entries("request"),
            {"$unionWith": {"coll": "advisors", "pipeline": entries("advisor")}},
            {"$unionWith": {"coll": "budgets", "pipeline": entries("budget")}},
            {"$unionWith": {"coll": "policies", "pipeline": entries("policy", made)}},
            {"$unionWith": {"coll": "activations", "pipeline": entries("policy", activated, what="~activated")}},
            {"$match": {"place": {"$lt": after}} if after else {}},
            {"$sort": {"place": -1}},
            {"$limit": limit},
        ],
    )
    return [Decided(row["_id"], _AUDIT.validate_python(row["audit"]), row["place"], row["kind"]) for row in found]
