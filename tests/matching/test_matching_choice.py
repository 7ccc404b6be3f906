"""Policy plain.1: who is asked, with which points."""

import dataclasses
import random
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain.choice import choose, region_points
from services.matching.domain.model import Absence, Scored
from services.matching.domain.policy import Candidate, Seeker, barrier
from shared.events.base import FieldCode, Role, Tandem
from tests.matching.samples import AGENDA, AGS, FAIR, PARTNERS, TODAY, candidate, seeker

STEPS = (200, 160, 100, 40)


def numbers(members: tuple[Scored, ...]) -> list[str]:
    return [member.advisor_id for member in members]


@pytest.mark.parametrize(
    ("ags", "regions", "points"),
    [
        ("08117042", ("08117042",), 200),
        ("08117042", ("08117026",), 160),
        ("08117042", ("08117",), 160),
        ("08117042", ("08111",), 100),
        ("08117042", ("08425012",), 40),
        ("08117042", ("09162",), 0),
        ("08117", ("08117",), 160),
        ("08117", ("08117042",), 160),
        ("08117042", ("09162", "08425", "08117"), 160),
        ("08117042", (), 0),
    ],
)
def test_region_points_count_the_nearest_place(ags: str, regions: tuple[str, ...], points: int) -> None:
    assert region_points(ags, regions, STEPS) == points


def test_the_points_are_those_of_the_documented_table() -> None:
    one = candidate(
        "A01", levels={FAIR: 3, PARTNERS: 1}, languages=frozenset({"de"}), capacity=4, open=1, paid_minutes=240
    )
    other = candidate("A02", levels={FAIR: 1}, regions=("09162",), paid_minutes=540)
    wish = seeker(fields=(FAIR, PARTNERS), languages=("de", "fr", "ar"))
    [decision] = choose([one, other], [wish], TODAY)
    assert decision.members == (
        Scored(
            "A01",
            Role.LEAD,
            {
                "expertise": 500 * 4 // 6,
                "region": 160,
                "languages": 33,
                "fairness": 150 * (600 - 240) // 600,
                "load": 50 * 3 // 4,
            },
        ),
    )
    assert decision.members[0].score == 333 + 160 + 33 + 90 + 37
    assert numbers(decision.runners_up) == ["A02"]


def test_a_wanted_tandem_is_the_lead_and_who_complements_best() -> None:
    lead = candidate("A01", levels={FAIR: 3})
    same = candidate("A02", levels={FAIR: 3}, regions=("08425",))
    other = candidate("A03", levels={PARTNERS: 2}, languages=frozenset({"fr"}), regions=("08425",))
    wish = seeker(fields=(FAIR, PARTNERS), languages=("de", "fr"), tandem=Tandem.WANTED)
    [decision] = choose([lead, same, other], [wish], TODAY)
    assert numbers(decision.members) == ["A01", "A03"]
    assert [member.role for member in decision.members] == [Role.LEAD, Role.CO]
    assert decision.members[1].points == {
        "expertise": 500 * 5 // 6 - 500 * 3 // 6,
        "region": 0,
        "languages": 50,
        "fairness": 150,
        "load": 50,
        "tandem": 100,
    }


def test_either_asks_a_second_one_only_for_expertise() -> None:
    lead, same = candidate("A01", levels={FAIR: 3}), candidate("A02", levels={FAIR: 2})
    wish = seeker(fields=(FAIR, PARTNERS), tandem=Tandem.EITHER)
    assert numbers(choose([lead, same], [wish], TODAY)[0].members) == ["A01"]
    adds = candidate("A03", levels={PARTNERS: 1})
    assert numbers(choose([lead, same, adds], [wish], TODAY)[0].members) == ["A01", "A03"]


def test_not_wanted_asks_one() -> None:
    pool = [candidate("A01"), candidate("A02", levels={PARTNERS: 3})]
    assert len(choose(pool, [seeker(fields=(FAIR, PARTNERS))], TODAY)[0].members) == 1


