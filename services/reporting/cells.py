"""Cells: what the measures of a day or a month come to, so that a summary costs the same however many facts there are.

All figures are sums, or averages made of a sum and a number; none is a median or counts distinct things. So cells
add up: a period is its whole months and the days at its edges. Each measure counts in the cell of its day and of
its month, for its district and for all, there in `all` and under each of its fields.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Literal, NamedTuple

from services.reporting.figures import Scope, periods
from services.reporting.measures import Measure

ALL = ""
"""As a cell's district: all of them."""
Group = Literal["month", "district", "field"]


class Cell(NamedTuple):
    """`period` is a day or a month, as 2026-11-09 or 2026-11."""

    period: str
    district: str


class Total(NamedTuple):
    """Sum and number of the contributions to `indicator` in `group` (month as 2026-03, district or field)."""

    group: str
    indicator: str
    sum: int
    n: int


def changes(new: Iterable[Measure], old: Iterable[Measure]) -> dict[Cell, dict[str, int]]:
    """What is added to which member (by dotted path) of which cell when `new` stand in place of `old`."""
    found: dict[Cell, Counter[str]] = {}
    for sign, rows in ((1, new), (-1, old)):
        for measure in rows:
            day = measure.on.isoformat()
            parts = ("all", *{f"fields.{field}" for field in measure.fields})
            for cell in (Cell(p, d) for p in (day, day[:7]) for d in (measure.district, ALL)):
                amounts = found.setdefault(cell, Counter())
                for part in parts:
                    amounts[f"{part}.{measure.indicator}.sum"] += sign * measure.value
                    amounts[f"{part}.{measure.indicator}.n"] += sign
    kept = {cell: {path: amount for path, amount in amounts.items() if amount} for cell, amounts in found.items()}
    return {cell: amounts for cell, amounts in kept.items() if amounts}


def within(scope: Scope) -> list[str]:
    """The periods of the cells that make up the days of `scope`: whole months, else days."""
    found: list[str] = []
    for month, part in periods(scope, "month"):
        if part.start.day == 1 and part.end.day == monthrange(part.end.year, part.end.month)[1]:
            found.append(month)
        else:
            days = range(part.start.toordinal(), part.end.toordinal() + 1)
            found += [date.fromordinal(day).isoformat() for day in days]
    return found


def totals(cells: Iterable[Mapping[str, Any]], field: str | None, group: Group | None) -> list[Total]:
    """What `cells` come to, of all fields or of one, per indicator and `group`; without what comes to nothing."""
    found: dict[tuple[str, str], list[int]] = {}
    for cell in cells:
        for key, sums in _groups(cell, field, group):
            for indicator, amounts in sums.items():
                total = found.setdefault((key, indicator), [0, 0])
                total[0] += amounts.get("sum", 0)
                total[1] += amounts.get("n", 0)
    return [Total(*place, *total) for place, total in found.items() if total[1]]


def _groups(
    cell: Mapping[str, Any], field: str | None, group: Group | None
) -> Iterator[tuple[str, Mapping[str, dict[str, int]]]]:
    fields = cell.get("fields", {})
    if group == "field":
        yield from ((name, sums) for name, sums in fields.items() if field in (None, name))
    else:
        key = {None: "", "month": cell["period"][:7], "district": cell["district"]}[group]
        yield key, fields.get(field, {}) if field else cell.get("all", {})


def canonical(cell: Mapping[str, Any]) -> str:
    """The content of a cell in one form, whatever order it was added up in; empty when it comes to nothing."""
    rows = [
        f"{name} {total.indicator} {total.sum} {total.n}"
        for name, sums in (("", cell.get("all", {})), *cell.get("fields", {}).items())
        for total in totals([{"period": "", "district": "", "all": sums}], None, None)
    ]
    return "\n".join([f"{cell['period']} {cell['district']}", *sorted(rows), ""]) if rows else ""
