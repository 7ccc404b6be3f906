"""Every query of intake: requests, their progress, and the register of municipalities."""

import asyncio
import hashlib
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime

import structlog
from pydantic import TypeAdapter
from pymongo import ReplaceOne
from pymongo.errors import PyMongoError

from services.intake import search
from services.intake.advisors import Advisor
from services.intake.domain import Request
from services.intake.drafts import Draft
from services.intake.progress import Progress
from shared import carried, idempotency, outbox, register
from shared.commit import Change, Committer, Insert, Remove, Replace, settled
from shared.errors import NotFound, Unavailable
from shared.events import DraftDossier, Event, RequestDossier
from shared.mongo import Document, Mongo
from shared.outbox import Tombstone
from shared.register import Municipality, Register

REQUESTS = "requests"
DRAFTS = "drafts"
ADVISORS = "advisors"
"""Their names, as far as advisor.dossier has told them; after an erasure the trace of it."""
PROGRESS = "progress"
MUNICIPALITIES = "municipalities"
STATES = "states"
"""One document, `register`: the hash of its content, and of the configured file that was imported last."""

_REQUEST = TypeAdapter(Request)
_PROGRESS = TypeAdapter(Progress)
_DRAFT = TypeAdapter(Draft)
_ADVISOR = TypeAdapter(Advisor)
_log = structlog.get_logger(__name__)


