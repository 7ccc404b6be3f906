"""Periods and their closing, deadlines and budgets; and what everybody may see of closed years."""

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.reporting import budgets, closing
from services.reporting.api_periods import Name
from services.reporting.frozen import Budget
from services.reporting.pages.desk import Pages
from services.reporting.periods import scope_of
from services.reporting.public import PUBLIC, known_of, public_year
from shared.access import everybody
from shared.errors import Conflict, NotFound
from shared.events.base import moment
from shared.login import Viewer, signed_in
from shared.web import language

MOST_CENTS = 10**12
Office = Annotated[Viewer, Depends(signed_in("skew", "coordinator"))]


def add(routes: APIRouter, pages: Pages) -> None:
    """`/reporting/periods` and what is done there, and `/reporting/public/{year}`."""
    look, office, reports = pages.look, pages.office, pages.reports
    frozen = office.frozen

    def today() -> date:
        return office.rules.day(datetime.now(UTC))

    async def shown(request: Request, viewer: Viewer, code: int = 200, /, **given: object) -> HTMLResponse:
        year = str(today().year)
        under_way = {one.period: one for one in await frozen.wishes()}
        open_ = await closing.to_close(office, today())
        return look.show(
            request,
            "periods.html",
            code,
            closed=await frozen.all_closed(),
            to_close=[*(name for name in under_way if name not in open_), *open_],
            under_way=under_way,
            dues=await closing.due(office, pages.proofs, today()),
            year=year,
            spending=await closing.spending(office, year),
            history=await frozen.budgets(year),
            expected=await closing.expected(office, 2, today()),
            csrf=viewer.csrf,
            **{"errors": {}, "euros": "", **given},
        )

    @routes.get("/reporting/periods")
    async def periods(request: Request, viewer: Office) -> HTMLResponse:
        return await shown(request, viewer)

    @routes.post("/reporting/periods/{name}/close")
    async def close(name: Name, viewer: Office) -> Response:
        _known(name)
        await pages.closer.close(name, viewer.subject, datetime.now(UTC))
        return _back()

    @routes.post("/reporting/budgets/{name}")
    async def set_budget(
        request: Request, name: Name, viewer: Office, euros: Annotated[str, Form(max_length=40)] = ""
    ) -> Response:
        _known(name)
        cents = in_cents(euros)
        if cents is None:
            wrong = ("Bitte einen Betrag in Euro, etwa 12.500,00.", "Please an amount in euros, such as 12.500,00.")
            return await shown(request, viewer, 422, errors={"euros": wrong}, euros=euros)
        try:
            await budgets.set_budget(office, Budget(name, cents, viewer.subject, moment(datetime.now(UTC))))
        except Conflict as refused:
            return await shown(request, viewer, 409, errors={"euros": (refused.de, refused.en)}, euros=euros)
        return _back()

    @routes.post("/reporting/deadlines/{name}/{code}")
    async def handed_in(name: Name, code: Annotated[str, Path(max_length=60)], viewer: Office) -> Response:
        if code not in {one.code for one in pages.proofs.deadlines}:
            raise NotFound("Diese Frist gibt es nicht.", "There is no such deadline.")
        await frozen.meet(name, code, viewer.subject, datetime.now(UTC))
        return _back()

    @routes.get("/reporting/public/{year}")
    @everybody
    async def public(request: Request, year: Annotated[str, Path(pattern="^[0-9]{4}$")]) -> HTMLResponse:
        found = await frozen.closed(year)
        if found is None:
            raise NotFound("Dieses Jahr ist nicht abgeschlossen.", "This year is not closed.")
        known = await known_of(reports.queries, await pages.showcase.records.told(), found.scope)
        told = public_year(reports, found, language(request), known)
        return look.show(request, "public.html", year=year, told=told, codes=PUBLIC)


def in_cents(text: str) -> int | None:
    """An amount as people type it, `12.500,00 €`, in cents; None when it is none or out of all proportion."""
    plain = text.replace("€", "").replace("\u00a0", "").replace(" ", "")
    if "," in plain:
        plain = plain.replace(".", "").replace(",", ".")
    elif plain.count(".") > 1 or (plain.count(".") == 1 and len(plain.rpartition(".")[2]) == 3):
        plain = plain.replace(".", "")
    try:
        cents = (Decimal(plain) * 100).quantize(Decimal(1), ROUND_HALF_UP)
    except InvalidOperation:
        return None
    if not cents.is_finite():
        return None
    return int(cents) if 0 <= cents <= MOST_CENTS else None


def _known(name: str) -> None:
    try:
        scope_of(name)
    except ValueError:
        raise NotFound("Diesen Zeitraum gibt es nicht.", "There is no such period.") from None


def _back() -> RedirectResponse:
    return RedirectResponse("/reporting/periods", 303)