@pytest.mark.parametrize(
    ("change", "wall"),
    [
        ({}, None),
        ({"certified_until": TODAY - timedelta(days=1)}, "not_certified"),
        ({"certified_on": TODAY + timedelta(days=1)}, "not_certified"),
        ({"certified_until": TODAY + timedelta(days=5)}, "not_certified"),
        ({"conflicts": (AGS,)}, "conflict"),
        ({"conflicts": ("08117",)}, "conflict"),
        ({"conflicts": ("08117026",)}, None),
        ({"levels": {str(PARTNERS): 3}}, "no_expertise"),
        ({"absences": (Absence(TODAY, TODAY),)}, "absent"),
        ({"absences": (Absence(TODAY + timedelta(days=10), TODAY + timedelta(days=12)),)}, "absent"),
        ({"absences": (Absence(TODAY + timedelta(days=1), TODAY + timedelta(days=3)),)}, None),
        ({"open": 2}, "full"),
        ({"capacity": 0}, "full"),
    ],
)
def test_who_is_eligible(change: dict[str, object], wall: str | None) -> None:
    """Certified and present today and on the first day wanted, free, without conflict, some expertise."""
    wish = seeker(wanted_from=TODAY + timedelta(days=10))
    one = dataclasses.replace(candidate("A01"), **change)  # type: ignore[arg-type]
    assert barrier(one, wish, TODAY, one.open) == wall


def test_who_has_refused_is_not_asked_again() -> None:
    [decision] = choose([candidate("A01"), candidate("A02")], [seeker(refused=frozenset({"A01"}))], TODAY)
    assert numbers(decision.members) == ["A02"]
    assert numbers(decision.runners_up) == []


@pytest.mark.parametrize(
    ("pool", "reason"),
    [
        ([], "nobody_certified"),
        ([candidate("A01", certified_until=date(2020, 1, 1))], "nobody_certified"),
        ([candidate("A01", levels={AGENDA: 3})], "nobody_suitable"),
        ([candidate("A02")], "all_declined"),
        ([candidate("A02"), candidate("A01", open=2)], "nobody_free"),
        ([candidate("A01", absences=(Absence(TODAY, TODAY),)), candidate("A03", levels={})], "nobody_free"),
    ],
)
def test_nobody_has_a_reason(pool: list[Candidate], reason: str) -> None:
    """The reason is the one that is nearest to being mended."""
    [decision] = choose(pool, [seeker(refused=frozenset({"A02"}))], TODAY)
    assert (decision.members, decision.nobody) == ((), reason)


def test_an_accepted_co_stays_and_a_lead_is_found() -> None:
    held = Scored("A01", Role.CO, {"expertise": 1})
    pool = [candidate("A01"), candidate("A02", levels={PARTNERS: 3}), candidate("A03", levels={FAIR: 3})]
    wish = seeker(fields=(FAIR, PARTNERS), tandem=Tandem.WANTED, held=(held,))
    [decision] = choose(pool, [wish], TODAY)
    assert [(one.advisor_id, one.role) for one in decision.members] == [("A02", Role.LEAD), ("A01", Role.CO)]
    assert decision.members[1] == held


def test_a_co_who_is_left_alone_is_to_lead() -> None:
    held = Scored("A01", Role.CO, {"expertise": 1})
    [decision] = choose([candidate("A01", open=2)], [seeker(tandem=Tandem.WANTED, held=(held,))], TODAY)
    assert [(one.advisor_id, one.role) for one in decision.members] == [("A01", Role.LEAD)]


def test_a_lead_who_stays_alone_goes_on_alone() -> None:
    held = Scored("A01", Role.LEAD, {"expertise": 1})
    [decision] = choose([candidate("A01", open=2)], [seeker(tandem=Tandem.WANTED, held=(held,))], TODAY)
    assert decision.members == (held,)


def test_the_oldest_request_comes_first_and_capacity_holds_within_a_pass() -> None:
    pool = [candidate("A01", capacity=1)]
    young, old = seeker("r1"), seeker("r2", asked_on=TODAY - timedelta(days=3))
    first, second = choose(pool, [young, old], TODAY)
    assert (first.request_id, numbers(first.members)) == ("r2", ["A01"])
    assert (second.request_id, second.nobody) == ("r1", "nobody_free")


def test_ties_go_to_expertise_then_fewer_minutes_then_the_number() -> None:
    assert numbers(choose([candidate("A02"), candidate("A01")], [seeker()], TODAY)[0].members) == ["A01"]


