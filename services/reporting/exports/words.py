"""What reports say in words, in German and English."""

from datetime import date

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from services.reporting.exports.cells import euros
from services.reporting.result import Result


def day(value: date, language: str) -> str:
    """3. November 2026, or 3 November 2026."""
    return format_date(value, "d. MMMM yyyy" if language == "de" else "d MMMM yyyy", locale=_locale(language))


def short_day(value: date, language: str) -> str:
    return format_date(value, "dd.MM.yyyy" if language == "de" else "dd/MM/yyyy", locale=_locale(language))


def money(cents: int, language: str) -> str:
    """1.234,50 €"""
    return format_currency(euros(cents), "EUR", locale=_locale(language))


def number(value: float | None, language: str) -> str:
    return "–" if value is None else format_decimal(value, locale=_locale(language))


def _locale(language: str) -> str:
    return "en_GB" if language == "en" else "de_DE"


def notes(result: Result, language: str) -> list[str]:
    """On method: what the figures are of, how money is reckoned, what is not in them."""
    position = result.counted.position
    german = [
        f"Gezählt wurden alle Ereignisse bis Platz {position} des Hauptbuchs."
        + (
            " Der Zeitraum ist abgeschlossen, die Zahlen sind eingefroren."
            if result.closing
            else " Der Zeitraum ist noch nicht abgeschlossen, die Zahlen können sich ändern."
        ),
        "Jede Kennzahl hat eine Kennung; unter ihr öffnet die Schnittstelle genau die Ereignisse, aus denen sie "
        "gezählt ist.",
        "Beträge sind ganze Cent. Nach Stunden wird das Honorar eines Termins einmal kaufmännisch gerundet und nach "
        "Minuten auf die Beratenden verteilt; die Teile ergeben das Ganze. Es gilt die Satzkarte des Tages. "
        "Fahrtkosten sind je Person und Termin begrenzt. Die Umsatzsteuer wird bei der Prüfung festgelegt und steht "
        "neben der Summe.",
        "Wird ein Termin nachträglich berichtigt, bleibt der alte Anspruch stehen, eine Gegenbuchung hebt ihn auf, "
        "und ein neuer Anspruch tritt an seine Stelle. Eingereicht heißt nicht bezahlt.",
        "Was nach dem Abschluss eines Zeitraums bekannt wird, ändert ihn nicht; es erscheint als Korrektur im "
        "nächsten.",
        "Eine Anfrage zu zwei Handlungsfeldern zählt unter beiden; die Felder können mehr ergeben als das Ganze.",
        "Personen erscheinen nur mit ihrer Nummer im Programm.",
    ]
    english = [
        f"All facts up to place {position} of the ledger were counted."
        + (
            " The period is closed, its figures are frozen."
            if result.closing
            else " The period is not closed yet, its figures may change."
        ),
        "Each figure has an id, by which the interface opens exactly the facts that it was counted from.",
        "Amounts are whole cents. By the hour the fee of a session is rounded half up once and split among the "
        "advisors by minutes; the parts make the whole. The rate card of the day holds. Travel is capped per person "
        "and session. VAT is fixed when a claim is checked and stands beside the total.",
        "When a session is corrected later, the old claim stays, a counter-entry takes it back and a new claim takes "
        "its place. Submitted is not paid.",
        "What becomes known after a period was closed does not change it; it appears as a correction in the next one.",
        "A request for two fields counts under both; the fields may add up to more than the whole.",
        "People appear with their number in the programme only.",
    ]
    return english if language == "en" else german
