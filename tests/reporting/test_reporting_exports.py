"""Cells as a German spreadsheet reads them, names of figures, periods."""

from datetime import date
from decimal import Decimal

import pytest

from services.reporting.exports.cells import cell, euros, line
from services.reporting.figures import FigureId, Scope, parse, periods
from services.reporting.reports import mean


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (euros(123450), "1234,50"),
        (euros(-5), "-0,05"),
        (Decimal(0), "0,00"),
        (4.33, "4,33"),
        (12, "12"),
        (None, ""),
        (date(2026, 3, 1), "2026-03-01"),
        ("Göppingen", "Göppingen"),
        ("=1+1", "'=1+1"),
        ("+49", "'+49"),
        ("-x", "'-x"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
    ],
)
def test_a_cell_never_starts_a_formula_and_numbers_have_commas(value: object, shown: str) -> None:
    assert cell(value) == shown  # type: ignore[arg-type]


def test_separators_and_quotes_inside_a_text_stay_in_their_cell() -> None:
    assert line(["a;b", 'c"d', "e\nf"]) == '"a;b";"c""d";"e\nf"\r\n'


@pytest.mark.parametrize(
    ("total", "n", "shown"), [(13, 3, 4.33), (5, 3, 1.67), (1, 8, 0.13), (9, 8, 1.13), (0, 0, None)]
)
def test_an_average_is_rounded_half_up_to_two_decimals(total: int, n: int, shown: float | None) -> None:
    assert mean(total, n) == shown


def test_a_figures_name_reads_back_as_the_figure() -> None:
    for scope in (
        Scope(date(2026, 1, 1), date(2026, 1, 1)),
        Scope(date(1, 1, 1), date(9999, 12, 31), "08117"),
        Scope(date(2026, 1, 1), date(2026, 3, 31), "unknown", "fair_week"),
    ):
        assert parse(str(FigureId("minutes", scope))) == FigureId("minutes", scope)


def test_periods_cover_the_days_asked_for_and_no_others() -> None:
    found = periods(Scope(date(2025, 11, 20), date(2026, 2, 3)), "quarter")
    assert [(key, part.start, part.end) for key, part in found] == [
        ("2025-Q4", date(2025, 11, 20), date(2025, 12, 31)),
        ("2026-Q1", date(2026, 1, 1), date(2026, 2, 3)),
    ]
    assert [key for key, _ in periods(Scope(date(9998, 5, 1), date(9999, 12, 31)), "year")] == ["9998", "9999"]
    assert len(periods(Scope(date(2024, 1, 31), date(2024, 3, 1)), "month")) == 3
