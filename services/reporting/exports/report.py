"""The report as PDF: cover, summary in words and figures, plots, tables, vouchers, corrections, notes, signatures."""

from collections.abc import Sequence
from datetime import date
from itertools import islice
from typing import Any

from services.reporting.decisions import STATUS_NAMES
from services.reporting.exports.document import TEMPLATES, sheet
from services.reporting.exports.tables import ENTRIES, KINDS
from services.reporting.exports.words import (
    ENTRIES_BY_DATE,
    counted,
    day,
    money,
    notes,
    number,
    short_day,
    summed_up,
)
from services.reporting.figures import Granularity
from services.reporting.indicators import INDICATORS, UNITS
from services.reporting.queries import ClaimSums
from services.reporting.reports import Reports
from services.reporting.result import Result
from services.reporting.views import By, Figure, Summary
from shared import pdf

LISTED = 1_000
"""Vouchers that the PDF lists; of more it has the sums, and the workbook has each."""
_SHORT = {
    "requests": ("Anfragen", "Requests"),
    "accepted": ("Beratungen", "Engagements"),
    "sessions": ("Termine", "Sessions"),
    "minutes": ("Minuten", "Minutes"),
    "participants": ("Personen", "People"),
    "options": ("Optionen", "Options"),
    "honoraria": ("Honorare", "Honoraria"),
}
_SHOWN = tuple(_SHORT)
_PLOTTED = ("requests", "sessions", "honoraria")
_MOST_BARS = 24

_WORDS = {
    "de": {
        "page": "Seite",
        "of": "von",
        "contents": "Inhalt",
        "summary": "Zusammenfassung",
        "plots": "Verlauf",
        "notes": "Methode",
        "definitions": "Was gezählt wird",
    },
    "en": {
        "page": "Page",
        "of": "of",
        "contents": "Contents",
        "summary": "Summary",
        "plots": "Over time",
        "notes": "Method",
        "definitions": "What is counted",
    },
}

_PARAGRAPHS = {
    "de": (
        "Honorare und Fahrtkosten ergeben {total}, davon sind {paid} bezahlt.",
        "Korrekturen zu früheren abgeschlossenen Zeiträumen: {corrected}.",
    ),
    "en": (
        "Honoraria and travel come to {total}, of which {paid} has been paid.",
        "Corrections to earlier closed periods: {corrected}.",
    ),
}


def write(reports: Reports, result: Result, granularity: Granularity, language: str) -> bytes:
    """The PDF; takes seconds, so not on the event loop."""
    summary = reports.present(result.counted, result.scope, granularity=granularity, language=language)
    return pdf.render(TEMPLATES, "report.typ", _data(reports, result, summary, language), result.made_at, pdf.ARCHIVE)


def _data(reports: Reports, result: Result, summary: Summary, language: str) -> dict[str, Any]:
    english = language == "en"
    period = f"{day(result.scope.start, language)} – {day(result.scope.end, language)}"
    title = "Report on the consultation programme" if english else "Bericht über das Beratungsprogramm"
    return {
        "lang": language,
        "title": title,
        "author": "MiGlobe",
        "description": f"{title}, {period}",
        "footer": f"{title} · {period}",
        "kind": "Interim and final proof" if english else "Zwischen- und Schlussnachweis",
        "period": period,
        "words": _WORDS[language],
        "cover": _cover(result, language),
        "notice": _notice(result, language),
        "paragraphs": _paragraphs(result, summary, language),
        "figures": _figures(summary.figures, language),
        "plots": [_plot(summary, code, language) for code in _PLOTTED],
        "parts": [
            *(_groups(summary, by, language) for by in ("period", "district", "field", "size")),
            _sums(result, language),
            _vouchers(reports, result, language),
            _corrections(result, language),
        ],
        "notes": notes(result, language),
        "definitions": [{"name": one.name[english], "text": one.definition[english]} for one in INDICATORS.values()],
        "signatures": _signatures(english),
    }


