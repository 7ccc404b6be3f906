"""The statement of one advisor's month as PDF: everything that whoever pays needs, and places to sign."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.reporting.claims import Claim
from services.reporting.decisions import OUT, STATUS_NAMES
from services.reporting.exports.document import TEMPLATES, sheet
from services.reporting.exports.tables import BASES, ENTRIES, KINDS
from services.reporting.exports.words import day, money, number, short_day
from services.reporting.figures import Scope
from services.reporting.rates import RateCard
from services.reporting.records import Tax
from shared import pdf
from shared.register import Register

_BLANK = "_" * 26
_TAXES: dict[Tax, tuple[str, str]] = {
    "standard": ("Umsatzsteuerpflichtig.", "Liable for VAT."),
    "small_business": (
        "Kleinunternehmen nach § 19 UStG: keine Umsatzsteuer.",
        "Small business under § 19 UStG: no VAT.",
    ),
    "not_liable": ("Nicht umsatzsteuerbar.", "Not subject to VAT."),
}
_WORDS = {
    "de": {
        "page": "Seite",
        "of": "von",
        "sessions": "Termine",
        "totals": "Summen",
        "bank": "Bankverbindung",
        "basis": "Grundlage",
    },
    "en": {
        "page": "Page",
        "of": "of",
        "sessions": "Sessions",
        "totals": "Totals",
        "bank": "Bank details",
        "basis": "Basis",
    },
}


@dataclass(frozen=True)
class Statement:
    """`claims`: those of the month that were neither rejected nor taken back; `name`: None when it was erased."""

    scope: Scope
    advisor_id: str
    name: str | None
    payer: Sequence[str]
    tax: Tax
    claims: Sequence[Claim]
    cards: Sequence[RateCard]
    made_at: datetime


def write(one: Statement, register: Register, language: str) -> bytes:
    """The PDF. Not for the event loop."""
    return pdf.render(TEMPLATES, "statement.typ", _data(one, register, language), one.made_at, pdf.ARCHIVE)


def _data(one: Statement, register: Register, language: str) -> dict[str, Any]:
    english = language == "en"
    title = "Statement of honoraria" if english else "Honorarabrechnung"
    month = f"{day(one.scope.start, language)} – {day(one.scope.end, language)}"
    number_ = f"H-{one.scope.start:%Y-%m}-{one.advisor_id}"
    return {
        "lang": language,
        "title": title,
        "author": "MiGlobe",
        "description": f"{title} {number_}",
        "footer": f"{title} {number_} · {month}",
        "kind": _kind(one, english),
        "words": _WORDS[language],
        "cover": [
            ("Number" if english else "Nummer", number_),
            ("Period" if english else "Zeitraum", month),
            ("Payee" if english else "Zahlungsempfänger:in", f"{one.name or _BLANK} ({one.advisor_id})"),
            ("Payer" if english else "Zahlende Stelle", "\n".join(one.payer) or _BLANK),
            ("Made on" if english else "Erstellt am", day(one.made_at.date(), language)),
        ],
        "sessions": _sessions(one.claims, register, language),
        "totals": _totals(one.claims, language),
        "bank": [
            ("Account holder" if english else "Kontoinhaber:in", _BLANK),
            ("IBAN", _BLANK),
            ("BIC", _BLANK),
            ("Reference" if english else "Verwendungszweck", number_),
        ],
        "basis": list(_basis(one, language)),
        "signatures": (
            ["Place, date", "Payee", "Checked: date, name", "Approved: date, name"]
            if english
            else ["Ort, Datum", "Zahlungsempfänger:in", "Geprüft: Datum, Name", "Freigegeben: Datum, Name"]
        ),
    }


def _kind(one: Statement, english: bool) -> str:
    if all(claim.status in ("approved", *OUT) for claim in one.claims):
        return "For payment" if english else "Zur Zahlung"
    return "Preview: not everything is approved" if english else "Vorschau: noch nicht alles ist freigegeben"


def _sessions(claims: Sequence[Claim], register: Register, language: str) -> dict[str, Any]:
    english = language == "en"
    head = ("Date", "Case", "Service", "Status", "Min.", "Rate", "Fee", "km", "Travel", "VAT", "Gross")
    if not english:
        head = ("Datum", "Vorgang", "Leistung", "Stand", "Min.", "Satz", "Honorar", "km", "Fahrt", "USt", "Brutto")
    rows = []
    for claim in claims:
        what = f"{KINDS[claim.session_kind][english]}, {register.name(claim.ags)}"
        rows.append(
            (
                short_day(claim.held_on, language),
                claim.case_number or "–",
                f"{ENTRIES['counter'][english]}: {what}" if claim.kind == "counter" else what,
                STATUS_NAMES[claim.status][english],
                number(claim.minutes, language),
                money(claim.rate_cents, language),
                money(claim.fee_cents, language),
                number(claim.travel_km, language),
                money(claim.travel_cents, language),
                money(claim.vat_cents, language),
                money(claim.gross_cents, language),
            )
        )
    sums = (sum(getattr(one, name) for one in claims) for name in ("minutes", "fee_cents", "travel_km", "travel_cents"))
    minutes, fee, km, travel = sums
    rows.append(
        (
            *("Total" if english else "Summe", "", "", "", number(minutes, language), "", money(fee, language)),
            *(number(km, language), money(travel, language)),
            *(money(sum(one.vat_cents for one in claims), language), money(_gross(claims), language)),
        )
    )
    columns = (
        (1.15, False),
        (1.4, False),
        (2.2, False),
        (1.1, False),
        (0.6, True),
        (0.9, True),
        (1, True),
        (0.5, True),
    )
    return sheet(head, (*columns, (0.9, True), (0.9, True), (1.05, True)), rows, total=True, size=7)


def _totals(claims: Sequence[Claim], language: str) -> dict[str, Any]:
    english = language == "en"
    rows = [
        ("Fee" if english else "Honorar", money(sum(one.fee_cents for one in claims), language)),
        ("Travel" if english else "Fahrtkosten", money(sum(one.travel_cents for one in claims), language)),
        ("VAT" if english else "Umsatzsteuer", money(sum(one.vat_cents for one in claims), language)),
        ("To be paid" if english else "Zu zahlen", money(_gross(claims), language)),
    ]
    return sheet(("", "EUR"), ((2, False), (1, True)), rows, total=True)


def _gross(claims: Sequence[Claim]) -> int:
    return sum(one.gross_cents for one in claims)


def _basis(one: Statement, language: str) -> Iterator[str]:
    english = language == "en"
    used = {claim.rate_card for claim in one.claims}
    for card in one.cards:
        if card.code in used:
            amounts = " / ".join(money(cents, language) for cents in card.rates)
            per = BASES[card.basis][english]
            km, cap = money(card.km_cents, language), money(card.travel_cap_cents, language)
            if english:
                yield f"{card.label} ({card.code}): {amounts} per {per}; travel {km} per km, at most {cap} per session."
            else:
                yield f"{card.label} ({card.code}): {amounts} je {per}; Fahrt {km} je km, höchstens {cap} je Termin."
    yield _TAXES[one.tax][english]
    percents = sorted({claim.vat_percent for claim in one.claims if claim.vat_percent})
    if percents:
        shares = ", ".join(f"{percent} %" for percent in percents)
        yield f"VAT: {shares}." if english else f"Umsatzsteuer: {shares}."
    yield (
        "Rejected claims and those taken back before they were submitted are not listed."
        if english
        else "Abgelehnte Ansprüche und solche, die vor der Einreichung zurückgenommen wurden, sind nicht aufgeführt."
    )
