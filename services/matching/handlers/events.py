"""What intake tells, in whatever order it arrives."""

from datetime import datetime

from services.matching.domain import requests
from services.matching.domain.model import Engagement, Facts, Feedback, Withdrawn
from services.matching.store import Store
from shared.commit import Insert
from shared.errors import Stale
from shared.events import FeedbackGiven, RequestCreated, RequestWithdrawn


def received(known: Engagement | None, event: RequestCreated, now: datetime) -> Engagement:
    """`known`, or a new one, with what the event tells."""
    facts = Facts(
        event.case_number,
        event.municipality_ags,
        event.fields,
        event.languages,
        event.mode,
        event.wanted_from,
        event.tandem,
        event.submitted_at,
        event.channel,
    )
    return requests.receive(known, event.request_id, facts, now)


async def receive(store: Store, event: RequestCreated, mark: Insert, now: datetime) -> None:
    """Stores the request for the matcher. Nearly always it is new, so that is tried before it is looked up."""
    try:
        await store.save(received(None, event, now), events=(), cause=mark)
    except Stale:
        known = await store.engagement(event.request_id)
        after = received(known, event, now)
        if after is known:
            await store.note(mark)
        else:
            await store.save(after, events=(), cause=mark)


async def withdraw(store: Store, event: RequestWithdrawn, mark: Insert, now: datetime) -> None:
    known = await store.engagement(event.request_id)
    withdrawn, events = requests.withdraw(known, event.request_id, Withdrawn(event.reason, event.withdrawn_at), now)
    if withdrawn is known:
        await store.note(mark)
    else:
        await store.save(withdrawn, events=events, cause=mark, news=bool(known and known.holders))


async def erase(store: Store, request_id: str, mark: Insert) -> None:
    """The copy of the dossier goes, and what people wrote when they decided something."""
    known = await store.engagement(request_id)
    await store.drop_dossier(request_id, requests.erase(known) if known else None, mark)


async def rate(store: Store, event: FeedbackGiven, mark: Insert, now: datetime) -> None:
    known = await store.engagement(event.request_id)
    feedback = Feedback(event.satisfaction, event.would_recommend, event.options_taken_up, event.given_at)
    rated = requests.rate(known, event.request_id, feedback, now)
    if rated is known:
        await store.note(mark)
    else:
        await store.save(rated, events=(), cause=mark)
