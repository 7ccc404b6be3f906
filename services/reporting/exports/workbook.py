"""The report as XLSX: a sheet per table, real numbers and dates, and a sheet that says how to read them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.reporting.exports import tables
from services.reporting.exports.cells import Column, Kind, Table
from services.reporting.exports.words import notes
from services.reporting.figures import Granularity
from services.reporting.indicators import INDICATORS
from services.reporting.reports import Reports
from services.reporting.result import Result
from services.reporting.views import By

_FORMATS: dict[Kind, dict[str, str]] = {
    "euro": {"num_format": '#,##0.00 "€"'},
    "day": {"num_format": "dd.mm.yyyy"},
    "number": {"num_format": "#,##0"},
    "share": {"num_format": "#,##0.00"},
}
_GROUPS: tuple[By, ...] = ("period", "district", "field", "size")
LONGEST = 1_048_576
"""Rows of a sheet."""


def write(reports: Reports, result: Result, path: Path, granularity: Granularity, language: str) -> None:
    """Writes the file; takes a while, so not on the event loop. Memory does not grow with the number of rows."""
    import xlsxwriter  # not held by a service at rest

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    english = language == "en"
    summary = reports.present(result.counted, result.scope, granularity=granularity, language=language)
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": f"MiGlobe {result.name}", "created": result.made_at.replace(tzinfo=None)})
        book.set_size(2400, 1600)
        formats = {kind: book.add_format(given) for kind, given in _FORMATS.items()}
        bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        figures = [
            (one.name, tables.shown(one), "€" if INDICATORS[one.indicator].unit == "cents" else one.unit, one.n, one.id)
            for one in summary.figures
        ]
        overview = (
            Column("Kennzahl", "indicator", width=34),
            Column("Wert", "value", "share"),
            Column("Einheit", "unit", width=20),
            Column("n", "n", "number", 9),
            Column("Kennung", "figure id", width=44),
        )
        every = [Table("figures", ("Kennzahlen", "Figures"), overview, figures)]
        every += [tables.group_table(summary, by, language) for by in _GROUPS]
        every += [tables.sums(result, language), tables.vouchers(result, reports.register, language)]
        every += [tables.cards(result, language), tables.corrections(result, language)]
        for table in every:
            _sheet(book, table, formats, bold, language)
        definitions = [(one.name[english], one.code, one.definition[english]) for one in INDICATORS.values()]
        meanings = (
            Column("Kennzahl", "indicator", width=34),
            Column("Code", "code", width=20),
            Column("Definition", "definition", width=120),
        )
        _sheet(
            book, Table("definitions", ("Definitionen", "Definitions"), meanings, definitions), formats, bold, language
        )
        told = [(text,) for text in notes(result, language)]
        how = (Column("Hinweise zum Lesen", "How to read this", width=140),)
        _sheet(book, Table("notes", ("Lesehinweise", "Notes"), how, told), formats, bold, language)


def _sheet(book: Any, table: Table, formats: dict[Kind, Any], bold: Any, language: str) -> None:
    sheet = book.add_worksheet(table.title[language == "en"])
    columns = [(place, column) for place, column in enumerate(table.columns) if not column.wide]
    for number, (_, column) in enumerate(columns):
        sheet.set_column(number, number, column.width, formats.get(column.kind))
    sheet.write_row(0, 0, [column.name(language) for _, column in columns], bold)
    sheet.freeze_panes(1, 0)
    writers = [
        (number, place, _writer(sheet, column), formats.get(column.kind))
        for number, (place, column) in enumerate(columns)
    ]
    row = 0
    for row, values in enumerate(table.rows, 1):
        if row >= LONGEST:
            raise ValueError("more rows than a sheet can have")
        for number, place, write, look in writers:
            value = values[place]
            if value is not None and value != "":
                write(row, number, value, look)
    if row:
        sheet.autofilter(0, 0, row, len(columns) - 1)


def _writer(sheet: Any, column: Column) -> Callable[[int, int, Any, Any], object]:
    """How a value of `column` is written: as what it is, a text never as a formula, an address or a number."""
    if column.kind == "day":
        return sheet.write_datetime  # type: ignore[no-any-return]
    if column.kind == "text":
        return lambda row, number, value, look: sheet.write_string(row, number, str(value), look)
    return lambda row, number, value, look: sheet.write_number(row, number, float(value), look)
