"""The Kafka door: each topic reaches its handler, tombstones too."""

from services.notifications.consumer import reactions
from shared.events import Event
from shared.inbox import mark
from shared.topics import CONSUMED
from tests.notifications import facts
from tests.notifications.facts import LONG, cause
from tests.notifications.fake_store import FakeStore

EVENTS: list[Event] = [
    facts.draft_dossier(),
    facts.advisor_dossier("A01"),
    facts.request_dossier(),
    facts.created(),
    facts.parked(),
    facts.assigned("A01"),
    facts.reminded("A01"),
    facts.escalated(),
    facts.delayed(),
    facts.answered("A01", complete=True),
    facts.handover(),
    facts.session(advisor_ids=("A01",)),
    facts.closed(),
    facts.withdrawn(),
    facts.barrier(),
    facts.proof(),
    facts.example(),
]


def test_every_topic_has_its_reaction() -> None:
    found = reactions(FakeStore(), LONG)
    assert {on.event.topic for on in found} == set(CONSUMED["notifications"])
    assert {on.event.topic for on in found if on.erased} == {
        "request.dossier",
        "draft.dossier",
        "advisor.dossier",
    }


async def test_each_event_has_one_effect_and_one_mark() -> None:
    store = FakeStore()
    by_topic = {on.event.topic: on for on in reactions(store, LONG * 1000)}
    assert {event.topic for event in EVENTS} == set(by_topic)
    for event in EVENTS:
        await by_topic[event.topic].handle(event, cause(event))
    assert len(store.marks) == len(EVENTS)
    assert {message.template for message in store.all_messages.values()} >= {
        "draft_saved",
        "receipt",
        "assignment",
        "thanks",
        "barrier",
        "proof_due",
    }


async def test_tombstones_erase_their_contact() -> None:
    store = FakeStore()
    for on in reactions(store, LONG):
        if on.erased:
            await on.erased("SUBJECT", mark("notifications", f"{on.event.topic}-0-7"))
    assert {key: contact.erased for key, contact in store.all_contacts.items()} == {
        "request:SUBJECT": True,
        "draft:SUBJECT": True,
        "advisor:SUBJECT": True,
    }
    assert len(store.marks) == 3
