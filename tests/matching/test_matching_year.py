"""A year is played in seconds: the clock is an argument, and each day brings what is due on it."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

from services.matching.domain.governing import USUAL
from services.matching.domain.model import Presence, Record
from services.matching.domain.worklist import next_step
from services.matching.handlers import rounds
from services.matching.handlers import sessions as session_handlers
from shared import workdays
from shared.events import (
    AdvisorAnswered,
    AdvisorReminded,
    ConsultationClosed,
    RequestDelayed,
    RequestEscalated,
    RequestParked,
)
from shared.events.base import Mode, SessionKind, Tandem
from tests.matching.play import COORDINATOR, Play
from tests.matching.samples import FAIR, PARTNERS, advisor, created


def days(*found: object) -> list[date]:
    """Of reminders, escalations, delays."""
    names = ("reminded_at", "escalated_at", "delayed_at", "answered_at")
    return [next(getattr(one, name) for name in names if hasattr(one, name)).date() for one in found]


async def on(play: Play, count: int) -> None:
    """`count` days, each looked at once in the morning."""
    for _ in range(count):
        play.now += timedelta(days=1)
        await play.matcher.turn()


async def test_who_does_not_answer_is_reminded_once_then_the_next_is_asked() -> None:
    play = Play()
    await play.pool(advisor("A01", levels={FAIR: 3}), advisor("A02", levels={FAIR: 2}))
    request_id = await play.ask(tandem=Tandem.NOT_WANTED, fields=(FAIR,))  # Tuesday, 24 November 2026
    await on(play, 9)
    [reminded] = play.told(AdvisorReminded)
    assert (reminded.advisor_id, reminded.step, reminded.reminded_at.date()) == ("A01", "answer", date(2026, 11, 27))
    [expired] = play.told(AdvisorAnswered)
    assert (expired.answer, expired.answered_at.date()) == ("expired", date(2026, 12, 2))
    assert await play.seats(request_id) == [("A02", "lead", "open", False)]


async def test_what_nobody_can_take_is_escalated_on_a_ladder_and_the_municipality_told_honestly() -> None:
    play = Play()
    request_id = await play.ask(tandem=Tandem.NOT_WANTED)
    assert len(play.told(RequestParked)) == 1
    await on(play, 90)
    due = play.rules.after(date(2026, 11, 24), play.rules.park)
    expected = [play.rules.after(due, count) for count in USUAL.escalate]
    while (later := play.rules.after(expected[-1], USUAL.escalate[-1])) <= play.now.date():
        expected.append(later)
    assert days(*play.told(RequestEscalated)) == expected
    assert [one.level for one in play.told(RequestEscalated)] == list(range(1, len(expected) + 1))
    told = days(*play.told(RequestDelayed))
    assert told[:2] == [date(2026, 12, 8), date(2026, 12, 22)]  # ten working days each
    assert all(play.rules.after(one, USUAL.delay_after) == other for one, other in pairwise(told))
    await play.pool(advisor("A01"))
    await play.matcher.turn()
    assert (await play.of(request_id)).state == "proposed"


async def test_after_a_long_silence_each_is_told_once_and_not_for_every_date_that_was_missed() -> None:
    play = Play()
    await play.ask(tandem=Tandem.NOT_WANTED)
    play.now += timedelta(days=200)
    for _ in range(5):
        await play.matcher.turn()
    assert [one.level for one in play.told(RequestEscalated)] == [len(USUAL.escalate)]
    assert len(play.told(RequestDelayed)) == 1


async def test_a_lead_who_does_nothing_is_reminded_before_the_coordinators_are_told() -> None:
    play = Play()
    await play.pool(advisor("A01"))
    request_id = await play.engaged(tandem=Tandem.NOT_WANTED)
    await on(play, 18)
    [reminded] = play.told(AdvisorReminded)
    due = play.rules.after(date(2026, 11, 24), play.rules.first_talk)
    assert (reminded.step, reminded.due, reminded.reminded_at.date()) == (
        "schedule_first_talk",
        due,
        play.rules.after(due, 1),
    )
    assert play.told(RequestEscalated) == []
    await play.arranged(request_id)
    await on(play, 2)
    assert len(play.told(AdvisorReminded)) == 1


async def test_a_year_of_a_small_programme() -> None:
    """A request a week; who is asked answers after three days, holds two sessions and closes: nothing is ever late."""
    play = Play()
    await play.pool(*(advisor(f"A{n:02}", levels={FAIR: 2, PARTNERS: 2}, capacity=2) for n in range(1, 7)))
    asked_on: dict[str, date] = {}
    for _ in range(365):
        play.now += timedelta(days=1)
        today = play.rules.day(play.now)
        if today.weekday() == 0:
            event = created(submitted_at=play.now, wanted_from=today)
            asked_on[event.request_id] = today
            await play.ask(event)
        if workdays.is_workday(today, "BW"):
            for one in await play.store.worklist(("proposed", "engaged"), None, "", 500):
                await act(play, one.id, today)
        await play.matcher.turn()
        for one in await play.store.worklist(("pending", "review", "proposed", "engaged", "parked"), None, "", 500):
            step = next_step(one, play.rules, today)
            assert step is not None
            assert step.due >= today or step.owner == "coordination"
    closed = play.told(ConsultationClosed)
    assert len(asked_on) == 52
    assert len(closed) >= 45
    assert play.told(AdvisorReminded) == []
    loads = await play.store.loads(play.rules.day(play.now))
    assert max(loads.paid.values()) <= 2 * min(loads.paid.values())
    assert Counter(one.outcome for one in closed) == {"completed": len(closed)}


async def act(play: Play, request_id: str, today: date) -> None:
    """What diligent advisors do."""
    one = await play.of(request_id)
    assert one.current is not None
    if one.state == "proposed":
        if workdays.workdays_between(play.rules.day(one.current.assigned_at), today, "BW") >= 2:
            for seat in one.current.seats:
                if seat.answer == "open":
                    await play.says(request_id, seat.advisor_id, "accepted", match=False)
        return
    planned = [session for session in one.sessions if session.state == "scheduled"]
    for session in planned:
        if session.starts_at < play.now:
            held = Record(
                play.rules.day(session.starts_at),
                90,
                Mode.ONLINE,
                4,
                tuple(Presence(number, 90) for number in session.advisor_ids),
                (),
                play.now,
            )
            await session_handlers.complete(play.store, session.id, held, play.rules, COORDINATOR)
            return
    if len(one.sessions) < 2 and not planned:
        await play.arranged(request_id, SessionKind.CONSULTATION if one.sessions else SessionKind.FIRST_TALK, days=5)
    elif not planned:
        await rounds.close(play.store, request_id, "completed", COORDINATOR, play.now)
