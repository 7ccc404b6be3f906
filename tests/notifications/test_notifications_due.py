"""Who is reminded, told that something is late, or that somebody goes: while it holds, and only whom it concerns."""

from services.notifications.case import CaseFact
from services.notifications.handlers import keep_coordinators
from services.notifications.settings import Settings
from tests.notifications import facts
from tests.notifications.fake_store import FakeStore
from tests.notifications.test_notifications_plan import ALL, after, arrive

ASKED: list[CaseFact] = [facts.created(), facts.assigned("A01", "A02")]
BEGUN: list[CaseFact] = [*ASKED, facts.answered("A01"), facts.answered("A02", complete=True)]


def states(template: str, *arriving: CaseFact) -> set[tuple[str, str]]:
    """Recipient and state of the messages of `template`."""
    found = after(*arriving)
    return {(recipient, state) for name, recipient, state in found if name == template}


def test_who_has_not_answered_is_reminded() -> None:
    assert states("reminder", *ASKED, facts.reminded("A01")) == {("A01", "queued")}


def test_nobody_is_reminded_who_has_answered_or_is_no_longer_asked() -> None:
    """Whatever comes first, the answer or the reminder."""
    for answer in ("accepted", "declined", "expired"):
        said = facts.answered("A01", answer)
        assert states("reminder", *ASKED, said, facts.reminded("A01")) == set()
        assert states("reminder", *ASKED, facts.reminded("A01"), said) == {("A01", "dropped")}
    other = facts.assigned("A03", number=2, by="coordinator")
    assert states("reminder", *ASKED, other, facts.reminded("A01")) == set()
    assert states("reminder", *ASKED, facts.withdrawn(), facts.reminded("A01")) == set()


def test_a_reminder_waits_for_what_it_asks() -> None:
    messages = arrive([facts.reminded("A01")], ALL).values()
    assert [one.waiting_for for one in messages] == [(f"advisor.assigned:{facts.ROUND[1]}", "request.created")]
    assert states("reminder", facts.reminded("A01"), *ASKED) == {("A01", "queued")}


def test_who_is_responsible_for_a_step_is_reminded_of_it_as_long_as_they_advise() -> None:
    late = facts.reminded("A01", "schedule_first_talk", minutes=30)
    assert states("step_reminder", *BEGUN, late) == {("A01", "queued")}
    assert states("step_reminder", *BEGUN, late, facts.assigned("A03", "A02", number=2, kept=("A02",))) == {
        ("A01", "dropped")
    }
    assert states("step_reminder", *BEGUN, facts.closed(), late) == set()


def test_the_coordinators_are_told_what_is_late_until_it_is_done() -> None:
    found = arrive([facts.created(), facts.parked(), facts.escalated()], ALL).values()
    [told] = [one for one in found if one.template == "escalation"]
    assert (told.recipient, told.contact, told.state) == ("coordinators", "coordinators", "queued")
    late = facts.escalated("A01", 2)
    assert {state for _, state in states("escalation", *BEGUN, late)} == {"queued"}
    assert {state for _, state in states("escalation", *BEGUN, late, facts.closed())} == {"dropped"}


def test_the_municipality_learns_honestly_that_it_takes_longer_unless_it_has_an_advisor_by_now() -> None:
    assert states("delayed", facts.created(), facts.delayed()) == {("municipality", "queued")}
    assert states("delayed", *BEGUN, facts.delayed()) == set()
    assert states("delayed", facts.created(), facts.withdrawn(), facts.delayed()) == set()


def test_a_hand_over_is_told_to_the_coordinators_and_whoever_goes_is_thanked() -> None:
    found = arrive([*BEGUN, facts.handover("A01")], ALL).values()
    assert [one.recipient for one in found if one.template == "hand_over"] == ["coordinators"]
    after_it = facts.assigned("A03", "A02", number=2, kept=("A02",), by="coordinator", minutes=40)
    assert states("handed_over", *BEGUN, after_it) == {("A01", "queued")}
    assert states("superseded", *BEGUN, after_it) == set()
    assert states("assignment", *BEGUN, after_it) >= {("A03", "queued")}


def test_whoever_goes_is_thanked_once_even_if_the_answers_arrive_after_the_new_round() -> None:
    after_it = facts.assigned("A03", "A02", number=2, kept=("A02",), by="coordinator", minutes=40)
    late = [*ASKED, after_it, *BEGUN[2:]]
    assert states("handed_over", *late) == {("A01", "queued")}
    assert states("superseded", *late) <= {("A01", "dropped")}


async def test_the_offices_contact_is_as_the_settings_have_it_now() -> None:
    store = FakeStore()
    for address in ("Büro <buero@miglobe.example>", "Büro <buero@miglobe.example>", "neu@miglobe.example"):
        settings = Settings(secret="only-for-tests-0123456789-0123456789", mail_coordinators=address)
        await keep_coordinators(store, settings)
    known = store.all_contacts["coordinators"]
    assert (known.version, known.name, known.email) == (2, "neu@miglobe.example", "neu@miglobe.example")


def test_the_municipality_is_asked_for_its_consent_as_long_as_that_is_what_is_waited_for() -> None:
    over: list[CaseFact] = [*BEGUN, facts.closed(), facts.example()]
    assert states("example_consent", *over) == {("municipality", "queued")}
    for status in ("agreed", "declined"):
        answered = facts.example(status, "municipality", 70)
        assert states("example_consent", *over, answered) == {("municipality", "dropped")}
        assert {state for _, state in states("example_answered", *over, answered)} == {"queued"}
    assert states("example_consent", *over, facts.example("withdrawn", minutes=70)) == {("municipality", "dropped")}
    assert states("example_answered", *over, facts.example("withdrawn", minutes=70)) == set(), "by the office itself"


def test_the_municipality_learns_that_its_example_is_public_unless_it_is_no_longer() -> None:
    over: list[CaseFact] = [*BEGUN, facts.closed(), facts.example()]
    public = [facts.example("agreed", "municipality", 70), facts.example("published", minutes=80)]
    assert states("example_published", *over, *public) == {("municipality", "queued")}
    gone = facts.example("withdrawn", "municipality", 90)
    assert states("example_published", *over, *public, gone) == {("municipality", "dropped")}
    assert {state for _, state in states("example_answered", *over, *public, gone)} == {"queued"}
