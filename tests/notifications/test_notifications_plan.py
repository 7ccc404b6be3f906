"""Which messages a case calls for, whatever the order in which its facts arrive."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifications import domain, plan
from services.notifications.case import Case, CaseFact, noted
from services.notifications.domain import Contact, Message
from shared.events import SessionScheduled
from tests.notifications import facts
from tests.notifications.facts import LONG, NOW, REQUEST, case, contacts

ALL = contacts("A01", "A02", "A03")
JOURNEY: list[CaseFact] = [
    facts.created(),
    facts.parked(),
    facts.assigned("A01", "A02"),
    facts.answered("A01"),
    facts.answered("A02", "declined"),
    facts.assigned("A01", "A03", number=2, kept=("A01",)),
    facts.answered("A03", complete=True, number=2),
    facts.session(advisor_ids=("A01", "A03")),
    facts.session("rescheduled", 1, ("A01", "A03")),
    facts.closed(),
]


def told(messages: Sequence[Message]) -> set[tuple[str, str, str]]:
    return {(m.template, m.advisor_id or "municipality", m.state) for m in messages}


def arrive(arriving: Sequence[CaseFact], known: dict[str, Contact]) -> dict[str, Message]:
    """What stands after the facts have arrived one after the other, nothing sent meanwhile."""
    messages: dict[str, Message] = {}
    found = Case(REQUEST)
    for fact in arriving:
        found = found.note(noted(facts.event_id(fact), fact))
        for message in plan.settle(found, list(messages.values()), known, NOW, LONG):
            messages[message.id] = message
    return messages


def after(*arriving: CaseFact, known: dict[str, Contact] = ALL) -> set[tuple[str, str, str]]:
    return told(list(arrive(arriving, known).values()))


def sending(message: Message) -> Message:
    return replace(message, state="sent", version=message.version + 1)


def test_a_request_is_answered_with_a_receipt() -> None:
    assert after(facts.created()) == {("receipt", "municipality", "queued")}


def test_each_advisor_who_must_answer_is_asked() -> None:
    assert after(facts.created(), facts.assigned("A01", "A02", kept=("A01",))) == {
        ("receipt", "municipality", "queued"),
        ("assignment", "A02", "queued"),
    }


def test_the_complete_tandem_is_introduced_to_everybody() -> None:
    stands = after(facts.created(), facts.assigned("A01", "A02"), facts.answered("A01"), facts.answered("A02"))
    assert not any(template == "introduction" for template, *_ in stands)
    stands = after(facts.created(), facts.assigned("A01", "A02"), facts.answered("A02", complete=True))
    assert {
        ("introduction", "municipality", "queued"),
        ("engagement_started", "A01", "queued"),
        ("engagement_started", "A02", "queued"),
    } <= stands


def test_an_assignment_whose_seats_are_all_kept_begins_at_once() -> None:
    stands = after(facts.created(), facts.assigned("A01", number=2, kept=("A01",), by="coordinator"))
    assert ("introduction", "municipality", "queued") in stands
    assert ("engagement_started", "A01", "queued") in stands
    assert not any(template == "assignment" for template, *_ in stands)


def test_the_last_answer_may_arrive_before_its_assignment() -> None:
    early = after(facts.answered("A02", complete=True))
    assert early == {("introduction", "municipality", "waiting")}
    both = arrive([facts.answered("A02", complete=True), facts.assigned("A01", "A02"), facts.created()], ALL)
    assert (
        both.keys()
        == arrive([facts.created(), facts.assigned("A01", "A02"), facts.answered("A02", complete=True)], ALL).keys()
    )
    assert {message.state for message in both.values()} == {"queued"}


def test_a_message_says_what_it_waits_for() -> None:
    messages = arrive([facts.assigned("A01")], {}).values()
    [assignment] = messages
    assert assignment.waiting_for == ("advisor:A01", "request.created", f"request:{REQUEST}")
    assert assignment.state == "waiting"


@settings(max_examples=50, deadline=None)
@given(st.permutations(JOURNEY))
def test_any_order_of_arrival_ends_with_the_same_messages_to_those_concerned(order: list[CaseFact]) -> None:
    """Questions that are answered or replaced when they arrive are not asked any more; all else is the same."""

    def lasting(messages: dict[str, Message]) -> set[str]:
        passing = {"assignment", "parked", "session_invite"}
        return {message.id for message in messages.values() if message.template not in passing}

    assert lasting(arrive(order, ALL)) == lasting(arrive(JOURNEY, ALL))


@settings(max_examples=50, deadline=None)
@given(st.permutations(JOURNEY))
def test_contacts_known_before_or_after_make_no_difference(order: list[CaseFact]) -> None:
    late = arrive(order, {})
    found = case(*order)
    for message in plan.settle(found, list(late.values()), ALL, NOW, LONG):
        late[message.id] = message
    early = arrive(order, ALL)
    assert {i: m.state for i, m in late.items()} == {i: m.state for i, m in early.items()}


def test_a_fact_told_twice_calls_for_nothing_new() -> None:
    messages = arrive([facts.created()], ALL)
    assert plan.settle(case(facts.created()), list(messages.values()), ALL, NOW, LONG) == []


def test_one_parked_mail_per_round() -> None:
    stands = arrive([facts.created(), facts.parked(1, 5), facts.parked(1, 6)], ALL).values()
    assert [message.template for message in stands].count("parked") == 1
    later = arrive(
        [
            facts.created(),
            facts.parked(1, 5),
            facts.assigned("A01"),
            facts.answered("A01", "declined"),
            facts.parked(2, 14),
        ],
        ALL,
    ).values()
    assert [(m.template, m.state) for m in later if m.template == "parked"] == [
        ("parked", "dropped"),
        ("parked", "queued"),
    ]


def test_what_a_withdrawal_makes_pointless_is_not_sent_any_more() -> None:
    stands = after(facts.created(), facts.assigned("A01"), facts.withdrawn())
    assert stands == {
        ("receipt", "municipality", "queued"),
        ("assignment", "A01", "dropped"),
        ("withdrawn", "municipality", "queued"),
    }


def test_advisors_who_were_asked_learn_of_the_withdrawal_but_not_who_declined() -> None:
    asked = case(facts.created(), facts.assigned("A01", "A02"), facts.answered("A02", "declined"))
    sent = [sending(message) for message in arrive([facts.created(), facts.assigned("A01", "A02")], ALL).values()]
    found = case(*(n.fact for n in asked.facts), facts.withdrawn())
    new = plan.settle(found, sent, ALL, NOW, LONG)
    assert told(new) == {("withdrawn", "municipality", "queued"), ("withdrawn_advisor", "A01", "queued")}


def test_a_mail_on_its_way_is_left_alone() -> None:
    messages = arrive([facts.created(), facts.assigned("A01")], ALL)
    leased = [
        replace(message, sending_until=NOW + timedelta(minutes=1), sending_by="me") for message in messages.values()
    ]
    new = plan.settle(case(facts.created(), facts.assigned("A01"), facts.withdrawn()), leased, ALL, NOW, LONG)
    assert told(new) == {("withdrawn", "municipality", "queued"), ("withdrawn_advisor", "A01", "queued")}


def test_who_was_asked_and_replaced_by_the_coordinator_is_told_after_a_pause() -> None:
    """The pause leaves time for a decline that is on its way on another topic."""
    first: list[CaseFact] = [facts.created(), facts.assigned("A01", "A02")]
    sent = [sending(message) for message in arrive(first, ALL).values()]
    replaced = facts.assigned("A01", "A03", number=2, by="coordinator")
    new = plan.settle(case(*first, replaced), sent, ALL, NOW, LONG)
    [superseded] = [message for message in new if message.template == "superseded"]
    assert superseded.advisor_id == "A02"
    assert superseded.due_at is not None
    assert superseded.due_at > NOW
    declined = case(*first, replaced, facts.answered("A02", "declined"))
    [dropped] = [m for m in plan.settle(declined, [*sent, *new], ALL, NOW, LONG) if m.template == "superseded"]
    assert (dropped.state, dropped.reason) == ("dropped", "superseded")


def test_open_questions_end_when_the_request_is_closed() -> None:
    first: list[CaseFact] = [facts.created(), facts.assigned("A01")]
    sent = [sending(message) for message in arrive(first, ALL).values()]
    closed = facts.closed("no_longer_possible", engaged=False)
    assert told(plan.settle(case(*first, closed), sent, ALL, NOW, LONG)) == {("superseded", "A01", "queued")}


def test_thanks_only_for_what_took_place() -> None:
    assert ("thanks", "municipality", "queued") in after(facts.created(), facts.closed("ended_early"))
    assert ("thanks", "municipality", "queued") not in after(facts.created(), facts.closed("no_longer_possible"))


def test_a_session_goes_to_municipality_and_advisors_and_to_who_left_it() -> None:
    stands = after(facts.session(), facts.session("rescheduled", 1, ("A01", "A03")))
    assert stands == {
        ("session_invite", "municipality", "queued"),
        ("session_invite", "A01", "queued"),
        ("session_invite", "A02", "queued"),
        ("session_update", "municipality", "queued"),
        ("session_update", "A01", "queued"),
        ("session_update", "A03", "queued"),
        ("session_cancelled", "A02", "queued"),
    }


def test_a_change_of_a_session_that_was_overtaken_is_not_told() -> None:
    late = after(facts.session("cancelled", 2), facts.session("rescheduled", 1))
    assert {template for template, *_ in late} == {"session_cancelled"}


def test_nobody_is_written_to_about_what_is_long_past() -> None:
    """A replay of the topics into an empty database must not mail the whole history."""
    [receipt] = plan.settle(case(facts.created()), [], ALL, NOW + timedelta(days=31), LONG)
    assert (receipt.state, receipt.reason) == ("dropped", "too_old")


def test_messages_to_the_erased_are_dropped_and_others_leave_them_out() -> None:
    erased = ALL | {"advisor:A02": Contact("advisor:A02", 2, "", erased=True)}
    stands = after(facts.created(), facts.session(), known=erased)
    assert ("session_invite", "A02", "dropped") in stands
    assert ("session_invite", "A01", "queued") in stands
    assert ("session_invite", "municipality", "queued") in stands


def test_a_sessions_moment_without_its_own_is_that_of_its_event() -> None:
    without = facts.session().model_copy(update={"changed_at": None})
    assert isinstance(without, SessionScheduled)
    assert noted(facts.event_id("x"), without).at == facts.AT
    assert noted("no-uuid", without).at == without.starts_at


def test_message_ids_are_derived_and_valid_even_when_the_event_has_a_foreign_id() -> None:
    cause = noted("a-foreign-id", facts.created())
    one, two = domain.draft(REQUEST, cause, "receipt"), domain.draft(REQUEST, cause, "receipt")
    assert one.id == two.id
    done, event = domain.sent(one, "x@example.org", NOW)
    assert event.message_id == one.id
    assert done.version == 1