def _cover(result: Result, language: str) -> list[tuple[str, str]]:
    english = language == "en"
    closing = result.closing
    state = f"closed on {day(closing.at.date(), language)}" if closing and english else ""
    state = state or (f"abgeschlossen am {day(closing.at.date(), language)}" if closing else "")
    state = state or ("open, figures are preliminary" if english else "offen, die Zahlen sind vorläufig")
    return [
        ("State" if english else "Stand", state),
        ("Made on" if english else "Erstellt am", day(result.made_at.date(), language)),
        ("Place in the ledger" if english else "Platz im Hauptbuch", str(result.counted.position)),
        ("Honoraria" if english else "Honorare", money(result.vouchers.sums.total_cents, language)),
    ]


def _notice(result: Result, language: str) -> str:
    examples = [card.label for card in result.cards if "beispiel" in card.code or "example" in card.code]
    if not examples:
        return ""
    if language == "en":
        return "Amounts rest on example rates, which are no official ones."
    return "Die Beträge beruhen auf Beispielsätzen, die keine amtlichen sind."


def _paragraphs(result: Result, summary: Summary, language: str) -> list[str]:
    said = {
        "total": money(result.vouchers.sums.total_cents, language),
        "paid": money(result.vouchers.by_status.get("paid", ClaimSums()).total_cents, language),
        "corrected": money(sum(one.cents for one in result.corrections), language),
    }
    texts = _PARAGRAPHS[language][: 2 if result.corrections else 1]
    figures = {figure.indicator: int(figure.value or 0) for figure in summary.figures}
    return [summed_up(figures, language), *(text.format_map(said) for text in texts)]


def _figures(figures: Sequence[Figure], language: str) -> dict[str, Any]:
    head = ("Figure", "Value", "Unit", "n") if language == "en" else ("Kennzahl", "Wert", "Einheit", "n")
    rows = []
    for one in figures:
        unit = "" if INDICATORS[one.indicator].unit == "cents" else one.unit
        rows.append((one.name, _value(one, language), unit, number(one.n, language)))
    return sheet(head, ((3, False), (1, True), (1.5, False), (0.7, True)), rows)


def _value(figure: Figure, language: str) -> str:
    if INDICATORS[figure.indicator].unit == "cents":
        return money(int(figure.value or 0), language)
    return number(figure.value, language)


def _plot(summary: Summary, code: str, language: str) -> dict[str, Any]:
    """By period; of very many only the last."""
    english = language == "en"
    found = [
        (group.name, next(figure for figure in group.figures if figure.indicator == code))
        for group in summary.groups
        if group.by == "period"
    ][-_MOST_BARS:]
    most = max((float(figure.value or 0) for _, figure in found), default=0.0) or 1.0
    title = INDICATORS[code].name[english]
    told = "; ".join(f"{name}: {_value(figure, language)}" for name, figure in found)
    return {
        "title": title,
        "alt": f"{'Bar chart' if english else 'Balkendiagramm'}: {title}. {told}",
        "bars": [
            {"label": name, "share": max(float(figure.value or 0), 0.0) / most, "text": _value(figure, language)}
            for name, figure in found
        ],
    }


def _groups(summary: Summary, by: By, language: str) -> dict[str, Any]:
    english = language == "en"
    titles: dict[By, tuple[str, str]] = {
        "period": ("Nach Zeitraum", "By period"),
        "district": ("Nach Kreis", "By district"),
        "field": ("Nach Handlungsfeld", "By field"),
        "size": ("Nach Größe der Kommune", "By size of municipality"),
    }
    rows = []
    for group in summary.groups:
        if group.by == by:
            values = {figure.indicator: _value(figure, language) for figure in group.figures}
            rows.append((group.name, *(values[code] for code in _SHOWN)))
    head = ("", *(_SHORT[code][english] for code in _SHOWN))
    words = ("Only those with something to count.", "Nur solche, zu denen es etwas zu zählen gibt.")
    many = words[language == "de"] if by == "district" else ""
    columns = ((2.2, False), *((1, True) for _ in _SHOWN))
    return {"title": titles[by][english], "words": many, **sheet(head, columns, rows, size=7.5)}


