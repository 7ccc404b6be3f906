"""What everybody may see of closed years, and that nothing else that is public tells more than that."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from services.reporting.figures import Scope
from services.reporting.frozen import Closed
from services.reporting.queries import Queries
from services.reporting.reports import Reports
from services.reporting.suppression import Known, publish
from services.reporting.views import View

PUBLIC = ("requests", "accepted", "sessions", "options")
"""Figures that are counted in pieces; minutes or money of few would tell of them."""


class PublicGroup(View):
    by: Literal["district", "field"]
    key: str
    name: str
    figures: dict[str, int | None]


class PublicYear(View):
    """Figures of a closed year; null: fewer than five, or left out because those could be reckoned from it."""

    year: str
    figures: dict[str, int | None]
    groups: list[PublicGroup]


def public_year(reports: Reports, closed: Closed, language: str, known: Known) -> PublicYear:
    """What everybody may see of a closed year; `known`: what practice examples tell of it."""
    summary = reports.present(closed.counted, closed.scope, ("district", "field"), language=language)
    totals = {one.indicator: one.n for one in summary.figures if one.indicator in PUBLIC}
    shown: dict[tuple[str, str], dict[str, int | None]] = {}
    figures: dict[str, int | None] = dict(totals)
    for by in ("district", "field"):
        for code in PUBLIC:
            numbers = {
                group.key: next(one.n for one in group.figures if one.indicator == code)
                for group in summary.groups
                if group.by == by
            }
            published = publish(numbers, totals[code], known.get((by, code)))
            if published.total is None:
                figures[code] = None
            for key, number in published.parts.items():
                shown.setdefault((by, key), {})[code] = number
    for code in [code for code, total in figures.items() if total is None]:
        # a total that one grouping had to hide must not be the sum of the other
        for group in shown.values():
            group[code] = None
    groups = [
        PublicGroup(by=group.by, key=group.key, name=group.name, figures=shown[group.by, group.key])
        for group in summary.groups
        if group.by != "period"
    ]
    return PublicYear(year=closed.closing.period, figures=figures, groups=groups)


async def known_of(queries: Queries, request_ids: Sequence[str], scope: Scope) -> Known:
    """What practice examples of these requests tell of the public figures of `scope`: one of each at least."""
    seen = {
        (one.request_id, one.indicator, by, key)
        for one in await queries.measures_of(request_ids)
        if one.indicator in PUBLIC and scope.start <= one.on <= scope.end
        for by, keys in (("district", (one.district,)), ("field", one.fields))
        for key in keys
    }
    found: dict[tuple[str, str], Counter[str]] = {}
    for _, indicator, by, key in seen:
        found.setdefault((by, indicator), Counter())[key] += 1
    return found


def left_out(told: PublicYear) -> set[tuple[str, ...]]:
    """Which figures of a year are not told."""
    found: set[tuple[str, ...]] = {(code,) for code, number in told.figures.items() if number is None}
    for group in told.groups:
        found |= {(group.by, group.key, code) for code, number in group.figures.items() if number is None}
    return found
