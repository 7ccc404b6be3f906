"""HTTP door: the report of a period in files."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, StreamingResponse
from starlette.background import BackgroundTask

from services.reporting import closing
from services.reporting.closing import Office
from services.reporting.exports import package, report, workbook
from services.reporting.exports.text import Part, as_json, facts_as_csv, tables_of, with_facts
from services.reporting.figures import Granularity, Scope
from services.reporting.params import From, To, period
from services.reporting.periods import PATTERN, scope_of
from services.reporting.result import Result
from shared.auth import Caller
from shared.errors import FieldError, Invalid
from shared.web import language

AT_ONCE = 2
"""Reports that are laid out at a time; more wait."""
_PIECE = 65_536
_KINDS = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
Of = Annotated[Granularity, Query(description="of the groups by period")]

PeriodName = Annotated[str | None, Query(alias="period", pattern=PATTERN, description="instead of from and to")]
Live = Annotated[bool, Query(description="of a closed period not what was frozen but what is known now")]


def router(office: Office, zone: ZoneInfo, allowed: Callable[..., Awaitable[Caller]], prefix: str) -> APIRouter:
    """The files of a period below `prefix`; `allowed`: lets in whom they are for, by token or by session."""
    routes = APIRouter(prefix=prefix, tags=["exports"], dependencies=[Depends(allowed)])
    reports = office.reports
    turn = asyncio.Semaphore(AT_ONCE)

    async def result(
        start: From = None,
        end: To = None,
        name: PeriodName = None,
        live: Live = False,
    ) -> Result:
        """The days of a closed period give what was frozen."""
        scope = _named(name) if name else period(start, end, zone)
        return await closing.result(office, scope, datetime.now(UTC), live=live)

    Wanted = Annotated[Result, Depends(result)]

    @routes.get("/export.csv", response_class=StreamingResponse, responses=_answers("text/csv"))
    async def export_csv(
        request: Request,
        start: From = None,
        end: To = None,
        name: PeriodName = None,
        live: Live = False,
        part: Annotated[Part, Query(description="facts: what each figure is counted from, as it is now")] = "summary",
        granularity: Of = "month",
    ) -> StreamingResponse:
        """One part of the report for a spreadsheet: BOM, semicolons, decimal commas."""
        if part == "facts":
            scope = _named(name) if name else period(start, end, zone)
            lines = facts_as_csv(reports, scope, language(request))
            return await _download(lines, f"miglobe-{part}-{scope.start}-{scope.end}.csv", "text/csv; charset=utf-8")
        found = await result(start, end, name, live)
        (table,) = [one for one in tables_of(reports, found, granularity, language(request)) if one.code == part]
        return _stream(
            found, table.lines(language(request)), f"miglobe-{part}-{found.name}.csv", "text/csv; charset=utf-8"
        )

    @routes.get("/export.json", response_class=StreamingResponse, responses=_answers("application/json"))
    async def export_json(
        request: Request,
        found: Wanted,
        granularity: Of = "month",
        facts: Annotated[bool, Query(description="with contributions and facts, of a period that is open")] = True,
    ) -> StreamingResponse:
        """All parts of the report in one object: summary, honoraria, corrections, findings, contributions, facts."""
        parts = as_json(reports, found, granularity, language(request))
        name = f"miglobe-{found.name}.json"
        if found.closing or not facts:
            return _stream(found, parts, name, "application/json")
        return await _download(with_facts(reports, found.scope, parts), name, "application/json", found.vouchers.close)

    @routes.get("/export.pdf", response_class=FileResponse, responses=_answers(_KINDS["pdf"]))
    async def export_pdf(
        request: Request,
        start: From = None,
        end: To = None,
        name: PeriodName = None,
        live: Live = False,
        granularity: Of = "month",
    ) -> FileResponse:
        """The report as PDF/UA-1 and PDF/A-2a: for reading, signing and filing."""

        scope = _named(name) if name else period(start, end, zone)
        found = await closing.result(office, scope, datetime.now(UTC), live=live, at_most=report.LISTED)

        def write(path: Path) -> None:
            path.write_bytes(report.write(reports, found, granularity, language(request)))

        return await _file(turn, found, "pdf", write)

    @routes.get("/export.xlsx", response_class=FileResponse, responses=_answers(_KINDS["xlsx"]))
    async def export_xlsx(request: Request, found: Wanted, granularity: Of = "month") -> FileResponse:
        """The report as a workbook: a sheet per table, real numbers and dates, reading notes."""
        chosen = language(request)
        return await _file(turn, found, "xlsx", lambda path: workbook.write(reports, found, path, granularity, chosen))

    @routes.get("/export.zip", response_class=FileResponse, responses=_answers(_KINDS["zip"]))
    async def export_zip(request: Request, found: Wanted, granularity: Of = "month") -> FileResponse:
        """All of it in one file, with a manifest and checksums."""
        chosen = language(request)
        return await _file(turn, found, "zip", lambda path: package.write(reports, found, path, granularity, chosen))

    return routes


async def _file(
    turn: asyncio.Semaphore, found: Result, kind: Literal["pdf", "xlsx", "zip"], write: Callable[[Path], None]
) -> FileResponse:
    """What `write` makes, in a thread; it is deleted when it has been sent."""
    name = f"miglobe-{found.name}.{kind}"
    folder = mkdtemp(prefix="miglobe-export-")
    try:
        async with turn:
            await asyncio.to_thread(write, Path(folder) / name)
    except BaseException:
        rmtree(folder, ignore_errors=True)
        raise
    finally:
        found.vouchers.close()
    after = BackgroundTask(rmtree, folder, ignore_errors=True)
    return FileResponse(Path(folder) / name, media_type=_KINDS[kind], filename=name, background=after)


def _stream(found: Result, parts: Iterator[str], name: str, media_type: str) -> StreamingResponse:
    """Streams `parts` in large pieces, read in threads."""

    def pieces() -> Iterator[str]:
        waiting: list[str] = []
        size = 0
        for part in parts:
            waiting.append(part)
            size += len(part)
            if size >= _PIECE:
                yield "".join(waiting)
                waiting, size = [], 0
        yield "".join(waiting)

    after = BackgroundTask(found.vouchers.close)
    return StreamingResponse(pieces(), media_type=media_type, headers=_headers(name), background=after)


async def _download(
    parts: AsyncIterator[str], name: str, media_type: str, after: Callable[[], None] = lambda: None
) -> StreamingResponse:
    """Streams `parts`; the first is awaited here, so that a database that is away is still a 503."""
    first = await anext(parts)

    async def content() -> AsyncIterator[str]:
        yield first
        async for part in parts:
            yield part

    return StreamingResponse(content(), media_type=media_type, headers=_headers(name), background=BackgroundTask(after))


def _named(name: str) -> Scope:
    try:
        return scope_of(name)
    except ValueError as error:
        german = "Diesen Zeitraum gibt es nicht."
        raise Invalid.of(FieldError("period", "no_period", german, f"There is no such period: {error}.")) from None


def _headers(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def _answers(media_type: str) -> dict[int | str, dict[str, Any]]:
    schema = {"type": "object"} if media_type == "application/json" else {"type": "string"}
    if media_type in _KINDS.values():
        schema["format"] = "binary"
    return {200: {"content": {media_type: {"schema": schema}}}}
