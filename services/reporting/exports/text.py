"""CSV and JSON. CSV as German spreadsheets read it: BOM, semicolons, decimal commas, ISO dates."""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Literal

from services.reporting.exports import tables
from services.reporting.exports.cells import BOM, Cell, Table, euros, line
from services.reporting.figures import FigureId, Granularity, Scope
from services.reporting.indicators import INDICATORS
from services.reporting.queries import After
from services.reporting.reports import Reports, fact_view
from services.reporting.result import Result
from services.reporting.views import Contribution

Part = Literal["summary", "honoraria", "sums", "corrections", "facts"]
PAGE = 500
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


def tables_of(reports: Reports, result: Result, granularity: Granularity, language: str) -> list[Table]:
    """All tables of a result but the facts."""
    summary = reports.present(result.counted, result.scope, granularity=granularity, language=language)
    return [
        Table("summary", ("Kennzahlen", "Figures"), tables.SUMMARY, tables.summary_rows(summary, language)),
        tables.vouchers(result, reports.register, language),
        tables.sums(result, language),
        tables.corrections(result, language),
    ]


async def facts_as_csv(reports: Reports, scope: Scope, language: str) -> AsyncIterator[str]:
    """What each figure is counted from as it is now, the first line with BOM and headings."""
    yield BOM + line(names[language == "en"] for names in _FACTS)
    async for indicator, contributions in _contributions(reports, scope):
        for item in contributions:
            for row in _facts(indicator, item):
                yield line(row)


def as_json(reports: Reports, result: Result, granularity: Granularity, language: str) -> Iterator[str]:
    """One object: the period, summary, honoraria with their sums, corrections, findings."""
    summary = reports.present(result.counted, result.scope, granularity=granularity, language=language)
    closing = result.closing
    closed = {"period": closing.period, "at": closing.at.isoformat(), "by": closing.by} if closing else None
    yield f'{{"made_at":"{result.made_at.isoformat()}","closed":{json.dumps(closed)},\n'
    yield f'"summary":{summary.model_dump_json(by_alias=True)},\n'
    sums = {name: getattr(result.vouchers.sums, name) for name in type(result.vouchers.sums).__slots__}
    yield f'"honoraria":{{"totals":{json.dumps(sums)},"items":['
    separator = "\n"
    for row in result.vouchers:
        yield separator + json.dumps({"claim_id": row.pop("id"), **row}, ensure_ascii=False)
        separator = ",\n"
    made = [
        {"period": one.period, "figures": {code: {"sum": a, "n": n} for code, (a, n) in one.figures.items()}}
        for one in result.corrections
    ]
    yield f']}},\n"corrections":{json.dumps(made)},\n"findings":{json.dumps(result.findings)}'
    yield "}\n"


async def with_facts(reports: Reports, scope: Scope, report: Iterator[str]) -> AsyncIterator[str]:
    """The JSON of a report that is still open, with what it is counted from: contributions by indicator, and facts."""
    for part in report:
        if part == "}\n":
            break
        yield part
    yield ',\n"contributions":['
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


async def _contributions(reports: Reports, scope: Scope) -> AsyncIterator[tuple[str, Sequence[Contribution]]]:
    for indicator in INDICATORS:
        after: After | None = None
        while True:
            page = await reports.lineage(FigureId(indicator, scope), after, PAGE)
            yield indicator, page.items
            if page.next is None:
                break
            after = After(*page.next.split("~", 1))


def _facts(indicator: str, item: Contribution) -> Iterator[tuple[Cell, ...]]:
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
