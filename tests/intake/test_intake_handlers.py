"""Load, decide, save: on the store in memory."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from services.intake import case_numbers, consumer, handlers
from services.intake.domain import Feedback
from shared.commit import Insert
from shared.errors import Conflict, Duplicate, NotFound
from shared.events import Event, FeedbackGiven, RequestCreated, RequestDossier, RequestWithdrawn
from shared.ids import new_id
from shared.inbox import mark
from shared.outbox import Tombstone
from shared.topics import CONSUMED
from tests.intake import samples
from tests.intake.fake_store import FakeStore
from tests.intake.samples import NOW, RULES

FEEDBACK = Feedback(4, True, 1, None, NOW)


def no_key(_: Mapping[str, Any]) -> Insert | None:
    return None


@pytest.fixture
async def store() -> FakeStore:
    fake = FakeStore()
    fake.entries = {samples.AGS: samples.ENTRY}
    return fake


async def submitted(store: FakeStore) -> str:
    answer = await handlers.submit(store, samples.wish(), RULES, NOW, no_key)
    return str(answer["request_id"])


async def hear(store: FakeStore, event: Event, event_id: str = "") -> None:
    (on,) = [on for on in consumer.reactions(store) if on.event is type(event)]
    await on.handle(event, mark("intake", event_id or new_id()))


def told(store: FakeStore) -> list[type]:
    return [type(row) for row in store.outbox]


def test_every_topic_has_its_reaction() -> None:
    assert {on.event.topic for on in consumer.reactions(FakeStore())} == set(CONSUMED["intake"])


async def test_a_taken_case_number_is_drawn_anew(store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = samples.request()
    store.requests[taken.id] = taken
    numbers = iter([taken.case_number, taken.case_number, "MG-0000-0001"])
    monkeypatch.setattr(case_numbers, "draw", lambda: next(numbers))
    answer = await handlers.submit(store, samples.wish(), RULES, NOW, no_key)
    assert answer["case_number"] == "MG-0000-0001"
    assert told(store) == [RequestCreated, RequestDossier]


async def test_another_duplicate_is_not_swallowed(store: FakeStore) -> None:
    def key(_: Mapping[str, Any]) -> Insert:
        return Insert("idempotency", {"_id": "the key"})

    await handlers.submit(store, samples.wish(), RULES, NOW, key)
    with pytest.raises(Duplicate):
        await handlers.submit(store, samples.wish(), RULES, NOW, key)


async def test_two_withdrawals_are_one(store: FakeStore) -> None:
    request_id = await submitted(store)
    first = await handlers.withdraw(store, request_id, "too_slow", NOW)
    second = await handlers.withdraw(store, request_id, "by_mistake", NOW + timedelta(hours=1))
    assert first == second
    assert told(store).count(RequestWithdrawn) == 1


async def test_withdrawing_ends_with_the_closing(store: FakeStore) -> None:
    request_id = await submitted(store)
    await hear(store, samples.closed(request_id, NOW))
    with pytest.raises(Conflict):
        await handlers.withdraw(store, request_id, "too_slow", NOW)


async def test_feedback_needs_a_closed_engagement_and_is_given_once(store: FakeStore) -> None:
    request_id = await submitted(store)
    with pytest.raises(Conflict):
        await handlers.give_feedback(store, request_id, FEEDBACK, no_key)
    await hear(store, samples.closed(request_id, NOW))
    await handlers.give_feedback(store, request_id, FEEDBACK, no_key)
    with pytest.raises(Conflict):
        await handlers.give_feedback(store, request_id, FEEDBACK, no_key)
    assert told(store).count(FeedbackGiven) == 1


async def test_an_engagement_that_was_withdrawn_and_then_closed_can_still_be_judged(store: FakeStore) -> None:
    request_id = await submitted(store)
    await handlers.withdraw(store, request_id, "solved_otherwise", NOW)
    await hear(store, samples.closed(request_id, NOW))
    await handlers.give_feedback(store, request_id, FEEDBACK, no_key)


async def test_a_fact_of_an_unknown_request_is_kept_and_used_when_it_appears(store: FakeStore) -> None:
    late = samples.request()
    await hear(store, samples.closed(late.id, NOW))
    with pytest.raises(NotFound):
        await handlers.give_feedback(store, late.id, FEEDBACK, no_key)
    await store.save(late, ())
    await handlers.give_feedback(store, late.id, FEEDBACK, no_key)


async def test_a_fact_told_twice_has_one_effect_and_each_telling_its_mark(store: FakeStore) -> None:
    request_id = await submitted(store)
    fact = samples.parked(request_id, 1, NOW)
    await hear(store, fact, "one")
    before = await store.progress(request_id)
    await hear(store, fact, "two")
    assert await store.progress(request_id) == before
    assert len(store.marks) == 2
    with pytest.raises(Duplicate):
        await hear(store, fact, "two")


async def test_an_erasure_names_the_request_by_id_or_case_number(store: FakeStore) -> None:
    request_id = await submitted(store)
    number = store.requests[request_id].case_number
    first = await handlers.erase(store, request_id, NOW)
    assert (first.before, first.outbox_rows, first.request.dossier) == (False, 1, None)
    second = await handlers.erase(store, number.lower().replace("-", " "), NOW)
    assert (second.before, second.outbox_rows) == (True, 0)
    assert told(store) == [RequestCreated, *[Tombstone] * 4]
    with pytest.raises(NotFound):
        await handlers.erase(store, "nobody", NOW)
