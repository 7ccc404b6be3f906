"""What is counted: each indicator with its written definition. A figure means just what stands here."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["sum", "mean"]
Unit = Literal["requests", "engagements", "sessions", "minutes", "people", "options", "points", "working_days", "cents"]

UNITS: dict[Unit, tuple[str, str]] = {
    "requests": ("Anfragen", "requests"),
    "engagements": ("Beratungen", "engagements"),
    "sessions": ("Termine", "sessions"),
    "minutes": ("Minuten", "minutes"),
    "people": ("Personen", "people"),
    "options": ("Handlungsoptionen", "options for action"),
    "points": ("Punkte (1–5)", "points (1–5)"),
    "working_days": ("Werktage", "working days"),
    "cents": ("Eurocent", "euro cents"),
}


@dataclass(frozen=True, slots=True)
class Indicator:
    """`sum` adds the contributions, `mean` is their average to two decimals. Texts are (German, English)."""

    code: str
    kind: Kind
    unit: Unit
    name: tuple[str, str]
    definition: tuple[str, str]


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
