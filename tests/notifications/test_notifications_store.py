"""One contract for the fake and the real store, on both drivers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from services.notifications import domain, plan
from services.notifications.case import Case, noted
from services.notifications.domain import Contact, Message, Resend
from services.notifications.store import Store
from shared.commit import Committer, committing
from shared.errors import Duplicate, Stale
from shared.mongo import Mongo
from tests.notifications import facts
from tests.notifications.facts import LONG, NOW, REQUEST, cause, contacts
from tests.notifications.fake_store import FakeStore
from tests.waiting import until

LEASE, LONGEST = timedelta(minutes=1), timedelta(minutes=5)


@pytest.fixture(params=["fake", "pymongo", "motor"])
async def store(request: pytest.FixtureRequest, fresh_mongo: Callable[..., Mongo]) -> AsyncIterator[Store]:
    if request.param == "fake":
        yield FakeStore()
        return
    mongo = fresh_mongo("notifications", request.param)
    async with committing(Committer(mongo, "notifications")) as commits:
        made = Store(mongo, commits)
        await made.prepare()
        await made.prepare()
        yield made


def queued(count: int = 1) -> list[Message]:
    made = []
    for number in range(count):
        fact = facts.created()
        draft = domain.draft(REQUEST, noted(facts.event_id(number), fact), "receipt")
        made.append(domain.queued(draft, NOW + timedelta(milliseconds=number), NOW))
    return made


async def test_a_case_comes_back_as_it_was_saved(store: Store) -> None:
    assert await store.case(REQUEST) == Case(REQUEST)
    saved = Case(REQUEST)
    for fact in (facts.created(), facts.assigned("A01", "A02"), facts.answered("A01"), facts.session(), facts.closed()):
        saved = saved.note(noted(facts.event_id(fact), fact))
        await store.save(case=saved, cause=cause(fact))
    assert await store.case(REQUEST) == saved


async def test_messages_come_back_as_they_were_saved(store: Store) -> None:
    found = facts.case(facts.created(), facts.assigned("A01"), facts.session(advisor_ids=("A01",)))
    messages = plan.settle(found, [], contacts("A01"), NOW, LONG)
    messages[0] = replace(messages[0], resends=(Resend(NOW, "operator"),), sent_at=NOW, address="x@example.org")
    await store.save(messages=messages)
    assert sorted(await store.messages(REQUEST), key=lambda m: m.id) == sorted(messages, key=lambda m: m.id)
    assert await store.message(messages[0].id) == messages[0]
    assert await store.message(facts.event_id("nothing")) is None


async def test_contacts_come_back_as_they_were_saved(store: Store) -> None:
    known = contacts("A01")
    for contact in known.values():
        await store.save(contact=contact)
    assert await store.contacts([*known, "advisor:A99"]) == known
    assert await store.contact("advisor:A99") is None


async def test_who_was_slower_learns_it_and_stores_nothing(store: Store) -> None:
    case = facts.case(facts.created())
    await store.save(case=case)
    [message] = queued()
    with pytest.raises(Stale):
        await store.save(case=case, messages=[message])
    assert await store.messages(REQUEST) == []
    await store.save(messages=[message])
    with pytest.raises(Stale):
        await store.save(messages=[message])
    contact = Contact("advisor:A01", 1, facts.event_id("x"))
    await store.save(contact=contact)
    with pytest.raises(Stale):
        await store.save(contact=contact)


async def test_the_second_handling_of_an_event_stores_nothing(store: Store) -> None:
    case = facts.case(facts.created())
    await store.save(case=case, cause=cause(facts.created()))
    with pytest.raises(Duplicate):
        await store.save(case=replace(case, version=2), messages=queued(), cause=cause(facts.created()))
    assert await store.messages(REQUEST) == []


async def test_saving_a_queued_message_wakes(store: Store) -> None:
    await store.save(contact=Contact("advisor:A01", 1, ""))
    assert not store.queued.is_set()
    await store.save(messages=queued())
    assert store.queued.is_set()


async def test_a_claim_is_for_one_until_the_lease_ends(store: Store) -> None:
    [message] = queued()
    await store.save(messages=[message])
    assert await store.claim("one", NOW - timedelta(seconds=1), LEASE, LONGEST) is None
    claimed = await store.claim("one", NOW, LEASE, LONGEST)
    assert claimed is not None
    assert (claimed.id, claimed.attempts, claimed.version) == (message.id, 1, 2)
    assert claimed.is_claimed()
    assert await store.claim("two", NOW, LEASE, LONGEST) is None


async def test_a_lease_ends_by_the_clock_of_the_store(store: Store) -> None:
    """A sender whose own clock jumps by an hour must not send once more what it is sending."""
    [message] = queued()
    await store.save(messages=[message])
    short = timedelta(milliseconds=300)
    assert await store.claim("one", NOW, short, LONGEST)
    assert await store.claim("two", NOW + timedelta(hours=1), short, LONGEST) is None
    again = await until(lambda: store.claim("two", NOW, short, LONGEST))
    assert again is not None
    assert (again.attempts, again.sending_by) == (2, "two")


async def test_what_was_queued_by_a_clock_that_was_ahead_is_due_at_once(store: Store) -> None:
    [message] = queued()
    await store.save(messages=[replace(message, due_at=NOW + LONGEST)])
    assert await store.claim("one", NOW, LEASE, LONGEST) is None
    claimed = await store.claim("one", NOW - timedelta(seconds=1), LEASE, LONGEST)
    assert claimed is not None
    assert claimed.id == message.id


async def test_many_claims_at_once_share_the_messages(store: Store) -> None:
    await store.save(messages=queued(6))
    found = await asyncio.gather(*(store.claim(str(who), NOW + LEASE, LEASE, LONGEST) for who in range(8)))
    ids = [message.id for message in found if message is not None]
    assert len(ids) == len(set(ids)) == 6


async def test_claims_come_in_the_order_in_which_they_are_due(store: Store) -> None:
    messages = queued(3)
    await store.save(messages=messages[::-1])
    found = [await store.claim("one", NOW + LEASE, LEASE, LONGEST) for _ in messages]
    assert [message.id for message in found if message] == [message.id for message in messages]


async def test_what_is_given_back_can_be_claimed_at_once(store: Store) -> None:
    await store.save(messages=queued(2))
    mine = await store.claim("one", NOW, LEASE, LONGEST)
    await store.give_back("two")
    assert mine is not None
    assert (await store.message(mine.id)) == mine
    await store.give_back("one")
    again = await store.claim("two", NOW, LEASE, LONGEST)
    assert again is not None
    assert again.id == mine.id


async def test_waiting_messages_are_found_by_what_they_wait_for(store: Store) -> None:
    waiting = plan.settle(facts.case(facts.session()), [], {}, NOW, LONG)
    await store.save(messages=waiting)
    assert {m.id for m in await store.waiting_for("advisor:A01", 10)} == {m.id for m in waiting}
    assert len(await store.waiting_for("advisor:A01", 1)) == 1
    assert await store.waiting_for("advisor:A09", 10) == []
    assert await store.arrived() == []
    await store.save(contact=Contact("advisor:A02", 1, ""))
    assert await store.arrived() == ["advisor:A02"]


async def test_pages_follow_each_other_and_filters_hold(store: Store) -> None:
    found = facts.case(facts.created(), facts.assigned("A01", "A02"), facts.parked(minutes=30))
    messages = plan.settle(found, [], contacts("A01"), NOW, LONG)
    await store.save(messages=messages)
    ids = sorted(message.id for message in messages)
    first = await store.page({}, None, 2)
    assert [message.id for message in first] == ids[:2]
    assert [message.id for message in await store.page({}, ids[1], 10)] == ids[2:]
    waiting = await store.page({"state": "waiting", "template": "assignment"}, None, 10)
    assert [message.advisor_id for message in waiting] == ["A02"]
    assert await store.page({"request_id": facts.event_id("other")}, None, 10) == []


async def test_forgetting_empties_addresses_and_drops_what_is_open(store: Store) -> None:
    found = facts.case(facts.created(), facts.assigned("A01", "A02"))
    messages = plan.settle(found, [], contacts("A01"), NOW, LONG)
    receipt = next(message for message in messages if message.template == "receipt")
    sent, _ = domain.sent(replace(receipt, version=0, last_error="550 <erika@x>"), "erika@musterstadt.example", NOW)
    await store.save(messages=[sent, *(message for message in messages if message is not receipt)])
    await store.forget("advisor:A01")
    stands = {(m.template, m.advisor_id): (m.state, m.address) for m in await store.messages(REQUEST)}
    assert stands == {
        ("receipt", None): ("sent", "erika@musterstadt.example"),
        ("assignment", "A01"): ("dropped", None),
        ("assignment", "A02"): ("waiting", None),
    }
    await store.forget(f"request:{REQUEST}")
    await store.forget(f"request:{REQUEST}")
    stands = {(m.template, m.advisor_id): (m.state, m.address) for m in await store.messages(REQUEST)}
    assert stands == {
        ("receipt", None): ("sent", None),
        ("assignment", "A01"): ("dropped", None),
        ("assignment", "A02"): ("dropped", None),
    }


async def test_forgetting_stops_who_is_about_to_write_the_address_back(store: Store) -> None:
    await store.save(messages=queued())
    claimed = await store.claim("one", NOW, LEASE, LONGEST)
    assert claimed is not None
    await store.forget(f"request:{REQUEST}")
    with pytest.raises(Stale):
        await store.save(messages=[domain.sent(claimed, "erika@musterstadt.example", NOW)[0]])
    current = await store.message(claimed.id)
    assert current is not None
    after, _ = domain.sent(current, "erika@musterstadt.example", NOW)
    assert (after.state, after.address) == ("sent", None)


async def test_forgetting_a_draft_leaves_the_requests_other_mails(store: Store) -> None:
    about_draft = domain.queued(domain.resume(facts.draft_dossier(), facts.event_id("draft")), NOW, NOW)
    receipt = replace(queued()[0], state="sent", address="erika@musterstadt.example")
    sent = replace(about_draft, state="sent", address="erika@musterstadt.example")
    await store.save(messages=[sent, receipt])
    await store.forget(f"draft:{REQUEST}")
    addresses = {each.template: each.address for each in await store.messages(REQUEST)}
    assert addresses == {"draft_saved": None, "receipt": "erika@musterstadt.example"}
