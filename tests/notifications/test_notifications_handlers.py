"""Facts and dossiers become messages; each event once, in any order."""

from datetime import timedelta

import pytest

from services.notifications import domain, handlers
from services.notifications.case import CaseFact
from services.notifications.domain import Message
from shared.errors import Conflict, Duplicate, NotFound
from shared.events import RequestDossier
from shared.ids import derived_id
from shared.inbox import mark
from tests.notifications import facts
from tests.notifications.facts import LONG, NOW, REQUEST, cause
from tests.notifications.fake_store import FakeStore


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


async def note(store: FakeStore, *told: CaseFact) -> None:
    for fact in told:
        await handlers.note(store, fact, cause(fact), NOW, LONG)


async def keep(store: FakeStore, dossier: RequestDossier | None = None, *advisor_ids: str) -> None:
    if dossier is not None:
        await handlers.keep_request(store, dossier, cause(dossier), NOW)
    for advisor_id in advisor_ids:
        told = facts.advisor_dossier(advisor_id)
        await handlers.keep_advisor(store, told, cause(told), NOW)


def states(store: FakeStore) -> dict[str, str]:
    return {f"{m.template} {m.advisor_id or ''}".strip(): m.state for m in store.all_messages.values()}


def only(store: FakeStore) -> Message:
    [message] = store.all_messages.values()
    return message


async def test_the_receipt_waits_for_the_dossier_and_goes_out_when_it_arrives(store: FakeStore) -> None:
    await note(store, facts.created())
    assert only(store).waiting_for == (f"request:{REQUEST}",)
    assert not store.queued.is_set()
    await keep(store, facts.request_dossier())
    assert only(store).state == "queued"
    assert store.queued.is_set()


async def test_a_message_waits_until_the_last_dossier_is_there(store: FakeStore) -> None:
    await note(store, facts.created(), facts.assigned("A01", "A02"), facts.answered("A02", complete=True))
    await keep(store, facts.request_dossier(), "A01")
    assert states(store)["introduction"] == "waiting"
    await keep(store, None, "A02")
    assert set(states(store).values()) == {"queued"}


async def test_an_event_handled_again_changes_nothing(store: FakeStore) -> None:
    await keep(store, facts.request_dossier())
    await note(store, facts.created())
    before = dict(store.all_messages)
    with pytest.raises(Duplicate):
        await note(store, facts.created())
    assert store.all_messages == before


async def test_each_event_leaves_its_mark_even_when_nothing_is_written(store: FakeStore) -> None:
    await note(store, facts.answered("A01", "declined"))
    assert store.all_messages == {}
    assert store.marks == [cause(facts.answered("A01", "declined")).document["_id"]]


async def test_a_later_dossier_replaces_and_an_overtaken_one_does_not(store: FakeStore) -> None:
    old, new = facts.request_dossier(email="old@example.org"), facts.request_dossier(email="new@example.org")
    earlier, later = sorted([facts.event_id("1"), facts.event_id("2")])
    await handlers.keep_request(store, new, mark("notifications", later), NOW)
    await handlers.keep_request(store, old, mark("notifications", earlier), NOW)
    assert store.all_contacts[f"request:{REQUEST}"].email == "new@example.org"
    assert len(store.marks) == 2


async def test_an_erasure_empties_contact_and_messages_and_nothing_more_is_sent(store: FakeStore) -> None:
    await keep(store, facts.request_dossier(), "A01")
    await note(store, facts.created(), facts.assigned("A01"))
    claimed = await store.claim("me", NOW, timedelta(minutes=1), LONG)
    assert claimed is not None
    done, event = domain.sent(claimed, "erika@musterstadt.example", NOW)
    await store.save(messages=[done], events=(event,))
    await handlers.erase(store, f"request:{REQUEST}", mark("notifications", "t-0-1"), NOW)
    await note(store, facts.closed())
    contact = store.all_contacts[f"request:{REQUEST}"]
    assert (contact.erased, contact.name, contact.email, contact.phone) == (True, "", "", None)
    assert all(message.address is None for message in store.all_messages.values())
    assert states(store) == {"receipt": "sent", "assignment A01": "dropped", "thanks": "dropped"}


async def test_a_dossier_after_an_erasure_counts_only_when_it_is_newer(store: FakeStore) -> None:
    earlier, later = sorted([facts.event_id("1"), facts.event_id("2")])
    dossier = facts.advisor_dossier()
    await handlers.keep_advisor(store, dossier, mark("notifications", earlier), NOW)
    await handlers.erase(store, "advisor:A01", mark("notifications", "t-0-1"), NOW)
    await handlers.keep_advisor(store, dossier, mark("again", earlier), NOW)
    assert store.all_contacts["advisor:A01"].erased
    await handlers.keep_advisor(store, dossier, mark("notifications", later), NOW)
    assert not store.all_contacts["advisor:A01"].erased


async def test_an_erasure_releases_what_waited_for_a_third_person(store: FakeStore) -> None:
    await keep(store, facts.request_dossier(), "A01")
    await note(store, facts.session())
    await handlers.erase(store, "advisor:A02", mark("notifications", "t-0-1"), NOW)
    assert states(store) == {
        "session_invite": "queued",
        "session_invite A01": "queued",
        "session_invite A02": "dropped",
    }


