"""Periods by name (2026-03, 2026-Q1, 2026, or free as 2026-02-10_2026-03-15), and what is due for them. Pure."""

import json
import re
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from services.reporting.cells import Total
from services.reporting.figures import Scope, period_of, periods
from services.reporting.indicators import INDICATORS
from services.reporting.result import Correction

Kind = Literal["month", "quarter", "year", "free"]
PATTERN = r"^[0-9]{4}(-(0[1-9]|1[0-2])|-Q[1-4])?$|^[0-9]{4}-[0-9]{2}-[0-9]{2}_[0-9]{4}-[0-9]{2}-[0-9]{2}$"
Sums = dict[str, tuple[int, int]]
"""Indicator → sum and number of its contributions."""


def scope_of(name: str) -> Scope:
    """The days of the period `name`. Raises ValueError when there is none of that name."""
    if not re.fullmatch(PATTERN, name):
        raise ValueError("no period such as 2026-03, 2026-Q1, 2026 or 2026-02-10_2026-03-15")
    if "_" in name:
        start, end = (date.fromisoformat(day) for day in name.split("_"))
        if start > end:
            raise ValueError("its first day is after its last")
        return Scope(start, end)
    year = int(name[:4])
    first, last = (1, 12) if len(name) == 4 else (int(name[5:]),) * 2 if "Q" not in name else _quarter(int(name[6]))
    return Scope(date(year, first, 1), date(year, last, monthrange(year, last)[1]))


def _quarter(number: int) -> tuple[int, int]:
    return 3 * number - 2, 3 * number


def name_of(scope: Scope) -> str:
    """The period of just these days."""
    for granularity in ("month", "quarter", "year"):
        name = period_of(scope.start, granularity)
        if (found := scope_of(name)) == Scope(scope.start, scope.end):
            return name
        if found.start != scope.start:
            break
    return f"{scope.start}_{scope.end}"


def kind_of(name: str) -> Kind:
    return "free" if "_" in name else "quarter" if "Q" in name else "month" if len(name) == 7 else "year"


def ended(first: date, today: date) -> list[str]:
    """All months, quarters and years from `first` on that have ended before `today`, the last ones first."""
    if first >= today:
        return []
    span = Scope(first, today)
    found = [name for kind in ("year", "quarter", "month") for name, _ in periods(span, kind)]
    return sorted((name for name in found if scope_of(name).end < today), key=lambda n: scope_of(n).end, reverse=True)


def sums_of(totals: Iterable[Total]) -> Sums:
    """By indicator; contributions that only stand behind others' figures are left out."""
    return {total.indicator: (total.sum, total.n) for total in totals if total.indicator in INDICATORS}


def correction(name: str, now: Sums, frozen: Sums, told: Iterable[Mapping[str, tuple[int, int]]]) -> Correction | None:
    """What has changed of the closed period `name` beyond what later periods have `told` already."""
    stood = dict(frozen)
    for figures in told:
        for code, (amount, n) in figures.items():
            before = stood.get(code, (0, 0))
            stood[code] = before[0] + amount, before[1] + n
    changed: Sums = {}
    for code in sorted({*now, *stood}):
        new, old = now.get(code, (0, 0)), stood.get(code, (0, 0))
        if new != old:
            changed[code] = new[0] - old[0], new[1] - old[1]
    return Correction(name, changed) if changed else None


@dataclass(frozen=True, slots=True)
class Deadline:
    """Something due for each period of a kind: on a day of the year after it, or so many months after its end."""

    code: str
    name: tuple[str, str]
    of: Kind
    month: int | None
    day: int | None
    months_after_end: int | None

    def due(self, period: str) -> date:
        end = scope_of(period).end
        if self.months_after_end is None:
            assert self.month is not None, "checked when it was read"
            assert self.day is not None, "checked when it was read"
            return date(end.year + 1, self.month, self.day)
        month = end.month - 1 + self.months_after_end
        year, month = end.year + month // 12, month % 12 + 1
        return date(year, month, min(end.day, monthrange(year, month)[1]))


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline of one period and how it stands on a day."""

    period: str
    code: str
    name: tuple[str, str]
    due: date
    state: Literal["done", "overdue", "soon", "open"]


@dataclass(frozen=True, slots=True)
class Proofs:
    """What is to be handed in, and how many days before it one is reminded, the first time first; below 0: after."""

    deadlines: tuple[Deadline, ...]
    remind: tuple[int, ...]

    @property
    def ahead(self) -> timedelta:
        return timedelta(days=max(self.remind, default=0))


def load_deadlines(path: str | None = None) -> tuple[Deadline, ...]:
    """Those at `path`, or the packaged examples. Raises ValueError, or OSError when unreadable."""
    packaged = resources.files("services.reporting").joinpath("data/deadlines.json")
    text = Path(path).read_text(encoding="utf-8-sig") if path else packaged.read_text(encoding="utf-8")
    try:
        return tuple(_deadline(item) for item in json.loads(text)["deadlines"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path or 'deadlines.json'}: {error!r}") from None


def _deadline(item: Mapping[str, Any]) -> Deadline:
    kind, fixed, after = item["of"], item.get("on"), item.get("months_after_end")
    if after is not None and not isinstance(after, int):
        raise ValueError(f"{item['code']}: months_after_end {after!r} is no whole number")
    if kind not in ("month", "quarter", "year") or (fixed is None) is (after is None):
        raise ValueError(f"{item['code']}: needs `of` and one of `on` (MM-DD) and `months_after_end`")
    on = date.fromisoformat(f"2001-{fixed}") if fixed else None
    names = str(item["german"]), str(item["english"])
    if not re.fullmatch("[a-z0-9_.]{1,60}", str(item["code"])):
        raise ValueError(f"{item['code']!r}: a code is of a-z, 0-9, _ and .")
    return Deadline(str(item["code"]), names, kind, on.month if on else None, on.day if on else None, after)


def dues(
    deadlines: Sequence[Deadline], names: Iterable[str], done: set[tuple[str, str]], today: date, ahead: timedelta
) -> list[Due]:
    """What is due for the periods `names`, the next one first; `soon` when less than `ahead` away."""
    found = []
    for name in names:
        for one in deadlines:
            if one.of == kind_of(name):
                due = one.due(name)
                late: Literal["overdue", "soon", "open"] = "overdue" if due < today else "open"
                late = "soon" if late == "open" and due - today <= ahead else late
                state = "done" if (name, one.code) in done else late
                found.append(Due(name, one.code, one.name, due, state))
    return sorted(found, key=lambda item: (item.due, item.period, item.code))
