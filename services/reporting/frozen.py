"""Closed periods as they were: their totals, their claims, the corrections that they told; budgets; deadlines met;
and what was last told to others of the two.

Nothing here is made again by a rebuild: it is what was signed.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import TypeAdapter

from services.reporting import periods
from services.reporting.documents import CARD
from services.reporting.figures import Scope
from services.reporting.periods import Kind, kind_of, sums_of
from services.reporting.result import Closing, Correction, Counted, Result, Row, Sums, Vouchers, spooled
from shared.commit import Change, Committer, Insert, Put, Remove, Replace
from shared.errors import Conflict, Duplicate
from shared.events import Event
from shared.mongo import Document, Mongo

PERIODS, CLOSINGS, FROZEN_CLAIMS, BUDGETS = "periods", "closings", "frozen_claims", "budgets"
DEADLINES, TOLD = "deadlines_met", "told"
FENCE = "budgets"
_PAGE = 1_000

_COUNTED, _CORRECTIONS = TypeAdapter(Counted), TypeAdapter(tuple[Correction, ...])
_SUMS = TypeAdapter(Sums)


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed period without its claims."""

    closing: Closing
    scope: Scope
    counted: Counted
    corrections: tuple[Correction, ...]
    document: Document

    @property
    def sums(self) -> periods.Sums:
        return sums_of(self.counted.totals)


