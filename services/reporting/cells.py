"""Cells: what the measures of a day or a month come to, so that a summary costs the same however many facts there are.

Figures are sums, or averages made of a sum and a number, and so cells add up: a period is its whole months and the
days at its edges. What is counted by heads (how many advisors were active) can't be added up from numbers, since who
worked in two months is one; so cells keep what each member's part comes to (`of`), and parts add up. Each measure
counts in the cell of its day and of its month, for its district and for all, there in `all`, under each of its fields
and, for all districts, under the size of its municipality.
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
_SIZES = "sizes."
Group = Literal["month", "district", "field", "size"]


class Cell(NamedTuple):
    """`period` is a day or a month, as 2026-11-09 or 2026-11."""

    period: str
    district: str


class Total(NamedTuple):
    """Sum and number of the contributions to `indicator` in `group` (month as 2026-03, district, field or size).

    `of`: the sum by member, where it is counted by heads.
    """

    group: str
    indicator: str
    sum: int
    n: int
    of: Mapping[str, int] = {}


class Tally:
    """What measures come to in each cell: the sum and number of each part and indicator, and the sum by member.

    Counted by day and district; months and all districts are made of these at the end.
    """

    def __init__(self) -> None:
        self._sums: dict[tuple[date, str, str, str], list[int]] = {}
        self._of: dict[tuple[date, str, str, str, str], int] = {}
        self._parts: dict[tuple[tuple[str, ...], str], tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self._sums)

    def add(self, measure: Measure, sign: int = 1) -> None:
        """Counts `measure` in, or with sign -1 out."""
        sums, value = self._sums, sign * measure.value
        day, district, indicator, member = measure.on, measure.district, measure.indicator, measure.member
        kind = (measure.fields, measure.size)
        parts = self._parts.get(kind)
        if parts is None:
            fields = (f"fields.{field}" for field in dict.fromkeys(measure.fields))
            parts = self._parts[kind] = ("all", *fields, f"{_SIZES}{measure.size}")
        for part in parts:
            place = (day, district, part, indicator)
            total = sums.get(place)
            if total is None:
                sums[place] = [value, sign]
            else:
                total[0] += value
                total[1] += sign
            if member is not None:
                one = (*place, member)
                self._of[one] = self._of.get(one, 0) + value

    def amounts(self) -> dict[Cell, dict[str, int]]:
        """What is added to which member (by dotted path) of which cell; nothing where it comes to nothing."""
        found: dict[tuple[str, str], dict[str, int]] = {}
        for place, (value, n) in self._sums.items():
            path = f"{place[2]}.{place[3]}."
            _put(found, place[:3], path + "sum", value)
            _put(found, place[:3], path + "n", n)
        for (day, district, part, indicator, member), amount in self._of.items():
            _put(found, (day, district, part), f"{part}.{indicator}.of.{member}", amount)
        kept = {cell: {path: amount for path, amount in sums.items() if amount} for cell, sums in found.items()}
        return {Cell(*cell): sums for cell, sums in kept.items() if sums}


def _put(found: dict[tuple[str, str], dict[str, int]], place: tuple[date, str, str], path: str, amount: int) -> None:
    """Adds to the cells of the day and of its month, of the district and of all; sizes to those of all alone."""
    day, district, part = place
    text = day.isoformat()
    for where in (ALL,) if part.startswith(_SIZES) else (district, ALL):
        for period in (text, text[:7]):
            cell = found.get((period, where))
            if cell is None:
                cell = found[period, where] = {}
            cell[path] = cell.get(path, 0) + amount


def changes(new: Iterable[Measure], old: Iterable[Measure]) -> dict[Cell, dict[str, int]]:
    """What is added to which member (by dotted path) of which cell when `new` stand in place of `old`."""
    tally = Tally()
    for sign, rows in ((1, new), (-1, old)):
        for measure in rows:
            tally.add(measure, sign)
    return tally.amounts()


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


def totals(
    cells: Iterable[Mapping[str, Any]], field: str | None, group: Group | None, size: str | None = None
) -> list[Total]:
    """What `cells` come to, of all fields and sizes or of one, per indicator and `group`, where there is something.

    Of a field and a size together cells know nothing.
    """
    found: dict[tuple[str, str], list[int]] = {}
    members: dict[tuple[str, str], Counter[str]] = {}
    for cell in cells:
        for key, sums in _groups(cell, field, group, size):
            for indicator, amounts in sums.items():
                total = found.setdefault((key, indicator), [0, 0])
                total[0] += amounts.get("sum", 0)
                total[1] += amounts.get("n", 0)
                if "of" in amounts:
                    members.setdefault((key, indicator), Counter()).update(amounts["of"])
    return [
        Total(*place, total[0], total[1], {name: part for name, part in members.get(place, {}).items() if part})
        for place, total in found.items()
        if total[1]
    ]


def _groups(
    cell: Mapping[str, Any], field: str | None, group: Group | None, size: str | None
) -> Iterator[tuple[str, Mapping[str, dict[str, Any]]]]:
    fields, sizes = cell.get("fields", {}), cell.get("sizes", {})
    if group == "size":
        yield from ((name, sums) for name, sums in sizes.items() if size in (None, name))
    elif group == "field":
        yield from ((name, sums) for name, sums in fields.items() if field in (None, name))
    else:
        key = {None: "", "month": cell["period"][:7], "district": cell["district"]}[group]
        yield key, sizes.get(size, {}) if size else fields.get(field, {}) if field else cell.get("all", {})


def _parts(cell: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "", cell.get("all", {})
    yield from cell.get("fields", {}).items()
    yield from ((f"size {name}", sums) for name, sums in cell.get("sizes", {}).items())


def canonical(cell: Mapping[str, Any]) -> str:
    """The content of a cell in one form, whatever order it was added up in; empty when it comes to nothing."""
    rows = [
        f"{name} {total.indicator} {total.sum} {total.n} {sorted(total.of.items())}"
        for name, sums in _parts(cell)
        for total in totals([{"period": "", "district": "", "all": sums}], None, None)
    ]
    return "\n".join([f"{cell['period']} {cell['district']}", *sorted(rows), ""]) if rows else ""
