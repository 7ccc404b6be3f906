"""What is counted: each indicator with its written definition. A figure means just what stands here."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Kind = Literal["sum", "mean", "heads", "spread"]
Unit = Literal[
    "requests",
    "engagements",
    "sessions",
    "minutes",
    "people",
    "advisors",
    "options",
    "points",
    "working_days",
    "percent",
    "cents",
]

UNITS: dict[Unit, tuple[str, str]] = {
    "requests": ("Anfragen", "requests"),
    "engagements": ("Beratungen", "engagements"),
    "sessions": ("Termine", "sessions"),
    "minutes": ("Minuten", "minutes"),
    "people": ("Personen", "people"),
    "options": ("Handlungsoptionen", "options for action"),
    "advisors": ("Beratende", "advisors"),
    "points": ("Punkte (1–5)", "points (1–5)"),
    "working_days": ("Werktage", "working days"),
    "percent": ("Prozent", "percent"),
    "cents": ("Eurocent", "euro cents"),
}


@dataclass(frozen=True, slots=True)
class Indicator:
    """What a figure counts. Texts are (German, English).

    `sum` adds the contributions, `mean` is their average to two decimals. `heads` is how many members they name,
    `spread` which share of all (in percent) would have to change hands for all members to have as much: 0 is even.
    `since`: the definition has held from then on; facts before that are counted by it too. `counted`: the contributions
    that it is made of, where they are not its own.
    """

    code: str
    kind: Kind
    unit: Unit
    name: tuple[str, str]
    definition: tuple[str, str]
    since: date = date(2026, 11, 1)
    counted: str | None = None

    @property
    def source(self) -> str:
        """Whose contributions it is made of."""
        return self.counted or self.code


_NOVEMBER_24 = date(2026, 11, 24)


def _session(code: str, german: str, english: str, kind: str) -> Indicator:
    return Indicator(
        code,
        "sum",
        "sessions",
        (german, english),
        (
            f"Durchgeführte Termine der Art „{german}“ ({kind}), am Tag des Termins. "
            "Aus session.completed; nach einer Korrektur zählt die letzte Fassung.",
            f"Sessions of the kind {kind} that took place, on the day they were held. "
            "From session.completed; after a correction the last version counts.",
        ),
    )


INDICATORS: dict[str, Indicator] = {
    indicator.code: indicator
    for indicator in (
        Indicator(
            "requests",
            "sum",
            "requests",
            ("Anfragen", "Requests"),
            (
                "Eingegangene Anfragen, am Tag des Eingangs; später zurückgezogene zählen mit. Aus request.created.",
                "Requests received, on the day they came in; those withdrawn later count too. From request.created.",
            ),
        ),
        Indicator(
            "withdrawn",
            "sum",
            "requests",
            ("Zurückgezogene Anfragen", "Withdrawn requests"),
            (
                "Von der Kommune zurückgezogene Anfragen, am Tag der Rücknahme. Aus request.withdrawn.",
                "Requests that the municipality took back, on that day. From request.withdrawn.",
            ),
        ),
        Indicator(
            "accepted",
            "sum",
            "engagements",
            ("Begonnene Beratungen", "Engagements begun"),
            (
                "Anfragen, die zum ersten Mal vollständig angenommen wurden, am Tag der letzten nötigen Zusage; je "
                "Anfrage einmal. Aus advisor.answered (complete) oder, wenn alle Plätze bestehen bleiben, "
                "advisor.assigned.",
                "Requests accepted by everybody asked for the first time, on the day of the last answer needed; once "
                "per request. From advisor.answered (complete), or advisor.assigned when every seat is kept.",
            ),
        ),
        Indicator(
            "sessions",
            "sum",
            "sessions",
            ("Termine", "Sessions"),
            (
                "Alle durchgeführten Termine jeder Art, am Tag des Termins. Aus session.completed; nach einer "
                "Korrektur zählt die letzte Fassung.",
                "All sessions of any kind that took place, on the day they were held. From session.completed; after "
                "a correction the last version counts.",
            ),
        ),
        _session("first_talks", "Erstgespräche", "First talks", "first_talk"),
        _session("dialogue_forums", "Dialogforen", "Dialogue forums", "dialogue_forum"),
        _session("consultations", "Beratungsgespräche", "Consultations", "consultation"),
        _session("keynotes", "Impulsvorträge", "Keynotes", "keynote"),
        Indicator(
            "minutes",
            "sum",
            "minutes",
            ("Beratungsminuten", "Minutes of sessions"),
            (
                "Summe der Dauer aller durchgeführten Termine, unabhängig von der Zahl der Beratenden. Aus "
                "session.completed (minutes).",
                "Sum of the length of all sessions that took place, whatever the number of advisors. From "
                "session.completed (minutes).",
            ),
        ),
        Indicator(
            "participants",
            "sum",
            "people",
            ("Teilnehmende", "Participants"),
            (
                "Summe der erreichten Personen aller durchgeführten Termine, ohne die Beratenden; wer an zwei Terminen "
                "teilnahm, zählt zweimal. Aus session.completed (participants).",
                "Sum of the people reached in all sessions, without the advisors; who came twice counts twice. From "
                "session.completed (participants).",
            ),
        ),
        Indicator(
            "options",
            "sum",
            "options",
            ("Vereinbarte Handlungsoptionen", "Options for action agreed"),
            (
                "Vereinbarte Handlungsoptionen, jede einmal, am Tag des Termins, an dem sie zuerst vereinbart wurde. "
                "Nach Handlungsfeld: das Feld der Option. Aus session.completed (options_agreed).",
                "Options for action agreed, each once, on the day of the session that first agreed it. By field: the "
                "option's own. From session.completed (options_agreed).",
            ),
        ),
        Indicator(
            "options_taken_up",
            "sum",
            "options",
            ("Aufgegriffene Handlungsoptionen", "Options for action taken up"),
            (
                "Handlungsoptionen, die die Kommune nach ihrer Rückmeldung bis dahin aufgegriffen hat, am Tag der "
                "Rückmeldung; je Anfrage die erste; n ist die Zahl der Rückmeldungen. Aus feedback.given "
                "(options_taken_up).",
                "Options for action that the municipality says it has taken up so far, on the day of its feedback; the "
                "first per request; n is the number of answers. From feedback.given (options_taken_up).",
            ),
            _NOVEMBER_24,
        ),
        Indicator(
            "conversion",
            "mean",
            "percent",
            ("Vom Erstgespräch zur Beratung", "From first talk to consultation"),
            (
                "Anteil der Anfragen mit Erstgespräch, bei denen am selben Tag oder später ein Beratungstermin folgte; "
                "am Tag des ersten Erstgesprächs, auch wenn die Beratung später liegt, so dass der Anteil noch steigen "
                "kann; n ist die Zahl der Anfragen mit Erstgespräch. Aus session.completed.",
                "Share of the requests with a first talk for which a consultation was held that day or later; on "
                "the day of the earliest first talk, even if the consultation is later, so that the share may still "
                "rise; n is the number of requests with a first talk. From session.completed.",
            ),
            _NOVEMBER_24,
        ),
        Indicator(
            "advisors_active",
            "heads",
            "advisors",
            ("Aktive Beratende", "Active advisors"),
            (
                "Zahl der verschiedenen Beratenden mit mindestens einer Minute in einem Termin des Zeitraums; wer in "
                "zwei Monaten tätig war, zählt im Jahr einmal, Gliederungen addieren sich daher nicht. n ist die Zahl "
                "ihrer Einsätze (Person und Termin). Aus session.completed (members).",
                "Number of different advisors with at least one minute in a session of the period; who was active in "
                "two months counts once in the year, so groups don't add up. n is the number of their parts (advisor "
                "and session). From session.completed (members).",
            ),
            _NOVEMBER_24,
            "advisor_minutes",
        ),
        Indicator(
            "load_spread",
            "spread",
            "percent",
            ("Ungleichheit der Last", "Unevenness of load"),
            (
                "Anteil aller Minuten, der umverteilt werden müsste, damit alle aktiven Beratenden gleich viele hätten "
                "(0 %: gleich verteilt). Wer im Zeitraum keinen Termin hatte, ist in den Ereignissen nicht zu sehen "
                "und zählt nicht mit. n ist die Zahl der Einsätze. Aus session.completed (members).",
                "Share of all minutes that would have to change hands for all active advisors to have as many (0 %: "
                "even). Who had no session in the period is not to be seen in the facts and does not count. n is the "
                "number of parts. From session.completed (members).",
            ),
            _NOVEMBER_24,
            "advisor_minutes",
        ),
        Indicator(
            "closed",
            "sum",
            "engagements",
            ("Beendete Beratungen", "Engagements ended"),
            (
                "Beendete Anfragen gleich welchen Ausgangs, am Tag des Abschlusses. Aus consultation.closed.",
                "Requests closed with whatever outcome, on the day of closing. From consultation.closed.",
            ),
        ),
        Indicator(
            "completed",
            "sum",
            "engagements",
            ("Abgeschlossene Beratungen", "Engagements completed"),
            (
                "Beendete Anfragen mit dem Ausgang „abgeschlossen“, am Tag des Abschlusses. Aus consultation.closed "
                "(outcome completed).",
                "Requests closed as completed, on the day of closing. From consultation.closed (outcome completed).",
            ),
        ),
        Indicator(
            "satisfaction",
            "mean",
            "points",
            ("Zufriedenheit", "Satisfaction"),
            (
                "Durchschnitt der Rückmeldungen von 1 (gar nicht) bis 5 (sehr zufrieden), am Tag der Rückmeldung; je "
                "Anfrage die erste; n ist die Zahl der Rückmeldungen. Aus feedback.given.",
                "Average of the feedback from 1 (not at all) to 5 (very satisfied), on the day it was given; the first "
                "per request; n is their number. From feedback.given.",
            ),
        ),
        Indicator(
            "days_to_acceptance",
            "mean",
            "working_days",
            ("Werktage bis zur Zusage", "Working days to acceptance"),
            (
                "Durchschnittliche Zahl der Werktage des Landes nach dem Eingang bis einschließlich dem Tag, an dem "
                "die Beratung begann; am Tag des Beginns; n ist die Zahl der Beratungen. Aus request.created und der "
                "Zusage.",
                "Average number of the state's working days after the request came in, up to and with the day the "
                "engagement began; on that day; n is the number of engagements. From request.created and the "
                "acceptance.",
            ),
        ),
        Indicator(
            "days_to_first_talk",
            "mean",
            "working_days",
            ("Werktage bis zum Erstgespräch", "Working days to the first talk"),
            (
                "Durchschnittliche Zahl der Werktage des Landes nach dem Eingang bis einschließlich dem Tag des ersten "
                "Erstgesprächs; an diesem Tag; n ist die Zahl der Anfragen. Aus request.created und "
                "session.completed.",
                "Average number of the state's working days after the request came in, up to and with the day of its "
                "earliest first talk; on that day; n is the number of requests. From request.created and "
                "session.completed.",
            ),
        ),
        Indicator(
            "committed",
            "sum",
            "cents",
            ("Gebundene Mittel", "Committed funds"),
            (
                "Was laufende Beratungen voraussichtlich noch kosten, am Tag ihres Beginns: die erwarteten Minuten je "
                "beratender Person ohne die schon geleisteten, nach der Satzkarte dieses Tages, ohne Fahrtkosten. "
                "Aus der Zusage; entfällt mit consultation.closed und request.withdrawn.",
                "What running engagements are expected still to cost, on the day they began: the minutes expected of "
                "each advisor less those given, by the rate card of that day, without travel. From the acceptance; "
                "gone with consultation.closed and request.withdrawn.",
            ),
        ),
        Indicator(
            "honoraria",
            "sum",
            "cents",
            ("Honorare", "Honoraria"),
            (
                "Summe der Honoraransprüche (Honorar und Fahrtkosten, ohne Umsatzsteuer) und Gegenbuchungen je "
                "beratender Person und Termin, am Tag des Termins, nach der dann geltenden Satzkarte, gleich welchen "
                "Standes: keine Zahlungen. Aus session.completed.",
                "Sum of the honorarium claims (fee and travel, without VAT) and counter-entries per advisor and "
                "session, on the day it was held, by the rate card that held then, whatever their status: no payments. "
                "From session.completed.",
            ),
        ),
    )
}
