"""The municipality knows at any time what has happened, what comes next and by when."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake import domain, progress, status, words
from services.intake.domain import Feedback, Request
from services.intake.progress import Progress, Step
from services.intake.status import Deadlines, Status
from shared.events import (
    AdvisorAnswered,
    AdvisorAssigned,
    ConsultationClosed,
    Event,
    RequestParked,
    SessionCompleted,
    SessionScheduled,
)
from shared.events.base import SessionKind
from tests.intake import samples
from tests.intake.samples import NOW

ZONE = ZoneInfo("Europe/Berlin")
DEADLINES = Deadlines(3, 10, 15, 20, 5, 20, "BW", ZONE)
REQUEST = samples.request()
ID = REQUEST.id
DAY = timedelta(days=1)
STEPS: dict[type[Event], Callable[[Any], Step]] = {
    AdvisorAssigned: progress.assigned,
    AdvisorAnswered: progress.answered,
    RequestParked: progress.parked,
    SessionScheduled: lambda event: progress.scheduled(event, NOW),
    SessionCompleted: progress.completed,
    ConsultationClosed: progress.closed,
}


def heard(facts: Iterable[Event]) -> Progress:
    known = Progress(ID)
    for fact in facts:
        known = progress.note(known, STEPS[type(fact)](fact))
    return known


def at(now: datetime, *facts: Event, request: Request = REQUEST) -> Status:
    return status.of(request, heard(facts), now, DEADLINES)


ASKED = samples.assigned(ID, 1, NOW + DAY, date(2026, 11, 10))
YES = samples.answered(ID, 1, NOW + 2 * DAY, "accepted")
NO = samples.answered(ID, 1, NOW + 2 * DAY, "declined")
TALK = NOW + 10 * DAY
ARRANGED = samples.scheduled(ID, "talk", NOW + 3 * DAY, TALK)
MOVED = samples.scheduled(ID, "talk", NOW + 4 * DAY, TALK + DAY, "rescheduled", 1)
CALLED_OFF = samples.scheduled(ID, "talk", NOW + 5 * DAY, TALK + DAY, "cancelled", 2)
HELD = samples.completed(ID, "talk", TALK + DAY)
CLOSED = samples.closed(ID, NOW + 60 * DAY)
JOURNEY: tuple[Event, ...] = (
    samples.parked(ID, 1, NOW + timedelta(hours=1)),
    samples.parked(ID, 1, NOW + timedelta(hours=2)),
    ASKED,
    NO,
    samples.assigned(ID, 2, NOW + 3 * DAY, date(2026, 11, 12)),
    samples.answered(ID, 2, NOW + 4 * DAY, "accepted"),
    ARRANGED,
    MOVED,
    HELD,
    samples.scheduled(ID, "visit", NOW + 12 * DAY, NOW + 20 * DAY, kind=SessionKind.CONSULTATION),
    CLOSED,
)


@settings(deadline=None)
@given(st.permutations(JOURNEY + JOURNEY[3:7]))
def test_facts_in_any_order_and_repeated_lead_to_the_same_status(facts: list[Event]) -> None:
    expected, found = heard(JOURNEY), heard(facts)
    assert found.steps == expected.steps
    for later in (1, 5, 11, 25, 100):
        moment = NOW + later * DAY
        assert status.of(REQUEST, found, moment, DEADLINES) == status.of(REQUEST, expected, moment, DEADLINES)


@pytest.mark.parametrize(
    ("facts", "state", "next_step", "owner", "due"),
    [
        ([], "submitted", "match", "office", date(2026, 11, 5)),
        ([samples.parked(ID, 1, NOW)], "parked", "retry", "office", date(2026, 11, 16)),
        ([ASKED], "asked", "answer", "advisors", date(2026, 11, 10)),
        ([ASKED, NO], "asked", "next_round", "office", date(2026, 11, 9)),
        ([ASKED, YES], "engaged", "first_talk", "advisors", date(2026, 11, 25)),
        ([ASKED, YES, ARRANGED], "engaged", "session", "advisors", date(2026, 11, 12)),
        ([ASKED, YES, ARRANGED, MOVED], "engaged", "session", "advisors", date(2026, 11, 13)),
        ([ASKED, YES, ARRANGED, MOVED, CALLED_OFF], "engaged", "first_talk", "advisors", date(2026, 11, 25)),
        ([ASKED, YES, HELD], "engaged", "next_session", "advisors", date(2026, 12, 11)),
        ([ASKED, YES, HELD, CLOSED], "closed", "give_feedback", "you", date(2027, 2, 1)),
    ],
)
def test_each_state_has_a_next_step_an_owner_and_a_due_working_day(
    facts: list[Event], state: str, next_step: str, owner: str, due: date
) -> None:
    found = at(NOW + timedelta(hours=1), *facts)
    assert found.next_step is not None
    assert (found.state, found.next_step.code, found.next_step.owner, found.next_step.due) == (
        state,
        next_step,
        owner,
        due,
    )
    assert not found.next_step.overdue


def test_it_is_honest_when_the_day_has_passed() -> None:
    step = at(NOW + 30 * DAY).next_step
    assert step is not None
    assert step.overdue
    assert "dauert länger" in (words.late(step, "de") or "")
    assert "longer than planned" in (words.late(step, "en") or "")


def test_the_due_day_itself_is_not_overdue() -> None:
    step = at(datetime(2026, 11, 5, 22, 30, tzinfo=UTC)).next_step
    assert step is not None
    assert not step.overdue


def test_a_session_in_the_past_waits_for_its_record() -> None:
    step = at(TALK + 2 * DAY, ASKED, YES, ARRANGED).next_step
    assert step is not None
    assert (step.code, step.overdue) == ("record", False)


def test_late_feedback_is_still_welcome() -> None:
    step = at(NOW + 200 * DAY, ASKED, YES, HELD, CLOSED).next_step
    assert step is not None
    assert "willkommen" in (words.late(step, "de") or "")


def test_without_an_engagement_nobody_is_asked_for_feedback() -> None:
    found = at(NOW, samples.closed(ID, NOW, engaged=False))
    assert (found.state, found.next_step, found.may_give_feedback, found.may_withdraw) == ("closed", None, False, False)


def test_what_is_withdrawn_needs_nothing_more() -> None:
    withdrawn, _ = domain.withdraw(REQUEST, False, "too_slow", NOW)
    found = at(NOW, ASKED, YES, request=withdrawn)
    assert (found.state, found.next_step, found.may_withdraw) == ("withdrawn", None, False)


def test_feedback_ends_it() -> None:
    given, _ = domain.give_feedback(REQUEST, True, Feedback(4, True, 1, None, NOW + 61 * DAY))
    found = at(NOW + 62 * DAY, *JOURNEY, request=given)
    assert (found.next_step, found.may_give_feedback) == (None, False)
    assert found.timeline[-1].code == "feedback_given"


def test_who_goes_on_alone_was_not_asked_again_so_the_consultation_begins() -> None:
    """Of a tandem one declines and nobody is left: the round of whom had accepted has no answer to wait for."""
    seat = ASKED.members[0].model_copy(update={"kept": True})
    alone = samples.assigned(ID, 2, NOW + 3 * DAY, date(2026, 11, 12)).model_copy(update={"members": (seat,)})

    found = at(NOW + 4 * DAY, ASKED, samples.answered(ID, 1, NOW + 2 * DAY, "declined", "A02"), alone)

    assert found.state == "engaged"
    assert found.next_step
    assert found.next_step.code == "first_talk"
    assert [entry.code for entry in found.timeline] == ["submitted", "assigned", "accepted"]


def test_the_timeline_tells_all_that_matters_once() -> None:
    assert [entry.code for entry in at(NOW + 100 * DAY, *JOURNEY).timeline] == [
        "submitted",
        "parked",
        "assigned",
        "assigned",
        "session_scheduled",
        "accepted",
        "session_moved",
        "session_completed",
        "session_scheduled",
        "closed",
    ]


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_entry_and_step_has_its_words(language: str) -> None:
    erased, _ = domain.erase(REQUEST, NOW)
    withdrawn, _ = domain.withdraw(erased, False, "too_slow", NOW)
    given, _ = domain.give_feedback(withdrawn, True, Feedback(4, True, 1, None, NOW))
    for entry in at(NOW, *JOURNEY, CALLED_OFF, request=given).timeline:
        assert "{" not in words.happened(entry, language, ZONE)
    for facts in ([], [ASKED], [ASKED, NO], [ASKED, YES], [ASKED, YES, ARRANGED], [HELD, ASKED, YES], JOURNEY):
        step = at(NOW, *facts).next_step
        assert step is not None
        assert "{" not in words.comes(step, language, ZONE)


def test_words_are_written_as_people_write_them() -> None:
    found = at(NOW, ASKED, YES, ARRANGED)
    assert found.next_step is not None
    assert words.comes(found.next_step, "de", ZONE) == "Erstgespräch: Donnerstag, 12. November 2026, 10:30 Uhr."
    assert words.comes(found.next_step, "en", ZONE) == "First talk: Thursday, 12 November 2026, 10:30."
    assert words.happened(found.timeline[1], "de", ZONE) == (
        "Beratende sind angefragt (Runde 1); sie antworten bis 10. November 2026."
    )


def test_a_change_without_its_moment_gets_the_one_of_reading() -> None:
    silent = progress.scheduled(samples.scheduled(ID, "talk", None, TALK), NOW + DAY)
    assert silent.at == NOW + DAY


def test_of_one_moment_the_cause_comes_before_its_effect() -> None:
    asked = samples.assigned(ID, 1, NOW, NOW.date())
    assert at(NOW, samples.answered(ID, 1, NOW, "accepted"), asked).state == "engaged"
    assert at(NOW, asked, samples.parked(ID, 1, NOW)).state == "asked"
