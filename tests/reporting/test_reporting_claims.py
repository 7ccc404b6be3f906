"""Honorarium claims: integer cents that add up, dated rates, lines for SKEW."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting import rates
from services.reporting.claims import Claim, claim_id, entry, half_up, split
from services.reporting.domain import fold
from services.reporting.facts import Fact
from tests.reporting.journeys import RULES, Journey, changed, recorded, whole


def claims(facts: list[Fact]) -> dict[str, Claim]:
    """By advisor; the last one of each."""
    return {claim.advisor_id: claim for claim in fold(facts[0].key, recorded(facts), RULES).claims}


@given(amount=st.integers(0, 10**9), weights=st.dictionaries(st.text("AB01", min_size=1), st.integers(0, 10**6)))
def test_the_parts_of_a_split_add_up_to_the_cent_and_follow_the_weights(amount: int, weights: dict[str, int]) -> None:
    parts = split(amount, weights)
    total = sum(weights.values())
    assert sum(parts.values()) == (amount if total else 0)
    assert all(abs(part * total - amount * weights[key]) < total for key, part in parts.items() if total)


def test_ties_go_to_the_lower_number() -> None:
    assert split(101, {"A02": 30, "A01": 30}) == {"A01": 51, "A02": 50}


@pytest.mark.parametrize(
    ("cents", "minutes", "fee"), [(7500, 90, 11250), (7501, 30, 3751), (7500, 1, 125), (7500, 0, 0)]
)
def test_a_fee_is_rounded_half_up_once(cents: int, minutes: int, fee: int) -> None:
    assert half_up(cents * minutes, 60) == fee


@given(parts=st.lists(st.tuples(st.integers(0, 1440), st.integers(0, 5000)), min_size=2, max_size=2))
def test_the_claims_of_a_tandem_add_up_to_the_sessions_fee(parts: list[tuple[int, int]]) -> None:
    journey = Journey()
    journey.session(members=[(f"A0{i}", *part) for i, part in enumerate(parts)])
    found = claims(journey.facts).values()
    assert sum(claim.fee_cents for claim in found) == half_up(7500 * sum(minutes for minutes, _ in parts), 60)
    for claim, (minutes, km) in zip(found, parts, strict=True):
        assert (claim.minutes, claim.travel_km) == (minutes, km)
        assert claim.travel_cents == min(30 * km, 15000)
        assert claim.total_cents == claim.fee_cents + claim.travel_cents


def test_the_card_of_the_day_holds() -> None:
    journey = Journey()
    journey.session(held_on=date(2027, 12, 31), members=[("A01", 60, 100)])
    journey.session(held_on=date(2028, 1, 1), members=[("A02", 60, 1000)])
    before, after = claims(journey.facts)["A01"], claims(journey.facts)["A02"]
    assert (before.rate_card, before.fee_cents, before.travel_cents) == ("beispiel_2024", 7500, 3000)
    assert (after.rate_card, after.fee_cents, after.travel_cents) == ("beispiel_2028", 8000, 17000)


def test_a_claims_id_is_a_code_and_tells_advisors_apart() -> None:
    journey = whole()
    ids = {claim_id(journey.request_id, advisor) for advisor in ("A01", "A-01", "A0-1", "A" + "9" * 19)}
    assert len(ids) == 4
    assert all(len(one) <= 60 and one == one.lower() and "-" not in one for one in ids)


def test_a_line_says_all_and_is_the_same_whenever_it_is_made() -> None:
    facts = whole().facts
    line, again = entry(claims(facts)["A01"]), entry(claims(list(reversed(facts)))["A01"])
    assert line is not None
    assert line == again
    assert (line.case_number, line.municipality_ags, line.role, line.status) == (
        "MG-2345-6789",
        "08117042",
        "lead",
        "draft",
    )
    assert (line.fee_cents, line.travel_cents, line.total_cents, line.revision) == (12500, 1200, 13700, 1)


@pytest.mark.parametrize("missing", ["request.created", "advisor.assigned"])
def test_a_claim_waits_for_what_its_line_would_have_to_make_up(missing: str) -> None:
    facts = [fact for fact in whole().facts if fact.topic != missing]
    claim = claims(facts)["A01"]
    assert claim.waits_for == (missing,)
    assert entry(claim) is None


def test_a_corrected_session_gives_the_claim_a_new_revision_and_takes_back_who_was_not_there() -> None:
    journey = whole()
    journey.facts = [fact for fact in journey.facts if fact.topic != "session.completed"]
    first = journey.session(members=[("A01", 90, 0), ("A02", 90, 0)])
    members = [{"advisor_id": "A01", "minutes": 60, "travel_km": 0}]
    later = changed(first, members=members, completed_at=datetime(2026, 11, 12, tzinfo=UTC))
    found = claims([*journey.facts, later])
    assert (found["A01"].revision, found["A01"].fee_cents, found["A01"].status) == (2, 7500, "draft")
    assert (found["A02"].revision, found["A02"].total_cents, found["A02"].status) == (2, 0, "reversed")
    lines = [entry(claims(facts)["A01"]) for facts in (journey.facts, [*journey.facts, later])]
    assert len({line.entry_id for line in lines if line}) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ('"75.00"→"75"', "no amount"),
        ('"2024-01-01"→"01.01.2024"', "no date"),
        ('"beispiel_2028"→"beispiel_2024"', "same code"),
        ('"2028-01-01"→"2024-01-01"', "same valid_from"),
        ('"per_hour"→"per_day"', "needs the texts"),
        ('"cards"→"karten"', "cards"),
    ],
)
def test_wrong_rates_are_refused_with_the_reason(tmp_path: object, change: str, said: str) -> None:
    from pathlib import Path

    before, _, after = change.partition("→")
    shipped = Path(rates.__file__).with_name("data") / "rates.json"
    wrong = Path(str(tmp_path)) / "rates.json"
    wrong.write_text(shipped.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        rates.load(str(wrong))
