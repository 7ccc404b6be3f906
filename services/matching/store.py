"""Every query of matching. Documents are the domain's dataclasses as plain JSON, `id` as `_id`; what an engagement has
not got is left out.

engagements   one per request, with what queries need beside it: holders, due, when somebody was told last, `leaving`
              (advisors to be replaced), `committed` (minutes of its budget), what `loads` are added up from
bases         one per pass that has decided anything: its inputs and what came of it, packed; no names
policies      one per version that people have made; activations: from when on which was active
advisors      one per advisor; an erased one keeps its number
budgets       one per period
trials        two policies over a past period, as somebody has asked for them, and what came of it; kept for 90 days
dossiers      copies of request.dossier, or the trace of an erased one
pool          `fence`: its version is taken by every write that uses capacity or erases an advisor, so two
              processes can't both give away the same free place; `news`: changes when a choice may come out better
"""

import asyncio
import secrets
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, NamedTuple, TypeVar, get_args

from pydantic import TypeAdapter

from services.matching import loads, trail
from services.matching.domain import governing
from services.matching.domain.basis import Basis
from services.matching.domain.budget import Budget, Left, committed, holding
from services.matching.domain.model import OPEN, Advisor, Engagement, State
from services.matching.domain.notices import told
from services.matching.domain.policy import Activation, Edition
from services.matching.domain.trial import Outcome, Trial
from services.matching.domain.worklist import Rules
from services.matching.loads import Loads
from services.matching.trail import Decided
from shared import outbox
from shared.commit import Change, Committer, Insert, Put, Replace, Write, settled
from shared.errors import Stale
from shared.events import AdvisorDossier, Event, RequestDossier
from shared.mongo import Document, Mongo
from shared.outbox import Tombstone

_ENGAGEMENT = TypeAdapter(Engagement)
_ADVISOR = TypeAdapter(Advisor)
_BASIS = TypeAdapter(Basis)
_EDITION = TypeAdapter(Edition)
_ACTIVATION = TypeAdapter(Activation)
_BUDGET = TypeAdapter(Budget)
_TRIAL = TypeAdapter(Trial)
_OUTCOME = TypeAdapter(Outcome)
SLICE = 25
"""So many of a pass are reckoned at a time; in between goes on what others wait for."""
SILENT_SECONDS = 15
"""Whoever plays a trial and has said nothing for so long is taken to be gone."""

T = TypeVar("T")


class Signals(NamedTuple):
    """What the pool looked like before it was read, and the version of the policy that is active; at the very beginning
    0 and "".
    """

    fence: int
    news: int
    policy: str = ""