class Store:
    """Documents ↔ domain. `register_file`: CSV of another state's municipalities, else the packaged one."""

    def __init__(self, mongo: Mongo, commits: Committer, register_file: str | None = None) -> None:
        self._mongo = mongo
        self._commits = commits
        self._register_file = register_file
        self._register: Register | None = None
        self._register_hash: str | None = None

    async def prepare(self) -> None:
        """Indexes, and the configured register when its file is not the one imported last."""
        await carried.prepare(self._mongo, REQUESTS)
        await self._mongo.index(REQUESTS, "case_number", name="case_number", unique=True)
        await self._mongo.index(DRAFTS, "until", name="until")
        await self._mongo.index(MUNICIPALITIES, "terms", name="terms")
        await self._mongo.index(MUNICIPALITIES, "nearby", name="nearby")
        configured = register.load(self._register_file)
        state = await self._mongo[STATES].find_one({"_id": "register"})
        if state is None or state["configured"] != _hash(configured.entries):
            await self.import_register(configured.entries, configured=True)
        await self.refresh_register()

    # -- requests ---------------------------------------------------------------------------------------

    async def request(self, request_id: str) -> Request:
        """Raises NotFound."""
        return _found(await self._mongo[REQUESTS].find_one({"_id": request_id}))

    async def request_or_none(self, request_id: str) -> Request | None:
        found = await self._mongo[REQUESTS].find_one({"_id": request_id})
        return _found(found) if found else None

    async def request_by_case_number(self, case_number: str) -> Request:
        """Raises NotFound."""
        return _found(await self._mongo[REQUESTS].find_one({"case_number": case_number}))

    async def save(self, request: Request, events: Sequence[Event | Tombstone], cause: Insert | None = None) -> None:
        """The request as it stands now and its events. Raises Stale, or Duplicate of a key."""
        document = _REQUEST.dump_python(request, mode="json")
        document["_id"] = document.pop("id")
        write = Replace(REQUESTS, document, was=request.version - 1, carries=True)
        await self._commits.commit(Change((write,), tuple(events), request.version, cause))

    async def confirm(self, known: Request) -> None:
        """Returns when `known`, as it was loaded, is there for good. Raises Stale when it is not, or not soon."""

        async def read() -> Request | None:
            found = await self._mongo.settled(REQUESTS).find_one({"_id": known.id})
            return _found(found) if found else None

        await settled(read, known)

    async def forget_outbox(self, request_id: str, version: int, erased: Sequence[Tombstone]) -> int:
        """Takes dossiers out of the outbox, where rows stay for days, and of what a request carries; how many.

        Tells once more of what was `erased` before: a relay may have published it behind the first tombstone.
        """
        topics = [RequestDossier.topic, DraftDossier.topic]
        gone = await outbox.forget(self._mongo, request_id, topics)
        gone += await carried.forget(self._mongo, REQUESTS, request_id, topics)
        if erased:
            await self._commits.commit(Change((), tuple(erased), version))
        return gone

    async def forget_keys(self, now: datetime) -> None:
        """Drops the marks of Idempotency-Keys that are no longer kept."""
        await idempotency.forget(self._mongo, REQUESTS, now)

    # -- drafts -----------------------------------------------------------------------------------------

    async def draft(self, draft_id: str) -> Draft | None:
        found = await self._mongo[DRAFTS].find_one({"_id": draft_id})
        return _draft(found) if found else None

    async def save_draft(self, draft: Draft, events: Sequence[Event] = ()) -> None:
        """Raises Stale when somebody was faster."""
        await self._commits.commit(Change((_draft_as(draft),), tuple(events), draft.version))

    async def send_draft(self, trace: Draft, request: Request, events: Sequence[Event | Tombstone]) -> None:
        """The request in the place of its draft. Raises Stale, or Duplicate of the case number."""
        document = _REQUEST.dump_python(request, mode="json")
        document["_id"] = document.pop("id")
        writes = (_draft_as(trace), Replace(REQUESTS, document, was=0, carries=True))
        await self._commits.commit(Change(writes, tuple(events), request.version))

    async def overdue_drafts(self, now: datetime, limit: int) -> list[Draft]:
        """Those whose time is over, the longest first."""
        found = await self._mongo[DRAFTS].find({"until": {"$lte": now}}).sort("until", 1).limit(limit).to_list(None)
        return [_draft(document) for document in found]

    async def drop_draft(self, draft: Draft, events: Sequence[Tombstone]) -> None:
        await self._commits.commit(Change((Remove(DRAFTS, draft.id),), tuple(events), draft.version + 1))

    # -- advisors ---------------------------------------------------------------------------------------

    async def advisors(self, advisor_ids: Collection[str]) -> dict[str, Advisor]:
        """Those that are known, by their id."""
        found = await self._mongo[ADVISORS].find({"_id": {"$in": list(advisor_ids)}}).to_list(None)
        return {each["_id"]: _ADVISOR.validate_python(each | {"id": each["_id"]}) for each in found}

    async def save_advisor(self, advisor: Advisor, cause: Insert) -> None:
        """Raises Stale when somebody was faster."""
        document = _ADVISOR.dump_python(advisor)
        document["_id"] = document.pop("id")
        await self._commits.commit(Change((Replace(ADVISORS, document, was=advisor.version - 1),), mark=cause))

    # -- progress ---------------------------------------------------------------------------------------

    async def progress(self, request_id: str) -> Progress:
        """What was told of the request; empty when nothing was."""
        document = await self._mongo[PROGRESS].find_one({"_id": request_id})
        if document is None:
            return Progress(request_id)
        return _PROGRESS.validate_python(document | {"request_id": document["_id"]})

    async def save_progress(self, progress: Progress, cause: Insert) -> None:
        """Raises Stale when somebody was faster."""
        document = _PROGRESS.dump_python(progress, mode="json")
        document["_id"] = document.pop("request_id")
        write = Replace(PROGRESS, document, was=progress.version - 1)
        await self._commits.commit(Change((write,), mark=cause))

    async def save_mark(self, cause: Insert) -> None:
        """Only that the event was seen: it changed nothing."""
        await self._commits.commit(Change(mark=cause))

    # -- the register -----------------------------------------------------------------------------------

    def municipality(self, ags: str) -> Municipality | None:
        """From memory. Raises Unavailable until the register was read for the first time."""
        if self._register is None:
            raise Unavailable("Der Dienst startet gerade.", "The service is just starting.", retry_after=2)
        return self._register.by_ags.get(ags)

    async def find(self, query: search.Query) -> list[Municipality]:
        """All that fit, in no order; when nothing begins as asked, those one slip of the keyboard away."""
        if query.key:
            keys = (query.key, f"0{query.key}")
            return await self._entries({"$or": [{"_id": {"$regex": f"^{re.escape(key)}"}} for key in keys]})
        begins = [{"terms": {"$regex": f"^{re.escape(word)}"}} for word in query.words]
        if found := await self._entries({"$and": begins}):
            return found
        return await self._entries({"$and": [{"nearby": {"$in": search.near(word)}} for word in query.words]})

    async def import_register(self, entries: Sequence[Municipality], *, configured: bool) -> bool:
        """Makes the register just `entries`; False when it was that already. Whatever stops it, run it again.

        `configured`: they are the configured file's, which is imported at start only when it has changed.
        """
        content = _hash(entries)
        state = await self._mongo[STATES].find_one({"_id": "register"}) or {"hash": None, "configured": None}
        changed = bool(state["hash"] != content)
        if changed:
            writes = [ReplaceOne({"_id": entry.ags}, _document(entry), upsert=True) for entry in entries]
            await self._mongo[MUNICIPALITIES].bulk_write(writes, ordered=False)
            await self._mongo[MUNICIPALITIES].delete_many({"_id": {"$nin": [entry.ags for entry in entries]}})
        stands = {"_id": "register", "hash": content, "configured": content if configured else state["configured"]}
        await self._mongo[STATES].replace_one({"_id": "register"}, stands, upsert=True)
        return changed

    async def refresh_register(self) -> None:
        """Reads the register into memory when it has changed."""
        state = await self._mongo[STATES].find_one({"_id": "register"})
        if state and state["hash"] != self._register_hash:
            self._register = Register(await self._entries({}))
            self._register_hash = state["hash"]

    async def follow_register(self, seconds: float) -> None:
        """Keeps the memory fresh while imports happen in other processes."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await self.refresh_register()
            except PyMongoError as error:
                _log.info("register_not_refreshed", error=str(error)[:200])

    async def _entries(self, fitting: Document) -> list[Municipality]:
        documents = await self._mongo[MUNICIPALITIES].find(fitting, {"terms": 0, "nearby": 0}).to_list(None)
        return [Municipality(ags=document.pop("_id"), **document) for document in documents]


def _found(document: Document | None) -> Request:
    if document is None:
        raise NotFound("Diese Anfrage gibt es nicht.", "There is no such request.")
    return _REQUEST.validate_python(document | {"id": document["_id"]})


def _draft(document: Document) -> Draft:
    return _DRAFT.validate_python(document | {"id": document["_id"]})


def _draft_as(draft: Draft) -> Replace:
    document = _DRAFT.dump_python(draft)
    document["_id"] = document.pop("id")
    return Replace(DRAFTS, document, was=draft.version - 1)


def _document(entry: Municipality) -> Document:
    document = asdict(entry)
    document["_id"] = document.pop("ags")
    return document | {"terms": search.terms(entry), "nearby": search.nearby(entry)}


def _hash(entries: Sequence[Municipality]) -> str:
    """Of the content and of the way it is indexed."""
    content = hashlib.sha256(b"[")  # of the JSON of them all, which need not be in memory at once
    for position, entry in enumerate(entries):
        content.update(f"{', ' if position else ''}{json.dumps(_document(entry))}".encode())
    content.update(b"]")
    return content.hexdigest()
