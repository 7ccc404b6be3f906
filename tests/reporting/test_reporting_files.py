"""The report in files, over the real database: PDF, XLSX, CSV, JSON and ZIP say the same to the cent."""

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pypdf
import pytest

from services.reporting import handlers
from services.reporting.exports import document, package, report, statement, workbook
from services.reporting.exports.statement import Statement
from services.reporting.exports.text import as_json, tables_of
from services.reporting.exports.words import money, summed_up
from services.reporting.figures import Scope
from services.reporting.queries import ClaimFilter
from services.reporting.reports import Reports
from services.reporting.result import Result
from shared import pdf, register
from tests.reporting.conftest import Kept
from tests.reporting.journeys import RULES, changed, whole

NOW = datetime(2026, 12, 31, 12, tzinfo=UTC)
YEAR = Scope(date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture
async def reports(database: Kept) -> Reports:
    """Seven engagements; claims checked with VAT, rejected, and one taken back by a correction."""
    journeys = [whole("08115001" if number % 3 else "08117042") for number in range(7)]
    await database.store.hold_rates(RULES.cards)
    await database.ledger.record([fact for journey in journeys for fact in journey.facts])
    await caught_up(database)
    reports = Reports(database.ledger, database.store, database.queries, register.load())
    later = []
    async for claims in database.queries.all_claims(ClaimFilter(YEAR.start, YEAR.end)):
        for number, claim in enumerate(claims):
            journey = next(one for one in journeys if one.request_id == claim.request_id)
            if number % 4 == 1:
                later.append(journey.decided(claim, "checked", vat=19))
            elif number % 4 == 2:
                later.append(journey.decided(claim, "rejected"))
    held = [fact for fact in journeys[0].facts if fact.topic == "session.completed"][-1]
    members = [{"advisor_id": "A01", "minutes": 77, "travel_km": 33}]
    later.append(changed(held, members=members, completed_at="2026-12-20T10:00:00Z"))
    await database.ledger.record(later)
    await caught_up(database)
    return reports


@pytest.fixture
async def result(reports: Reports) -> AsyncIterator[Result]:
    made = await reports.result(YEAR, NOW)
    yield made
    made.vouchers.close()


async def caught_up(kept: Kept) -> None:
    while await handlers.step(kept.ledger, kept.store, RULES):
        pass


def cents(text: object) -> int:
    """12.345,60 € or 12345,60 or 12345.6 in cents."""
    shown = re.sub(r"[^0-9,.-]", "", str(text).replace("−", "-"))
    if "," in shown:
        shown = shown.replace(".", "").replace(",", ".")
    return int((Decimal(shown) * 100).to_integral_exact())


async def test_the_totals_are_the_same_to_the_cent_in_every_file_and_in_the_figures(
    reports: Reports, result: Result, tmp_path: Path
) -> None:
    sums = result.vouchers.sums
    summary = reports.present(result.counted, YEAR)
    assert sums.total_cents == next(f.value for f in summary.figures if f.indicator == "honoraria")
    assert sums.gross_cents == sums.total_cents + sums.vat_cents
    assert sums.vat_cents > 0
    assert {"draft", "checked", "rejected", "reversed"} <= set(result.vouchers.by_status)

    package.write(reports, result, tmp_path / "all.zip", "month", "de")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        archive.extractall(tmp_path)
    names = {"report.pdf", "report.xlsx", "report.json", "summary.csv", "honoraria.csv", "sums.csv", "corrections.csv"}
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    listed = {row.split("  ")[1]: row.split("  ")[0] for row in (tmp_path / "SHA256SUMS").read_text().splitlines()}
    assert set(listed) == names == {one["name"] for one in manifest["files"]}
    for one in manifest["files"]:
        content = (tmp_path / one["name"]).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (one["sha256"], one["bytes"])
        assert listed[one["name"]] == one["sha256"]

    rows = list(csv.DictReader((tmp_path / "honoraria.csv").open(encoding="utf-8-sig"), delimiter=";"))
    book = openpyxl.load_workbook(tmp_path / "report.xlsx")
    head, *lines = [[cell.value for cell in row] for row in book["Belege"].iter_rows()]
    found = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    for column, name in (("Summe €", "total_cents"), ("USt €", "vat_cents"), ("Brutto €", "gross_cents")):
        total = getattr(sums, name)
        assert sum(cents(row[column]) for row in rows) == total
        assert sum(round((line[head.index(column)] or 0) * 100) for line in lines) == total
        assert sum(item[name] for item in found["honoraria"]["items"]) == total
        assert found["honoraria"]["totals"][name] == manifest["honoraria"][name] == total
    assert len(rows) == len(lines) == len(found["honoraria"]["items"]) == sums.claims
    figures = {row[0].value: row[1].value for row in book["Kennzahlen"].iter_rows(min_row=2)}
    assert round(figures["Honorare"] * 100) == sums.total_cents
    summed = csv.DictReader((tmp_path / "sums.csv").open(encoding="utf-8-sig"), delimiter=";")
    assert cents(next(row for row in summed if row["Gliederung"] == "gesamt")["Summe €"]) == sums.total_cents

    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(tmp_path / "report.pdf").pages).replace(
        "\xa0", " "
    )
    assert text.count(money(sums.total_cents, "de").replace("\xa0", " ")) >= 3, "cover, figures, vouchers"
    listed_in_pdf = [cents(amount) for amount in _voucher_amounts(text)]
    assert len(listed_in_pdf) == sums.claims
    assert sum(listed_in_pdf) == sums.total_cents


