"""Reporting's pages: what SKEW and the coordinators see, the advisors' honoraria, and the live page of operations."""

from datetime import datetime

from fastapi import APIRouter

from services.reporting import api_exports, api_statements
from services.reporting.decisions import REASONS, STATUS_NAMES
from services.reporting.indicators import INDICATORS
from services.reporting.pages import claims, examples, operations, overview, periods
from services.reporting.pages.desk import Pages
from services.reporting.reports import FIELD_NAMES
from services.reporting.settings import Settings
from services.reporting.sizes import SIZES
from shared.login import signed_in
from shared.look import Look

__all__ = ["Pages", "look_of", "router"]


def look_of(settings: Settings) -> Look:
    return Look(
        settings,
        "services.reporting",
        indicators=INDICATORS,
        statuses=STATUS_NAMES,
        reasons=REASONS,
        fields=FIELD_NAMES,
        sizes=SIZES,
        when=lambda _: datetime.fromisoformat,
    )


def router(pages: Pages) -> APIRouter:
    routes = APIRouter(route_class=pages.look.route_class, include_in_schema=False)
    overview.add(routes, pages)
    claims.add(routes, pages)
    periods.add(routes, pages)
    examples.add(routes, pages)
    operations.add(routes, pages)
    office = signed_in("skew", "coordinator")
    for files in (
        api_exports.router(pages.office, pages.zone, office, "/reporting"),
        api_statements.router(
            pages.desk, pages.reports, pages.payer, signed_in("advisor", "coordinator", "skew"), "/reporting"
        ),
    ):
        routes.include_router(files, include_in_schema=False)
    return routes
