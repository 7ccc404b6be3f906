"""A coordinator looks before anybody is asked, pins, excludes, flags a conflict, and all of it is in the trail."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.matching.domain.governing import AT_ONCE, USUAL, Look
from services.matching.domain.model import DECISIONS, Absence
from services.matching.domain.policy import OPTIMAL
from services.matching.domain.worklist import next_step
from services.matching.handlers import advisors, events, releasing
from shared.errors import Conflict
from shared.events import AdvisorAnswered, AdvisorAssigned
from shared.ids import new_id
from shared.inbox import mark
from tests.matching.play import COORDINATOR, Play
from tests.matching.samples import FAIR, PARTNERS, TODAY, advisor, withdrawn

A01 = advisor("A01", levels={FAIR: 3})
A02 = advisor("A02", levels={PARTNERS: 3})
A03 = advisor("A03", levels={FAIR: 1, PARTNERS: 1})
LOOKED = replace(OPTIMAL, rules=replace(USUAL, look=Look(everything=True)))


@pytest.fixture
async def play() -> Play:
    """Everything is looked at; A01 leads by expertise, A02 complements, A03 is next."""
    made = Play(policy=LOOKED)
    await made.pool(A01, A02, A03)
    return made


async def proposed(play: Play, request_id: str) -> list[str]:
    found = (await play.of(request_id)).proposal
    return [seat.advisor_id for seat in found.asked.seats] if found else []


async def release(play: Play, request_id: str) -> None:
    found = (await play.of(request_id)).proposal
    assert found is not None
    await releasing.release(
        play.store, found.asked.assignment_id, COORDINATOR, "passt", play.policy, play.rules, play.now
    )


def test_who_looks_depends_on_the_programme_the_field_or_the_score() -> None:
    assert not AT_ONCE.wanted(["fair_week"], 0)
    assert Look(everything=True).wanted([], 900)
    assert [Look(fields=(FAIR,)).wanted([code], 900) for code in (FAIR, PARTNERS)] == [True, False]
    assert [Look(below=500).wanted([], score) for score in (499, 500)] == [True, False]


async def test_a_proposal_waits_for_a_coordinator_and_nobody_is_asked(play: Play) -> None:
    request_id = await play.ask()
    known = await play.of(request_id)
    assert (known.state, await proposed(play, request_id), known.rounds) == ("review", ["A01", "A02"], ())
    assert known.holders == ("A01", "A02")
    assert play.told(AdvisorAssigned) == []
    step = next_step(known, play.rules, TODAY)
    assert step is not None
    assert (step.owner, step.code, step.due) == ("coordination", "release", TODAY + timedelta(days=2))


async def test_what_is_released_is_asked_from_then_on(play: Play) -> None:
    request_id = await play.ask()
    play.now += timedelta(days=1)
    found = (await play.of(request_id)).proposal
    assert found is not None
    for _ in range(2):  # twice is fine
        await releasing.release(
            play.store, found.asked.assignment_id, COORDINATOR, "passt", play.policy, play.rules, play.now
        )
    [told] = play.told(AdvisorAssigned)
    assert (told.round, told.released_by, told.respond_by) == (1, "coordinator", date(2026, 12, 2))
    known = await play.of(request_id)
    assert (known.state, known.proposal) == ("proposed", None)
    [entry] = known.audit
    assert (entry.by, entry.what, entry.why, entry.who) == ("koordination", "released", "passt", ("A01", "A02"))


async def test_the_next_in_line_is_looked_at_too_and_who_has_accepted_meanwhile_stays_so(play: Play) -> None:
    request_id = await play.ask()
    await release(play, request_id)
    await play.says(request_id, "A02", "declined", "no_time")
    assert (await play.of(request_id)).state == "review"
    await play.says(request_id, "A01", "accepted")
    await release(play, request_id)
    assert await play.seats(request_id) == [("A01", "lead", "accepted", True), ("A03", "co", "open", False)]


async def test_a_refusal_while_it_is_looked_at_makes_another_proposal(play: Play) -> None:
    request_id = await play.ask()
    await release(play, request_id)
    await play.says(request_id, "A02", "declined", "no_time")
    await play.says(request_id, "A01", "declined", "no_time")
    assert await proposed(play, request_id) == ["A03"]


async def test_who_stays_and_goes_on_alone_needs_no_look() -> None:
    play = Play(policy=LOOKED)
    await play.pool(A01, A02)
    request_id = await play.ask()
    await release(play, request_id)
    await play.says(request_id, "A01", "accepted")
    await play.says(request_id, "A02", "declined", "no_time")
    assert (await play.of(request_id)).state == "engaged"


async def test_whoever_can_no_longer_be_asked_is_not_and_it_is_decided_anew(play: Play) -> None:
    """A certificate that has lapsed comes with no event."""
    request_id = await play.ask()
    found = await play.store.advisor("A02")
    assert found is not None
    play.fake.people["A02"] = replace(found, certified_until=TODAY - timedelta(days=1))
    with pytest.raises(Conflict, match="decided anew"):
        await release(play, request_id)
    await play.matcher.turn()
    assert await proposed(play, request_id) == ["A01", "A03"]
    assert play.told(AdvisorAssigned) == []


async def test_who_announces_an_absence_or_leaves_falls_out_of_a_proposal(play: Play) -> None:
    request_id = await play.ask()
    away = [Absence(TODAY, TODAY + timedelta(days=20))]
    await advisors.announce(play.store, "A02", away, "A02", play.governed, play.now)
    await play.matcher.turn()
    assert await proposed(play, request_id) == ["A01", "A03"]
    await advisors.leave(play.store, "A01", TODAY, "koordination", "zieht weg", play.governed, play.now)
    await play.matcher.turn()
    assert await proposed(play, request_id) == ["A03"]


async def test_a_withdrawn_request_frees_whom_it_had_proposed(play: Play) -> None:
    request_id = await play.ask()
    await events.withdraw(play.store, withdrawn(request_id), mark("matching", new_id()), play.now)
    known = await play.of(request_id)
    assert (known.holders, known.proposal) == ((), None)
    with pytest.raises(Conflict, match="withdrawn"):
        await releasing.reconsider(play.store, request_id, (), COORDINATOR, "doch nicht", play.now)


async def test_reconsidering_leaves_out_whom_the_coordinator_does_not_want(play: Play) -> None:
    request_id = await play.ask()
    old = (await play.of(request_id)).proposal
    await releasing.reconsider(play.store, request_id, ("A01",), COORDINATOR, "kennt den Ort nicht", play.now)
    await play.matcher.turn()
    assert "A01" not in await proposed(play, request_id)
    assert old is not None
    with pytest.raises(Conflict, match="no longer stands"):
        await releasing.release(play.store, old.asked.assignment_id, COORDINATOR, "", play.policy, play.rules, play.now)


async def test_a_pinned_choice_is_kept_and_the_rest_found_round_it(play: Play) -> None:
    request_id = await play.ask()
    await releasing.pin(play.store, request_id, "A03", COORDINATOR, "war schon dort", play.now)
    await play.matcher.turn()
    assert "A03" in await proposed(play, request_id)
    await releasing.unpin(play.store, request_id, "A03", COORDINATOR, "doch nicht", play.now)
    await play.matcher.turn()
    assert await proposed(play, request_id) == ["A01", "A02"]
    assert [entry.what for entry in (await play.of(request_id)).audit] == ["pinned", "unpinned"]


async def test_of_two_requests_pinned_to_a_last_place_one_waits() -> None:
    """A pin is a wish for somebody who can be asked; whoever means more assigns them."""
    play = Play(policy=LOOKED)
    await play.pool(replace(A01, capacity=1), A02)
    first, second = await play.ask(), await play.ask()
    for request_id in (first, second):
        await releasing.pin(play.store, request_id, "A01", COORDINATOR, "beide", play.now)
    await play.matcher.turn()
    states = [(await play.of(request_id)).state for request_id in (first, second)]
    assert sorted(states) == ["parked", "review"]
    assert (await play.store.loads(TODAY)).open["A01"] == 1


async def test_a_conflict_of_interest_takes_them_out_here_and_from_now_on(play: Play) -> None:
    request_id = await play.ask()
    await release(play, request_id)
    await play.says(request_id, "A01", "accepted")
    await releasing.flag_conflict(
        play.store, request_id, "A01", COORDINATOR, "sitzt im Rat", play.rules, play.policy, play.now
    )
    await play.matcher.turn()
    assert [(one.advisor_id, one.answer) for one in play.told(AdvisorAnswered)] == [
        ("A01", "accepted"),
        ("A01", "declined"),
    ]
    assert "A01" not in await proposed(play, request_id)
    other = await play.ask()
    assert "A01" not in await proposed(play, other)


async def test_everything_is_in_the_trail_the_newest_first(play: Play) -> None:
    request_id = await play.ask()
    await releasing.note(play.store, request_id, COORDINATOR, "Rückruf am Montag", play.now)
    play.now += timedelta(hours=1)
    await releasing.pin(play.store, request_id, "A03", COORDINATOR, "war schon dort", play.now)
    play.now += timedelta(hours=1)
    await advisors.announce(play.store, "A02", [Absence(TODAY, TODAY)], "A02", play.governed, play.now)
    trail = await play.store.trail(None, None, "", 9)
    assert [(one.about, one.entry.by, one.entry.what) for one in trail] == [
        ("A02", "A02", "absences_announced"),
        (request_id, "koordination", "pinned"),
        (request_id, "koordination", "noted"),
    ]
    assert {one.entry.what for one in trail} <= set(DECISIONS)
    assert [one.entry.what for one in await play.store.trail(request_id, None, trail[1].place, 9)] == ["noted"]
    assert [one.about for one in await play.store.trail(None, "A02", "", 9)] == ["A02"]