def _voucher_amounts(text: str) -> list[str]:
    """The last amount of each line that begins with a date."""
    rows = re.split(r"\n(?=\d\d\.\d\d\.2026)", text)[1:]
    return [re.findall(r"-?[\d.]+,\d\d(?= €)", row)[0] for row in rows]


async def test_the_workbook_has_real_dates_and_numbers_and_no_formula(
    reports: Reports, result: Result, tmp_path: Path
) -> None:
    workbook.write(reports, result, tmp_path / "r.xlsx", "quarter", "en")
    book = openpyxl.load_workbook(tmp_path / "r.xlsx")
    sheet = book["Vouchers"]
    head = [cell.value for cell in sheet[1]]
    day, total, case = (sheet.cell(2, head.index(name) + 1) for name in ("held on", "total €", "case number"))
    assert day.is_date
    assert isinstance(total.value, int | float)
    assert case.data_type == "s"
    assert not [cell.coordinate for one in book for row in one.iter_rows() for cell in row if cell.data_type == "f"]
    assert next(row[0].value for row in book["Sizes"].iter_rows(min_row=2)) == "under 5,000 inhabitants"
    assert [one for one in book.sheetnames if one in ("Definitions", "Notes")] == ["Definitions", "Notes"]


@pytest.mark.parametrize("language", ["de", "en"])
async def test_the_pdf_says_that_it_is_accessible_and_for_the_archive_and_is_the_same_again(
    reports: Reports, result: Result, language: str
) -> None:
    made = report.write(reports, result, "month", language)
    assert made == report.write(reports, result, "month", language)
    reader = pypdf.PdfReader(io.BytesIO(made))
    root: Any = reader.trailer["/Root"].get_object()
    assert root["/MarkInfo"]["/Marked"] is True or root["/MarkInfo"]["/Marked"]
    assert str(root["/Lang"]).startswith(language)
    assert root["/StructTreeRoot"]
    said = root["/Metadata"].get_object().get_data().decode()
    assert re.search(r"pdfuaid:part>1<", said)
    assert re.search(r"pdfaid:part>2<", said)
    assert re.search(r"pdfaid:conformance>A<", said)
    assert reader.metadata is not None
    assert reader.metadata.title
    fonts = {str(font) for page in reader.pages for font in _fonts(page)}
    assert fonts
    assert all("FiraSans" in font for font in fonts)


def _fonts(page: Any) -> list[str]:
    return [font.get_object()["/BaseFont"] for font in page["/Resources"]["/Font"].values()]


def test_what_comes_in_data_never_becomes_markup() -> None:
    hostile = '#panic("x") $x^2$ *b* <l> @ref `raw` \\ " \n= heading'
    rows = [("a", hostile)]
    table = document.sheet(("", ""), ((1, False), (3, False)), rows)
    data: dict[str, Any] = {
        "lang": "de",
        "title": hostile,
        "author": "MiGlobe",
        "description": hostile,
        "footer": hostile,
        "kind": hostile,
        "words": dict.fromkeys(("page", "of", "sessions", "totals", "bank", "basis"), "x"),
        "cover": rows,
        "sessions": table,
        "totals": table,
        "bank": rows,
        "basis": [hostile],
        "signatures": [hostile],
    }
    made = pdf.render(document.TEMPLATES, "statement.typ", data, NOW, pdf.ARCHIVE)
    text = pypdf.PdfReader(io.BytesIO(made)).pages[0].extract_text()
    assert '#panic("x") $x^2$ *b*' in text


def test_a_name_in_any_script_has_its_statement() -> None:
    one = Statement(YEAR, "A01", "محمد 张伟 Нина Ødegård", (), "small_business", (), RULES.cards, NOW)
    text = pypdf.PdfReader(io.BytesIO(statement.write(one, register.load(), "de"))).pages[0].extract_text()
    assert "Нина Ødegård" in text
    assert "▯▯" in text, "what none of the fonts has"


@pytest.mark.parametrize(
    ("n", "german", "english"),
    [
        (
            0,
            "Es ging keine Anfrage ein, keine Beratung begann. Es fand kein Termin statt.",
            "No request came in and no engagement began. No session was held.",
        ),
        (
            1,
            "Es ging eine Anfrage ein, eine Beratung begann. In einem Termin wurde eine Person erreicht. "
            "Vereinbart wurde eine Handlungsoption.",
            "One request came in and one engagement began. One session reached one person. "
            "One option for action was agreed.",
        ),
        (
            1234,
            "Es gingen 1.234 Anfragen ein, 1.234 Beratungen begannen. In 1.234 Terminen wurden 1.234 Personen "
            "erreicht. Vereinbart wurden 1.234 Handlungsoptionen.",
            "1,234 requests came in and 1,234 engagements began. 1,234 sessions reached 1,234 people. "
            "1,234 options for action were agreed.",
        ),
    ],
)
def test_the_summary_is_put_as_people_say_it(n: int, german: str, english: str) -> None:
    figures = dict.fromkeys(("requests", "accepted", "sessions", "participants", "options"), n)
    assert (summed_up(figures, "de"), summed_up(figures, "en")) == (german, english)


async def test_csv_and_json_of_a_result_can_be_read_again_and_again(reports: Reports, result: Result) -> None:
    twice = [["".join(table.lines("de")) for table in tables_of(reports, result, "month", "de")] for _ in range(2)]
    assert twice[0] == twice[1]
    assert json.loads("".join(as_json(reports, result, "month", "en")))["closed"] is None
