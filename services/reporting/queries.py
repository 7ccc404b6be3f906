"""What the reports ask the read models for."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.reporting import cells
from services.reporting.cells import Group, Total
from services.reporting.claims import Claim
from services.reporting.documents import (
    CASES,
    CELLS,
    CLAIM,
    CLAIMS,
    COUNTERS,
    FINDING,
    FINDINGS,
    MEASURE,
    MEASURES,
    PROJECTED,
)
from services.reporting.figures import FigureId, Scope
from services.reporting.findings import Finding
from services.reporting.indicators import INDICATORS
from services.reporting.measures import Measure
from shared.events.reporting import ClaimStatus
from shared.mongo import Document, Mongo


@dataclass(frozen=True, slots=True)
class ClaimFilter:
    """Claims of sessions held from `start` to `end`, of one advisor, request or status only, or of all."""

    start: date
    end: date
    advisor_id: str | None = None
    request_id: str | None = None
    status: ClaimStatus | None = None


@dataclass(frozen=True, slots=True)
class ClaimSums:
    """Over all claims that fit; amounts in cents."""

    claims: int = 0
    minutes: int = 0
    travel_km: int = 0
    fee_cents: int = 0
    travel_cents: int = 0
    total_cents: int = 0
    vat_cents: int = 0
    gross_cents: int = 0

    def __add__(self, other: "ClaimSums") -> "ClaimSums":
        return ClaimSums(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


_SUMS: Document = {name: {"$sum": 1 if name == "claims" else f"${name}"} for name in ClaimSums.__slots__}


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """A request that nobody has accepted yet."""

    request_id: str
    case_number: str | None
    ags: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Engagement:
    """One request and what it contributes; `fields`: codes of what was asked for."""

    request_id: str
    case_number: str
    ags: str
    fields: tuple[str, ...]
    measures: tuple[Measure, ...]


@dataclass(frozen=True, slots=True)
class After:
    """Where a page begins: after the row of this day and id."""

    day: str
    id: str


class Queries:
    """Reads of measures, claims and findings; every page is in a fixed order, `After` names its beginning."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def totals(
        self, scope: Scope, group: Group | None = None, sources: Collection[str] | None = None
    ) -> list[Total]:
        """One total per indicator (and group) that has any contribution in `scope`, out of the cells.

        `sources`: the indicators asked for, where not all are; of fields and sizes there may be others too.
        """
        counter = await self._mongo[COUNTERS].find_one({"_id": PROJECTED})
        district = {"$gt": cells.ALL} if group == "district" else cells.ALL
        fits = {
            "epoch": counter["epoch"] if counter else 0,
            "period": {"$in": cells.within(scope)},
            "district": scope.district or district,
        }
        part = _part(scope, group)
        wanted = [part] if sources is None or part in _SPLIT_BY.values() else [f"{part}.{source}" for source in sources]
        found = await self._mongo[CELLS].find(fits, ["period", "district", *wanted]).to_list(None)
        return cells.totals(found, scope.field, group, scope.size)

    async def contributions(self, figure: FigureId, after: After | None, limit: int) -> list[Measure]:
        """What a figure was counted from, by day."""
        fits = {"indicator": INDICATORS[figure.indicator].source} | _in_scope(figure.scope)
        found = await self._page(MEASURES, fits, "on", after, limit)
        return [MEASURE.validate_python(document) for document in found]

    async def claims(self, wanted: ClaimFilter, after: After | None, limit: int) -> list[Claim]:
        """Claims by the day of their session."""
        found = await self._page(CLAIMS, _claims(wanted), "held_on", after, limit)
        return [CLAIM.validate_python(document) for document in found]

    async def all_claims(self, wanted: ClaimFilter, size: int = 500) -> AsyncIterator[list[Claim]]:
        """All claims that fit, page by page."""
        after: After | None = None
        while claims := await self.claims(wanted, after, size):
            yield claims
            after = After(claims[-1].held_on.isoformat(), claims[-1].id)

    async def committed(self, until: date) -> int:
        """Cents that engagements begun up to `until` are expected still to cost."""
        fits = {"indicator": "committed", "on": {"$lte": until.isoformat()}}
        found = await self._mongo.aggregate(
            MEASURES, [{"$match": fits}, {"$group": {"_id": None, "n": {"$sum": "$value"}}}]
        )
        return int(found[0]["n"]) if found else 0

    async def first_day(self) -> date | None:
        """When the first request came in."""
        found = (
            await self._mongo[MEASURES].find({"indicator": "requests"}, {"on": 1}).sort("on", 1).limit(1).to_list(None)
        )
        return date.fromisoformat(found[0]["on"]) if found else None

    async def finding_counts(self) -> dict[str, int]:
        """Code → number of findings."""
        found = await self._mongo.aggregate(FINDINGS, [{"$group": {"_id": "$code", "n": {"$sum": 1}}}])
        return {row["_id"]: row["n"] for row in sorted(found, key=lambda row: row["_id"])}

    async def claim(self, claim_id: str) -> Claim | None:
        found = await self._mongo[CLAIMS].find_one({"_id": claim_id})
        return CLAIM.validate_python(_named(found)) if found else None

    async def claim_rows(self, wanted: ClaimFilter, size: int = 1000) -> AsyncIterator[list[Document]]:
        """The same as they are kept, as JSON has them: for files, which only pass them on."""
        after: After | None = None
        while rows := await self._page(CLAIMS, _claims(wanted), "held_on", after, size):
            after = After(rows[-1]["held_on"], rows[-1]["id"])
            for row in rows:
                del row["_id"]
            yield list(rows)

    async def sums_by_advisor(self, wanted: ClaimFilter) -> list[tuple[ClaimStatus, str, ClaimSums]]:
        """The sums of the claims that fit, by status and advisor."""
        group = {"$group": {"_id": {"s": "$status", "a": "$advisor_id"}, **_SUMS}}
        rows = await self._mongo.aggregate(CLAIMS, [{"$match": _claims(wanted)}, group])
        return [(key["s"], key["a"], ClaimSums(**row)) for row in rows if (key := row.pop("_id"))]

    async def decided(self, claim_ids: Sequence[str]) -> dict[str, int]:
        """Claim → how many decisions it shows."""
        fits, wanted = {"_id": {"$in": list(claim_ids)}}, {"decisions": 1}
        found = await self._mongo[CLAIMS].find(fits, wanted).to_list(None)
        return {document["_id"]: len(document["decisions"]) for document in found}

    async def claim_sums(self, wanted: ClaimFilter) -> ClaimSums:
        group = {"$group": {"_id": None, **_SUMS}}
        found = await self._mongo.aggregate(CLAIMS, [{"$match": _claims(wanted)}, group, {"$unset": "_id"}])
        return ClaimSums(**found[0]) if found else ClaimSums()

    async def sums_by_status(self, wanted: ClaimFilter) -> dict[ClaimStatus, ClaimSums]:
        """The sums of the claims that fit, status by status."""
        group = {"$group": {"_id": "$status", **_SUMS}}
        found = await self._mongo.aggregate(CLAIMS, [{"$match": _claims(wanted)}, group])
        return {row.pop("_id"): ClaimSums(**row) for row in found}

    async def waiting(self) -> tuple[int, WaitingCase | None]:
        """How many requests nobody has accepted yet, and the one that came in first."""
        fits: Document = {"summary.waiting_since": {"$exists": True}}
        first = await self._mongo[CASES].find_one(fits, sort=[("summary.waiting_since", 1)])
        if first is None:
            return 0, None
        summary = first["summary"]
        since = datetime.fromisoformat(summary["waiting_since"])
        oldest = WaitingCase(first["_id"], summary["case_number"], summary["ags"], since)
        return await self._mongo[CASES].count_documents(fits), oldest

    async def engagement(self, case_number: str) -> Engagement | None:
        """The request of that number, as far as it is known."""
        found = await self._mongo[CASES].find_one({"summary.case_number": case_number})
        if found is None or not found["summary"]["ags"]:
            return None
        summary, measures = found["summary"], await self.measures_of([found["_id"]])
        return Engagement(found["_id"], case_number, summary["ags"], tuple(summary["fields"]), tuple(measures))

    async def measures_of(self, request_ids: Sequence[str]) -> list[Measure]:
        """All that these requests contribute to any figure."""
        cases = await self._mongo[CASES].find({"_id": {"$in": list(request_ids)}}, {"rows": 1}).to_list(None)
        ids = [identity for case in cases for collection, identity, _ in case["rows"] if collection == MEASURES]
        found = await self._mongo[MEASURES].find({"_id": {"$in": ids}}).to_list(None)
        return [MEASURE.validate_python(_named(document)) for document in found]

    async def findings(
        self, request_id: str | None, code: str | None, after: After | None, limit: int
    ) -> list[Finding]:
        """Findings by request."""
        fits: Document = {name: value for name, value in (("request_id", request_id), ("code", code)) if value}
        found = await self._page(FINDINGS, fits, "request_id", after, limit)
        return [FINDING.validate_python(document) for document in found]

    async def _page(
        self, collection: str, fits: Document, by: str, after: After | None, limit: int
    ) -> Sequence[Document]:
        if after is not None:
            later: Document = {"$or": [{by: {"$gt": after.day}}, {by: after.day, "_id": {"$gt": after.id}}]}
            fits = {"$and": [fits, {by: {"$gte": after.day}}, later]}
        cursor = self._mongo[collection].find(fits).sort([(by, 1), ("_id", 1)]).limit(limit)
        return [_named(document) for document in await cursor.to_list(None)]


_SPLIT_BY = {"field": "fields", "size": "sizes"}


def _part(scope: Scope, group: Group | None) -> str:
    """The member of a cell that is asked for."""
    if scope.size:
        return f"sizes.{scope.size}"
    if scope.field:
        return f"fields.{scope.field}"
    return _SPLIT_BY.get(group or "", "all")


def _in_scope(scope: Scope) -> Document:
    fits: Document = {"on": {"$gte": scope.start.isoformat(), "$lte": scope.end.isoformat()}}
    if scope.district:
        fits["district"] = scope.district
    if scope.field:
        fits["fields"] = scope.field
    if scope.size:
        fits["size"] = scope.size
    return fits


def _claims(wanted: ClaimFilter) -> Document:
    fits: Document = {"held_on": {"$gte": wanted.start.isoformat(), "$lte": wanted.end.isoformat()}}
    if wanted.advisor_id is not None:
        fits["advisor_id"] = wanted.advisor_id
    if wanted.request_id is not None:
        fits["request_id"] = wanted.request_id
    if wanted.status is not None:
        fits["status"] = wanted.status
    return fits


def _named(document: Document) -> Document:
    return {"id": document["_id"], **document}
