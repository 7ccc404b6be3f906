"""The report of a period as CSV and JSON, both out of the same views as the API, so that all totals agree.

CSV as German spreadsheets read it: BOM, semicolons, decimal commas, ISO dates. Texts that a spreadsheet would
take for a formula are preceded by an apostrophe.
"""

import csv
import io
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

from services.reporting.figures import FigureId, Granularity, Scope
from services.reporting.indicators import INDICATORS
from services.reporting.queries import After, ClaimFilter
from services.reporting.reports import Reports, fact_view
from services.reporting.views import ClaimLine, Contribution, Figure

Part = Literal["summary", "honoraria", "facts"]
Cell = str | int | float | Decimal | date | None

PAGE = 500
BOM = "\ufeff"
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")

_SUMMARY = (
    ("Gliederung", "grouped by"),
    ("Schlüssel", "key"),
    ("Name", "name"),
    ("von", "from"),
    ("bis", "to"),
    ("Kennzahl", "indicator"),
    ("Bezeichnung", "title"),
    ("Wert", "value"),
    ("Einheit", "unit"),
    ("n", "n"),
    ("Kennung", "figure id"),
)
_HONORARIA = (
    ("Anspruch", "claim"),
    ("Vorgangsart", "entry"),
    ("Fassung", "revision"),
    ("Stand", "status"),
    ("Vorgang", "case number"),
    ("AGS", "AGS"),
    ("Kommune", "municipality"),
    ("Termin", "session"),
    ("Art", "kind"),
    ("Tag", "held on"),
    ("Berater:in", "advisor"),
    ("Rolle", "role"),
    ("Minuten", "minutes"),
    ("Minuten aller", "minutes of all"),
    ("Satzkarte", "rate card"),
    ("Grundlage", "basis"),
    ("Satz €", "rate €"),
    ("Honorar des Termins €", "fee of the session €"),
    ("Honorar €", "fee €"),
    ("km", "km"),
    ("Satz je km €", "rate per km €"),
    ("Höchstbetrag Fahrt €", "travel cap €"),
    ("Fahrtkosten €", "travel €"),
    ("Summe €", "total €"),
    ("USt %", "VAT %"),
    ("USt €", "VAT €"),
    ("Brutto €", "gross €"),
    ("Korrigiert", "corrects"),
    ("Wartet auf", "waits for"),
)
_FACTS = (
    ("Kennzahl", "indicator"),
    ("Tag", "day"),
    ("Beitrag", "contribution"),
    ("Einheit", "unit"),
    ("Anfrage", "request"),
    ("AGS", "AGS"),
    ("Ereignis", "fact"),
    ("Zeit", "time"),
    ("Thema", "topic"),
    ("Ort im Hauptbuch", "place in the ledger"),
    ("Inhalt", "content"),
)


def euros(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def cell(value: Cell) -> str:
    """One value as a German spreadsheet reads it."""
    if value is None:
        return ""
    if isinstance(value, Decimal | float):
        return f"{value:.2f}".replace(".", ",")
    if isinstance(value, str):
        return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) else value
    return value.isoformat() if isinstance(value, date) else str(value)


def line(cells: Iterable[Cell]) -> str:
    """One CSV line with its end."""
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerow([cell(value) for value in cells])
    return text.getvalue()


async def as_csv(
    reports: Reports, part: Part, scope: Scope, granularity: Granularity = "month", language: str = "de"
) -> AsyncIterator[str]:
    """The lines of one part, the first with BOM and headings."""
    english = language == "en"
    headings = {"summary": _SUMMARY, "honoraria": _HONORARIA, "facts": _FACTS}[part]
    yield BOM + line(names[english] for names in headings)
    if part == "summary":
        summary = await reports.summary(scope, granularity=granularity, language=language)
        whole = ("total" if english else "gesamt", "", "", scope.start, scope.end)
        for figure in summary.figures:
            yield line((*whole, *_figure(figure)))
        for group in summary.groups:
            for figure in group.figures:
                yield line((group.by, group.key, group.name, group.period.start, group.period.end, *_figure(figure)))
    elif part == "honoraria":
        async for claim in _claims(reports, scope):
            yield line(_claim(claim))
    else:
        async for indicator, contributions in _contributions(reports, scope):
            for item in contributions:
                for row in _facts(indicator, item):
                    yield line(row)


