"""Minutes are reserved before anybody is asked, used up by sessions, free again when it ends; beyond them it waits."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from services.matching.domain.governing import USUAL, Look
from services.matching.domain.model import Presence, Record
from services.matching.domain.policy import OPTIMAL
from services.matching.handlers import budget, events, rounds
from services.matching.handlers import sessions as session_handlers
from shared.errors import Conflict
from shared.events import AdvisorAssigned, BudgetSet, RequestParked
from shared.events.base import Mode, SessionKind, Tandem
from shared.ids import new_id
from shared.inbox import mark
from tests.matching.play import COORDINATOR, Play
from tests.matching.samples import FAIR, TODAY, advisor, withdrawn

KEYNOTE = SessionKind.KEYNOTE
YEAR = (date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture
async def play() -> Play:
    """Two advisors with much time; 600 minutes are expected of each."""
    made = Play()
    await made.pool(advisor("A01", levels={FAIR: 3}, capacity=9), advisor("A02", levels={FAIR: 2}, capacity=9))
    return made


async def given(play: Play, minutes: int, start: date = YEAR[0], end: date = YEAR[1], name: str = "2026") -> None:
    await budget.set_budget(play.store, name, start, end, minutes, "koordination", "Bescheid", play.now)
    await play.matcher.turn()


async def committed(play: Play) -> int:
    [standing] = await budget.standings(play.store)
    return standing.committed


async def alone(play: Play) -> str:
    return await play.ask(tandem=Tandem.NOT_WANTED)


async def test_without_a_budget_nothing_is_reserved_and_nothing_waits(play: Play) -> None:
    assert (await play.of(await alone(play))).reserved is None
    await given(play, 0, date(2027, 1, 1), date(2027, 12, 31), "2027")
    assert (await play.of(await alone(play))).state == "proposed"


async def test_what_goes_beyond_the_budget_is_parked_with_that_reason(play: Play) -> None:
    await given(play, 1200)
    states = [(await play.of(await alone(play))).state for _ in range(3)]
    assert (states, await committed(play)) == (["proposed", "proposed", "parked"], 1200)
    [told] = play.told(RequestParked)
    assert told.reason == "budget"


async def test_a_tandem_takes_the_minutes_of_two(play: Play) -> None:
    await given(play, 1100)
    request_id = await play.ask(tandem=Tandem.WANTED)
    assert (await play.of(request_id)).parked == "budget"
    await given(play, 1200)
    assert ((await play.of(request_id)).state, await committed(play)) == ("proposed", 1200)


async def test_the_oldest_request_has_the_budget_first(play: Play) -> None:
    """Decided in one pass; what the choice liked better plays no part."""
    await given(play, 0)
    old, young = await alone(play), await alone(play)
    await given(play, 600)
    assert [(await play.of(one)).state for one in (old, young)] == ["proposed", "parked"]


async def test_a_request_that_ends_or_is_taken_back_frees_the_rest_and_the_next_has_it(play: Play) -> None:
    await given(play, 600)
    first, second, third = await alone(play), await alone(play), await alone(play)
    await events.withdraw(play.store, withdrawn(first), mark("matching", new_id()), play.now)
    await play.matcher.turn()
    assert (await play.of(second)).state == "proposed"
    await rounds.close(play.store, second, "no_longer_possible", COORDINATOR, play.now)
    await play.matcher.turn()
    assert ((await play.of(third)).state, await committed(play)) == ("proposed", 600)


async def test_sessions_use_it_up_and_what_they_take_beyond_it_counts(play: Play) -> None:
    await given(play, 5000)
    request_id = await play.engaged(tandem=Tandem.NOT_WANTED)
    for minutes, expected in ((400, 600), (500, 900)):
        session_id = await play.arranged(request_id) if minutes == 400 else await play.arranged(request_id, KEYNOTE)
        record = Record(TODAY, minutes, Mode.ONLINE, 3, (Presence("A01", minutes),), (), play.now)
        await session_handlers.complete(play.store, session_id, record, play.rules, COORDINATOR)
        assert await committed(play) == expected
    await rounds.close(play.store, request_id, "completed", COORDINATOR, play.now)
    assert await committed(play) == 900


async def test_what_was_expected_and_not_used_is_free_after_the_closing(play: Play) -> None:
    await given(play, 5000)
    request_id = await play.engaged(tandem=Tandem.NOT_WANTED)
    session_id = await play.arranged(request_id)
    record = Record(TODAY, 90, Mode.ONLINE, 3, (Presence("A01", 90),), (), play.now)
    await session_handlers.complete(play.store, session_id, record, play.rules, COORDINATOR)
    await rounds.close(play.store, request_id, "completed", COORDINATOR, play.now)
    assert await committed(play) == 90


async def test_the_next_round_keeps_the_reservation(play: Play) -> None:
    await given(play, 600)
    request_id = await alone(play)
    await play.says(request_id, "A01", "declined", "no_time")
    assert (await play.seats(request_id))[0][0] == "A02"
    assert await committed(play) == 600


async def test_a_proposal_holds_its_minutes_before_it_is_released() -> None:
    play = Play(policy=replace(OPTIMAL, rules=replace(USUAL, look=Look(everything=True))))
    await play.pool(advisor("A01", capacity=9))
    await given(play, 600)
    first, second = await alone(play), await alone(play)
    assert [(await play.of(one)).state for one in (first, second)] == ["review", "parked"]
    assert play.told(AdvisorAssigned) == []


async def test_a_coordinators_choice_beyond_the_budget_is_refused(play: Play) -> None:
    await given(play, 600)
    await alone(play)
    request_id = await alone(play)
    with pytest.raises(Conflict, match="budget"):
        await rounds.assign(
            play.store, request_id, ("A02",), COORDINATOR, "wichtig", play.rules, play.now, lambda _: None
        )


async def test_periods_do_not_overlap_and_a_change_stands_in_the_trail(play: Play) -> None:
    await given(play, 600)
    with pytest.raises(Conflict, match="overlaps"):
        await given(play, 600, date(2026, 12, 31), date(2027, 12, 31), "2027")
    await given(play, 900)
    trail = await play.store.trail("2026", None, "", 9)
    assert [(one.entry.what, one.entry.by, one.entry.why) for one in trail] == [
        ("budget_set", "koordination", "Bescheid")
    ] * 2


SAID = datetime(2026, 11, 1, 12, tzinfo=UTC)


async def tell(play: Play, minutes: int, later: int = 0, name: str = "2026") -> None:
    """What reporting says that the payer's money affords."""
    told = BudgetSet(
        budget_id=new_id(),
        period=name,
        starts_on=YEAR[0],
        ends_on=YEAR[1],
        cents=minutes * 125,
        minutes=minutes,
        set_at=SAID + timedelta(seconds=later),
    )
    await budget.follow(play.store, told, mark("matching", new_id()))
    await play.matcher.turn()


async def test_the_money_set_in_reporting_parks_here_and_more_of_it_brings_back(play: Play) -> None:
    await tell(play, 600)
    first, second = await alone(play), await alone(play)
    assert [(await play.of(one)).state for one in (first, second)] == ["proposed", "parked"]
    await tell(play, 1200, later=1)
    assert (await play.of(second)).state == "proposed"


async def test_of_what_reporting_says_the_last_word_holds_whenever_it_comes(play: Play) -> None:
    await tell(play, 1200, later=1)
    await tell(play, 0)
    [standing] = await budget.standings(play.store)
    assert (standing.budget.minutes, len(standing.budget.audit)) == (1200, 1)


async def test_what_reporting_sets_goes_before_what_was_set_here_and_is_not_changed_here(play: Play) -> None:
    await given(play, 0, name="2026-h2", start=date(2026, 7, 1))
    await tell(play, 600)
    assert (await play.of(await alone(play))).state == "proposed"
    with pytest.raises(Conflict, match="set in reporting"):
        await given(play, 60_000)
    with pytest.raises(Conflict, match="overlaps"):
        await given(play, 60_000, name="2026-h1", end=date(2026, 6, 30))