def test_no_name_origin_or_address_can_be_an_input() -> None:
    """Mission, rule 8: what the choice gets has no place for them."""
    inputs = {field.name for kind in (Candidate, Seeker) for field in dataclasses.fields(kind)}
    assert inputs == {
        *("id", "levels", "languages", "regions", "certified_on", "certified_until", "capacity", "absences"),
        *("conflicts", "open", "paid_minutes"),
        *("ags", "fields", "tandem", "wanted_from", "asked_on", "held", "refused", "waiting_days", "pinned"),
    }


def test_a_pinned_advisor_is_chosen_and_the_rest_is_found_round_them() -> None:
    pool = [candidate("A01", levels={FAIR: 3}), candidate("A02", levels={FAIR: 1}), candidate("A03", capacity=0)]
    [alone] = choose(pool, [seeker(pinned=("A02",))], TODAY)
    assert numbers(alone.members) == ["A02"]
    [pair] = choose(pool, [seeker(pinned=("A02",), tandem=Tandem.WANTED)], TODAY)
    assert numbers(pair.members) == ["A02", "A01"]
    [both] = choose(pool, [seeker(pinned=("A01", "A02"), tandem=Tandem.NOT_WANTED)], TODAY)
    assert numbers(both.members) == ["A01", "A02"]
    [full] = choose(pool, [seeker(pinned=("A03",))], TODAY)
    assert (full.members, full.nobody) == ((), "nobody_free")


PLACES = st.sampled_from(["08117", "08117042", "08111", "08425012", "09162"])
CODES = st.sampled_from(list(FieldCode))
CANDIDATES = st.lists(
    st.builds(
        candidate,
        st.integers(1, 12).map(lambda n: f"A{n:02}"),
        levels=st.dictionaries(CODES, st.integers(0, 3)),
        languages=st.frozensets(st.sampled_from(["de", "fr", "ar"])),
        regions=st.lists(PLACES, min_size=1, max_size=3).map(tuple),
        capacity=st.integers(0, 3),
        open=st.integers(0, 3),
        paid_minutes=st.integers(0, 5000),
    ),
    max_size=10,
    unique_by=lambda one: one.id,
)
SEEKERS = st.lists(
    st.builds(
        seeker,
        st.integers(1, 99).map(lambda n: f"r{n:02}"),
        ags=PLACES,
        fields=st.lists(CODES, min_size=1, max_size=3, unique=True).map(tuple),
        languages=st.lists(st.sampled_from(["de", "fr", "ar"]), min_size=1, unique=True).map(tuple),
        tandem=st.sampled_from(list(Tandem)),
        refused=st.frozensets(st.sampled_from(["A01", "A02"])),
    ),
    max_size=8,
    unique_by=lambda one: one.id,
)


@settings(max_examples=40, deadline=None)
@given(CANDIDATES, SEEKERS, st.randoms(use_true_random=False))
def test_any_order_of_the_input_gives_the_same_decisions(
    pool: list[Candidate], wishes: list[Seeker], shuffled: random.Random
) -> None:
    decisions = choose(pool, wishes, TODAY)
    assert choose(shuffled.sample(pool, len(pool)), shuffled.sample(wishes, len(wishes)), TODAY) == decisions


@settings(max_examples=40, deadline=None)
@given(CANDIDATES, SEEKERS)
def test_every_decision_is_allowed(pool: list[Candidate], wishes: list[Seeker]) -> None:
    """Capacity, eligibility, roles and a reason for nobody, whatever comes in."""
    free = {one.id: one.capacity - one.open for one in pool}
    asked = {one.id: one for one in wishes}
    for decision in choose(pool, wishes, TODAY):
        wish = asked[decision.request_id]
        assert bool(decision.members) != bool(decision.nobody)
        assert [one.role for one in decision.members] == [Role.LEAD, Role.CO][: len(decision.members)]
        assert len(set(numbers(decision.members))) == len(decision.members)
        assert len(decision.members) == 1 or decision.nobody or wish.tandem != Tandem.NOT_WANTED
        for member in decision.members:
            free[member.advisor_id] -= 1
            assert free[member.advisor_id] >= 0
            assert member.advisor_id not in wish.refused
