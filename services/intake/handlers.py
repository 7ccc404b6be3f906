"""One function per action: load, decide, save."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.intake import advisors, case_numbers, domain, drafts, progress, search, status
from services.intake.domain import Channel, Correspondence, Feedback, Reason, Request, Wish
from services.intake.drafts import Draft, Entries, Life
from services.intake.progress import Step
from services.intake.rules import Rules
from services.intake.status import Deadlines, Status
from services.intake.store import REQUESTS, Store
from shared.commit import Insert, again
from shared.errors import Duplicate
from shared.ids import new_id
from shared.register import Municipality

AT_ONCE = 100
"""Overdue drafts that are dropped in one go."""

Mark = Callable[[Mapping[str, Any]], Insert | None]
"""Makes the mark of an Idempotency-Key, with the answer that a repetition shall get."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did; `before`: it was not the first one."""

    request: Request
    before: bool
    outbox_rows: int


@dataclass(frozen=True, slots=True)
class View:
    """A request, where it stands, and the names of who advises by their id."""

    request: Request
    status: Status
    names: Mapping[str, str]


class Gone(Exception):
    """The draft is there no more: it has become `request`, or has expired."""

    def __init__(self, request: Request | None) -> None:
        super().__init__("sent" if request else "expired")
        self.request = request


class Changed(Exception):
    """What was typed into a form that showed something else than `draft` holds by now."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft.id)
        self.draft = draft


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


async def draft(store: Store, draft_id: str, life: Life, now: datetime, channel: Channel = "web") -> Draft:
    """The draft as it stands, an empty one when nothing was kept yet. Raises Gone when it was sent or has expired."""
    found = await store.draft(draft_id)
    if found is None and drafts.is_fresh(draft_id, life, now):
        return drafts.begin(draft_id, channel, life, now)
    if found and not found.sent and not drafts.is_over(found, now):
        return found
    raise Gone(await store.request_or_none(draft_id))


async def begin_draft(store: Store, draft_id: str, channel: Channel, life: Life, now: datetime) -> Draft:
    """An empty draft that is kept at once, because it is known who makes it."""
    draft = drafts.keep(drafts.begin(draft_id, channel, life, now), {}, (), life, now)
    await store.save_draft(draft)
    return draft


async def keep_draft(
    store: Store,
    draft_id: str,
    typed: Entries,
    names: tuple[str, ...],
    seen: str,
    life: Life,
    now: datetime,
    channel: Channel = "web",
) -> Draft:
    """Keeps the fields `names` as they were typed. Raises Changed when they are no longer as `seen`, and Gone."""

    async def act() -> Draft:
        before = await draft(store, draft_id, life, now, channel)
        if drafts.is_same(before.entries, typed, names):
            return before
        if any(name in before.entries for name in names) and drafts.seal(before.entries, names) != seen:
            raise Changed(before)
        after = drafts.keep(before, typed, names, life, now)
        await store.save_draft(after)
        return after

    return await again(act)


async def save_draft(store: Store, draft_id: str, life: Life, now: datetime) -> Draft:
    """Keeps it for longer."""

    async def act() -> Draft:
        after = drafts.save(await draft(store, draft_id, life, now), life, now)
        await store.save_draft(after)
        return after

    return await again(act)


async def mail_draft(
    store: Store, draft_id: str, email: str, correspondence: Correspondence, life: Life, now: datetime
) -> Draft:
    """Has its link mailed. Raises Gone, and TooMany."""

    async def act() -> Draft:
        after, events = drafts.mail(await draft(store, draft_id, life, now), email, correspondence, life, now)
        await store.save_draft(after, events)
        return after

    return await again(act)


async def send_draft(store: Store, before: Draft, wish: Wish, rules: Rules, life: Life, now: datetime) -> Request:
    """Makes the request out of the draft as it was loaded. Raises Stale when it is no longer that, and Invalid."""
    entry = store.municipality(wish.municipality_ags)
    trace, erased = drafts.sent(before, life, now)
    while True:
        request, told = domain.submit(wish, entry, rules, now, before.id, case_numbers.draw(), trace.version)
        try:
            await store.send_draft(trace, request, (*told, *erased))
            return request
        except Duplicate as error:
            if (error.collection, error.keys) != (REQUESTS, ("case_number",)):
                raise


async def keep_tidy(store: Store, seconds: float) -> None:
    """Drops overdue drafts, and what is remembered of old calls, for as long as the service runs."""
    while True:
        await store.forget_keys(datetime.now(UTC))
        while await drop_overdue(store, datetime.now(UTC)) == AT_ONCE:
            pass
        await asyncio.sleep(seconds)


async def drop_overdue(store: Store, now: datetime) -> int:
    """Deletes drafts whose time is over, and has their addresses deleted; how many."""
    overdue = await store.overdue_drafts(now, AT_ONCE)
    for each in overdue:
        if not each.sent:  # before it is gone, or else nobody would come back for it
            await store.forget_outbox(each.id, each.version, ())
        await store.drop_draft(each, drafts.expired(each))
    return len(overdue)


async def name_advisor(store: Store, advisor_id: str, name: str | None, cause: Insert) -> None:
    """Keeps an advisor's name, or the trace of its erasure."""

    async def act() -> None:
        known = (await store.advisors([advisor_id])).get(advisor_id)
        after = advisors.tell(known, advisor_id, str(cause.document["_id"]["m"]), name)
        await (store.save_advisor(after, cause) if after else store.save_mark(cause))

    await again(act)


async def view(store: Store, request_id: str, now: datetime, deadlines: Deadlines) -> View:
    request, known = await asyncio.gather(store.request(request_id), store.progress(request_id))
    standing = status.of(request, known, now, deadlines)
    told = await store.advisors([member.advisor_id for member in standing.advisors]) if standing.advisors else {}
    return View(request, standing, {each.id: each.name for each in told.values() if each.name})


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
        gone = (*events, *drafts.told(await store.draft(request.id)))
        await store.save(erased, gone)
        rows = await store.forget_outbox(request.id, erased.version, gone)
        return Erased(erased, bool(request.erased_at), rows)

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
