"""A request's own rules."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.intake import domain
from services.intake.domain import Feedback
from services.intake.rules import Rules
from shared.errors import Conflict, Invalid
from shared.events import FeedbackGiven, RequestCreated, RequestDossier, RequestWithdrawn
from shared.outbox import Tombstone
from shared.register import Municipality
from tests.intake.samples import ENTRY, NOW, RULES, request, some_id, wish

FEEDBACK = Feedback(5, True, 2, "Frau Beispiel war großartig.", NOW)


def test_a_submission_tells_the_fact_and_the_dossier() -> None:
    made, events = domain.submit(wish(), ENTRY, RULES, NOW, some_id("r"), "MG-7K4M-2PQ0")
    created, dossier = events
    assert isinstance(created, RequestCreated)
    assert isinstance(dossier, RequestDossier)
    assert made.version == 1
    assert created.request_id == dossier.request_id == made.id
    assert created.submitted_at == dossier.consent_at == NOW
    assert dossier.municipality_name == "Salach"
    assert dossier.contact.email == "erika@rathaus.example"


def test_the_fact_holds_nothing_personal() -> None:
    _, (created, _) = domain.submit(wish(), ENTRY, RULES, NOW, some_id("r"), "MG-7K4M-2PQ0")
    body = created.model_dump_json()
    assert "Erika" not in body
    assert "rathaus" not in body
    assert "Vereine" not in body


UNINCORPORATED = Municipality("08317971", "Rheinau", "unincorporated", "08317", "Ortenaukreis", None, None, None)


@pytest.mark.parametrize(
    ("ags", "entry", "code"),
    [
        ("08999999", None, "unknown"),
        ("08317971", UNINCORPORATED, "unincorporated"),
        ("01001000", None, "other_state"),
        ("01001000", replace(ENTRY, ags="01001000"), "other_state"),
    ],
)
def test_only_a_constituted_municipality_of_the_state_may_ask(ags: str, entry: Municipality | None, code: str) -> None:
    with pytest.raises(Invalid) as raised:
        domain.submit(wish(municipality_ags=ags), entry, RULES, NOW, some_id("r"), "MG-7K4M-2PQ0")
    (field,) = raised.value.fields
    assert (field.field, field.code) == ("municipality_ags", code)


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (date(2026, 11, 1), "past"),
        (date(2026, 11, 2), None),
        (date(2028, 11, 2), None),
        (date(2028, 11, 3), "too_far"),
        (date.max, "too_far"),
    ],
)
def test_the_wanted_day_is_between_today_and_two_years_ahead(day: date, code: str | None) -> None:
    assert [error.code for error in RULES.broken(ENTRY.ags, ENTRY, day)] == ([code] if code else [])


def test_two_years_ahead_of_a_leap_day_is_no_error() -> None:
    rules = Rules("08", date(2028, 2, 29))
    assert rules.broken(ENTRY.ags, ENTRY, date(2030, 2, 28)) == []
    assert rules.broken(ENTRY.ags, ENTRY, date(2030, 3, 1)) != []


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(Invalid) as raised:
        domain.submit(wish(wanted_from=date(2020, 1, 1)), None, RULES, NOW, some_id("r"), "MG-7K4M-2PQ0")
    assert [field.field for field in raised.value.fields] == ["municipality_ags", "wanted_from"]


def test_a_second_withdrawal_changes_and_tells_nothing() -> None:
    once, events = domain.withdraw(request(), False, "too_slow", NOW)
    assert [type(event) for event in events] == [RequestWithdrawn]
    again, nothing = domain.withdraw(once, True, "by_mistake", NOW + timedelta(days=1))
    assert (again, nothing) == (once, ())


def test_after_the_closing_nothing_can_be_withdrawn() -> None:
    with pytest.raises(Conflict):
        domain.withdraw(request(), True, "too_slow", NOW)


def test_feedback_is_given_once_after_the_closing() -> None:
    with pytest.raises(Conflict):
        domain.give_feedback(request(), False, FEEDBACK)
    given, (event,) = domain.give_feedback(request(), True, FEEDBACK)
    assert isinstance(event, FeedbackGiven)
    assert "großartig" not in event.model_dump_json()
    with pytest.raises(Conflict):
        domain.give_feedback(given, True, FEEDBACK)


def test_an_erasure_leaves_the_facts_and_nothing_personal() -> None:
    given, _ = domain.give_feedback(request(), True, FEEDBACK)
    erased, events = domain.erase(given, NOW)
    assert events == (Tombstone(RequestDossier, given.id),)
    assert erased.feedback == replace(FEEDBACK, comment=None)
    assert erased.case_number == given.case_number
    for personal in ("Erika", "rathaus", "Vereine", "großartig"):
        assert personal not in repr(erased)


def test_an_erasure_can_be_repeated_and_tells_the_copies_again() -> None:
    once, _ = domain.erase(request(), NOW)
    again, events = domain.erase(once, NOW + timedelta(days=3))
    assert again == replace(once, version=once.version + 1)
    assert len(events) == 1
