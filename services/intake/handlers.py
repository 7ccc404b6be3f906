"""One function per action: load, decide, save."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.intake import case_numbers, domain, progress, search, status
from services.intake.domain import Feedback, Reason, Request, Wish
from services.intake.progress import Step
from services.intake.rules import Rules
from services.intake.status import Deadlines, Status
from services.intake.store import REQUESTS, Store
from shared.commit import Insert, again
from shared.errors import Duplicate
from shared.ids import new_id
from shared.register import Municipality

Mark = Callable[[Mapping[str, Any]], Insert | None]
"""Makes the mark of an Idempotency-Key, with the answer that a repetition shall get."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did; `before`: it was not the first one."""

    request: Request
    before: bool
    outbox_rows: int


async def submit(store: Store, wish: Wish, rules: Rules, now: datetime, mark: Mark) -> dict[str, Any]:
    """Stores the request; a case number that is taken already is drawn anew. Returns its ids."""
    entry = store.municipality(wish.municipality_ags)
    while True:
        request, events = domain.submit(wish, entry, rules, now, new_id(), case_numbers.draw())
        answer = {"request_id": request.id, "case_number": request.case_number}
        try:
            await store.save(request, events, mark(answer))
            return answer
        except Duplicate as error:
            if (error.collection, error.keys) != (REQUESTS, ("case_number",)):
                raise


async def view(store: Store, request_id: str, now: datetime, deadlines: Deadlines) -> tuple[Request, Status]:
    request = await store.request(request_id)
    return request, status.of(request, await store.progress(request_id), now, deadlines)


async def withdraw(store: Store, request_id: str, reason: Reason, now: datetime) -> Request:
    """The request, withdrawn now or before."""

    async def act() -> Request:
        known = await store.progress(request_id)
        request, events = domain.withdraw(await store.request(request_id), bool(known.closed), reason, now)
        if events:
            await store.save(request, events)
        else:  # the answer must not rest on what an election may undo
            await store.confirm(request)
        return request

    return await again(act)


async def give_feedback(store: Store, request_id: str, feedback: Feedback, mark: Mark) -> dict[str, Any]:
    """Keeps the feedback; returns what is answered."""

    async def act() -> dict[str, Any]:
        known = await store.progress(request_id)
        request, events = domain.give_feedback(await store.request(request_id), known.engagement_closed, feedback)
        answer = {
            "request_id": request.id,
            "case_number": request.case_number,
            "given_at": feedback.given_at.isoformat(),
        }
        await store.save(request, events, mark(answer))
        return answer

    return await again(act)


async def erase(store: Store, named: str, now: datetime) -> Erased:
    """Erases what is personal of a request, named by its id or case number. Raises NotFound."""

    async def act() -> Erased:
        case_number = case_numbers.parse(named)
        request = await (store.request_by_case_number(case_number) if case_number else store.request(named))
        erased, events = domain.erase(request, now)
        await store.save(erased, events)
        return Erased(erased, bool(request.erased_at), await store.forget_outbox(request.id))

    return await again(act)


async def note(store: Store, request_id: str, step: Step, cause: Insert) -> None:
    """Keeps what matching has told, also of a request that is not known here (yet)."""
    before = await store.progress(request_id)
    after = progress.note(before, step)
    if after is before:
        await store.save_mark(cause)
    else:
        await store.save_progress(after, cause)


async def find(store: Store, text: str, limit: int) -> list[Municipality]:
    """The municipalities that `text` may mean, the likeliest first."""
    asked = search.query(text)
    return search.rank(asked, await store.find(asked))[:limit] if asked else []
