"""What the routes are asked with: days, pages, ids; wrong ones are 422 with the reason."""

import re
from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Query
from pydantic import BeforeValidator, WithJsonSchema

from services.reporting.figures import Scope
from services.reporting.queries import After
from shared.errors import FieldError, Invalid

LONGEST_YEARS = 50


def _day(value: object) -> date:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError("Bitte ein Datum in der Form JJJJ-MM-TT.", "A date has the form YYYY-MM-DD.")


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
From = Annotated[Day | None, Query(alias="from", description="first day; default: 1 January of that year")]
To = Annotated[Day | None, Query(alias="to", description="last day, included; default: today")]
Limit = Annotated[int, Query(ge=1, le=200, description="items of a page")]
AfterDay = Annotated[
    str | None,
    Query(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}~[!-~]{1,300}$", description="`next` of the page before"),
]
AfterRequest = Annotated[
    str | None, Query(pattern=r"^[0-9a-f-]{36}~[!-~]{1,300}$", description="`next` of the page before")
]


def period(start: date | None, end: date | None, zone: ZoneInfo) -> Scope:
    """The days asked for; without any, this year up to today. Raises Invalid when they make no period."""
    last = end or datetime.now(zone).date()
    first = start or last.replace(month=1, day=1)
    if first > last:
        raise Invalid.of(FieldError("from", "after_end", "„from“ liegt nach „to“.", "“from” is after “to”."))
    if last.year - first.year > LONGEST_YEARS:
        german, english = (
            f"Bitte höchstens {LONGEST_YEARS} Jahre auf einmal.",
            f"At most {LONGEST_YEARS} years at once.",
        )
        raise Invalid.of(FieldError("to", "too_long", german, english))
    return Scope(first, last)


def after(cursor: str | None) -> After | None:
    """The place that a cursor of a page names."""
    return After(*cursor.split("~", 1)) if cursor else None