async def test_a_dossier_that_arrived_at_the_same_moment_is_found_by_the_scan(store: FakeStore) -> None:
    """Both transactions read before the other wrote: neither saw a reason to release."""
    await note(store, facts.created())
    other = FakeStore()
    await keep(other, facts.request_dossier())
    store.all_contacts |= other.all_contacts
    await handlers.release_arrived(store, NOW)
    assert only(store).state == "queued"


async def test_resending_queues_anew_and_says_who_asked(store: FakeStore) -> None:
    await keep(store, facts.request_dossier())
    await note(store, facts.created())
    with pytest.raises(Conflict):
        await handlers.resend(store, only(store), "operator", NOW, None)
    failed, event = domain.failed(only(store), "erika@x.example", "recipient_refused", "550 no", NOW)
    await store.save(messages=[failed], events=(event,))
    await handlers.resend(store, failed, "operator", NOW, None)
    again = only(store)
    assert (again.state, again.attempts, again.reason, again.last_error) == ("queued", 0, None, None)
    assert [(resend.by, resend.at) for resend in again.resends] == [("operator", NOW)]


async def test_what_no_longer_holds_is_not_resent(store: FakeStore) -> None:
    await keep(store, facts.request_dossier(), "A01")
    await note(store, facts.created(), facts.assigned("A01"))
    [assignment] = [m for m in store.all_messages.values() if m.template == "assignment"]
    done, event = domain.sent(assignment, "a01@x.example", NOW)
    await store.save(messages=[done], events=(event,))
    await note(store, facts.withdrawn())
    with pytest.raises(Conflict):
        await handlers.resend(store, store.all_messages[assignment.id], "operator", NOW, None)


async def test_an_unknown_message_is_not_found(store: FakeStore) -> None:
    with pytest.raises(NotFound):
        await handlers.read(store, facts.event_id("nothing"))


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 2), (2, 4), (3, 8), (9, 300), (10_000, 300)])
def test_pauses_double_up_to_the_cap(attempts: int, seconds: float) -> None:
    assert domain.pause(attempts, 2, 300) == timedelta(seconds=seconds)


async def test_a_drafts_link_is_mailed_once_per_telling(store: FakeStore) -> None:
    for asked in (1, 2):
        dossier = facts.draft_dossier(asked=asked)
        await handlers.keep_draft(store, dossier, mark("notifications", derived_id(dossier.asked_at, "x")), NOW, LONG)
    assert [(m.template, m.state, m.contact) for m in store.all_messages.values()] == [
        ("draft_saved", "queued", f"draft:{REQUEST}")
    ] * 2


async def test_a_sent_or_expired_draft_is_written_about_no_more_and_its_address_forgotten(store: FakeStore) -> None:
    dossier = facts.draft_dossier()
    await handlers.keep_draft(store, dossier, cause(dossier), NOW, LONG)
    await handlers.erase(store, f"draft:{REQUEST}", cause("gone"), NOW)
    (message,) = store.all_messages.values()
    assert (message.state, message.reason) == ("dropped", "erased")
    assert store.all_contacts[f"draft:{REQUEST}"].email == ""


async def test_no_link_to_a_draft_that_is_a_request_by_now(store: FakeStore) -> None:
    created, dossier = facts.created(), facts.draft_dossier()
    await handlers.note(store, created, cause(created), NOW, LONG)
    await handlers.keep_draft(store, dossier, cause(dossier), NOW, LONG)
    assert "draft_saved" not in {message.template for message in store.all_messages.values()}
    assert f"draft:{REQUEST}" not in store.all_contacts


async def test_a_drafts_link_is_not_mailed_a_month_later(store: FakeStore) -> None:
    dossier = facts.draft_dossier()
    await handlers.keep_draft(store, dossier, cause(dossier), dossier.asked_at + LONG * 2, LONG)
    assert [(m.state, m.reason) for m in store.all_messages.values()] == [("dropped", "too_old")]


async def test_the_coordinators_are_told_of_a_barrier_once(store: FakeStore) -> None:
    fact = facts.barrier()
    await handlers.tell_of_barrier(store, fact, cause(fact), NOW, LONG)
    with pytest.raises(Duplicate):
        await handlers.tell_of_barrier(store, fact, cause(fact), NOW, LONG)
    message = only(store)
    assert (message.template, message.state, message.contact) == ("barrier", "queued", domain.COORDINATORS)
    assert message.request_id == fact.barrier_id


async def test_nobody_is_told_of_a_barrier_of_long_ago(store: FakeStore) -> None:
    fact = facts.barrier()
    await handlers.tell_of_barrier(store, fact, cause(fact), fact.reported_at + LONG * 2, LONG)
    assert (only(store).state, only(store).reason) == ("dropped", "too_old")


async def test_the_coordinators_are_told_of_a_proof_once_and_not_of_one_of_long_ago(store: FakeStore) -> None:
    fact = facts.proof()
    await handlers.tell_of_proof(store, fact, cause(fact), NOW, LONG)
    with pytest.raises(Duplicate):
        await handlers.tell_of_proof(store, fact, cause(fact), NOW, LONG)
    message = only(store)
    assert (message.template, message.state, message.contact) == ("proof_due", "queued", domain.COORDINATORS)
    late = FakeStore()
    await handlers.tell_of_proof(late, fact, cause(fact), NOW + 2 * LONG, LONG)
    assert (only(late).state, only(late).reason) == ("dropped", "too_old")