async def as_json(
    reports: Reports, scope: Scope, granularity: Granularity = "month", language: str = "de"
) -> AsyncIterator[str]:
    """One object of all parts: summary, honoraria, contributions by indicator, and the facts they name."""
    summary = await reports.summary(scope, granularity=granularity, language=language)
    totals = (await reports.honoraria(ClaimFilter(scope.start, scope.end), None, 1)).totals
    yield f'{{"summary":{summary.model_dump_json(by_alias=True)},\n'
    yield f'"honoraria":{{"totals":{totals.model_dump_json()},"items":['
    separator = "\n"
    async for claim in _claims(reports, scope):
        yield separator + claim.model_dump_json(by_alias=True)
        separator = ",\n"
    yield ']},\n"contributions":['
    named: dict[str, None] = {}
    separator = "\n"
    async for indicator, contributions in _contributions(reports, scope):
        for item in contributions:
            ids = [fact.id for fact in item.facts]
            named |= dict.fromkeys(ids)
            given = {"indicator": indicator, **item.model_dump(mode="json", exclude={"facts"}), "facts": ids}
            yield separator + json.dumps(given, ensure_ascii=False)
            separator = ",\n"
    yield '],\n"facts":['
    separator, ids = "\n", list(named)
    for start in range(0, len(ids), PAGE):
        for fact in (await reports.ledger.by_ids(ids[start : start + PAGE])).values():
            yield separator + fact_view(fact).model_dump_json()
            separator = ",\n"
    yield "]}\n"


async def _claims(reports: Reports, scope: Scope) -> AsyncIterator[ClaimLine]:
    wanted, after = ClaimFilter(scope.start, scope.end), None
    while claims := await reports.queries.claims(wanted, after, PAGE):
        for claim in claims:
            yield reports.line(claim)
        after = After(claims[-1].held_on.isoformat(), claims[-1].id)


async def _contributions(reports: Reports, scope: Scope) -> AsyncIterator[tuple[str, Sequence[Contribution]]]:
    for indicator in INDICATORS:
        after: After | None = None
        while True:
            page = await reports.lineage(FigureId(indicator, scope), after, PAGE)
            yield indicator, page.items
            if page.next is None:
                break
            after = After(*page.next.split("~", 1))


def _figure(figure: Figure) -> tuple[Cell, ...]:
    money = INDICATORS[figure.indicator].unit == "cents"
    value = euros(int(figure.value or 0)) if money else figure.value
    return (figure.indicator, figure.name, value, "EUR" if money else figure.unit, figure.n, figure.id)


def _claim(claim: ClaimLine) -> tuple[Cell, ...]:
    return (
        claim.claim_id,
        claim.kind,
        claim.revision,
        claim.status,
        claim.case_number,
        claim.municipality_ags,
        claim.municipality,
        claim.session_id,
        claim.session_kind,
        claim.held_on,
        claim.advisor_id,
        claim.role,
        claim.minutes,
        claim.team_minutes,
        claim.rate_card,
        claim.basis,
        euros(claim.rate_cents),
        euros(claim.session_fee_cents),
        euros(claim.fee_cents),
        claim.travel_km,
        euros(claim.km_cents),
        euros(claim.travel_cap_cents),
        euros(claim.travel_cents),
        euros(claim.total_cents),
        claim.vat_percent,
        euros(claim.vat_cents),
        euros(claim.gross_cents),
        claim.corrects,
        ", ".join(claim.waits_for),
    )


def _facts(indicator: str, item: Contribution) -> Iterable[tuple[Cell, ...]]:
    money = INDICATORS[indicator].unit == "cents"
    for position, fact in enumerate(item.facts):
        # the deciding fact carries the value, so that the column adds up to the figure
        value: Cell = (euros(item.value) if money else item.value) if position == 0 else None
        unit = "EUR" if money else INDICATORS[indicator].unit
        content = json.dumps(fact.data, ensure_ascii=False, sort_keys=True)
        place = int(fact.cursor)
        yield (
            *(indicator, item.on, value, unit, item.request_id, item.municipality_ags),
            *(fact.id, fact.time, fact.topic, place, content),
        )
