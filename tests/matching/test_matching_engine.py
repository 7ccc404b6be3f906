"""The engine: the optimum, proven, every point recomputed, and the same whatever the order of the input."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching import problem as files
from services.matching.domain.policy import Policy
from services.matching.engine import solve
from services.matching.engine.instance import Instance
from services.matching.engine.serving import servable
from tests.matching import checker
from tests.matching.problems import SMALL, WEIGHTS, problem

SEEDS = st.integers(0, 2**64)
WAYS = pytest.mark.parametrize("full", [solve.FULL, 0], ids=["listed", "generated"])
SIZES = [(n, r) for n in range(1, 17) for r in range(1, 21)]


def decided(given: dict[str, Any]) -> dict[str, Any]:
    return files.read(json.dumps(given)).decided()


def served(given: dict[str, Any], answer: dict[str, Any]) -> tuple[int, ...]:
    """Of those who are overdue."""
    there = {one["request_id"] for one in answer["assignments"]}
    return tuple(int(one["id"] in there) for one in checker.overdue(given))


@WAYS
@settings(max_examples=100, deadline=None)
@given(SEEDS, st.integers(1, 6), st.integers(1, 6), st.sampled_from([WEIGHTS, SMALL]), st.sampled_from([None, 5]))
def test_it_is_the_best_of_all_choices_there_are(
    full: int, seed: int, advisors: int, requests: int, weights: dict[str, Any], starvation: int | None
) -> None:
    """Each of these is held against every choice that the rules allow, those included that let requests go without."""
    given = problem(seed, advisors, requests, starvation=starvation, **weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solve, "FULL", full)
        answer = decided(given)
    checker.check(given, answer)
    assert (answer["optimal"], answer["gap"]) == (True, 0)
    assert (served(given, answer), answer["objective"]) == checker.best(given)


@WAYS
@settings(max_examples=50, deadline=None)
@given(SEEDS, st.sampled_from(SIZES), st.sampled_from([WEIGHTS, SMALL]))
def test_up_to_16_by_20_it_is_the_optimum_over_all_singles_and_pairs(
    full: int, seed: int, size: tuple[int, int], weights: dict[str, Any]
) -> None:
    given = problem(seed, *size, **weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solve, "FULL", full)
        answer = decided(given)
    checker.check(given, answer)
    assert (answer["optimal"], answer["objective"]) == (True, checker.best_of_columns(given))


@pytest.mark.long
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_every_size_up_to_16_by_20_is_the_optimum(size: tuple[int, int]) -> None:
    for seed in range(3):
        given = problem(seed, *size)
        answer = decided(given)
        checker.check(given, answer)
        assert (answer["optimal"], answer["objective"]) == (True, checker.best_of_columns(given))


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(1, 16), st.integers(1, 12), st.sampled_from([WEIGHTS, SMALL]))
def test_any_order_of_the_input_gives_the_same_answer(
    seed: int, advisors: int, requests: int, weights: dict[str, Any]
) -> None:
    given = problem(seed, advisors, requests, **weights)
    answer = decided(given)
    draw = random.Random(seed)
    for one in [given, *given["advisors"], *given["requests"]]:
        for value in one.values():
            if isinstance(value, list):
                draw.shuffle(value)
    assert decided(given) == answer


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(1, 16), st.sampled_from([WEIGHTS, SMALL]), st.sampled_from([None, 5]))
def test_one_request_alone_is_decided_as_the_solver_would(
    seed: int, advisors: int, weights: dict[str, Any], starvation: int | None
) -> None:
    """To the last tie."""
    one = files.read(json.dumps(problem(seed, advisors, 1, starvation=starvation, **weights)))
    people, wishes = [a.candidate() for a in one.advisors], [r.seeker() for r in one.requests]
    instance = Instance(people, wishes, files.DAY, Policy(weights=one.policy.weights.weights()))
    if not instance.asks[0].size():
        return
    forced = servable(instance)
    alone, listed = solve._one(instance, forced), solve._listed(instance, forced)
    assert (alone.objective, alone.taken.a.tolist(), alone.taken.b.tolist()) == (
        listed.objective,
        listed.taken.a.tolist(),
        listed.taken.b.tolist(),
    )


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_what_must_not_count_changes_nothing(seed: int) -> None:
    """Names, origin, gender, age: whatever else stands in the file."""
    given = problem(seed, 10, 6)
    answer = decided(given)
    draw = random.Random(seed)
    for one in given["advisors"]:
        one |= {"name": f"Beispiel {draw.random()}", "origin": draw.choice(["x", "y"]), "gender": draw.choice("mfd")}
        one["born"] = draw.randint(1940, 2008)
    assert decided(given) == answer


def test_a_large_instance_is_near_the_optimum_and_says_how_near() -> None:
    given = problem(1, 120, 80)
    answer = decided(given)
    checker.check(given, answer)
    assert answer["gap"] <= 0.0005
