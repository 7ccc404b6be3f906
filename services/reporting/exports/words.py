"""What reports say in words, in German and English."""

from collections.abc import Mapping
from datetime import date

from babel import Locale
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


Phrase = tuple[str, str, str]
"""Of none, of one, of any other number as `{n}`."""
_REQUESTS: dict[str, Phrase] = {
    "de": ("Es ging keine Anfrage ein", "Es ging eine Anfrage ein", "Es gingen {n} Anfragen ein"),
    "en": ("No request came in", "One request came in", "{n} requests came in"),
}
_ACCEPTED: dict[str, Phrase] = {
    "de": ("keine Beratung begann", "eine Beratung begann", "{n} Beratungen begannen"),
    "en": ("no engagement began", "one engagement began", "{n} engagements began"),
}
_SESSIONS: dict[str, Phrase] = {
    "de": ("Es fand kein Termin statt", "In einem Termin", "In {n} Terminen"),
    "en": ("No session was held", "One session reached", "{n} sessions reached"),
}
_PARTICIPANTS: dict[str, Phrase] = {
    "de": ("wurde niemand erreicht", "wurde eine Person erreicht", "wurden {n} Personen erreicht"),
    "en": ("nobody", "one person", "{n} people"),
}
_OPTIONS: dict[str, Phrase] = {
    "de": (
        "Vereinbart wurde keine Handlungsoption",
        "Vereinbart wurde eine Handlungsoption",
        "Vereinbart wurden {n} Handlungsoptionen",
    ),
    "en": ("No option for action was agreed", "One option for action was agreed", "{n} options for action were agreed"),
}
ENTRIES_BY_DATE: dict[str, Phrase] = {
    "de": ("Keine Buchung.", "Eine Buchung.", "{n} Buchungen nach Datum."),
    "en": ("No entry.", "One entry.", "{n} entries by date."),
}


def counted(phrase: dict[str, Phrase], n: int, language: str) -> str:
    """`phrase` as the language puts it for `n`."""
    form = 0 if n == 0 else 1 if Locale.parse(_locale(language)).plural_form(n) == "one" else 2
    return phrase[language][form].format(n=number(n, language))


def summed_up(figures: Mapping[str, int], language: str) -> str:
    """What came in, began, was held and agreed, in sentences."""

    def said(phrase: dict[str, Phrase], code: str) -> str:
        return counted(phrase, figures[code], language)

    joint = " and " if language == "en" else ", "
    sentences = [said(_REQUESTS, "requests") + joint + said(_ACCEPTED, "accepted"), said(_SESSIONS, "sessions")]
    if figures["sessions"]:
        sentences[1] += f" {said(_PARTICIPANTS, 'participants')}"
        sentences.append(said(_OPTIONS, "options"))
    return " ".join(f"{sentence}." for sentence in sentences)


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
