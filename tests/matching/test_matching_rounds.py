"""From the request to the engagement: answers, next in line, parking, override, withdrawal, closing."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.matching.domain.model import Absence
from services.matching.handlers import events, rounds
from shared.auth import Caller
from shared.errors import Conflict, Duplicate, Forbidden, Invalid, NotFound
from shared.events import (
    AdvisorAnswered,
    AdvisorAssigned,
    ConsultationClosed,
    RequestParked,
    SessionScheduled,
)
from shared.events.base import Tandem
from shared.ids import new_id
from shared.inbox import mark
from tests.matching.play import COORDINATOR, Play, by
from tests.matching.samples import AGS, FAIR, PARTNERS, TODAY, advisor, created, feedback, withdrawn

A01 = advisor("A01", levels={FAIR: 3})
A02 = advisor("A02", levels={PARTNERS: 3})
A03 = advisor("A03", levels={FAIR: 1, PARTNERS: 1})


@pytest.fixture
async def play() -> Play:
    """Three advisors: A01 leads by expertise, A02 complements, A03 is next."""
    made = Play()
    await made.pool(A01, A02, A03)
    return made


async def override(play: Play, request_id: str, *ids: str, why: str = "kennt die Kommune") -> None:
    await rounds.assign(play.store, request_id, ids, COORDINATOR, why, play.rules, play.now, lambda _: None)
    await play.matcher.turn()


async def test_a_request_is_assigned_with_points_policy_and_a_day_to_answer_by(play: Play) -> None:
    request_id = await play.ask()
    [told] = play.told(AdvisorAssigned)
    assert [(seat.advisor_id, seat.role, seat.kept) for seat in told.members] == [
        ("A01", "lead", False),
        ("A02", "co", False),
    ]
    assert all(seat.score == sum(seat.points.values()) for seat in told.members)
    assert (told.round, told.policy_version, told.released_by) == (1, "optimal.1", "policy")
    assert told.respond_by == date(2026, 12, 1)  # five working days after Tuesday, 24 November
    assert (await play.of(request_id)).state == "proposed"


async def test_it_is_engaged_when_every_seat_is_accepted(play: Play) -> None:
    request_id = await play.ask()
    await play.says(request_id, "A02", "accepted")
    assert (await play.of(request_id)).state == "proposed"
    await play.says(request_id, "A01", "accepted")
    assert (await play.of(request_id)).state == "engaged"
    assert [(one.advisor_id, one.complete) for one in play.told(AdvisorAnswered)] == [("A02", False), ("A01", True)]


async def test_the_same_answer_again_is_told_once_and_another_one_is_refused(play: Play) -> None:
    request_id = await play.ask()
    for _ in range(3):
        await play.says(request_id, "A01", "accepted")
    with pytest.raises(Conflict, match="already accepted"):
        await play.says(request_id, "A01", "declined", "no_time")
    assert len(play.told(AdvisorAnswered)) == 1


async def test_when_the_co_declines_the_accepted_lead_stays_and_the_next_is_asked(play: Play) -> None:
    request_id = await play.ask()
    await play.says(request_id, "A01", "accepted")
    await play.says(request_id, "A02", "declined", "no_time")
    assert await play.seats(request_id) == [("A01", "lead", "accepted", True), ("A03", "co", "open", False)]
    second = play.told(AdvisorAssigned)[1]
    assert (second.round, [seat.kept for seat in second.members]) == (2, [True, False])
    await play.says(request_id, "A03", "accepted")
    assert (await play.of(request_id)).state == "engaged"


async def test_who_has_not_answered_yet_is_asked_again_in_the_new_round(play: Play) -> None:
    """The partner has changed, so it is another question; the old link says so."""
    request_id = await play.ask()
    old = (await play.current(request_id)).assignment_id
    await play.says(request_id, "A02", "declined", "too_far")
    assert await play.seats(request_id) == [("A01", "lead", "open", False), ("A03", "co", "open", False)]
    with pytest.raises(Conflict, match="outdated"):
        await rounds.answer(play.store, old, "A01", "accepted", None, None, play.now)


async def test_an_answer_between_a_refusal_and_the_next_round_counts(play: Play) -> None:
    request_id = await play.ask()
    await play.says(request_id, "A02", "declined", "no_time", match=False)
    assert (await play.of(request_id)).state == "pending"
    await play.says(request_id, "A01", "accepted")
    assert await play.seats(request_id) == [("A01", "lead", "accepted", True), ("A03", "co", "open", False)]


async def test_when_the_lead_declines_the_accepted_co_stays_and_a_lead_is_found(play: Play) -> None:
    request_id = await play.ask()
    await play.says(request_id, "A02", "accepted")
    await play.says(request_id, "A01", "declined", "no_time")
    assert await play.seats(request_id) == [("A03", "lead", "open", False), ("A02", "co", "accepted", True)]


async def test_a_lead_for_whom_no_co_is_left_goes_on_alone_at_once() -> None:
    play = Play()
    await play.pool(A01, A02)
    request_id = await play.ask()
    await play.says(request_id, "A01", "accepted")
    await play.says(request_id, "A02", "declined", "no_time")
    assert await play.seats(request_id) == [("A01", "lead", "accepted", True)]
    assert (await play.of(request_id)).state == "engaged"
    assert [seat.kept for seat in play.told(AdvisorAssigned)[-1].members] == [True]


async def test_a_co_for_whom_no_lead_is_left_is_asked_to_lead_alone() -> None:
    """Nobody becomes a lead unasked."""
    play = Play()
    await play.pool(A01, A02)
    request_id = await play.ask()
    await play.says(request_id, "A02", "accepted")
    await play.says(request_id, "A01", "declined", "no_time")
    assert await play.seats(request_id) == [("A02", "lead", "open", False)]
    assert (await play.of(request_id)).state == "proposed"


async def test_nobody_left_parks_it_and_says_so_once() -> None:
    play = Play()
    await play.pool(A01)
    request_id = await play.ask(tandem=Tandem.NOT_WANTED)
    await play.says(request_id, "A01", "declined", "not_my_field")
    for _ in range(3):
        play.now += timedelta(days=1)
        await play.matcher.turn()
    [told] = play.told(RequestParked)
    assert (told.round, told.reason) == (2, "all_declined")
    assert (await play.of(request_id)).state == "parked"


async def test_a_parked_request_is_tried_again_when_somebody_is_added() -> None:
    play = Play()
    request_id = await play.ask()
    assert [told.reason for told in play.told(RequestParked)] == ["nobody_certified"]
    await play.pool(A01)
    await play.matcher.turn()
    assert await play.seats(request_id) == [("A01", "lead", "open", False)]


async def test_a_parked_request_is_tried_again_when_a_place_falls_free() -> None:
    play = Play()
    await play.pool(replace(A01, capacity=1))
    first, second = await play.ask(), await play.ask()
    assert (await play.of(second)).parked == "nobody_free"
    await events.withdraw(play.store, withdrawn(first), mark("matching", new_id()), play.now)
    await play.matcher.turn()
    assert (await play.of(second)).state == "proposed"


async def test_a_parked_request_is_tried_again_when_an_absence_has_ended() -> None:
    """Without any commit: a new day is reason enough."""
    play = Play()
    await play.pool(replace(A01, absences=(Absence(TODAY, TODAY + timedelta(days=3)),)))
    request_id = await play.ask()
    assert (await play.of(request_id)).parked == "nobody_free"
    play.now += timedelta(days=4)
    await play.matcher.turn()
    assert (await play.of(request_id)).state == "proposed"


async def test_nobody_gets_more_than_their_capacity(play: Play) -> None:
    requests = [await play.ask(tandem=Tandem.NOT_WANTED, fields=(FAIR,)) for _ in range(6)]
    states = [(await play.of(one)).state for one in requests]
    assert states == ["proposed"] * 4 + ["parked"] * 2  # A01 and A03 have two places each
    assert max((await play.store.loads(TODAY)).open.values()) == 2


async def test_who_does_not_answer_in_time_is_passed_over_once(play: Play) -> None:
    request_id = await play.ask(tandem=Tandem.NOT_WANTED, fields=(FAIR,))
    play.now += timedelta(days=7)  # the day itself still counts
    await play.matcher.turn()
    assert play.told(AdvisorAnswered) == []
    play.now += timedelta(days=1)
    await play.matcher.turn()
    await play.matcher.turn()
    assert [(one.advisor_id, one.answer) for one in play.told(AdvisorAnswered)] == [("A01", "expired")]
    assert await play.seats(request_id) == [("A03", "lead", "open", False)]


async def test_an_accepted_seat_is_kept_when_the_other_lets_the_time_pass(play: Play) -> None:
    request_id = await play.ask()
    await play.says(request_id, "A01", "accepted")
    play.now += timedelta(days=8)
    await play.matcher.turn()
    assert await play.seats(request_id) == [("A01", "lead", "accepted", True), ("A03", "co", "open", False)]


async def test_an_answer_after_the_time_says_that_it_is_too_late(play: Play) -> None:
    request_id = await play.ask()
    old = (await play.current(request_id)).assignment_id
    play.now += timedelta(days=8)
    await play.matcher.turn()
    with pytest.raises(Conflict, match="not answered in time"):
        await rounds.answer(play.store, old, "A01", "accepted", None, None, play.now)


async def test_strangers_can_not_answer(play: Play) -> None:
    request_id = await play.ask()
    with pytest.raises(NotFound):
        await play.says(request_id, "A09", "accepted")


# -- order of events ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [False, True])
async def test_a_withdrawal_frees_the_people_in_whatever_order_it_comes(play: Play, late: bool) -> None:
    event = created()
    taken_back = withdrawn(event.request_id)
    if late:
        await play.ask(event)
    await events.withdraw(play.store, taken_back, mark("matching", new_id()), play.now)
    if not late:
        await play.ask(event)
    engagement = await play.of(event.request_id)
    assert (engagement.state, engagement.holders) == ("withdrawn", ())
    assert engagement.asked.case_number == event.case_number
    assert len(play.told(AdvisorAssigned)) == late


async def test_a_withdrawal_calls_off_what_was_arranged_and_answers_come_too_late(play: Play) -> None:
    request_id = await play.engaged()
    await play.arranged(request_id)
    await events.withdraw(play.store, withdrawn(request_id), mark("matching", new_id()), play.now)
    assert [told.change for told in play.told(SessionScheduled)] == ["scheduled", "cancelled"]
    assert play.told(SessionScheduled)[-1].sequence == 1


async def test_an_answer_to_a_withdrawn_request_says_so(play: Play) -> None:
    request_id = await play.ask()
    await events.withdraw(play.store, withdrawn(request_id), mark("matching", new_id()), play.now)
    with pytest.raises(Conflict, match="withdrawn"):
        await play.says(request_id, "A01", "accepted")


@pytest.mark.parametrize("first", ["feedback", "created"])
async def test_feedback_marks_the_engagement_in_whatever_order_it_comes(play: Play, first: str) -> None:
    event = created()
    if first == "created":
        await play.ask(event)
    await events.rate(play.store, feedback(event.request_id), mark("matching", new_id()), play.now)
    if first == "feedback":
        await play.ask(event)
    engagement = await play.of(event.request_id)
    assert engagement.feedback is not None
    assert engagement.feedback.satisfaction == 5
    assert engagement.state == "proposed"


async def test_an_event_delivered_again_changes_nothing(play: Play) -> None:
    event, seen = created(), mark("matching", new_id())
    await events.receive(play.store, event, seen, play.now)
    with pytest.raises(Duplicate):
        await events.receive(play.store, event, seen, play.now)
    await events.receive(play.store, event, mark("matching", new_id()), play.now)  # told twice under two ids
    await play.matcher.turn()
    assert len(play.told(AdvisorAssigned)) == 1


# -- what coordinators decide -------------------------------------------------------------------------------------


async def test_a_coordinator_chooses_with_a_reason_that_is_kept(play: Play) -> None:
    request_id = await play.ask()
    await override(play, request_id, "A03", "A01", why="waren schon dort")
    told = play.told(AdvisorAssigned)[-1]
    assert ([seat.advisor_id for seat in told.members], told.released_by) == (["A03", "A01"], "coordinator")
    [audit] = (await play.of(request_id)).audit
    assert (audit.by, audit.what, audit.why) == ("koordination", "assigned", "waren schon dort")
    assert audit.who == ("A03", "A01")


async def test_an_override_keeps_who_has_accepted_the_same_role(play: Play) -> None:
    request_id = await play.ask()
    await play.says(request_id, "A01", "accepted")
    await override(play, request_id, "A01", "A03")
    assert await play.seats(request_id) == [("A01", "lead", "accepted", True), ("A03", "co", "open", False)]
    await override(play, request_id, "A01")
    assert (await play.of(request_id)).state == "engaged"


async def test_an_override_may_exceed_the_capacity_and_the_audit_says_so() -> None:
    play = Play()
    await play.pool(replace(A01, capacity=1))
    await play.ask()
    second = await play.ask()
    await override(play, second, "A01")
    assert (await play.of(second)).audit[-1].what == "assigned_over_capacity"
    assert (await play.store.loads(TODAY)).open == {"A01": 2}


async def test_an_override_of_ones_own_seat_is_not_over_capacity() -> None:
    play = Play()
    await play.pool(replace(A01, capacity=1))
    request_id = await play.ask()
    await override(play, request_id, "A01")
    assert (await play.of(request_id)).audit[-1].what == "assigned"


@pytest.mark.parametrize(
    ("number", "code"), [("A99", "unknown"), ("A04", "not_certified"), ("A05", "conflict"), ("A06", "unknown")]
)
async def test_an_override_needs_somebody_certified_and_without_conflict(play: Play, number: str, code: str) -> None:
    await play.pool(
        advisor("A04", certified_until=date(2020, 1, 1)),
        advisor("A05", conflicts=(AGS,)),
        advisor("A06", erased_at=play.now),
    )
    request_id = await play.ask()
    with pytest.raises(Invalid) as error:
        await override(play, request_id, "A01", number)
    assert [(one.field, one.code) for one in error.value.fields] == [("co", code)]


async def test_a_running_consultation_is_not_overridden(play: Play) -> None:
    request_id = await play.engaged()
    with pytest.raises(Conflict, match="begun"):
        await override(play, request_id, "A03")


async def test_a_parked_request_can_be_closed_as_no_longer_possible() -> None:
    play = Play()
    request_id = await play.ask()
    with pytest.raises(Conflict, match="has not begun"):
        await rounds.close(play.store, request_id, "completed", COORDINATOR, play.now)
    for _ in range(2):
        await rounds.close(play.store, request_id, "no_longer_possible", COORDINATOR, play.now)
    [told] = play.told(ConsultationClosed)
    assert (told.outcome, told.assignment_id) == ("no_longer_possible", None)


async def test_the_lead_closes_and_the_co_can_not(play: Play) -> None:
    request_id = await play.engaged()
    with pytest.raises(Forbidden):
        await rounds.close(play.store, request_id, "ended_early", by("A02"), play.now)
    await play.arranged(request_id)
    await rounds.close(play.store, request_id, "ended_early", by("A01"), play.now)
    [told] = play.told(ConsultationClosed)
    assert told.assignment_id == (await play.current(request_id)).assignment_id
    assert [one.change for one in play.told(SessionScheduled)] == ["scheduled", "cancelled"]
    assert (await play.store.loads(TODAY)).open == {}


async def test_completed_needs_a_session_that_was_held(play: Play) -> None:
    request_id = await play.engaged()
    with pytest.raises(Conflict, match="No session is recorded"):
        await rounds.close(play.store, request_id, "completed", COORDINATOR, play.now)


async def test_a_closed_engagement_stays_closed_when_the_withdrawal_comes_late(play: Play) -> None:
    request_id = await play.engaged()
    await rounds.close(play.store, request_id, "ended_early", COORDINATOR, play.now)
    await events.withdraw(play.store, withdrawn(request_id), mark("matching", new_id()), play.now)
    assert (await play.of(request_id)).state == "closed"


async def test_a_coordinator_who_answers_for_an_advisor_stands_in_the_audit(play: Play) -> None:
    request_id = await play.ask()
    asked = await play.current(request_id)
    await rounds.answer(play.store, asked.assignment_id, "A01", "declined", "no_time", "koordination", play.now)
    [audit] = (await play.of(request_id)).audit
    assert (audit.by, audit.what, audit.why) == ("koordination", "declined", "no_time")
    assert audit.who == ("A01",)


async def test_closing_an_unknown_request_is_not_found() -> None:
    with pytest.raises(NotFound):
        await rounds.close(Play().store, new_id(), "completed", Caller("x", "coordinator"), Play().now)
