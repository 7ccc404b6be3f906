"""What those who follow the feeds are given."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from services.reporting.views import View
from shared.events import ReportingEntry


class EntryView(View):
    """One line for SKEW as a CloudEvent (JSON format), with its place in the feed as an extension."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    time: datetime
    subject: str
    datacontenttype: Literal["application/json"]
    cursor: str = Field(description="its place in the feed; `after` this cursor come the later ones")
    data: ReportingEntry


class EntryPage(View):
    items: list[EntryView]
    next: str | None = Field(description="cursor of the next page; null when there is no more now")
    position: str = Field(description="cursor to go on with later, whether or not there was anything")
    feed: str = Field(description="names the numbering: with another one cursors mean something else")


class DayView(View):
    """A sealed day: SHA-256 over the facts at the places `first` to `last`, chained to `previous`."""

    day: date
    first: int
    last: int
    previous: str
    digest: str


class SealedDays(View):
    items: list[DayView]
