"""Honorarium claims: integer cents that add up, dated rates, lines for SKEW."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.reporting import rates
from services.reporting.claims import Claim, claim_id, counter_id, entry
from services.reporting.domain import Case, fold
from services.reporting.facts import Fact
from services.reporting.journey import Rules
from services.reporting.money import half_up, split, vat
from tests.reporting.journeys import RULES, Journey, changed, recorded, whole


def claims(facts: list[Fact]) -> dict[str, Claim]:
    """By advisor; the last one of each."""
    return {claim.advisor_id: claim for claim in fold(facts[0].key, recorded(facts), RULES).claims}


def folded(journey: Journey, rules: Rules = RULES) -> Case:
    return fold(journey.request_id, recorded(journey.facts), rules)


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
    fact = journey.facts[0].id
    ids = {claim_id(journey.request_id, advisor, fact) for advisor in ("A01", "A-01", "A0-1", "A" + "9" * 19)}
    assert len(ids) == 4
    assert all(len(counter_id(one)) <= 60 and one == one.lower() and "-" not in one for one in ids)


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


LATER = datetime(2026, 11, 20, tzinfo=UTC)


def corrected(journey: Journey, fact: Fact, members: list[tuple[str, int, int]], at: datetime = LATER) -> None:
    """`fact` recorded anew with other `members`."""
    parts = [{"advisor_id": a, "minutes": minutes, "travel_km": km} for a, minutes, km in members]
    journey.facts.append(changed(fact, members=parts, completed_at=at))


def test_a_corrected_session_overwrites_nothing_a_counter_entry_takes_back_what_was_claimed() -> None:
    journey = Journey()
    journey.created()
    journey.assigned("A01", "A02", kept=True)
    first = journey.session(members=[("A01", 90, 40), ("A02", 90, 0)])
    before = {claim.advisor_id: claim for claim in folded(journey).claims}
    corrected(journey, first, [("A01", 60, 40)])
    rows = folded(journey).claims
    of_first = [claim for claim in rows if claim.advisor_id == "A01"]
    assert [(c.kind, c.status, c.minutes, c.fee_cents, c.travel_cents) for c in of_first] == [
        ("claim", "reversed", 90, 11250, 1200),
        ("counter", "reversed", -90, -11250, -1200),
        ("claim", "draft", 60, 7500, 1200),
    ]
    assert of_first[0].id == before["A01"].id
    assert (of_first[0].corrected_by, of_first[1].corrects) == (of_first[1].id, of_first[0].id)
    assert [(c.kind, c.fee_cents) for c in rows if c.advisor_id == "A02"] == [("claim", 11250), ("counter", -11250)]
    lines = [entry(claim) for claim in (*before.values(), *rows)]
    assert len({line.entry_id for line in lines if line}) == len(lines) == 7


def test_a_correction_that_changes_nothing_owed_leaves_the_claim_alone() -> None:
    journey = whole()
    first = next(fact for fact in journey.facts if fact.topic == "session.completed")
    before = folded(journey).claims
    journey.facts.append(changed(first, participants=99, completed_at=datetime(2026, 12, 1, tzinfo=UTC)))
    assert folded(journey).claims == before


def test_only_whose_part_was_corrected_gets_a_counter_entry() -> None:
    journey = Journey()
    first = journey.session(members=[("A01", 90, 0), ("A02", 90, 0)])
    corrected(journey, first, [("A01", 90, 0), ("A02", 60, 0)])
    kinds = [(claim.advisor_id, claim.kind) for claim in folded(journey).claims]
    assert sorted(kinds) == [("A01", "claim"), ("A02", "claim"), ("A02", "claim"), ("A02", "counter")]


PARTS = st.lists(
    st.tuples(st.sampled_from(["A01", "A02", "A03"]), st.integers(0, 600), st.integers(0, 900)), max_size=3
)


@settings(max_examples=60, deadline=None)
@given(versions=st.lists(PARTS.filter(bool), min_size=1, max_size=4), seed=st.randoms(use_true_random=False))
def test_counter_entries_bring_the_sum_to_what_it_would_have_been(
    versions: list[list[tuple[str, int, int]]], seed: random.Random
) -> None:
    journey, alone = Journey(), Journey()
    first = journey.session(members=versions[0])
    for day, members in enumerate(versions[1:], 20):
        corrected(journey, first, members, LATER.replace(day=day))
    alone.session(members=versions[-1])
    in_order = folded(journey).claims
    assert sum(c.total_cents for c in in_order) == sum(c.total_cents for c in folded(alone).claims)
    assert sum(c.minutes for c in in_order) == sum(minutes for _, minutes, _ in versions[-1])
    seed.shuffle(journey.facts)
    assert folded(journey).claims == in_order


def test_a_claim_goes_from_hand_to_hand_and_each_step_is_a_line_for_skew() -> None:
    journey = whole()
    claim = folded(journey).claims[0]
    seen = [entry(claim)]
    for status, by in (("checked", "anna"), ("approved", "bernd"), ("submitted", "anna"), ("paid", "skew")):
        journey.decided(claim, status, by, vat=19 if status == "checked" else None)
        seen.append(entry(folded(journey).claims[0]))
    lines = [line for line in seen if line]
    assert [line.status for line in lines] == ["draft", "checked", "approved", "submitted", "paid"]
    assert [line.revision for line in lines] == [1, 2, 3, 4, 5]
    assert len({line.entry_id for line in lines}) == 5
    assert {(line.total_cents, line.vat_percent, line.vat_cents, line.gross_cents) for line in lines[1:]} == {
        (claim.total_cents, 19, vat(claim.total_cents, 19), claim.total_cents + vat(claim.total_cents, 19))
    }
    assert not folded(journey).findings


def test_who_has_checked_may_not_approve_and_what_is_not_allowed_is_a_finding_that_counts_for_nothing() -> None:
    journey = whole()
    claim = folded(journey).claims[0]
    journey.decided(claim, "checked", "anna")
    journey.decided(claim, "approved", "anna")
    journey.decided(claim, "paid", "skew")
    assert folded(journey).claims[0].status == "checked"
    assert [finding.code for finding in folded(journey).findings] == ["decision_not_allowed"] * 2
    journey.decided(claim, "approved", "bernd")
    assert folded(journey).claims[0].status == "approved"
    stranger = replace(claim, id="c.unknown")
    journey.decided(stranger, "checked")
    assert "decision_without_claim" in {finding.code for finding in folded(journey).findings}


@pytest.mark.parametrize(
    ("reached", "claim_is", "counter_is"),
    [
        ([], "reversed", "reversed"),
        (["checked"], "reversed", "reversed"),
        (["checked", "approved"], "reversed", "reversed"),
        (["checked", "approved", "submitted"], "submitted", "draft"),
        (["checked", "approved", "submitted", "paid"], "paid", "draft"),
        (["checked", "rejected"], "rejected", "rejected"),
    ],
)
def test_what_the_payer_has_is_taken_back_by_a_counter_entry_of_its_own_way(
    reached: list[str], claim_is: str, counter_is: str
) -> None:
    journey = Journey()
    first = journey.session(members=[("A01", 90, 0)])
    claim = folded(journey).claims[0]
    for number, status in enumerate(reached):
        journey.decided(claim, status, f"person{number}", vat=19 if status == "checked" else None)
    corrected(journey, first, [("A01", 60, 0)])
    old, counter, new = folded(journey).claims
    assert (old.status, counter.status, new.status) == (claim_is, counter_is, "draft")
    assert old.gross_cents + counter.gross_cents == 0
    if counter_is == "draft":
        journey.decided(counter, "checked", "anna")
        assert folded(journey).claims[1].status == "checked"
        assert folded(journey).claims[1].gross_cents == counter.gross_cents


@given(cents=st.integers(-(10**8), 10**8), percent=st.integers(0, 30))
def test_vat_is_rounded_half_up_and_a_counter_entry_has_the_same_below_zero(cents: int, percent: int) -> None:
    assert vat(cents, percent) == -vat(-cents, percent)
    assert abs(100 * vat(cents, percent) - cents * percent) <= 50


OTHER = Rules(rates.load(str(Path(rates.__file__).with_name("data") / "rates-other-bases.json")), "BW", RULES.zone)


@pytest.mark.parametrize(
    ("minutes", "fee"), [(0, 0), (1, 16000), (120, 16000), (121, 30000), (240, 30000), (241, 45000), (1440, 45000)]
)
def test_by_the_session_each_advisor_is_paid_by_the_length_of_the_own_part(minutes: int, fee: int) -> None:
    journey = Journey()
    journey.session(held_on=date(2030, 5, 2), members=[("A01", minutes, 0), ("A02", 60, 0)])
    first, second = folded(journey, OTHER).claims
    assert (first.fee_cents, second.fee_cents, first.session_fee_cents) == (fee, 16000, fee + 16000)
    assert (first.basis, first.rate_cents) == ("session", fee or 16000)


def test_by_the_day_an_advisor_is_paid_once_however_many_sessions_were_held_on_it() -> None:
    journey = Journey()
    day = date(2032, 5, 3)
    first = journey.session(held_on=day, members=[("A01", 60, 0), ("A02", 60, 0)])
    journey.session(held_on=day, members=[("A01", 60, 0)], completed_at=datetime(2032, 5, 3, 19, tzinfo=UTC))
    journey.session(held_on=date(2032, 5, 4), members=[("A01", 60, 0)])
    fees = sorted((claim.advisor_id, claim.fee_cents) for claim in folded(journey, OTHER).claims)
    assert fees == [("A01", 0), ("A01", 60000), ("A01", 60000), ("A02", 60000)]
    corrected(journey, first, [("A02", 60, 0)], datetime(2032, 5, 6, tzinfo=UTC))
    owed: dict[str, int] = {}
    for claim in folded(journey, OTHER).claims:
        owed[claim.advisor_id] = owed.get(claim.advisor_id, 0) + claim.fee_cents
    assert owed == {"A01": 120000, "A02": 60000}, "the day is still paid, with the session that is left"


@pytest.mark.parametrize(
    ("basis", "rates_", "minutes", "cents"),
    [
        ("hour", (7500,), 90, 11250),
        ("session", (16000, 30000, 45000), 121, 32000),
        ("day", (60000,), 481, 120000),
        ("day", (60000,), 0, 0),
    ],
)
def test_what_minutes_are_expected_to_cost(
    basis: rates.Basis, rates_: tuple[int, ...], minutes: int, cents: int
) -> None:
    card = replace(RULES.cards[0], basis=basis, rates=rates_)
    assert card.expected_cents(minutes) == cents


def test_a_running_engagement_binds_what_is_still_expected_until_it_ends() -> None:
    journey = Journey()
    journey.created()
    journey.assigned("A01", "A02")
    assert committed(journey) == 0
    journey.answered("A02", complete=True)
    assert committed(journey) == 2 * 10 * 7500
    journey.session(members=[("A01", 120, 0)])
    assert committed(journey) == (10 + 8) * 7500
    journey.session(members=[("A02", 1440, 0)])
    assert committed(journey) == 8 * 7500
    journey.closed()
    assert committed(journey) == 0


def committed(journey: Journey) -> int:
    return sum(measure.value for measure in folded(journey).measures if measure.indicator == "committed")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ('"75.00"→"75"', "no amount"),
        ('"2024-01-01"→"01.01.2024"', "no date"),
        ('"beispiel_2028"→"beispiel_2024"', "same code"),
        ('"2028-01-01"→"2024-01-01"', "same valid_from"),
        ('"per_hour"→"per_month"', "needs one of per_hour, per_session, per_day"),
        ('"per_km"→"per_mile"', "needs the texts"),
        ('"vat_percent": 19→"vat_percent": 190', "no whole number from 0 to 30"),
        ('"per_hour": "75.00"→"per_session": {"above": "1.00"}', "per_session needs up_to_2_hours"),
        ('"cards"→"karten"', "cards"),
    ],
)
def test_wrong_rates_are_refused_with_the_reason(tmp_path: object, change: str, said: str) -> None:
    before, _, after = change.partition("→")
    shipped = Path(rates.__file__).with_name("data") / "rates.json"
    wrong = Path(str(tmp_path)) / "rates.json"
    wrong.write_text(shipped.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        rates.load(str(wrong))
