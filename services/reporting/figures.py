"""The name of a figure says what it counts: indicator, first and last day, and the filter, if any.

sessions~2026-01-01~2026-12-31~district=08117~field=fair_week
"""

import re
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from services.reporting.indicators import INDICATORS

Granularity = Literal["month", "quarter", "year"]

PATTERN = (
    r"^[a-z_]{1,40}~[0-9]{4}-[0-9]{2}-[0-9]{2}~[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(~district=([0-9]{5}|unknown))?(~field=[a-z0-9_]{1,40})?(~size=[a-z0-9_]{1,40})?$"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at: days `start` to `end`, both included; one district, field or size class only, or all."""

    start: date
    end: date
    district: str | None = None
    field: str | None = None
    size: str | None = None


@dataclass(frozen=True, slots=True)
class FigureId:
    """One indicator in a scope."""

    indicator: str
    scope: Scope

    def __str__(self) -> str:
        scope = self.scope
        parts = [self.indicator, scope.start.isoformat(), scope.end.isoformat()]
        parts += [f"{name}={value}" for name in ("district", "field", "size") if (value := getattr(scope, name))]
        return "~".join(parts)


def parse(text: str) -> FigureId:
    """The figure named `text`. Raises ValueError when there is none of that name."""
    if not re.fullmatch(PATTERN, text):
        raise ValueError("not of the form indicator~from~to")
    indicator, start, end, *filters = text.split("~")
    if indicator not in INDICATORS:
        raise ValueError(f"no indicator {indicator}")
    scope = Scope(date.fromisoformat(start), date.fromisoformat(end))
    if scope.start > scope.end:
        raise ValueError("its first day is after its last")
    for name, value in (item.split("=") for item in filters):
        scope = narrowed(scope, name, value)
    return FigureId(indicator, scope)


def period_of(day: date, granularity: Granularity) -> str:
    """The period that `day` is in: 2026-03, 2026-Q1 or 2026."""
    if granularity == "year":
        return f"{day.year:04}"
    if granularity == "quarter":
        return f"{day.year:04}-Q{(day.month + 2) // 3}"
    return f"{day.year:04}-{day.month:02}"


def periods(scope: Scope, granularity: Granularity) -> list[tuple[str, Scope]]:
    """All periods that `scope` touches, each with the part of it that lies in `scope`."""
    found: list[tuple[str, Scope]] = []
    start = scope.start
    while True:
        key = period_of(start, granularity)
        after = _next(start, granularity)
        if after is None or after > scope.end:
            return [*found, (key, replace(scope, start=start))]
        found.append((key, replace(scope, start=start, end=date.fromordinal(after.toordinal() - 1))))
        start = after


def narrowed(scope: Scope, by: str, key: str) -> Scope:
    """Of that district, field or size only."""
    return {
        "district": replace(scope, district=key),
        "field": replace(scope, field=key),
        "size": replace(scope, size=key),
    }[by]


def is_whole(scope: Scope, granularity: Granularity) -> bool:
    """Whether `scope` is a whole month, quarter or year."""
    after = _next(scope.start, granularity)
    first = period_of(date.fromordinal(max(scope.start.toordinal() - 1, 1)), granularity)
    ends = after is not None and after.toordinal() == scope.end.toordinal() + 1
    return ends and first != period_of(scope.start, granularity)


def previous(scope: Scope) -> Scope:
    """What `scope` is compared with: as many whole months before it where it is of whole months, else as many days."""
    after = date.fromordinal(scope.end.toordinal() + 1) if scope.end < date.max else scope.end
    end = date.fromordinal(max(scope.start.toordinal() - 1, 1))
    if scope.start.day == after.day == 1:
        months = (after.year - scope.start.year) * 12 + after.month - scope.start.month
        place = scope.start.year * 12 + scope.start.month - 1 - months
        return replace(scope, start=date(max(place // 12, 1), place % 12 + 1, 1), end=end)
    days = scope.end.toordinal() - scope.start.toordinal()
    return replace(scope, start=date.fromordinal(max(end.toordinal() - days, 1)), end=end)


def _next(day: date, granularity: Granularity) -> date | None:
    """The first day of the period after that of `day`; None after the last year there is."""
    months = {"month": 1, "quarter": 3, "year": 12}[granularity]
    month = (day.month - 1) // months * months + months
    year = day.year + month // 12
    return date(year, month % 12 + 1, 1) if year <= date.max.year else None
