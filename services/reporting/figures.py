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
    r"(~district=([0-9]{5}|unknown))?(~field=[a-z0-9_]{1,40})?$"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at: days `start` to `end`, both included; one district or field only, or all."""

    start: date
    end: date
    district: str | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class FigureId:
    """One indicator in a scope."""

    indicator: str
    scope: Scope

    def __str__(self) -> str:
        scope = self.scope
        parts = [self.indicator, scope.start.isoformat(), scope.end.isoformat()]
        parts += [f"{name}={value}" for name in ("district", "field") if (value := getattr(scope, name))]
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
    given = dict(item.split("=") for item in filters)
    return FigureId(indicator, replace(scope, district=given.get("district"), field=given.get("field")))


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


def _next(day: date, granularity: Granularity) -> date | None:
    """The first day of the period after that of `day`; None after the last year there is."""
    months = {"month": 1, "quarter": 3, "year": 12}[granularity]
    month = (day.month - 1) // months * months + months
    year = day.year + month // 12
    return date(year, month % 12 + 1, 1) if year <= date.max.year else None
