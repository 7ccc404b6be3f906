"""The store in memory, with the same promises; the contract suite holds it to them."""

from collections.abc import Collection, Sequence
from datetime import datetime

from services.intake import search
from services.intake.advisors import Advisor
from services.intake.domain import Request
from services.intake.drafts import Draft
from services.intake.progress import Progress
from services.intake.store import REQUESTS, Store
from shared import register
from shared.commit import Insert
from shared.errors import Duplicate, NotFound, Stale
from shared.events import DraftDossier, Event, RequestDossier
from shared.outbox import Tombstone
from shared.register import Municipality


class FakeStore(Store):
    def __init__(self) -> None:
        self.requests: dict[str, Request] = {}
        self.progresses: dict[str, Progress] = {}
        self.drafts: dict[str, Draft] = {}
        self.told_of: dict[str, Advisor] = {}
        self.marks: set[str] = set()
        self.outbox: list[Event | Tombstone] = []
        self.entries: dict[str, Municipality] = {}
        self.configured: tuple[Municipality, ...] = ()

    async def prepare(self) -> None:
        configured = register.load().entries
        if configured != self.configured:
            await self.import_register(configured, configured=True)

    async def request(self, request_id: str) -> Request:
        if request_id not in self.requests:
            raise NotFound("nein", "no")
        return self.requests[request_id]

    async def request_or_none(self, request_id: str) -> Request | None:
        return self.requests.get(request_id)

    async def request_by_case_number(self, case_number: str) -> Request:
        for request in self.requests.values():
            if request.case_number == case_number:
                return request
        raise NotFound("nein", "no")

    async def save(self, request: Request, events: Sequence[Event | Tombstone], cause: Insert | None = None) -> None:
        self._unmarked(cause)
        for other in self.requests.values():
            if other.case_number == request.case_number and other.id != request.id:
                raise Duplicate(REQUESTS, ("case_number",))
        before = self.requests.get(request.id)
        if (before.version if before else 0) != request.version - 1:
            raise Stale
        self._mark(cause)
        self.requests[request.id] = request
        self.outbox.extend(events)

    async def confirm(self, known: Request) -> None:
        if self.requests.get(known.id) != known:
            raise Stale

    async def forget_outbox(self, request_id: str, version: int, erased: Sequence[Tombstone]) -> int:
        del version
        kept = [
            row for row in self.outbox if not (isinstance(row, RequestDossier | DraftDossier) and row.key == request_id)
        ]
        gone = len(self.outbox) - len(kept)
        self.outbox = [*kept, *erased]
        return gone

    async def forget_keys(self, now: datetime) -> None:
        """The fake keeps no keys."""

    async def draft(self, draft_id: str) -> Draft | None:
        return self.drafts.get(draft_id)

    async def save_draft(self, draft: Draft, events: Sequence[Event] = ()) -> None:
        before = self.drafts.get(draft.id)
        if (before.version if before else 0) != draft.version - 1:
            raise Stale
        self.drafts[draft.id] = draft
        self.outbox.extend(events)

    async def send_draft(self, trace: Draft, request: Request, events: Sequence[Event | Tombstone]) -> None:
        if any(other.case_number == request.case_number for other in self.requests.values()):
            raise Duplicate(REQUESTS, ("case_number",))
        await self.save_draft(trace)
        self.requests[request.id] = request
        self.outbox.extend(events)

    async def overdue_drafts(self, now: datetime, limit: int) -> list[Draft]:
        found = [draft for draft in self.drafts.values() if draft.until <= now]
        return sorted(found, key=lambda draft: draft.until)[:limit]

    async def drop_draft(self, draft: Draft, events: Sequence[Tombstone]) -> None:
        self.drafts.pop(draft.id, None)
        self.outbox.extend(events)

    async def advisors(self, advisor_ids: Collection[str]) -> dict[str, Advisor]:
        return {each: self.told_of[each] for each in advisor_ids if each in self.told_of}

    async def save_advisor(self, advisor: Advisor, cause: Insert) -> None:
        self._unmarked(cause)
        before = self.told_of.get(advisor.id)
        if (before.version if before else 0) != advisor.version - 1:
            raise Stale
        self._mark(cause)
        self.told_of[advisor.id] = advisor

    async def progress(self, request_id: str) -> Progress:
        return self.progresses.get(request_id, Progress(request_id))

    async def save_progress(self, progress: Progress, cause: Insert) -> None:
        self._unmarked(cause)
        if (await self.progress(progress.request_id)).version != progress.version - 1:
            raise Stale
        self._mark(cause)
        self.progresses[progress.request_id] = progress

    async def save_mark(self, cause: Insert) -> None:
        self._unmarked(cause)
        self._mark(cause)

    def municipality(self, ags: str) -> Municipality | None:
        return self.entries.get(ags)

    async def find(self, query: search.Query) -> list[Municipality]:
        if query.key:
            return [entry for ags, entry in self.entries.items() if ags.startswith((query.key, f"0{query.key}"))]
        found = [
            entry
            for entry in self.entries.values()
            if all(any(term.startswith(word) for term in search.terms(entry)) for word in query.words)
        ]
        return found or [
            entry
            for entry in self.entries.values()
            if all(set(search.near(word)) & set(search.nearby(entry)) for word in query.words)
        ]

    async def import_register(self, entries: Sequence[Municipality], *, configured: bool) -> bool:
        changed = tuple(entries) != tuple(self.entries.values())
        self.entries = {entry.ags: entry for entry in entries}
        if configured:
            self.configured = tuple(entries)
        return changed

    async def refresh_register(self) -> None:
        """Its memory is the register."""

    async def follow_register(self, seconds: float) -> None:
        """Nobody else imports."""

    def _unmarked(self, cause: Insert | None) -> None:
        if cause and str(cause.document["_id"]) in self.marks:
            raise Duplicate(cause.collection, ("_id",))

    def _mark(self, cause: Insert | None) -> None:
        if cause:
            self.marks.add(str(cause.document["_id"]))