@dataclass(frozen=True, slots=True)
class Wish:
    """A period that somebody wants closed, and how many of its claims are frozen so far; 0 of 0 before the first."""

    period: str
    by: str
    at: datetime
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent in a period, in cents, who said so and when."""

    period: str
    cents: int
    by: str
    at: datetime


_BUDGET = TypeAdapter(Budget)


@dataclass(frozen=True, slots=True)
class Told:
    """What others were told last, and when: minutes that a budget affords, or which reminder of a proof."""

    version: int
    value: int
    at: datetime


class Frozen:
    """Every query of these collections."""

    def __init__(self, mongo: Mongo, commits: Committer) -> None:
        self._mongo = mongo
        self._commits = commits

    async def prepare(self) -> None:
        await self._mongo.index(FROZEN_CLAIMS, [("period", 1), ("attempt", 1), ("place", 1)], name="place")
        await self._mongo.index(BUDGETS, [("period", 1), ("at", 1)], name="period")

    async def wish(self, name: str, by: str, at: datetime) -> None:
        """The period shall be closed; a second wish is the first one's."""
        with suppress(Duplicate):
            document = {"_id": name, "by": by, "at": at, "done": 0, "total": 0}
            await self._commits.commit(Change((Insert(CLOSINGS, document),)))

    async def wishes(self) -> list[Wish]:
        """The periods that are being closed, the first wish first."""
        found = await self._mongo[CLOSINGS].find().sort("at", 1).to_list(None)
        return [Wish(one["_id"], one["by"], one["at"], one["done"], one["total"]) for one in found]

    async def give_up(self, name: str) -> None:
        await self._mongo[CLOSINGS].delete_one({"_id": name})

    async def freeze(self, result: Result, attempt: str) -> None:
        """Keeps `result` as its period's for ever. Raises Conflict when the period was closed meanwhile.

        `attempt` tells the claims from those that an interrupted attempt has left, which go first.
        """
        closing = result.closing
        assert closing is not None, "a result is frozen with its closing"
        if await self.closed(closing.period) is None:
            await self._mongo[FROZEN_CLAIMS].delete_many({"period": closing.period, "attempt": {"$lt": attempt}})
        total = result.vouchers.sums.claims
        page: list[Document] = []
        for place, row in enumerate(result.vouchers):
            identity = f"{closing.period}~{attempt}~{place}"
            kept = {"_id": identity, "period": closing.period, "attempt": attempt, "place": place, "claim": row}
            page.append(kept)
            if len(page) == _PAGE:
                await self._mongo[FROZEN_CLAIMS].insert_many(page)
                page = []
                progress = {"$set": {"done": place + 1, "total": total}}
                await self._mongo[CLOSINGS].update_one({"_id": closing.period}, progress)
        if page:
            await self._mongo[FROZEN_CLAIMS].insert_many(page)
        document: Document = {
            "_id": closing.period,
            "kind": kind_of(closing.period),
            "attempt": attempt,
            "at": closing.at,
            "by": closing.by,
            "counted": _COUNTED.dump_python(result.counted, mode="json"),
            "corrections": _CORRECTIONS.dump_python(tuple(result.corrections), mode="json"),
            "sums": _SUMS.dump_python(result.vouchers.totals, mode="json"),
            "findings": result.findings,
            "cards": [CARD.dump_python(card, mode="json") for card in result.cards],
            "start": result.scope.start.isoformat(),
            "end": result.scope.end.isoformat(),
        }
        try:
            await self._commits.commit(Change((Insert(PERIODS, document), Remove(CLOSINGS, closing.period))))
        except Duplicate:
            raise Conflict("Der Zeitraum ist schon abgeschlossen.", "The period is closed already.") from None

    async def closed(self, name: str) -> Closed | None:
        found = await self._mongo[PERIODS].find_one({"_id": name})
        return _closed(found) if found else None

    async def all_closed(self, kind: Kind | None = None) -> list[Closed]:
        """Of one kind or all, the first ones first."""
        fits = {"kind": kind} if kind else {}
        found = await self._mongo[PERIODS].find(fits).sort([("end", 1), ("_id", 1)]).to_list(None)
        return [_closed(document) for document in found]

    async def result(self, closed: Closed, at_most: int | None = None) -> Result:
        """What was frozen; its reader closes `vouchers`. With `at_most` more claims than that are summed only."""
        sums = _SUMS.validate_python(closed.document["sums"])
        listed = at_most is None or sums.all.claims <= at_most
        vouchers = await spooled(self._claims(closed)) if listed else Vouchers(sums)
        cards = tuple(CARD.validate_python(card) for card in closed.document["cards"])
        return Result(
            closed.scope,
            closed.closing.at,
            closed.counted,
            vouchers,
            closed.document["findings"],
            closed.corrections,
            closed.closing,
            cards,
        )

    async def _claims(self, closed: Closed) -> AsyncIterator[Sequence[Row]]:
        place, fits = -1, {"period": closed.closing.period, "attempt": closed.document["attempt"]}
        while True:
            query = self._mongo[FROZEN_CLAIMS].find(fits | {"place": {"$gt": place}}).sort("place", 1).limit(_PAGE)
            page = await query.to_list(None)
            if not page:
                return
            yield [document["claim"] for document in page]
            place = page[-1]["place"]

    async def set_budget(self, budget: Budget, fence: Told | None, mark: Insert | None = None) -> None:
        """What was said before stays in the list. `mark`: of the call, see `shared/idempotency.py`.

        Raises Stale when another budget was set since `fence`, which is what was last told of `FENCE`.
        """
        document = {"_id": f"{budget.period}~{budget.at.isoformat()}", **_BUDGET.dump_python(budget)}
        writes = (Insert(BUDGETS, document), _told(FENCE, 0, budget.at, fence))
        await self._commits.commit(Change(writes, mark=mark))

    async def budgets(self, period: str) -> list[Budget]:
        """All that were said of `period`; the last one holds."""
        found = await self._mongo[BUDGETS].find({"period": period}).sort("at", 1).to_list(None)
        return [_BUDGET.validate_python(document) for document in found]

    async def budgeted(self) -> list[str]:
        """The periods that have a budget."""
        return sorted(await self._mongo[BUDGETS].distinct("period"))

    async def told(self, subject: str) -> Told | None:
        found = await self._mongo[TOLD].find_one({"_id": subject})
        return Told(found["version"], found["value"], found["at"]) if found else None

    async def tell(self, subject: str, value: int, at: datetime, was: Told | None, event: Event) -> None:
        """Tells `event` and notes it. Raises Stale when another process was faster."""
        write = _told(subject, value, at, was)
        await self._commits.commit(Change((write,), (event,), write.document["version"]))

    async def meet(self, period: str, code: str, by: str, at: datetime) -> None:
        """The deadline `code` of `period` is met."""
        document = {"_id": f"{period}~{code}", "period": period, "code": code, "by": by, "at": at}
        await self._commits.commit(Change((Put(DEADLINES, document),)))

    async def met(self) -> set[tuple[str, str]]:
        return {(one["period"], one["code"]) for one in await self._mongo[DEADLINES].find().to_list(None)}


def _told(subject: str, value: int, at: datetime, was: Told | None) -> Replace:
    version = was.version if was else 0
    return Replace(TOLD, {"_id": subject, "version": version + 1, "value": value, "at": at}, version)


def _closed(document: Document) -> Closed:
    scope = Scope(date.fromisoformat(document["start"]), date.fromisoformat(document["end"]))
    return Closed(
        Closing(document["_id"], document["at"], document["by"]),
        scope,
        _COUNTED.validate_python(document["counted"]),
        _CORRECTIONS.validate_python(document["corrections"]),
        document,
    )
