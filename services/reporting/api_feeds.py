"""HTTP door for SKEW's systems: facts, lines and sealed days to follow with a cursor, with long poll and ETag."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.reporting.digests import Digests
from services.reporting.entries import Entries, Line
from services.reporting.ledger import Ledger
from services.reporting.params import Limit
from services.reporting.pulse import Pulse
from services.reporting.reports import fact_view
from services.reporting.views import Facts, View
from services.reporting.views_feeds import DayView, EntryPage, EntryView, SealedDays
from shared.auth import require
from shared.errors import Conflict, FieldError, Invalid
from shared.events import ReportingEntry
from shared.topics import FACTS

TOPICS = sorted(FACTS)
LONGEST_WAIT = 55.0

Cursor = Annotated[
    str, Query(alias="after", pattern=r"^[0-9]{1,18}$", description="an item's cursor, or `position` of a page")
]
Wait = Annotated[
    float, Query(ge=0, le=LONGEST_WAIT, description="seconds to wait for something new before an empty page is given")
]
Numbering = Annotated[
    str | None, Query(max_length=60, description="`feed` of an earlier page: 409 when cursors mean something else now")
]
_NOT_MODIFIED = {304: {"description": "as it was when it had the ETag of If-None-Match"}}


def router(ledger: Ledger, entries: Entries, digests: Digests, pulse: Pulse, secret: str) -> APIRouter:
    routes = APIRouter(prefix="/api", dependencies=[Depends(require(secret, "skew", "ops", "coordinator"))])

    @routes.get("/facts", response_model=Facts, responses=_NOT_MODIFIED)  # type: ignore[arg-type]
    async def facts(
        request: Request,
        cursor: Cursor = "0",
        limit: Limit = 50,
        topic: Annotated[str | None, Query(json_schema_extra={"enum": TOPICS}, max_length=60)] = None,
        wait: Wait = 0,
        feed: Numbering = None,
    ) -> Response:
        """All facts in the order of the ledger, as CloudEvents: a feed to follow with a cursor.

        The order has no gaps and nothing is ever added before a place that was seen.
        """
        if topic is not None and topic not in TOPICS:
            names = ", ".join(TOPICS)
            raise Invalid.of(FieldError("topic", "enum", f"Erlaubt sind: {names}.", f"Allowed are: {names}."))
        name = _same(feed, await ledger.feed())
        found = await pulse.until(lambda: ledger.after(int(cursor), limit + 1, topic), wait)
        items = [fact_view(fact) for fact in found[:limit]]
        position = items[-1].cursor if items else cursor
        return _answer(
            request, Facts(items=items, next=position if len(found) > limit else None, position=position, feed=name)
        )

    @routes.get("/entries", response_model=EntryPage, responses=_NOT_MODIFIED)  # type: ignore[arg-type]
    async def lines(
        request: Request, cursor: Cursor = "0", limit: Limit = 50, wait: Wait = 0, feed: Numbering = None
    ) -> Response:
        """What goes to SKEW on the topic reporting.entry, for those without Kafka: the same lines, as CloudEvents."""
        name = _same(feed, (await entries.head())[1])
        found = await pulse.until(lambda: entries.after(int(cursor), limit + 1), wait)
        items = [entry_view(line) for line in found[:limit]]
        position = items[-1].cursor if items else cursor
        return _answer(
            request, EntryPage(items=items, next=position if len(found) > limit else None, position=position, feed=name)
        )

    @routes.get("/ledger/days")
    async def days() -> SealedDays:
        """The chained digests of the ledger's days. Keep the last one elsewhere: `miglobe report verify --expect`."""
        return SealedDays(items=[DayView.model_validate(day, from_attributes=True) for day in await digests.days()])

    return routes


def entry_view(line: Line) -> EntryView:
    """A line as a CloudEvent."""
    entry = ReportingEntry.model_validate_json(line.data)
    return EntryView(
        specversion="1.0",
        id=line.id,
        source="/miglobe/reporting",
        type=ReportingEntry.type(),
        time=entry.recorded_at,
        subject=line.request_id,
        datacontenttype="application/json",
        cursor=str(line.seq),
        data=entry,
    )


def _same(asked: str | None, name: str) -> str:
    if asked not in (None, name):
        raise Conflict(
            "Das Hauptbuch wurde neu angelegt, Ihr Lesezeichen gilt nicht mehr: bitte ohne „feed“ von vorn beginnen.",
            "The feed was made anew: your cursor means nothing in it. Begin again from the first item, without `feed`.",
        )
    return name


def _answer(request: Request, page: View) -> Response:
    """`page` with an ETag over its content; 304 when the reader has it."""
    body = page.model_dump_json().encode()
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
