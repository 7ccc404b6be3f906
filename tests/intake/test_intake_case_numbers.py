"""Case numbers are read out and typed in: no single slip may lead to another request."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake import case_numbers
from services.intake.case_numbers import ALPHABET, complete, draw, parse

drawn = st.text(ALPHABET, min_size=7, max_size=7).map(complete)


def test_a_drawn_number_is_short_readable_and_valid() -> None:
    numbers = {draw() for _ in range(200)}
    assert len(numbers) == 200
    for number in numbers:
        assert re.fullmatch(r"MG-[0-9A-HJKMNP-TW-Z]{4}-[0-9A-HJKMNP-TW-Z]{4}", number)
        assert parse(number) == number


@settings(deadline=None)
@given(drawn)
def test_every_single_wrong_character_is_noticed(number: str) -> None:
    for at, right in enumerate(number):
        if right == "-":
            continue
        for wrong in set(ALPHABET) - {right}:
            assert parse(number[:at] + wrong + number[at + 1 :]) is None


@settings(deadline=None)
@given(drawn)
def test_every_swap_of_neighbours_is_noticed(number: str) -> None:
    plain = number.replace("-", "")
    for at in range(len(plain) - 1):
        swapped = plain[:at] + plain[at + 1] + plain[at] + plain[at + 2 :]
        assert parse(swapped) is None or swapped == plain


@settings(deadline=None)
@given(drawn)
def test_what_is_typed_in_a_hurry_is_understood(number: str) -> None:
    plain = number.replace("-", "")
    for typed in (
        number.lower(),
        plain,
        f"  {plain[:5]} {plain[5:]} ",
        plain.removeprefix("MG"),
        number.replace("-", "–"),
        number.replace("0", "O"),
        number.replace("1", "l"),
        number.replace("1", "I"),
    ):
        assert parse(typed) == number


@settings(deadline=None)
@given(st.text())
def test_anything_else_is_no_case_number(text: str) -> None:
    found = parse(text)
    assert found is None or case_numbers.parse(found) == found
