"""The figures of a period, as numbers, plots and a map; each opens into the facts it was counted from."""

from asyncio import gather
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Literal, get_args

from babel.dates import format_skeleton
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import HTMLResponse

from services.reporting import plots
from services.reporting.figures import Granularity, Scope, parse, previous
from services.reporting.findings import WORDS
from services.reporting.indicators import INDICATORS
from services.reporting.pages.desk import Pages
from services.reporting.params import AfterDay, AfterRequest, From, To, after, period
from services.reporting.periods import name_of
from services.reporting.views import By, Figure, Group
from shared.errors import NotFound
from shared.login import Viewer, signed_in
from shared.web import language

PAGE = 50
Office = Annotated[Viewer, Depends(signed_in("skew", "coordinator"))]
Shown = Annotated[str, Query(pattern="^[a-z_]{1,40}$", description="which figure plots and map show")]
Preset = Literal["this_month", "this_quarter", "this_year", "last_year"]
PRESETS: dict[Preset, tuple[str, str]] = {
    "this_month": ("Dieser Monat", "This month"),
    "this_quarter": ("Dieses Quartal", "This quarter"),
    "this_year": ("Dieses Jahr", "This year"),
    "last_year": ("Letztes Jahr", "Last year"),
}


def add(routes: APIRouter, pages: Pages) -> None:
    """The overview, a figure's facts, and the findings."""
    look, reports = pages.look, pages.reports

    @routes.get("/reporting")
    async def overview(
        request: Request, _: Office, start: From = None, end: To = None, show: Shown = "requests"
    ) -> HTMLResponse:
        today = datetime.now(pages.zone).date()
        scope, tongue = period(start, end, pages.zone), language(request)
        if show not in INDICATORS:
            raise NotFound("Diese Kennzahl gibt es nicht.", "There is no such figure.")
        closed, older = await gather(pages.office.frozen.closed(name_of(scope)), reports.count(previous(scope), ()))
        counted = closed.counted if closed else await reports.count(scope, grouped=[show])
        summary = reports.present(
            counted, scope, granularity=granularity(scope), language=tongue, older=older, grouped=[show]
        )
        groups: dict[By, list[Group]] = {by: [] for by in get_args(By)}
        for group in summary.groups:
            groups[group.by].append(group)
        districts = [(group, _of(group.figures, show)) for group in groups["district"]]
        by_district = {group.key: figure for group, figure in districts if figure.n}
        return look.show(
            request,
            "overview.html",
            scope=scope,
            earlier=previous(scope),
            position=summary.position,
            closed=closed,
            figures=summary.figures,
            show=show,
            shown=_of(summary.figures, show),
            presets=[(words, preset(code, today)) for code, words in PRESETS.items()],
            by_period=_bars(
                [one.model_copy(update={"name": month(one.key, tongue)}) for one in groups["period"]], show
            ),
            by_field=_bars(groups["field"], show),
            by_size=_bars(groups["size"], show),
            districts=[(group.name, figure) for group, figure in districts if figure.n],
            tiles=plots.tiles(reports.register.districts, {k: one.value or 0 for k, one in by_district.items()}),
            tile_links={key: _opened(one) for key, one in by_district.items()},
            columns=plots.COLUMNS,
            lines=plots.ROWS,
        )

    @routes.get("/reporting/figures/{id}")
    async def figure(
        request: Request,
        _: Office,
        name: Annotated[str, Path(alias="id", max_length=200)],
        cursor: Annotated[AfterDay, Query(alias="after")] = None,
    ) -> HTMLResponse:
        try:
            found = parse(name)
        except ValueError:
            raise NotFound("Diese Kennzahl gibt es nicht.", "There is no such figure.") from None
        opened = await reports.lineage(found, after(cursor), PAGE)
        return look.show(
            request,
            "figure.html",
            figure=found,
            indicator=INDICATORS[found.indicator],
            district=reports.register.districts.get(found.scope.district or ""),
            items=opened.items,
            next=opened.next,
        )

    @routes.get("/reporting/findings")
    async def findings(
        request: Request,
        _: Annotated[Viewer, Depends(signed_in("skew", "coordinator", "ops"))],
        cursor: Annotated[AfterRequest, Query(alias="after")] = None,
    ) -> HTMLResponse:
        found = await reports.queries.findings(None, None, after(cursor), PAGE + 1)
        last = found[PAGE - 1] if len(found) > PAGE else None
        return look.show(
            request,
            "findings.html",
            items=found[:PAGE],
            words=WORDS,
            next=f"{last.request_id}~{last.id}" if last else None,
        )


def granularity(scope: Scope) -> Granularity:
    """Months for up to two years, else the coarsest that still shows a course."""
    days = (scope.end - scope.start).days
    order: Sequence[Granularity] = get_args(Granularity)
    return order[0] if days <= 731 else order[1] if days <= 2200 else order[2]


def preset(code: Preset, today: date) -> Scope:
    """The whole period, days to come included."""
    match code:
        case "this_month":
            return Scope(today.replace(day=1), _last_of_month(today.year, today.month))
        case "this_quarter":
            first = (today.month - 1) // 3 * 3 + 1
            return Scope(date(today.year, first, 1), _last_of_month(today.year, first + 2))
        case "this_year":
            return Scope(date(today.year, 1, 1), date(today.year, 12, 31))
        case "last_year":
            return Scope(date(today.year - 1, 1, 1), date(today.year - 1, 12, 31))


def _last_of_month(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def month(key: str, tongue: str, form: str = "yMMM") -> str:
    """`2026-03` as people say it; quarters and years stay as they are."""
    year, _, number = key.partition("-")
    return format_skeleton(form, date(int(year), int(number), 1), locale=tongue) if number.isdecimal() else key


def _of(figures: Sequence[Figure], indicator: str) -> Figure:
    return next(figure for figure in figures if figure.indicator == indicator)


def _opened(figure: Figure) -> str:
    """The page of what a figure was counted from."""
    return f"/reporting/figures/{figure.id}"


def _bars(groups: Sequence[Group], indicator: str) -> list[plots.Bar]:
    found = [(group.name, _of(group.figures, indicator)) for group in groups]
    return plots.bars((name, figure.value, _opened(figure)) for name, figure in found)
