"""The fold: what a request's facts come to, whatever order they arrived in."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.reporting.domain import Case, fold
from services.reporting.facts import Fact
from services.reporting.measures import Measure
from tests.reporting.journeys import AGS, RULES, START, Journey, changed, recorded, whole


def folded(facts: list[Fact]) -> Case:
    return replace(fold(facts[0].key, recorded(facts), RULES), version=0)


def figures(case: Case) -> dict[str, int]:
    sums: dict[str, int] = {}
    for measure in case.measures:
        sums[measure.indicator] = sums.get(measure.indicator, 0) + measure.value
    return sums


def codes(journey: Journey) -> set[str]:
    return {finding.code for finding in folded(journey.facts).findings}


def test_one_engagement_gives_exactly_these_figures() -> None:
    """Fee: 2 × 90 min = 225,00 €; 150 min = 187,50 € (125,00 + 62,50). Travel: 40 km = 12,00 €; 600 km capped 150 €."""
    assert figures(folded(whole().facts)) == {
        "requests": 1,
        "accepted": 1,
        "first_talks": 1,
        "consultations": 1,
        "sessions": 2,
        "minutes": 150,
        "participants": 15,
        "options": 2,
        "options_taken_up": 1,
        "conversion": 100,
        "advisor_minutes": 330,
        "satisfaction": 4,
        "days_to_acceptance": 2,
        "days_to_first_talk": 5,
        "closed": 1,
        "completed": 1,
        "honoraria": 22500 + 1200 + 18750 + 1200 + 15000,
    }
    assert not folded(whole().facts).findings


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9), again=st.integers(0, 5))
def test_any_order_of_arrival_with_any_repetition_gives_the_same_case(seed: int, again: int) -> None:
    facts = messy().facts
    dice = random.Random(seed)
    arrived = facts + dice.choices(facts, k=again)
    dice.shuffle(arrived)
    assert folded(arrived) == folded(facts)


def messy() -> Journey:
    """Whatever may go wrong at once: corrections, a second closing, somebody who was not asked."""
    journey = whole()
    for fact in [f for f in journey.facts if f.topic in ("session.completed", "consultation.closed", "feedback.given")]:
        journey.facts.append(changed(fact))
    journey.session(members=[("A09", 30, 10)], assignment_id=whole().assignment_id)
    journey.add("request.withdrawn", withdrawn_at=START + timedelta(days=3), reason="too_slow")
    return journey


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_facts_that_came_so_far_never_break_the_fold(seed: int) -> None:
    facts = messy().facts
    random.Random(seed).shuffle(facts)
    for count in range(1, len(facts) + 1):
        assert folded(facts[:count]).request_id == facts[0].key


def test_days_are_those_of_the_state_and_of_its_time_zone() -> None:
    """23:30 UTC on Thursday is Friday in Berlin; Epiphany and the weekend are no working days."""
    journey = Journey()
    journey.created(datetime(2025, 12, 31, 23, 30, tzinfo=UTC))
    journey.assigned("A01", kept=True, at=datetime(2026, 1, 7, 9, tzinfo=UTC))
    days = {m.indicator: (m.value, m.on) for m in folded(journey.facts).measures}
    assert days["requests"] == (1, date(2026, 1, 1))
    assert days["days_to_acceptance"] == (3, date(2026, 1, 7))  # 2, 5 and 7 January


def test_an_option_agreed_again_counts_once_in_its_own_field() -> None:
    journey = Journey()
    journey.created()
    option = [{"option_id": journey.assignment_id, "field": "agenda_2030"}]
    journey.session(held_on=date(2026, 11, 12), options_agreed=option)
    journey.session(held_on=date(2026, 11, 11), options_agreed=option)
    (measure,) = [m for m in folded(journey.facts).measures if m.indicator == "options"]
    assert (measure.on, measure.fields) == (date(2026, 11, 11), ("agenda_2030",))


def test_before_its_request_a_session_counts_under_its_district_and_an_unknown_field() -> None:
    journey = Journey()
    journey.assigned("A01", "A02")
    journey.session()
    (measure,) = [m for m in folded(journey.facts).measures if m.indicator == "sessions"]
    assert (measure.ags, measure.district, measure.fields) == (AGS, "08117", ("unknown",))
    assert "request_missing" in codes(journey)


def test_a_barrier_and_mails_about_what_is_no_request_are_no_finding() -> None:
    journey = Journey()
    barrier = journey.add("barrier.reported", barrier_id=journey.request_id, due=START.date(), reported_at=START)
    assert barrier.key == journey.request_id
    journey.add(
        "notification.sent",
        message_id=journey.assignment_id,
        template="barrier",
        recipient="coordinators",
        cause_id=barrier.id,
        sent_at=START,
    )
    assert codes(journey) == set()


def test_every_measure_names_facts_that_exist_the_deciding_one_first() -> None:
    journey = whole()
    ids = {fact.id: fact.topic for fact in journey.facts}
    by_indicator: dict[str, Measure] = {m.indicator: m for m in folded(journey.facts).measures}
    assert all(set(measure.facts) <= set(ids) for measure in by_indicator.values())
    assert [ids[fact] for fact in by_indicator["days_to_first_talk"].facts] == ["session.completed", "request.created"]
    assert ids[by_indicator["honoraria"].facts[0]] == "session.completed"


def test_contradictions_are_findings() -> None:
    journey = whole()
    journey.session(members=[("A01", 60, 0), ("A07", 60, 0)], completed_at=datetime(2026, 12, 2, tzinfo=UTC))
    assert codes(journey) == {"not_in_tandem", "session_after_closing"}

    journey = Journey()
    journey.created()
    journey.session(assignment_id=whole().assignment_id, mode="online")
    assert codes(journey) == {"session_without_assignment", "travel_online"}

    journey = Journey()
    journey.created()
    journey.assigned("A01", "A02")
    journey.answered("A05", complete=False)
    held = date(2026, 10, 1)
    journey.session(held_on=held, members=[("A01", 30, 0), ("A01", 30, 0)])
    journey.feedback()
    assert codes(journey) == {
        "answer_not_asked",
        "session_without_acceptance",
        "session_before_request",
        "advisor_twice",
        "feedback_before_closing",
    }


def test_a_session_that_was_cancelled_and_one_before_all_rates_are_findings() -> None:
    journey = Journey()
    journey.created(datetime(2019, 5, 1, tzinfo=UTC))
    journey.assigned("A01", "A02", kept=True)
    fact = journey.session(held_on=date(2020, 5, 1))
    session_id = recorded([fact])[0].event.session_id  # type: ignore[attr-defined]
    for sequence, change in enumerate(("scheduled", "cancelled")):
        journey.add(
            "session.scheduled",
            session_id=session_id,
            change=change,
            sequence=sequence,
            kind="consultation",
            mode="on_site",
            starts_at=START,
            minutes=60,
            advisor_ids=["A01"],
        )
    assert codes(journey) == {"session_cancelled", "no_rate"}
    assert folded(journey.facts).claims == ()
