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


_Sums = dict[tuple[str, ...], list[int]]
"""(part, indicator) → sum and number; (part, indicator, member) → what is theirs, and 0."""


class Tally:
    """What measures come to in each cell: the sum and number of each part and indicator, and the sum by member.

    Counted by day and district, sizes by day alone; months and all districts are made of these at the end.
    """

    def __init__(self) -> None:
        self._days: dict[tuple[date, str], _Sums] = {}
        self._keys: dict[tuple[tuple[str, ...], str, str], tuple[tuple[tuple[str, str], ...], tuple[str, str]]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, measure: Measure, sign: int = 1) -> None:
        """Counts `measure` in, or with sign -1 out."""
        value, member, indicator = sign * measure.value, measure.member, measure.indicator
        kind = (measure.fields, measure.size, indicator)
        keys = self._keys.get(kind)
        if keys is None:
            parts = ("all", *(f"fields.{field}" for field in dict.fromkeys(measure.fields)))
            keys = tuple((part, indicator) for part in parts), (f"{_SIZES}{measure.size}", indicator)
            self._keys[kind] = keys
        cell = self._cell(measure.on, measure.district)
        for key in keys[0]:
            self._count += _add(cell, key, value, sign)
            if member is not None:
                _add(cell, (*key, member), value, 0)
        everywhere = self._cell(measure.on, ALL)
        _add(everywhere, keys[1], value, sign)
        if member is not None:
            _add(everywhere, (*keys[1], member), value, 0)

    def _cell(self, day: date, district: str) -> _Sums:
        cell = self._days.get((day, district))
        if cell is None:
            cell = self._days[day, district] = {}
        return cell

    def amounts(self) -> dict[Cell, dict[str, int]]:
        """What is added to which member (by dotted path) of which cell; nothing where it comes to nothing."""
        found: dict[tuple[str, str], _Sums] = {}
        days: dict[str, _Sums] = {}
        for (day, district), sums in self._days.items():
            text = day.isoformat()
            if district != ALL:
                found[text, district] = sums
                _merge(found.setdefault((text[:7], district), {}), sums)
            _merge(days.setdefault(text, {}), sums)
        for text, sums in days.items():
            found[text, ALL] = sums
            _merge(found.setdefault((text[:7], ALL), {}), sums)
        paths: dict[tuple[str, ...], tuple[str, str]] = {}
        made = {}
        for place, sums in found.items():
            amounts: dict[str, int] = {}
            for key, (value, n) in sums.items():
                path = paths.get(key)
                if path is None:
                    path = paths[key] = _paths(key)
                if value:
                    amounts[path[0]] = value
                if n:
                    amounts[path[1]] = n
            if amounts:
                made[Cell(*place)] = amounts
        return made


def _add(sums: _Sums, key: tuple[str, ...], value: int, n: int) -> int:
    """Returns how many sums are new: 0 or 1."""
    total = sums.get(key)
    if total is None:
        sums[key] = [value, n]
        return 1
    total[0] += value
    total[1] += n
    return 0


def _merge(into: _Sums, sums: _Sums) -> None:
    for key, (value, n) in sums.items():
        total = into.get(key)
        if total is None:
            into[key] = [value, n]
        else:
            total[0] += value
            total[1] += n


def _paths(key: tuple[str, ...]) -> tuple[str, str]:
    """Of the sum and of the number; what is a member's has no number."""
    path = f"{key[0]}.{key[1]}"
    return (f"{path}.of.{key[2]}", "") if len(key) > 2 else (f"{path}.sum", f"{path}.n")


def nested(amounts: Mapping[str, int]) -> dict[str, Any]:
    """The members of a cell that comes to `amounts`, by dotted path."""
    made: dict[str, Any] = {}
    for path, amount in amounts.items():
        *parents, last = path.split(".")
        inner = made
        for name in parents:
            there = inner.get(name)
            if there is None:
                there = inner[name] = {}
            inner = there
        inner[last] = amount
    return made


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
