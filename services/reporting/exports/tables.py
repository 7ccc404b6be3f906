"""The tables of a result: what CSV and XLSX show, a file or a sheet each."""

from collections.abc import Iterator, Sequence
from datetime import date

from services.reporting.decisions import STATUS_NAMES
from services.reporting.exports.cells import Cell, Column, Table, euros
from services.reporting.indicators import INDICATORS, UNITS
from services.reporting.queries import ClaimSums
from services.reporting.result import Result
from services.reporting.views import By, Figure, Summary
from shared.register import Register

KINDS = {
    "first_talk": ("Erstgespräch", "first talk"),
    "dialogue_forum": ("Dialogforum", "dialogue forum"),
    "consultation": ("Beratung", "consultation"),
    "keynote": ("Impulsvortrag", "keynote"),
}
ENTRIES = {"claim": ("Anspruch", "claim"), "counter": ("Gegenbuchung", "counter-entry")}
BASES = {"hour": ("Stunde", "hour"), "session": ("Termin", "session"), "day": ("Tag", "day")}
ROLES = {"lead": ("Leitung", "lead"), "co": ("Tandem", "co"), None: ("", "")}

SUMMARY = (
    Column("Gliederung", "grouped by"),
    Column("Schlüssel", "key"),
    Column("Name", "name", width=30),
    Column("von", "from", "day"),
    Column("bis", "to", "day"),
    Column("Kennzahl", "indicator", width=20),
    Column("Bezeichnung", "title", width=30),
    Column("Wert", "value", "share"),
    Column("Einheit", "unit"),
    Column("n", "n", "number"),
    Column("Kennung", "figure id", width=40),
)
VOUCHERS = (
    Column("Anspruch", "claim", width=44),
    Column("Buchung", "entry", width=15),
    Column("Fassung", "revision", "number", 9, wide=True),
    Column("Stand", "status", width=13),
    Column("Vorgang", "case number"),
    Column("AGS", "AGS", width=10),
    Column("Kommune", "municipality", width=28),
    Column("Termin", "session", width=38, wide=True),
    Column("Art", "kind", width=15),
    Column("Tag", "held on", "day", 11),
    Column("Berater:in", "advisor", width=11),
    Column("Rolle", "role", width=9, wide=True),
    Column("Minuten", "minutes", "number", 9),
    Column("Minuten aller", "minutes of all", "number", 9, wide=True),
    Column("Satzkarte", "rate card", width=18),
    Column("je", "per", width=9, wide=True),
    Column("Satz €", "rate €", "euro", 10),
    Column("Honorar des Termins €", "fee of the session €", "euro", wide=True),
    Column("Honorar €", "fee €", "euro"),
    Column("km", "km", "number", 7),
    Column("Satz je km €", "rate per km €", "euro", 10, wide=True),
    Column("Höchstbetrag Fahrt €", "travel cap €", "euro", 10, wide=True),
    Column("Fahrtkosten €", "travel €", "euro"),
    Column("Summe €", "total €", "euro"),
    Column("USt %", "VAT %", "number", 7),
    Column("USt €", "VAT €", "euro"),
    Column("Brutto €", "gross €", "euro"),
    Column("Korrigiert", "corrects", width=44),
    Column("Wartet auf", "waits for", width=18),
)
_SUMS = (
    Column("Buchungen", "entries", "number"),
    Column("Minuten", "minutes", "number"),
    Column("km", "km", "number"),
    Column("Honorar €", "fee €", "euro"),
    Column("Fahrtkosten €", "travel €", "euro"),
    Column("Summe €", "total €", "euro"),
    Column("USt €", "VAT €", "euro"),
    Column("Brutto €", "gross €", "euro"),
)
SUMS = (Column("Gliederung", "grouped by"), Column("Schlüssel", "key", width=18), *_SUMS)
CARDS = (
    Column("Satzkarte", "rate card", width=24),
    Column("Bezeichnung", "label", width=44),
    Column("gilt ab", "from", "day"),
    Column("je", "per", width=9),
    Column("Satz €", "rate €", "euro"),
    Column("über 2 Stunden €", "above 2 hours €", "euro"),
    Column("über 4 Stunden €", "above 4 hours €", "euro"),
    Column("je km €", "per km €", "euro"),
    Column("Höchstbetrag Fahrt €", "travel cap €", "euro"),
    Column("USt %", "VAT %", "number", 7),
)
CORRECTIONS = (
    Column("Zeitraum", "period"),
    Column("Kennzahl", "indicator", width=34),
    Column("Änderung", "change", "share"),
    Column("Einheit", "unit"),
    Column("Änderung n", "change of n", "number"),
)
_BY: dict[By, tuple[str, str]] = {
    "period": ("Zeiträume", "Periods"),
    "district": ("Kreise", "Districts"),
    "field": ("Handlungsfelder", "Fields"),
    "size": ("Größenklassen", "Sizes"),
}


