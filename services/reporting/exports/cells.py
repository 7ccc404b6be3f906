"""Values as spreadsheets take them, and tables of them: what CSV and XLSX have in common."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

Cell = str | int | float | Decimal | date | None
Kind = Literal["text", "number", "euro", "day", "share"]

BOM = "\ufeff"
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


@dataclass(frozen=True)
class Column:
    """Heading in German and English, and what stands below it; `share`: a decimal number.

    `wide`: in the CSV only, because the workbook has it elsewhere or it is an id for machines.
    """

    german: str
    english: str
    kind: Kind = "text"
    width: int = 14
    wide: bool = False

    def name(self, language: str) -> str:
        return self.english if language == "en" else self.german


@dataclass(frozen=True)
class Table:
    """`code` names the file, `title` the sheet (German, English); `rows` may be gone through once."""

    code: str
    title: tuple[str, str]
    columns: Sequence[Column]
    rows: Iterable[Sequence[Cell]]

    def lines(self, language: str) -> Iterator[str]:
        """As CSV, the first with BOM and headings."""
        yield BOM + line(column.name(language) for column in self.columns)
        for row in self.rows:
            yield line(row)


def euros(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def cell(value: Cell) -> str:
    """One value as a German spreadsheet reads it."""
    if value is None:
        return ""
    if isinstance(value, Decimal | float):
        return f"{value:.2f}".replace(".", ",")
    if isinstance(value, str):
        return guarded(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, date) else str(value)


def guarded(text: str) -> str:
    """`text`, with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def line(cells: Iterable[Cell]) -> str:
    """One CSV line with its end."""
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerow([cell(value) for value in cells])
    return text.getvalue()