class Store:
    def __init__(self, mongo: Mongo, commits: Committer, rules: Rules) -> None:
        self._mongo = mongo
        self._commits = commits
        self._rules = rules
        self.woken: Callable[[], None] = lambda: None
        """Called after each commit that leaves something to be decided."""
        self._crew: dict[str, Advisor] = {}

    async def prepare(self) -> None:
        """The indexes."""
        for keys in (
            [("state", 1), ("_id", 1)],
            [("state", 1), ("due", 1), ("_id", 1)],
            [("state", 1), ("facts.submitted_at", 1)],
            [("rounds.assignment_id", 1)],
            [("proposal.asked.assignment_id", 1)],
            [("rounds.seats.advisor_id", 1)],
            [("holders", 1)],
            [("sessions.id", 1)],
            [("asked_on", 1)],
            [("informed_on", 1)],
            [("leaving", 1)],
        ):
            await self._mongo.index("engagements", keys, sparse=len(keys) == 1)
        for needless in ("state_1_due_1", "facts.submitted_at_1", "due_1", "due_1__id_1"):  # of earlier releases
            await self._mongo.drop_index("engagements", needless)
        spent = [("reserved.budget", 1), ("committed", 1)]
        await self._mongo.index("engagements", spent, partialFilterExpression={"reserved.budget": {"$gt": ""}})
        await loads.prepare(self._mongo)
        await trail.prepare(self._mongo)
        await self._mongo.index("trials", "kept_from", name="kept", expireAfterSeconds=90 * 86_400)

    # -- engagements --------------------------------------------------------------------------------------------

    async def engagement(self, request_id: str) -> Engagement | None:
        return await self._one({"_id": request_id})

    async def of_assignment(self, assignment_id: str) -> Engagement | None:
        """Of a round, or of a proposal that nobody has released."""
        either = [{"rounds.assignment_id": assignment_id}, {"proposal.asked.assignment_id": assignment_id}]
        return await self._one({"$or": either})

    async def of_session(self, session_id: str) -> Engagement | None:
        return await self._one({"sessions.id": session_id})

    async def waiting(self, states: Sequence[State], after: str, limit: int) -> list[Engagement]:
        """Those in `states`, the oldest first, from the one after `after`."""
        return await self._many({"state": {"$in": list(states)}, "_id": {"$gt": after}}, limit)

    async def noticeable(self, rules: governing.Rules, today: date, limit: int) -> list[Engagement]:
        """Those of which something is due by today (`notices.due`), in no order."""

        def by(days: int) -> dict[str, str]:
            return {"$lte": self._rules.before(today, days).isoformat()}

        spaced, ladder, is_open = by(rules.remind_every), rules.escalate, {"state": {"$in": list(OPEN)}}
        climbing: list[Document] = [
            {"level": {"$in": [0, None]}, "due": by(ladder[0])},
            *({"level": level, "due": by(days), "level_on": spaced} for level, days in enumerate(ladder[1:], 1)),
            {"level": {"$gte": len(ladder)}, "due": by(1), "level_on": by(ladder[-1])},
        ]
        found = self._mongo["engagements"].find(
            {
                "$or": [
                    {"state": "proposed", "due": {"$lt": today.isoformat()}},
                    {"asked_on": spaced, "due": {"$gte": today.isoformat()}},
                    {"informed_on": by(rules.delay_after)},
                    *(is_open | step for step in climbing),  # nothing else has a due date
                ]
            }
        )
        return [_engagement(document) for document in await found.limit(limit).to_list(None)]

    async def holding(self, advisor_id: str) -> list[Engagement]:
        """Those that use this advisor's capacity."""
        return await self._many({"holders": advisor_id}, 0)

    async def handing(self, after: str, limit: int, of: str | None = None) -> list[Engagement]:
        """Those where somebody can't go on, or just `of`, the oldest first."""
        return await self._many({"leaving": of or {"$gt": ""}, "_id": {"$gt": after}}, limit)

    async def oldest(self) -> Engagement | None:
        """The open request that was submitted first; its id may be younger or older, that of a draft."""
        wanted = {"state": {"$in": list(OPEN)}, "facts.submitted_at": {"$gt": ""}}
        found = await self._mongo["engagements"].find_one(wanted, sort=[("facts.submitted_at", 1)])
        return _engagement(found) if found else None

    async def worklist(
        self, states: Sequence[State], due_before: date | None, after: str, limit: int
    ) -> list[Engagement]:
        wanted: Document = {"state": {"$in": list(states)}, "_id": {"$gt": after}, "facts": {"$ne": None}}
        if due_before is not None:
            wanted["due"] = {"$lt": due_before.isoformat()}
        return await self._many(wanted, limit)

    async def assignments(
        self, advisor_id: str | None, request_id: str | None, after: str, limit: int
    ) -> list[tuple[Engagement, str]]:
        """Rounds by age, each as (its engagement, assignment_id); of one advisor or request only, if given."""
        seated: Document = {"rounds.seats.advisor_id": advisor_id} if advisor_id else {}
        found = await self._mongo.aggregate(
            "engagements",
            [
                {"$match": {**seated, **({"_id": request_id} if request_id else {}), "rounds.0": {"$exists": True}}},
                {"$set": {"whole": "$$ROOT"}},
                {"$unwind": "$rounds"},
                {"$match": {**seated, "rounds.assignment_id": {"$gt": after}}},
                {"$sort": {"rounds.assignment_id": 1}},
                {"$limit": limit},
                {"$project": {"whole": 1, "assignment_id": "$rounds.assignment_id"}},
            ],
        )
        return [(_engagement(row["whole"]), row["assignment_id"]) for row in found]

    async def save(
        self,
        *engagements: Engagement,
        events: Sequence[Event],
        cause: Insert | None = None,
        marks: Sequence[Insert] = (),
        fence: int | None = None,
        leaves: int | None = None,
        news: bool = False,
        basis: Basis | None = None,
    ) -> int:
        """All together or not at all; `fence` as loaded by whoever uses capacity. Returns the fence's new version,
        which is `leaves` if given.

        They get one common version, above all that they had: it orders the events of each. `marks`: of many causes;
        `basis`: what they were decided from.
        Raises Stale or Duplicate.
        """
        version = max((one.version for one in engagements), default=0) + 1
        then = leaves or fresh()
        writes: list[Write] = []
        if fence is not None:  # first, so that whoever comes too late has not written all the rest in vain
            writes.append(Replace("pool", {"_id": "fence", "version": then}, was=fence))
        writes += marks
        for n, one in enumerate(engagements):
            if n % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            writes.append(Replace("engagements", self._document(one, version), was=one.version))
        if basis is not None:
            packed = zlib.compress(_BASIS.dump_json(basis), 1)
            writes.append(Insert("bases", {"_id": basis.id, "at": basis.decided_at, "packed": packed}))
        if news:
            writes.append(Put("pool", {"_id": "news", "version": fresh()}))
        await self._commits.commit(Change(tuple(writes), tuple(events), version, cause))
        if news or any(one.state == "pending" for one in engagements):
            self.woken()
        return then

    async def basis(self, basis_id: str) -> Basis | None:
        """What a pass was decided from and what came of it."""
        found = await self._mongo["bases"].find_one({"_id": basis_id})
        return _BASIS.validate_json(zlib.decompress(found["packed"])) if found else None

    async def confirm(self, known: Engagement | Advisor) -> None:
        """Returns when `known`, as it was loaded, is there for good. Raises Stale when it is not, or not soon."""
        settles = self._mongo.settled("advisors" if isinstance(known, Advisor) else "engagements")
        make: Callable[[Document], Engagement | Advisor] = _advisor if isinstance(known, Advisor) else _engagement

        async def read() -> Engagement | Advisor | None:
            found = await settles.find_one({"_id": known.id})
            return make(found) if found else None

        await settled(read, known)

    # -- copies of dossiers ---------------------------------------------------------------------------------------

    async def dossier(self, request_id: str) -> RequestDossier | None:
        found = await self._mongo["dossiers"].find_one({"_id": request_id})
        return RequestDossier.model_validate(found["dossier"]) if found and not found.get("erased") else None

    async def keep_dossier(self, dossier: RequestDossier, mark: Insert) -> None:
        """Unless it was erased: a dead letter that is brought back later must not bring it back.

        Nearly always it is new, so that is tried before it is looked up.
        """
        document = {"_id": dossier.request_id, "version": 1, "dossier": dossier.model_dump(mode="json")}
        try:
            await self._commits.commit(Change((Replace("dossiers", document, was=0),), mark=mark))
        except Stale:
            known = await self._mongo["dossiers"].find_one({"_id": dossier.request_id})
            erased = known is not None and known.get("erased")
            await self._commits.commit(Change(() if erased else (Put("dossiers", document),), mark=mark))

    async def drop_dossier(self, request_id: str, emptied: Engagement | None, mark: Insert) -> None:
        """Leaves only the trace that there was one; `emptied`: the engagement without words, if there is one.

        Raises Stale when it has changed since it was loaded.
        """
        writes: list[Write] = [Put("dossiers", {"_id": request_id, "erased": True})]
        version = 0
        if emptied is not None:
            version = emptied.version + 1
            writes.append(Replace("engagements", self._document(emptied, version), emptied.version))
        await self._commits.commit(Change(tuple(writes), (), version, mark))

    async def note(self, mark: Insert) -> None:
        """The event was handled and changes nothing."""
        await self._commits.commit(Change(mark=mark))

    # -- advisors ---------------------------------------------------------------------------------------------------

    async def advisor(self, advisor_id: str) -> Advisor | None:
        found = await self._mongo["advisors"].find_one({"_id": advisor_id})
        return _advisor(found) if found else None

    async def advisors(self, after: str = "", limit: int = 0) -> list[Advisor]:
        """By number, from the one after `after`; all with limit 0."""
        cursor = self._mongo["advisors"].find({"_id": {"$gt": after}}).sort("_id", 1).limit(limit)
        return [_advisor(found) for found in await cursor.to_list(None)]

    async def crew(self) -> list[Advisor]:
        """All by number, to choose from: without what was decided about them, so not to be saved.

        They change seldom and are read often, so only those are read whose version was not read before.
        """
        versions = await self._mongo["advisors"].find({}, {"version": 1}).sort("_id", 1).to_list(None)
        there = {one["_id"]: one["version"] for one in versions}
        known = {one: known for one, known in self._crew.items() if known.version == there.get(one)}
        if fresh := [one for one in there if one not in known]:
            found = await self._mongo["advisors"].find({"_id": {"$in": fresh}}, {"audit": 0}).to_list(None)
            known |= {document["_id"]: _advisor(document) for document in found}
        self._crew = known
        return [known[one] for one in there if one in known]

    async def save_advisors(
        self,
        advisors: Iterable[Advisor],
        events: Sequence[Event | Tombstone],
        cause: Insert | None,
        fence: int,
        engagements: Sequence[Engagement] = (),
    ) -> None:
        """All together or not at all; `engagements`: those that their change concerns.

        Raises Stale, also when somebody used capacity since `fence` was read.
        """
        advisors = tuple(advisors)
        version = max([0, *(one.version for one in advisors), *(one.version for one in engagements)]) + 1
        writes: list[Write] = [
            Replace("advisors", _plain(_ADVISOR, replace(one, version=version)), was=one.version) for one in advisors
        ]
        writes += (Replace("engagements", self._document(one, version), was=one.version) for one in engagements)
        writes.append(Replace("pool", {"_id": "fence", "version": fresh()}, was=fence))
        writes.append(Put("pool", {"_id": "news", "version": fresh()}))
        await self._commits.commit(Change(tuple(writes), tuple(events), version, cause))
        self.woken()

    async def forget_outbox(self, advisor_id: str) -> None:
        """Takes the dossier out of the outbox, where published rows stay for days, and erases once more.

        Until then a relay may have published it behind the first tombstone.
        """
        await outbox.forget(self._mongo, advisor_id, [AdvisorDossier.topic])
        await self._commits.commit(Change((), (Tombstone(AdvisorDossier, advisor_id),)))

    # -- policies -----------------------------------------------------------------------------------------------------

    async def edition(self, version: str) -> Edition | None:
        found = await self._mongo["policies"].find_one({"_id": version})
        return _EDITION.validate_python(found["edition"]) if found else None

    async def editions(self) -> list[Edition]:
        """Those that people have made, the oldest first."""
        found = await self._mongo["policies"].find().sort("edition.at", 1).to_list(None)
        return [_EDITION.validate_python(one["edition"]) for one in found]

    async def add_edition(self, edition: Edition, mark: Insert | None) -> None:
        """Raises Duplicate when the version is taken."""
        document = {"_id": edition.policy.version, "edition": _EDITION.dump_python(edition, mode="json")}
        await self._commits.commit(Change((Insert("policies", document),), mark=mark))

    async def activations(self) -> list[Activation]:
        """The oldest first."""
        found = await self._mongo["activations"].find().sort("_id", 1).to_list(None)
        return [_ACTIVATION.validate_python({**one, "id": one["_id"]}) for one in found]

    async def activate(self, activation: Activation) -> None:
        """From now on passes are decided by it, and what is parked is looked at again."""
        writes = (
            Insert("activations", _plain(_ACTIVATION, activation)),
            Put("pool", {"_id": "policy", "version": activation.version}),
            Put("pool", {"_id": "news", "version": fresh()}),
        )
        await self._commits.commit(Change(writes))
        self.woken()

    # -- trials of policies -------------------------------------------------------------------------------------------

    async def trial(self, trial_id: str) -> Trial | None:
        found = await self._mongo["trials"].find_one({"_id": trial_id})
        return _trial(found) if found else None

    async def trials(self, limit: int) -> list[Trial]:
        """Those that are kept, the newest first, without what came of them in detail."""
        found = self._mongo["trials"].find({}, {"outcome.changed": 0}).sort("_id", -1).limit(limit)
        return [_trial(one | {"outcome": _brief(one["outcome"])}) for one in await found.to_list(None)]

    async def add_trial(self, trial: Trial) -> None:
        document = _plain(_TRIAL, trial) | {"kept_from": trial.at}
        await self._commits.commit(Change((Insert("trials", document),)))

    async def take_trial(self, trial_id: str) -> bool:
        """True when nobody is playing it, as far as is known by the server's clock; then it is the caller's."""
        free = {"$lt": [{"$ifNull": ["$beat", 0]}, {"$subtract": ["$$NOW", 1000 * SILENT_SECONDS]}]}
        waiting = {"_id": trial_id, "outcome": None, "failed": False, "$expr": free}
        done = await self._mongo["trials"].update_one(waiting, [{"$set": {"beat": "$$NOW"}}])
        return bool(done.modified_count)

    async def beat_trial(self, trial_id: str, share: float) -> None:
        """It is being played, and so far."""
        await self._mongo["trials"].update_one({"_id": trial_id}, [{"$set": {"beat": "$$NOW", "share": share}}])

    async def end_trial(self, trial_id: str, outcome: Outcome | None) -> None:
        """What came of it; None: it can't be played."""
        told = _OUTCOME.dump_python(outcome, mode="json") if outcome else None
        done = {"outcome": told, "failed": outcome is None, "share": 1.0}
        await self._mongo["trials"].update_one({"_id": trial_id}, {"$set": done})

    async def asked_between(self, first: date, last: date, limit: int) -> list[Engagement]:
        """Requests submitted on these days (UTC), the oldest first."""
        days = {"$gte": first.isoformat(), "$lt": (last + timedelta(days=1)).isoformat()}
        return await self._many({"state": {"$in": get_args(State)}, "facts.submitted_at": days}, limit)

    # -- the pool -----------------------------------------------------------------------------------------------------

    async def signals(self) -> Signals:
        found = {document["_id"]: document["version"] async for document in self._mongo["pool"].find()}
        return Signals(found.get("fence", 0), found.get("news", 0), found.get("policy", ""))

    async def loads(self, today: date) -> Loads:
        return await loads.read(self._mongo, today)

    # -- budgets ------------------------------------------------------------------------------------------------------

    async def budgets(self) -> list[Budget]:
        """By their first day."""
        found = self._mongo["budgets"].find().sort("start", 1)
        return [_BUDGET.validate_python({**document, "id": document["_id"]}) async for document in found]

    async def save_budget(self, budget: Budget, fence: int, cause: Insert | None = None) -> None:
        """Raises Stale, also when somebody used the budget since `fence` was read."""
        document = _plain(_BUDGET, replace(budget, version=budget.version + 1))
        writes: tuple[Write, ...] = (
            Replace("pool", {"_id": "fence", "version": fresh()}, was=fence),
            Replace("budgets", document, was=budget.version),
            Put("pool", {"_id": "news", "version": fresh()}),
        )
        await self._commits.commit(Change(writes, mark=cause))
        self.woken()

    async def committed(self) -> dict[str, int]:
        """Budget → minutes that are used or reserved."""
        found = await self._mongo.aggregate(
            "engagements",
            [
                {"$match": {"reserved.budget": {"$gt": ""}}},
                {"$group": {"_id": "$reserved.budget", "n": {"$sum": "$committed"}}},
            ],
        )
        return {row["_id"]: row["n"] for row in found}

    async def left(self, day: date) -> Left | None:
        """Of the budget of that day; None without one."""
        found = holding(await self.budgets(), day)
        return Left(found.id, found.minutes - (await self.committed()).get(found.id, 0)) if found else None

    # -- the audit trail ----------------------------------------------------------------------------------------------

    async def trail(self, about: str | None, by: str | None, after: str, limit: int) -> list[Decided]:
        """What people have decided, the newest first, from the one after `after`; `about`: the id of a thing."""
        return await trail.read(self._mongo, about, by, after, limit)

    async def _one(self, wanted: Document) -> Engagement | None:
        found = await self._mongo["engagements"].find_one(wanted)
        return _engagement(found) if found else None

    async def _many(self, wanted: Document, limit: int) -> list[Engagement]:
        cursor = self._mongo["engagements"].find(wanted).sort("_id", 1).limit(limit)
        return [_engagement(found) for found in await cursor.to_list(None)]

    def _document(self, engagement: Engagement, version: int) -> Document:
        document: Document = _ENGAGEMENT.dump_python(engagement, mode="json", exclude_defaults=True)
        document["_id"] = document.pop("id")
        document |= {"version": version, "committed": committed(engagement), **loads.beside(engagement)}
        if holders := engagement.holders:
            document["holders"] = list(holders)
        if engagement.state in OPEN and (leaving := engagement.leaving):
            document["leaving"] = [one.advisor_id for one in leaving]
        for name, value in told(engagement, self._rules)._asdict().items():
            if value is not None:
                document[name] = value.isoformat() if isinstance(value, date) else value
        return document


def fresh() -> int:
    """A version that nobody has seen: only equality counts for the pool's documents."""
    return secrets.randbits(62) + 1


def _plain(adapter: TypeAdapter[T], value: T) -> Document:
    document: dict[str, Any] = adapter.dump_python(value, mode="json")
    document["_id"] = document.pop("id")
    return document


def _engagement(document: Document) -> Engagement:
    return _ENGAGEMENT.validate_python({**document, "id": document["_id"]})


def _trial(document: Document) -> Trial:
    return _TRIAL.validate_python({**document, "id": document["_id"]})


def _brief(outcome: Document | None) -> Document | None:
    return outcome | {"changed": []} if outcome else None


def _advisor(document: Document) -> Advisor:
    return _ADVISOR.validate_python({**document, "id": document["_id"]})
