"""Sessions: arranged, moved, called off, recorded once; and what is due next."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from services.matching.domain.model import Option, Presence, Record, Session
from services.matching.domain.worklist import next_step
from services.matching.handlers import rounds, sessions
from shared.auth import Caller
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.events import SessionCompleted, SessionScheduled
from shared.events.base import Mode, SessionKind
from shared.ids import new_id
from tests.matching.play import COORDINATOR, Play, by
from tests.matching.samples import FAIR, NOW, PARTNERS, TODAY, advisor


@pytest.fixture
async def play() -> Play:
    """A01 leads, A02 is co, A03 has nothing to do with it."""
    made = Play()
    await made.pool(
        advisor("A01", levels={FAIR: 3}), advisor("A02", levels={PARTNERS: 3}), advisor("A03", levels={FAIR: 1})
    )
    return made


def record(**given: Any) -> Record:
    values: dict[str, Any] = {
        "held_on": TODAY,
        "minutes": 90,
        "mode": Mode.ON_SITE,
        "participants": 12,
        "members": (Presence("A01", 90, 40), Presence("A02", 60, 0)),
        "options": (Option(new_id(), FAIR, "Vereine persönlich einladen"),),
        "completed_at": NOW,
    }
    return Record(**values | given)


async def complete(play: Play, session_id: str, told: Record, caller: Caller = COORDINATOR) -> Session:
    return await sessions.complete(play.store, session_id, told, play.rules, caller)


async def test_a_session_is_arranged_moved_and_called_off_with_rising_sequence(play: Play) -> None:
    request_id = await play.engaged()
    session_id = await play.arranged(request_id)
    later = play.now + timedelta(days=3)
    for _ in range(2):
        await sessions.reschedule(play.store, session_id, later, 60, by("A02"), play.now)
    for _ in range(2):
        await sessions.cancel(play.store, session_id, by("A01"), play.now)
    told = play.told(SessionScheduled)
    assert [(one.change, one.sequence, one.minutes) for one in told] == [
        ("scheduled", 0, 90),
        ("rescheduled", 1, 60),
        ("cancelled", 2, 60),
    ]
    assert told[0].advisor_ids == ("A01", "A02")
    with pytest.raises(Conflict, match="called off"):
        await sessions.reschedule(play.store, session_id, later + timedelta(days=1), 60, COORDINATOR, play.now)


async def test_no_session_before_everybody_has_accepted(play: Play) -> None:
    request_id = await play.ask()
    with pytest.raises(Conflict, match="once everybody has accepted"):
        await play.arranged(request_id)


async def test_a_first_talk_is_arranged_once_unless_it_was_called_off(play: Play) -> None:
    request_id = await play.engaged()
    first = await play.arranged(request_id)
    with pytest.raises(Conflict, match="first talk already"):
        await play.arranged(request_id)
    await sessions.cancel(play.store, first, COORDINATOR, play.now)
    await play.arranged(request_id)
    await play.arranged(request_id, SessionKind.CONSULTATION)


async def test_a_recorded_session_is_told_without_the_words_of_its_options(play: Play) -> None:
    request_id = await play.engaged()
    session_id = await play.arranged(request_id)
    told = record()
    await complete(play, session_id, told)
    [event] = play.told(SessionCompleted)
    assert [(one.advisor_id, one.minutes, one.travel_km) for one in event.members] == [("A01", 90, 40), ("A02", 60, 0)]
    assert [(one.option_id, one.field) for one in event.options_agreed] == [(told.options[0].id, FAIR)]
    assert "Vereine" not in event.model_dump_json()
    kept = (await play.of(request_id)).sessions[0].record
    assert kept is not None
    assert kept.options[0].text == "Vereine persönlich einladen"


async def test_the_same_record_again_is_told_once_and_another_is_refused(play: Play) -> None:
    session_id = await play.arranged(await play.engaged())
    for _ in range(3):
        await complete(play, session_id, record())  # other option ids, same words
    with pytest.raises(Conflict, match="recorded already"):
        await complete(play, session_id, record(participants=99))
    assert len(play.told(SessionCompleted)) == 1


async def test_a_wrong_record_is_told_anew_even_after_the_closing_and_its_options_stay_the_same_ones(
    play: Play,
) -> None:
    request_id = await play.engaged()
    session_id = await play.arranged(request_id)
    with pytest.raises(Conflict, match="not recorded yet"):
        await sessions.correct(play.store, session_id, record(), play.rules, COORDINATOR)
    await complete(play, session_id, record())
    await rounds.close(play.store, request_id, "completed", COORDINATOR, play.now)
    right = record(minutes=60, members=(Presence("A01", 60, 40),))
    for _ in range(2):
        anew = await sessions.correct(play.store, session_id, right, play.rules, COORDINATOR)
        assert anew.record is not None
        assert anew.record.minutes == 60
    first, second = play.told(SessionCompleted)
    assert (second.minutes, [one.advisor_id for one in second.members]) == (60, ["A01"])
    assert second.options_agreed == first.options_agreed
    assert second.completed_at > first.completed_at
    wrong = record(held_on=TODAY + timedelta(days=1))
    with pytest.raises(Invalid):
        await sessions.correct(play.store, session_id, wrong, play.rules, COORDINATOR)


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"held_on": TODAY + timedelta(days=1)}, "held_on", "in_the_future"),
        ({"held_on": TODAY - timedelta(days=800)}, "held_on", "too_far"),
        ({"members": (Presence("A03", 30),)}, "members.0.advisor_id", "not_of_the_tandem"),
        ({"members": (Presence("A01", 91),)}, "members.0.minutes", "longer_than_session"),
        ({"mode": Mode.ONLINE}, "members.0.travel_km", "travel_online"),
    ],
)
async def test_an_implausible_record_names_the_field(
    play: Play, change: dict[str, object], field: str, code: str
) -> None:
    session_id = await play.arranged(await play.engaged())
    with pytest.raises(Invalid) as error:
        await complete(play, session_id, replace(record(), **change))  # type: ignore[arg-type]
    assert [(one.field, one.code) for one in error.value.fields] == [(field, code)]


async def test_a_session_years_away_is_a_slip(play: Play) -> None:
    request_id = await play.engaged()
    with pytest.raises(Invalid):
        await play.arranged(request_id, days=3650)


async def test_sessions_belong_to_the_tandem_and_the_coordinators(play: Play) -> None:
    request_id = await play.engaged()
    session_id = await play.arranged(request_id)
    with pytest.raises(Forbidden):
        await sessions.cancel(play.store, session_id, by("A03"), play.now)
    with pytest.raises(Forbidden):
        await complete(play, session_id, record(), by("A03"))
    with pytest.raises(NotFound):
        await sessions.cancel(play.store, new_id(), COORDINATOR, play.now)


async def test_nothing_is_recorded_after_the_closing(play: Play) -> None:
    request_id = await play.engaged()
    session_id = await play.arranged(request_id)
    await rounds.close(play.store, request_id, "ended_early", COORDINATOR, play.now)
    with pytest.raises(Conflict, match="called off"):
        await complete(play, session_id, record())


async def test_paid_minutes_of_twelve_months_count_against_an_advisor(play: Play) -> None:
    """Fairness: A01 and A02 fit equally, A01 has worked more, so this time A02 leads. Each has half of its points."""
    request_id = await play.engaged()
    await complete(play, await play.arranged(request_id), record())
    assert (await play.store.loads(TODAY)).paid == {"A01": 90, "A02": 60}
    assert (await play.store.loads(TODAY + timedelta(days=366))).paid == {}
    seats = (await play.current(await play.ask())).seats
    assert [(one.advisor_id, one.points["fairness"]) for one in seats] == [
        ("A02", 75 - 60 // 2),
        ("A01", 60 // 2),
    ]


# -- never stuck: owner, next step, due date ------------------------------------------------------------------------


async def step(play: Play, request_id: str) -> tuple[str, str, date] | None:
    found = next_step(await play.of(request_id), play.rules, play.rules.day(play.now))
    return (found.owner, found.code, found.due) if found else None


async def test_every_open_request_has_an_owner_a_next_step_and_a_due_date(play: Play) -> None:
    """In working days of the state, along one engagement."""
    request_id = await play.ask()
    assert await step(play, request_id) == ("A01", "answer", date(2026, 12, 1))
    await play.says(request_id, "A01", "accepted")
    assert await step(play, request_id) == ("A02", "answer", date(2026, 12, 1))
    await play.says(request_id, "A02", "accepted")
    assert await step(play, request_id) == ("A01", "schedule_first_talk", date(2026, 12, 8))
    session_id = await play.arranged(request_id, days=1)
    assert await step(play, request_id) == ("A01", "hold_session", date(2026, 11, 30))
    play.now += timedelta(days=2)
    assert await step(play, request_id) == ("A01", "record_session", date(2026, 11, 30))
    await complete(play, session_id, record(held_on=TODAY + timedelta(days=1), completed_at=play.now))
    assert await step(play, request_id) == ("A01", "continue_or_close", date(2026, 12, 23))
    await rounds.close(play.store, request_id, "completed", COORDINATOR, play.now)
    assert await step(play, request_id) is None


async def test_a_parked_request_belongs_to_the_coordinators() -> None:
    play = Play()
    request_id = await play.ask()
    assert await step(play, request_id) == ("coordination", "find_advisor", date(2026, 12, 1))
