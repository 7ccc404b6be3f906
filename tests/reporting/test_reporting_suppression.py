"""What is published of small numbers gives none of them away."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.reporting.suppression import SMALL, Published, publish

PARTS = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 9), min_size=1, max_size=5)


def possible(published: Published) -> dict[str, set[int]]:
    """By brute force: every number that each part that was left out may be, by all that was published.

    The reader is told too that zeros are left out only when it can't be helped.
    """
    open_parts = [key for key, number in published.parts.items() if number is None]
    known = sum(number for number in published.parts.values() if number is not None)
    found: dict[str, set[int]] = {key: set() for key in open_parts}
    most = 10 if published.total is None else published.total - known
    for least in (1, 0):
        for numbers in product(range(least, most + 1), repeat=len(open_parts)):
            total = known + sum(numbers)
            if (published.total is None) if total < SMALL else published.total in (None, total):
                for key, number in zip(open_parts, numbers, strict=True):
                    found[key].add(number)
        if any(found.values()):
            break
    return found


@settings(max_examples=150, deadline=None)
@given(parts=PARTS)
def test_no_small_number_is_published_or_can_be_reckoned_from_what_is(parts: dict[str, int]) -> None:
    published = publish(parts, sum(parts.values()))
    may_be = possible(published)
    for key, number in parts.items():
        if 0 < number < SMALL:
            assert published.parts[key] is None
            assert len(may_be[key]) > 1, (parts, published)
        elif published.parts[key] is not None:
            assert published.parts[key] == number
    assert published.total in (None, sum(parts.values()))
    assert published.total is None or published.total == 0 or published.total >= SMALL


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(st.integers(0, 7), min_size=1, max_size=3), told=st.lists(st.integers(0, 7), max_size=3))
def test_what_examples_tell_makes_no_small_number_of_others_known(parts: list[int], told: list[int]) -> None:
    """By the strongest reader: who knows how it is done, and tries all numbers that are at least what examples tell."""
    numbers = dict(zip("abc", parts, strict=False))
    known = {key: min(least, numbers[key]) for key, least in zip(numbers, told, strict=False) if least}
    published = publish(numbers, sum(parts), known)
    seen: dict[str, set[int]] = {key: set() for key in numbers}
    for guess in product(range(9), repeat=len(numbers)):
        guessed = dict(zip(numbers, guess, strict=True))
        fits = all(guessed[key] >= least for key, least in known.items())
        if fits and publish(guessed, sum(guess), known) == published:
            for key, number in guessed.items():
                seen[key].add(number)
    for key, number in numbers.items():
        if max(0, known.get(key, 0)) < number < SMALL:
            assert published.parts[key] is None
            assert len(seen[key]) > 1, (numbers, known, published)


@pytest.mark.parametrize(
    ("parts", "shown", "total"),
    [
        ({"a": 10, "b": 7}, {"a": 10, "b": 7}, 17),
        ({"a": 10, "b": 3, "c": 7}, {"a": 10, "b": None, "c": None}, 20),
        ({"a": 10, "b": 3, "c": 2}, {"a": 10, "b": None, "c": None}, 15),
        ({"a": 10, "b": 1, "c": 1, "d": 6}, {"a": 10, "b": None, "c": None, "d": None}, 18),
        ({"a": 3, "b": 0}, {"a": None, "b": 0}, None),
        ({"a": 10, "b": 0}, {"a": 10, "b": 0}, 10),
        (dict.fromkeys("abcde", 1) | {"f": 0}, dict.fromkeys("abcdef"), 5),
        (dict.fromkeys("abcde", 1), dict.fromkeys("abcde"), None),
    ],
)
def test_as_little_as_needed_is_left_out(
    parts: dict[str, int], shown: dict[str, int | None], total: int | None
) -> None:
    assert publish(parts, sum(parts.values())) == Published(total, shown)
