"""What reporting is told by people and keeps itself: who decided what, tax status, budgets, periods, names.

None of it is a read model: a rebuild leaves it alone. Decisions are facts too (`claim.decided`), so that a rebuild
makes the same claims of them; here stands who it was, and why in their words.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from pydantic import TypeAdapter
from pymongo.errors import DuplicateKeyError

from services.reporting.decisions import Standing
from shared.commit import Change, Committer, Insert, Replace
from shared.events import AdvisorDossier, ClaimDecided
from shared.mongo import Document, Mongo

GUARDS, DECISIONS, PAYEES, NAMES = "claim_guards", "decisions", "payees", "advisor_names"
Tax = Literal["standard", "small_business", "not_liable"]
"""VAT by the card; exempt as a small business (§ 19 UStG); not a matter of VAT at all."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision about a claim as it was taken; `note` and `by` stay here."""

    id: str
    claim_id: str
    status: str
    reason: str | None
    note: str
    by: str
    role: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Payee:
    """An advisor's tax status from a day on, who said so and when."""

    advisor_id: str
    valid_from: date
    tax: Tax
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Guard:
    """How many decisions a claim has had, and what they come to: one at a time may be added."""

    version: int
    standing: Standing


_DECISION, _PAYEE, _STANDING = TypeAdapter(Decision), TypeAdapter(Payee), TypeAdapter(Standing)


class Records:
    """Every query of these collections."""

    def __init__(self, mongo: Mongo, commits: Committer) -> None:
        self._mongo = mongo
        self._commits = commits

    async def prepare(self) -> None:
        await self._mongo.index(DECISIONS, [("claim_id", 1), ("at", 1)], name="claim")
        await self._mongo.index(PAYEES, [("advisor_id", 1), ("valid_from", 1), ("at", 1)], name="advisor")

    async def guard(self, claim_id: str) -> Guard | None:
        found = await self._mongo[GUARDS].find_one({"_id": claim_id})
        return Guard(found["version"], _STANDING.validate_python(found["standing"])) if found else None

    async def decide(self, event: ClaimDecided, standing: Standing, was: int, number: int, decision: Decision) -> None:
        """Keeps the decision and tells it. `was`: the guard's version, 0 for none. Raises Stale."""
        guard = {"_id": event.claim_id, "version": number, "standing": _STANDING.dump_python(standing)}
        kept = _document(_DECISION, decision, decision.id)
        writes = (Replace(GUARDS, guard, was), Insert(DECISIONS, kept))
        await self._commits.commit(Change(writes, (event,), number))

    async def decisions(self, claim_id: str) -> list[Decision]:
        """About a claim, the first one first."""
        found = await self._mongo[DECISIONS].find({"claim_id": claim_id}).sort([("at", 1), ("_id", 1)]).to_list(None)
        return [_DECISION.validate_python({"id": document["_id"], **document}) for document in found]

    async def add_payee(self, payee: Payee, mark: Insert | None = None) -> None:
        """What held before stays in the list. `mark`: of the call, see `shared/idempotency.py`."""
        identity = f"{payee.advisor_id}~{payee.valid_from}~{payee.at.isoformat()}"
        await self._commits.commit(Change((Insert(PAYEES, _document(_PAYEE, payee, identity)),), mark=mark))

    async def payees(self, advisor_id: str | None = None) -> list[Payee]:
        """All entries, by advisor and day; of the same day the last one holds."""
        fits = {"advisor_id": advisor_id} if advisor_id else {}
        order = [("advisor_id", 1), ("valid_from", 1), ("at", 1)]
        return [_PAYEE.validate_python(one) for one in await self._mongo[PAYEES].find(fits).sort(order).to_list(None)]

    async def keep_names(self, dossiers: Sequence[AdvisorDossier]) -> None:
        """Copies of what advisors are called, for their statements; of the erased none, however late it comes."""
        for one in dossiers:
            document = {"name": one.name, "language": one.correspondence}
            with suppress(DuplicateKeyError):  # erased
                await self._mongo[NAMES].replace_one({"_id": one.advisor_id, "erased": None}, document, upsert=True)

    async def forget_name(self, advisor_id: str) -> None:
        """Leaves a trace, because a number is not given again."""
        await self._mongo[NAMES].replace_one({"_id": advisor_id}, {"erased": True}, upsert=True)

    async def name(self, advisor_id: str) -> str | None:
        found = await self._mongo[NAMES].find_one({"_id": advisor_id})
        return str(found["name"]) if found and not found.get("erased") else None


def tax_on(payees: Sequence[Payee], day: date) -> Tax:
    """By the entries of one advisor; without one, exempt as a small business."""
    held = [payee for payee in payees if payee.valid_from <= day]
    return max(held, key=lambda payee: (payee.valid_from, payee.at)).tax if held else "small_business"


def _document(adapter: TypeAdapter[Any], value: object, identity: str) -> Document:
    document: Document = adapter.dump_python(value, mode="json", exclude={"id"})
    return {"_id": identity, **document}