def summary_rows(summary: Summary, language: str) -> Iterator[Sequence[Cell]]:
    """Every figure of the whole and of each group, a line each."""
    whole = ("total" if language == "en" else "gesamt", "", "", summary.period.start, summary.period.end)
    for one in summary.figures:
        yield (*whole, *_figure(one))
    for group in summary.groups:
        for one in group.figures:
            yield (group.by, group.key, group.name, group.period.start, group.period.end, *_figure(one))


def group_table(summary: Summary, by: By, language: str) -> Table:
    """The groups of one kind below each other, an indicator a column."""
    columns = [Column(*_BY[by], width=34), Column("Schlüssel", "key", width=12)]
    columns += [Column(*one.name, "share" if _decimal(one.code) else "number", 16) for one in INDICATORS.values()]
    rows = [
        (group.name, group.key, *(shown(one) for one in group.figures)) for group in summary.groups if group.by == by
    ]
    return Table(by, _BY[by], columns, rows)


def vouchers(result: Result, register: Register, language: str) -> Table:
    """The claims by day, each with every factor."""
    return Table("honoraria", ("Belege", "Vouchers"), VOUCHERS, _vouchers(result, register, language == "en"))


def _vouchers(result: Result, register: Register, english: bool) -> Iterator[Sequence[Cell]]:
    for row in result.vouchers:
        yield (
            row["id"],
            ENTRIES[row["kind"]][english],
            row["revision"],
            STATUS_NAMES[row["status"]][english],
            row["case_number"],
            row["ags"],
            register.name(row["ags"]),
            row["session_id"],
            KINDS[row["session_kind"]][english],
            date.fromisoformat(row["held_on"]),
            row["advisor_id"],
            ROLES[row["role"]][english],
            row["minutes"],
            row["team_minutes"],
            row["rate_card"],
            BASES[row["basis"]][english],
            euros(row["rate_cents"]),
            euros(row["session_fee_cents"]),
            euros(row["fee_cents"]),
            row["travel_km"],
            euros(row["km_cents"]),
            euros(row["travel_cap_cents"]),
            euros(row["travel_cents"]),
            euros(row["total_cents"]),
            row["vat_percent"],
            euros(row["vat_cents"]),
            euros(row["gross_cents"]),
            row["corrects"],
            ", ".join(row["waits_for"]),
        )


def sums(result: Result, language: str) -> Table:
    """What the claims come to: in all, by status, by advisor."""
    english = language == "en"
    statuses, advisors = ("status", "advisor") if english else ("Stand", "Berater:in")
    rows = [("total" if english else "gesamt", "", *amounts(result.vouchers.sums))]
    rows += [
        (statuses, names[english], *amounts(result.vouchers.by_status[status]))
        for status, names in STATUS_NAMES.items()
        if status in result.vouchers.by_status
    ]
    by_advisor = sorted(result.vouchers.by_advisor.items())
    rows += [(advisors, advisor, *amounts(found)) for advisor, found in by_advisor]
    return Table("sums", ("Summen", "Sums"), SUMS, rows)


def cards(result: Result, language: str) -> Table:
    """The rate cards by which the claims were reckoned."""
    rows = [
        (
            card.code,
            card.label,
            card.valid_from,
            BASES[card.basis][language == "en"],
            *(euros(card.rates[place]) if place < len(card.rates) else None for place in range(3)),
            euros(card.km_cents),
            euros(card.travel_cap_cents),
            card.vat_percent,
        )
        for card in result.cards
    ]
    return Table("cards", ("Satzkarten", "Rate cards"), CARDS, rows)


def amounts(found: ClaimSums) -> tuple[Cell, ...]:
    cents = (found.fee_cents, found.travel_cents, found.total_cents, found.vat_cents, found.gross_cents)
    return (found.claims, found.minutes, found.travel_km, *map(euros, cents))


def corrections(result: Result, language: str) -> Table:
    """What has become known of earlier closed periods since."""
    english = language == "en"
    rows: list[Sequence[Cell]] = []
    for one in result.corrections:
        for code, (change, n) in one.figures.items():
            indicator = INDICATORS[code]
            money = indicator.unit == "cents"
            rows.append(
                (
                    one.period,
                    indicator.name[english],
                    euros(change) if money else change,
                    "EUR" if money else UNITS[indicator.unit][english],
                    n,
                )
            )
    return Table("corrections", ("Korrekturen", "Corrections"), CORRECTIONS, rows)


def shown(figure: Figure) -> Cell:
    """A figure's value, money in euros."""
    return euros(int(figure.value or 0)) if INDICATORS[figure.indicator].unit == "cents" else figure.value


def _figure(figure: Figure) -> tuple[Cell, ...]:
    money = INDICATORS[figure.indicator].unit == "cents"
    unit = "EUR" if money else figure.unit
    return (figure.indicator, figure.name, shown(figure), unit, figure.n, figure.id)


def _decimal(code: str) -> bool:
    return INDICATORS[code].unit == "cents" or INDICATORS[code].kind == "mean"
