"""What the pages look for: lists by due date, searches, one advisor's own matters. Reads only.

A list goes on from a `Place`, the due date and id of the last row shown, so a page of it costs the same wherever it is.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal, NamedTuple

from pydantic import TypeAdapter

from services.matching.domain.model import OPEN, Advisor, Engagement, Facts
from shared.mongo import Document, Mongo

Kind = Literal["overdue", "release", "parked", "answers", "silent", "handing"]
"""Parts of the worklist: past its date, proposed and not released, nobody found, asked and not answered, engaged and
nothing heard in time, somebody who can't go on."""

_ENGAGEMENT = TypeAdapter(Engagement)
_ADVISOR = TypeAdapter(Advisor)
_FACTS = TypeAdapter(Facts)


class Place(NamedTuple):
    """Where a list by due date goes on; the beginning without."""

    due: str = ""
    id: str = ""


class Finder:
    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def prepare(self) -> None:
        """The indexes that only these lists need."""
        await self._mongo.index("engagements", [("facts.case_number", 1)])
        await self._mongo.index("engagements", [("facts.municipality_ags", 1), ("_id", 1)])
        await self._mongo.index("advisors", [("certified_until", 1), ("_id", 1)])

    # -- requests -------------------------------------------------------------------------------------------

    async def due(self, kind: Kind | None, today: date, after: Place, limit: int) -> list[Engagement]:
        """The open ones, what is due first."""
        wanted = _of(kind, today) | {"facts": {"$ne": None}}
        return await self._engagements(_beyond(wanted, "due", after), [("due", 1), ("_id", 1)], limit)

    async def counts(self, today: date) -> dict[Kind | None, int]:
        """How many there are of each kind; None: open ones in all."""
        late = {"$lt": ["$due", today.isoformat()]}
        found = await self._mongo.aggregate(
            "engagements",
            [
                {"$match": {"state": {"$in": list(OPEN)}, "due": {"$gt": ""}}},
                {"$project": {"_id": 0, "state": 1, "due": 1}},  # nothing but the index is read
                {"$group": {"_id": "$state", "all": {"$sum": 1}, "late": {"$sum": {"$cond": [late, 1, 0]}}}},
            ],
        )
        by_state = {row["_id"]: row for row in found}

        def of(state: str, what: str = "all") -> int:
            return int(by_state[state][what]) if state in by_state else 0

        return {
            None: sum(of(state) for state in OPEN),
            "overdue": sum(of(state, "late") for state in OPEN),
            "release": of("review"),
            "parked": of("parked"),
            "answers": of("proposed"),
            "silent": of("engaged", "late"),
            "handing": await self._mongo["engagements"].count_documents(_of("handing", today)),
        }

    async def search(
        self, case: str | None, ags: Sequence[str], advisor_ids: Sequence[str], before: str, limit: int
    ) -> list[Engagement]:
        """Those whose case number begins with `case`, of one of `ags`, or where one of `advisor_ids` had a seat;
        the newest first, from the one before `before`."""
        ways: list[Document] = []
        if case:
            ways.append({"facts.case_number": {"$regex": f"^{re.escape(case)}"}})
        if ags:
            ways.append({"facts.municipality_ags": {"$in": list(ags)}})
        if advisor_ids:
            ways.append({"rounds.seats.advisor_id": {"$in": list(advisor_ids)}})
        if not ways:
            return []
        wanted: Document = {"$or": ways, "facts": {"$ne": None}} | ({"_id": {"$lt": before}} if before else {})
        return await self._engagements(wanted, [("_id", -1)], limit)

    async def past(self, advisor_id: str, before: str, limit: int) -> list[Engagement]:
        """Where this advisor had a seat and holds none now; the newest first, from the one before `before`."""
        wanted: Document = {"rounds.seats.advisor_id": advisor_id, "holders": {"$ne": advisor_id}}
        return await self._engagements(wanted | ({"_id": {"$lt": before}} if before else {}), [("_id", -1)], limit)

    async def everything_of(self, advisor_id: str) -> list[Engagement]:
        return await self._engagements({"rounds.seats.advisor_id": advisor_id}, [("_id", 1)], 0)

    async def unpaid(self, limit: int) -> list[Engagement]:
        """Those that wait because the budget doesn't allow them, the oldest first."""
        return await self._engagements({"state": "parked", "parked": "budget"}, [("_id", 1)], limit)

    async def reserving(self, budget_id: str, after: str, limit: int) -> list[Engagement]:
        """Those that have used or reserved minutes of it, the oldest first, from the one after `after`."""
        wanted: Document = {"reserved.budget": budget_id, "committed": {"$gt": 0}, "_id": {"$gt": after}}
        return await self._engagements(wanted, [("_id", 1)], limit)

    async def cases(self, request_ids: Iterable[str]) -> dict[str, Facts]:
        """Request → what it asked, as far as that is known."""
        wanted: Document = {"_id": {"$in": sorted(set(request_ids))}, "facts": {"$ne": None}}
        found = await self._mongo["engagements"].find(wanted, {"facts": 1}).to_list(None)
        return {one["_id"]: _FACTS.validate_python(one["facts"]) for one in found}

    async def of_case(self, case_number: str) -> str | None:
        """The request that has this case number."""
        found = await self._mongo["engagements"].find_one({"facts.case_number": case_number}, {"_id": 1})
        return str(found["_id"]) if found else None

    # -- advisors -------------------------------------------------------------------------------------------

    async def lapsing(self, until: date, after: Place, limit: int) -> list[Advisor]:
        """Those whose certificate ends by `until` and who still can be asked, the first to lapse first."""
        wanted = {"certified_until": {"$lte": until.isoformat()}, "capacity": {"$gt": 0}, "erased_at": None}
        wanted = {"$and": [wanted, _beyond({}, "certified_until", after)]}
        return await self._advisors(wanted, [("certified_until", 1), ("_id", 1)], limit)

    async def lapsing_count(self, until: date) -> int:
        wanted = {"certified_until": {"$lte": until.isoformat()}, "capacity": {"$gt": 0}, "erased_at": None}
        return await self._mongo["advisors"].count_documents(wanted)

    async def people(self, words: str, after: str, limit: int) -> list[Advisor]:
        """By number, from the one after `after`: those whose number or name has `words` in it; all without."""
        wanted: Document = {"_id": {"$gt": after}}
        if words:
            like = {"$regex": re.escape(words), "$options": "i"}
            wanted["$or"] = [{"_id": like}, {"name": like}]
        return await self._advisors(wanted, [("_id", 1)], limit)

    async def everybody(self) -> dict[str, str]:
        """Number → name of all who are not erased, by number."""
        cursor = self._mongo["advisors"].find({"erased_at": None}, {"name": 1}).sort("_id", 1)
        return {found["_id"]: found["name"] async for found in cursor}

    async def names(self, advisor_ids: Iterable[str]) -> dict[str, str]:
        """Number → name; an erased one has none."""
        cursor = self._mongo["advisors"].find({"_id": {"$in": sorted(set(advisor_ids))}}, {"name": 1})
        return {found["_id"]: found["name"] async for found in cursor}

    async def open_now(self, advisor_ids: Iterable[str]) -> dict[str, int]:
        """Number → engagements that use capacity now; who has none is not in it."""
        ids = list(advisor_ids)
        found = await self._mongo.aggregate(
            "engagements",
            [
                {"$match": {"holders": {"$in": ids}}},
                {"$project": {"holders": 1}},
                {"$unwind": "$holders"},
                {"$match": {"holders": {"$in": ids}}},
                {"$group": {"_id": "$holders", "n": {"$sum": 1}}},
            ],
        )
        return {row["_id"]: row["n"] for row in found}

    async def listed(self) -> list[str]:
        """The numbers of those who can be asked at all."""
        wanted = {"erased_at": None, "capacity": {"$gt": 0}}
        return [found["_id"] async for found in self._mongo["advisors"].find(wanted, {"_id": 1})]

    async def _engagements(self, wanted: Document, order: list[tuple[str, int]], limit: int) -> list[Engagement]:
        cursor = self._mongo["engagements"].find(wanted).sort(order).limit(limit)
        return [_ENGAGEMENT.validate_python({**one, "id": one["_id"]}) for one in await cursor.to_list(None)]

    async def _advisors(self, wanted: Document, order: list[tuple[str, int]], limit: int) -> list[Advisor]:
        cursor = self._mongo["advisors"].find(wanted).sort(order).limit(limit)
        return [_ADVISOR.validate_python({**one, "id": one["_id"]}) for one in await cursor.to_list(None)]


def _of(kind: Kind | None, today: date) -> Document:
    """What is open has a due date, and nothing else has one."""
    if kind == "release":
        return {"state": "review", "due": {"$gt": ""}}
    if kind == "handing":
        return {"leaving": {"$gt": ""}, "due": {"$gt": ""}}
    if kind == "parked":
        return {"state": "parked", "due": {"$gt": ""}}
    if kind == "answers":
        return {"state": "proposed", "due": {"$gt": ""}}
    if kind == "silent":
        return {"state": "engaged", "due": {"$lt": today.isoformat()}}
    if kind == "overdue":
        return {"state": {"$in": list(OPEN)}, "due": {"$lt": today.isoformat()}}
    return {"state": {"$in": list(OPEN)}, "due": {"$gt": ""}}


def _beyond(wanted: Document, field: str, after: Place) -> Document:
    if not after.id:
        return wanted
    later = {"$or": [{field: {"$gt": after.due}}, {field: after.due, "_id": {"$gt": after.id}}]}
    return {"$and": [wanted, {field: {"$gte": after.due}}, later]}
