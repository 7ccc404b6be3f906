"""Somebody can't go on: the hand-over list, its replacements, and how a seat changes hands without a gap."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.matching.domain.model import Absence, Engagement, Presence, Record
from services.matching.domain.worklist import next_step
from services.matching.handlers import advisors, handing, releasing, rounds
from services.matching.handlers import sessions as session_handlers
from shared.errors import Conflict, Invalid
from shared.events import AdvisorAssigned, ConsultationClosed, HandoverOpened, SessionCompleted, SessionScheduled
from shared.events.base import Mode, SessionKind, Tandem
from tests.matching.play import COORDINATOR, Play, by
from tests.matching.samples import FAIR, PARTNERS, TODAY, advisor

A01 = advisor("A01", levels={FAIR: 3})
A02 = advisor("A02", levels={PARTNERS: 3})
A03 = advisor("A03", levels={FAIR: 1, PARTNERS: 1})
A04 = advisor("A04", levels={FAIR: 2})
LONG = [Absence(TODAY + timedelta(days=10), TODAY + timedelta(days=40))]
DAY = [Absence(TODAY + timedelta(days=10), TODAY + timedelta(days=10))]


@pytest.fixture
async def play() -> Play:
    """A01 and A02 are a tandem; A04 is the best in the place of A01, A03 next."""
    made = Play()
    await made.pool(A01, A02, A03, A04)
    return made


async def away(play: Play, number: str, absences: list[Absence]) -> None:
    await advisors.announce(play.store, number, absences, number, play.governed, play.now)
    await play.matcher.turn()


async def leaves(play: Play, number: str, last_day: date | None) -> None:
    await advisors.leave(play.store, number, last_day, "koordination", "zieht weg", play.governed, play.now)
    await play.matcher.turn()


async def hands(play: Play, request_id: str, number: str, to: str | None) -> Engagement:
    done = await handing.hand_over(
        play.store, request_id, number, to, COORDINATOR, "übernimmt", play.rules, play.now, play.policy
    )
    await play.matcher.turn()
    return done


async def listed(play: Play) -> list[tuple[str, str, list[str]]]:
    """Who goes, why, and the replacements."""
    found = await handing.vacancies(play.store, TODAY, "", 9, play.policy)
    return [(one.entry.advisor_id, one.entry.why, [each.advisor_id for each in one.replacements]) for one in found]


async def test_a_long_absence_puts_what_has_begun_on_the_list_with_the_best_replacements(play: Play) -> None:
    request_id = await play.engaged()
    await away(play, "A01", LONG)
    assert await listed(play) == [("A01", "absent", ["A04", "A03"])]
    step = next_step(await play.of(request_id), play.rules, TODAY)
    assert step is not None
    assert (step.owner, step.code, step.due) == ("coordination", "hand_over", LONG[0].start)
    [told] = play.told(HandoverOpened)
    assert (told.advisor_id, told.reason, told.due) == ("A01", "absent", LONG[0].start)
    await away(play, "A01", [*LONG, Absence(date(2028, 1, 3), date(2028, 1, 3))])
    assert len(play.told(HandoverOpened)) == 1


async def test_a_single_day_does_not_unless_a_session_is_arranged_on_it(play: Play) -> None:
    request_id = await play.engaged()
    await away(play, "A01", DAY)
    assert await listed(play) == []
    await away(play, "A01", [])
    await play.arranged(request_id, days=10)
    await away(play, "A01", DAY)
    assert [entry[:2] for entry in await listed(play)] == [("A01", "absent")]


async def test_an_absence_taken_back_or_settled_otherwise_leaves_the_list(play: Play) -> None:
    request_id = await play.engaged()
    await away(play, "A01", LONG)
    await away(play, "A01", [])
    assert await listed(play) == []
    await away(play, "A02", LONG)
    await handing.stays(play.store, request_id, "A02", COORDINATOR, "nur Urlaub", play.now)
    assert await listed(play) == []
    assert [entry.what for entry in (await play.of(request_id)).audit][-1] == "stays"


async def test_who_leaves_is_asked_for_nothing_new_and_what_has_not_begun_goes_to_the_next(play: Play) -> None:
    begun, asked = await play.engaged(), await play.ask()
    assert (await play.seats(asked))[0][0] == "A01"
    await leaves(play, "A01", TODAY + timedelta(days=30))
    assert await listed(play) == [("A01", "leaving", ["A04", "A03"])]
    assert "A01" not in [seat[0] for seat in await play.seats(asked)]
    assert "A01" in (await play.of(begun)).holders
    later = await play.ask()
    assert "A01" not in [seat[0] for seat in await play.seats(later)]
    await leaves(play, "A01", None)
    assert await listed(play) == []


async def test_the_seat_changes_hands_and_what_is_arranged_goes_with_it(play: Play) -> None:
    request_id = await play.engaged()
    session_id = await play.arranged(request_id, days=20)
    await leaves(play, "A01", TODAY + timedelta(days=5))
    await hands(play, request_id, "A01", "A04")
    assert await play.seats(request_id) == [("A04", "lead", "open", False), ("A02", "co", "accepted", True)]
    assert play.told(AdvisorAssigned)[-1].released_by == "coordinator"
    assert await listed(play) == []
    await play.says(request_id, "A04", "accepted")
    known = await play.of(request_id)
    assert (known.state, known.holders) == ("engaged", ("A04", "A02"))
    moved = play.told(SessionScheduled)[-1]
    assert (moved.session_id, moved.change, moved.sequence, moved.advisor_ids) == (
        session_id,
        "rescheduled",
        1,
        ("A04", "A02"),
    )
    assert moved.assignment_id == (await play.current(request_id)).assignment_id
    entry = known.audit[-2]
    assert (entry.what, entry.who, entry.why) == ("handed_over", ("A01", "A04"), "übernimmt")


async def test_who_was_asked_to_take_over_may_decline_and_the_next_is_found(play: Play) -> None:
    request_id = await play.engaged()
    await leaves(play, "A01", TODAY)
    await hands(play, request_id, "A01", "A04")
    await play.says(request_id, "A04", "declined", "no_time")
    assert await play.seats(request_id) == [("A03", "lead", "open", False), ("A02", "co", "accepted", True)]
    await play.says(request_id, "A03", "accepted")
    assert (await play.of(request_id)).state == "engaged"


async def test_the_other_can_go_on_alone_as_lead(play: Play) -> None:
    request_id = await play.engaged()
    await hands(play, request_id, "A01", None)
    assert await play.seats(request_id) == [("A02", "lead", "accepted", True)]
    assert (await play.of(request_id)).state == "engaged"
    with pytest.raises(Conflict, match="Nobody would be left"):
        await hands(play, request_id, "A02", None)
    with pytest.raises(Conflict, match="does not advise"):
        await hands(play, request_id, "A01", "A03")
    with pytest.raises(Invalid):
        await hands(play, request_id, "A02", "Z99")


async def test_a_session_held_before_the_hand_over_can_still_be_recorded_by_who_held_it(play: Play) -> None:
    request_id = await play.engaged()
    session_id = await play.arranged(request_id)
    play.now += timedelta(days=2)
    await leaves(play, "A01", TODAY + timedelta(days=5))
    await hands(play, request_id, "A01", "A04")
    record = Record(TODAY + timedelta(days=1), 60, Mode.ON_SITE, 3, (Presence("A01", 60),), (), play.now)
    await session_handlers.complete(play.store, session_id, record, play.rules, by("A01"))
    assert [one.session_id for one in play.told(SessionCompleted)] == [session_id]
    await rounds.close(play.store, request_id, "completed", COORDINATOR, play.now)
    [closed] = play.told(ConsultationClosed)
    assert closed.assignment_id == (await play.of(request_id)).rounds[0].assignment_id


async def test_a_conflict_of_interest_in_what_has_begun_is_handed_over(play: Play) -> None:
    request_id = await play.engaged()
    await releasing.flag_conflict(
        play.store, request_id, "A01", COORDINATOR, "neues Amt", play.rules, play.policy, play.now
    )
    assert await listed(play) == [("A01", "conflict", ["A04", "A03"])]
    await away(play, "A01", [])
    assert len(await listed(play)) == 1  # that they are there is no answer to it


async def test_of_somebody_alone_one_replacement_is_found_not_a_pair(play: Play) -> None:
    request_id = await play.engaged(tandem=Tandem.NOT_WANTED, fields=(FAIR,))
    lead = (await play.seats(request_id))[0][0]
    await leaves(play, lead, TODAY)
    [(number, _, best)] = await listed(play)
    assert (number, len(best) > 0, lead in best) == (lead, True, False)
    await hands(play, request_id, lead, best[0])
    await play.says(request_id, best[0], "accepted")
    assert (await play.of(request_id)).state == "engaged"
    await play.arranged(request_id, SessionKind.FIRST_TALK)


async def test_who_is_handed_over_to_above_capacity_is_told_in_the_trail(play: Play) -> None:
    await play.pool(replace(advisor("A05", levels={FAIR: 2}), capacity=0))
    request_id = await play.engaged()
    await hands(play, request_id, "A01", "A05")
    assert [entry.what for entry in (await play.of(request_id)).audit][-2:] == ["handed_over", "assigned_over_capacity"]