def _sums(result: Result, language: str) -> dict[str, Any]:
    english = language == "en"
    head = ("Status", "Entries", "Fee", "Travel", "Total", "VAT", "Gross")
    if not english:
        head = ("Stand", "Buchungen", "Honorar", "Fahrt", "Summe", "USt", "Brutto")
    by_status = result.vouchers.by_status
    rows = [
        _amounts(names[english], by_status[one], language) for one, names in STATUS_NAMES.items() if one in by_status
    ]
    rows.append(_amounts("All" if english else "Alle", result.vouchers.sums, language))
    return {
        "title": "Honoraria by status" if english else "Honorare nach Stand",
        "words": "“Submitted” is not “paid”." if english else "„Eingereicht“ heißt nicht „bezahlt“.",
        **sheet(head, ((1.4, False), *((1, True) for _ in head[1:])), rows, total=True),
    }


def _amounts(name: str, sums: ClaimSums, language: str) -> tuple[str, ...]:
    cents = (sums.fee_cents, sums.travel_cents, sums.total_cents, sums.vat_cents, sums.gross_cents)
    return (name, number(sums.claims, language), *(money(one, language) for one in cents))


def _vouchers(reports: Reports, result: Result, language: str) -> dict[str, Any]:
    english = language == "en"
    head = ("Date", "Case", "Payee", "Reason", "Status", "Minutes", "km", "Total")
    if not english:
        head = ("Datum", "Vorgang", "Empfänger:in", "Grund", "Stand", "Minuten", "km", "Summe")
    count = result.vouchers.sums.claims
    rows = []
    if result.vouchers.listed and count <= LISTED:
        for row in islice(result.vouchers, LISTED):
            reason = f"{KINDS[row['session_kind']][english]}, {reports.register.name(row['ags'])}"
            if row["kind"] == "counter":
                reason = f"{ENTRIES['counter'][english]}: {reason}"
            rows.append(
                (
                    short_day(date.fromisoformat(row["held_on"]), language),
                    row["case_number"] or "–",
                    row["advisor_id"],
                    reason,
                    STATUS_NAMES[row["status"]][english],
                    number(row["minutes"], language),
                    number(row["travel_km"], language),
                    money(row["total_cents"], language),
                )
            )
    sums = result.vouchers.sums
    total = ("All" if english else "Alle", "", "", "", "", number(sums.minutes, language))
    rows.append((*total, number(sums.travel_km, language), money(sums.total_cents, language)))
    words = counted(ENTRIES_BY_DATE, count, language)
    if count > LISTED:
        words += " Each is listed in the workbook." if english else " Einzeln stehen sie in der Arbeitsmappe."
    columns = ((1, False), (1.2, False), (0.9, False), (2.4, False), (1, False), (0.7, True), (0.6, True), (1, True))
    title = "List of vouchers" if english else "Belegliste"
    return {"title": title, "words": words, **sheet(head, columns, rows, total=True, size=7.5)}


def _corrections(result: Result, language: str) -> dict[str, Any]:
    english = language == "en"
    rows = []
    for one in result.corrections:
        for code, (change, n) in one.figures.items():
            unit = INDICATORS[code].unit
            shown = money(change, language) if unit == "cents" else f"{number(change, language)} {UNITS[unit][english]}"
            rows.append((one.period, INDICATORS[code].name[english], shown, number(n, language)))
    none = "Nothing has become known of earlier closed periods." if english else ""
    none = none or "Zu früheren abgeschlossenen Zeiträumen ist nichts nachträglich bekannt geworden."
    some = "What has become known of earlier closed periods since." if english else ""
    some = some or "Was zu früheren abgeschlossenen Zeiträumen seither bekannt geworden ist."
    head = ("Period", "Figure", "Change", "n") if english else ("Zeitraum", "Kennzahl", "Änderung", "n")
    columns = ((1, False), (2, False), (1.5, True), (0.7, True))
    title = "Corrections" if english else "Korrekturen"
    return {"title": title, "words": some if rows else none, **sheet(head, columns, rows)}


def _signatures(english: bool) -> list[str]:
    if english:
        return ["Place, date", "Coordination of the programme", "Place, date", "Checked for the funder"]
    return ["Ort, Datum", "Koordination des Programms", "Ort, Datum", "Für den Zuwendungsgeber geprüft"]
