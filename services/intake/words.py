"""What the status says, in German and English; by the codes of status.py. Texts may hold {placeholders}."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time

from services.intake.status import Entry, NextStep
from shared.events.base import FieldCode, Mode, Tandem

Pair = tuple[str, str]

FIELDS: dict[FieldCode, Pair] = {
    FieldCode.FAIR_WEEK: (
        "Neue migrantische Akteure für die Faire Woche oder ein interkulturelles Fest gewinnen",
        "Win new migrant actors for the Fair Week or an intercultural festival",
    ),
    FieldCode.PARTNERSHIPS: (
        "Kommunale Partnerschaften oder Projekte mit dem Globalen Süden beginnen oder beleben",
        "Start or revive municipal partnerships or projects with the Global South",
    ),
    FieldCode.AGENDA_2030: (
        "Die Agenda 2030 vor Ort gemeinsam mit Migrantinnen und Migranten umsetzen",
        "Carry out the 2030 Agenda locally together with migrants",
    ),
    FieldCode.POLICY_QUALITY: (
        "Die kommunale Entwicklungspolitik mit migrantischer Expertise verbessern",
        "Raise the quality of municipal development policy with migrants' expertise",
    ),
    FieldCode.OPPORTUNITIES: (
        "Sichtbar machen, was die ganze Kommune durch interkulturelle Öffnung gewinnt",
        "Show what the whole town gains by intercultural opening",
    ),
    FieldCode.CAUSES_OF_FLIGHT: (
        "Gemeinsam mit Geflüchteten über Fluchtursachen aufklären",
        "Raise awareness of why people flee, together with refugees",
    ),
    FieldCode.OTHER: ("Etwas anderes, das Sie unten beschreiben", "Something else, which you describe below"),
}
MODES: dict[Mode, Pair] = {
    Mode.ON_SITE: ("vor Ort bei uns", "on site, at our place"),
    Mode.ONLINE: ("online", "online"),
    Mode.EITHER: ("beides ist recht", "either is fine"),
}
TANDEMS: dict[Tandem, Pair] = {
    Tandem.WANTED: (
        "zu zweit, als Tandem: Beide öffnen Ihnen ihre Netzwerke",
        "two, as a tandem: both open their networks to you",
    ),
    Tandem.NOT_WANTED: ("eine Person genügt uns", "one person is enough for us"),
    Tandem.EITHER: ("beides ist recht", "either is fine"),
}
CORRESPONDENCE: dict[str, Pair] = {"de": ("Deutsch", "German"), "en": ("Englisch", "English")}
CHANNELS: dict[str, Pair] = {
    "web": ("über das Formular", "by the form"),
    "api": ("über eine Schnittstelle", "by an interface"),
    "staff": ("durch die Geschäftsstelle", "by the programme's office"),
    "advisor": ("durch eine Beraterin oder einen Berater", "by an advisor"),
}
COMMON_TONGUES = ("de", "en", "fr", "es", "pt", "it", "tr", "ar", "fa", "ru", "uk")
"""The languages that the form offers first."""

STATES: dict[str, Pair] = {
    "submitted": ("Eingegangen, Beratende werden gesucht", "Received, advisors are being looked for"),
    "asked": ("Beratende sind angefragt", "Advisors have been asked"),
    "parked": ("In der Warteliste", "On the waiting list"),
    "engaged": ("In Beratung", "Consultation under way"),
    "closed": ("Abgeschlossen", "Closed"),
    "withdrawn": ("Zurückgezogen", "Withdrawn"),
}
OWNERS: dict[str, Pair] = {
    "office": ("die Geschäftsstelle", "the programme's office"),
    "advisors": ("die Beratenden", "the advisors"),
    "you": ("Sie", "you"),
}
KINDS: dict[str, Pair] = {
    "first_talk": ("Erstgespräch", "First talk"),
    "dialogue_forum": ("Dialogforum", "Dialogue forum"),
    "consultation": ("Beratung", "Consultation"),
    "keynote": ("Impulsvortrag", "Keynote"),
}
ROLES: dict[str, Pair] = {
    "lead": ("Federführung", "lead"),
    "co": ("Co-Beratung", "co-advisor"),
}
REASONS: dict[str, Pair] = {
    "no_longer_needed": ("Wir brauchen die Beratung nicht mehr", "We no longer need the consultation"),
    "too_slow": ("Es hat uns zu lange gedauert", "It took too long"),
    "solved_otherwise": ("Wir haben eine andere Lösung gefunden", "We found another solution"),
    "by_mistake": ("Die Anfrage war ein Versehen", "The request was a mistake"),
    "unspecified": ("Ohne Angabe", "I would rather not say"),
}
HAPPENED: dict[str, Pair] = {
    "submitted": ("Ihre Anfrage ist eingegangen.", "Your request was received."),
    "assigned": (
        "Beratende sind angefragt (Runde {round}); sie antworten bis {day}.",
        "Advisors have been asked (round {round}); they answer by {day}.",
    ),
    "accepted": ("Ihre Beratenden haben zugesagt.", "Your advisors have accepted."),
    "parked": (
        "Zurzeit ist niemand Passendes frei. Ihre Anfrage bleibt vorgemerkt.",
        "Nobody suitable is free at the moment. Your request stays on the list.",
    ),
    "session_scheduled": ("{kind} vereinbart: {start}.", "{kind} arranged: {start}."),
    "session_moved": ("{kind} verlegt auf {start}.", "{kind} moved to {start}."),
    "session_cancelled": ("{kind} am {start} abgesagt.", "{kind} on {start} called off."),
    "session_completed": ("{kind} hat am {day} stattgefunden.", "{kind} took place on {day}."),
    "closed": ("Die Beratung ist abgeschlossen.", "The consultation is closed."),
    "feedback_given": ("Sie haben Ihre Rückmeldung gegeben. Vielen Dank!", "You gave your feedback. Thank you!"),
    "withdrawn": ("Sie haben die Anfrage zurückgezogen.", "You withdrew the request."),
    "erased": ("Ihre persönlichen Angaben wurden gelöscht.", "Your personal details were erased."),
}
NEXT: dict[str, Pair] = {
    "match": (
        "Wir suchen passende Beratende und fragen sie bis {due} an.",
        "We look for suitable advisors and ask them by {due}.",
    ),
    "next_round": (
        "Eine Absage ist eingegangen. Wir fragen bis {due} die Nächsten an.",
        "Somebody has declined. We ask the next ones by {due}.",
    ),
    "answer": (
        "Die angefragten Beratenden antworten bis {due}.",
        "The advisors who were asked answer by {due}.",
    ),
    "retry": (
        "Sobald jemand Passendes frei wird, fragen wir an, spätestens prüfen wir es am {due} neu.",
        "We ask as soon as somebody suitable is free, and look again on {due} at the latest.",
    ),
    "first_talk": (
        "Die Beratenden vereinbaren mit Ihnen das Erstgespräch; es findet bis {due} statt.",
        "The advisors arrange the first talk with you; it takes place by {due}.",
    ),
    "session": ("{kind}: {start}.", "{kind}: {start}."),
    "record": (
        "{kind} vom {start}: Die Beratenden tragen das Ergebnis bis {due} ein.",
        "{kind} of {start}: the advisors record the outcome by {due}.",
    ),
    "next_session": (
        "Die Beratenden vereinbaren mit Ihnen bis {due} das nächste Gespräch oder schließen die Beratung ab.",
        "By {due} the advisors arrange the next session with you or close the consultation.",
    ),
    "give_feedback": (
        "Bitte sagen Sie uns bis {due}, wie die Beratung war.",
        "Please tell us by {due} how the consultation was.",
    ),
}
OVERDUE: Pair = (
    "Es dauert länger als geplant. Der genannte Tag ist verstrichen; wir bitten um Entschuldigung.",
    "This takes longer than planned. The day named has passed; we apologise.",
)
OVERDUE_YOURS: Pair = (
    "Der genannte Tag ist verstrichen; Ihre Rückmeldung ist weiterhin willkommen.",
    "The day named has passed; your feedback is still welcome.",
)


def pick(pair: Pair, language: str) -> str:
    return pair[language == "en"]


def day(value: date, language: str) -> str:
    """Such as `3. November 2026` or `3 November 2026`."""
    return format_date(value, "long", locale=_locale(language))


def start(value: datetime, language: str, zone: ZoneInfo) -> str:
    """Such as `Dienstag, 3. November 2026, 10:00 Uhr`."""
    local = value.astimezone(zone)
    written = f"{format_date(local, 'full', locale=_locale(language))}, {format_time(local, 'HH:mm', locale='de')}"
    return written if language == "en" else f"{written} Uhr"


def stamp(value: datetime, language: str, zone: ZoneInfo) -> str:
    """A moment in the timeline, such as `03.11.2026, 10:00`."""
    return format_datetime(value, "dd.MM.yyyy, HH:mm" if language == "de" else "d MMM yyyy, HH:mm", zone, "en_GB")


def happened(entry: Entry, language: str, zone: ZoneInfo) -> str:
    return pick(HAPPENED[entry.code], language).format(
        round=entry.round,
        day=day(entry.day, language) if entry.day else "",
        kind=pick(KINDS[entry.session_kind], language) if entry.session_kind else "",
        start=start(entry.starts_at, language, zone) if entry.starts_at else "",
    )


def comes(step: NextStep, language: str, zone: ZoneInfo) -> str:
    return pick(NEXT[step.code], language).format(
        due=day(step.due, language),
        kind=pick(KINDS[step.session_kind], language) if step.session_kind else "",
        start=start(step.starts_at, language, zone) if step.starts_at else "",
    )


def late(step: NextStep, language: str) -> str | None:
    """The honest word when the day has passed, else None."""
    if not step.overdue:
        return None
    return pick(OVERDUE_YOURS if step.owner == "you" else OVERDUE, language)


def _locale(language: str) -> str:
    return "en_GB" if language == "en" else "de"
