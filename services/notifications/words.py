"""The words for the codes in events, and dates as people write them."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton, format_time

from services.notifications.domain import Language, State
from shared.events.base import FieldCode, Mode, Role, SessionKind

_LOCALE = {"de": "de_DE", "en": "en_GB"}

Pair = tuple[str, str]

TEMPLATES: dict[str, Pair] = {
    "draft_saved": ("Link zum Entwurf", "Link to the draft"),
    "receipt": ("Eingangsbestätigung", "Receipt"),
    "assignment": ("Anfrage an Beratende", "Question to an advisor"),
    "reminder": ("Erinnerung an die Antwort", "Reminder to answer"),
    "step_reminder": ("Erinnerung an den nächsten Schritt", "Reminder of the next step"),
    "introduction": ("Vorstellung der Beratenden", "Introduction of the advisors"),
    "engagement_started": ("Beginn der Beratung", "Start of the engagement"),
    "session_invite": ("Einladung zum Termin", "Invitation to a session"),
    "session_update": ("Termin verlegt", "Session moved"),
    "session_cancelled": ("Termin abgesagt", "Session called off"),
    "parked": ("Zurzeit ist niemand frei", "Nobody is free at the moment"),
    "delayed": ("Es dauert länger", "It takes longer"),
    "escalation": ("Überfällig", "Overdue"),
    "hand_over": ("Übergabe nötig", "To be handed over"),
    "handed_over": ("Übergeben", "Handed over"),
    "withdrawn": ("Zurückgezogen", "Withdrawn"),
    "withdrawn_advisor": ("Zurückgezogen, an Beratende", "Withdrawn, to an advisor"),
    "superseded": ("Nicht mehr gefragt", "No longer asked"),
    "proof_due": ("Nachweis fällig", "Proof due"),
    "example_consent": ("Bitte um Zustimmung zum Praxisbeispiel", "Consent to the practice example asked for"),
    "example_published": ("Praxisbeispiel veröffentlicht", "Practice example published"),
    "example_answered": ("Antwort zum Praxisbeispiel", "Answer about the practice example"),
    "thanks": ("Dank und Bitte um Rückmeldung", "Thanks, and please for feedback"),
    "barrier": ("Barriere gemeldet", "A barrier was reported"),
}
"""What each message is, in German and English."""
STATES: dict[State, Pair] = {
    "waiting": ("wartet", "waits"),
    "queued": ("unterwegs", "on its way"),
    "sent": ("verschickt", "sent"),
    "failed": ("gescheitert", "failed"),
    "dropped": ("entfallen", "dropped"),
}
REASONS: dict[str, Pair] = {
    "superseded": ("Was sie sagt, galt nicht mehr.", "What it says no longer held."),
    "erased": ("Die Daten wurden gelöscht.", "The data have been erased."),
    "too_old": ("Der Anlass lag zu lange zurück.", "What it is about was too long ago."),
    "bad_address": ("Die Adresse ist keine.", "The address is none."),
    "gave_up": ("Der Mailserver war tagelang nicht erreichbar.", "The mail server could not be reached for days."),
}
"""Why a message was dropped or has failed; others are the mail server's."""

FIELDS: dict[FieldCode, dict[Language, str]] = {
    FieldCode.FAIR_WEEK: {
        "de": "Neue migrantische Akteure für die Faire Woche oder ein interkulturelles Fest",
        "en": "New migrant actors for the Fair Week or an intercultural festival",
    },
    FieldCode.PARTNERSHIPS: {
        "de": "Kommunale Partnerschaften und Projekte mit dem Globalen Süden",
        "en": "Municipal partnerships and projects with the Global South",
    },
    FieldCode.AGENDA_2030: {
        "de": "Die Agenda 2030 vor Ort gemeinsam mit Migrantinnen und Migranten umsetzen",
        "en": "Carrying out the 2030 Agenda locally together with migrants",
    },
    FieldCode.POLICY_QUALITY: {
        "de": "Kommunale Entwicklungspolitik mit migrantischer Expertise verbessern",
        "en": "Better municipal development policy with migrants' expertise",
    },
    FieldCode.OPPORTUNITIES: {
        "de": "Chancen der interkulturellen Öffnung für die ganze Kommune sichtbar machen",
        "en": "Showing what intercultural opening gains for the whole town",
    },
    FieldCode.CAUSES_OF_FLIGHT: {
        "de": "Gemeinsam mit Geflüchteten über Fluchtursachen aufklären",
        "en": "Raising awareness of why people flee, together with refugees",
    },
    FieldCode.OTHER: {"de": "Etwas anderes", "en": "Something else"},
}
KINDS: dict[SessionKind, dict[Language, str]] = {
    SessionKind.FIRST_TALK: {"de": "Erstgespräch", "en": "First talk"},
    SessionKind.DIALOGUE_FORUM: {"de": "Dialogforum", "en": "Dialogue forum"},
    SessionKind.CONSULTATION: {"de": "Beratung", "en": "Consultation"},
    SessionKind.KEYNOTE: {"de": "Impulsvortrag", "en": "Keynote"},
}
MODES: dict[Mode, dict[Language, str]] = {
    Mode.ON_SITE: {"de": "vor Ort", "en": "on site"},
    Mode.ONLINE: {"de": "online", "en": "online"},
    Mode.EITHER: {"de": "vor Ort oder online", "en": "on site or online"},
}
ROLES: dict[Role, dict[Language, str]] = {
    Role.LEAD: {"de": "Federführung", "en": "lead"},
    Role.CO: {"de": "Co-Beratung", "en": "co-advisor"},
}
STEPS: dict[str, dict[Language, str]] = {
    "match": {"de": "jemanden für die Anfrage auswählen", "en": "choose somebody for the request"},
    "release": {"de": "den Vorschlag ansehen und freigeben", "en": "look at the proposal and release it"},
    "answer": {"de": "auf die Anfrage antworten", "en": "answer the request"},
    "find_advisor": {"de": "jemanden für die Beratung finden", "en": "find somebody for the consultation"},
    "schedule_first_talk": {"de": "das Erstgespräch vereinbaren", "en": "arrange the first talk"},
    "hold_session": {"de": "die vereinbarte Sitzung erfassen", "en": "record the arranged session"},
    "record_session": {"de": "die vergangene Sitzung erfassen", "en": "record the past session"},
    "continue_or_close": {
        "de": "die nächste Sitzung vereinbaren oder die Beratung abschließen",
        "en": "arrange the next session or close the consultation",
    },
    "hand_over": {"de": "die Übergabe regeln", "en": "settle the hand-over"},
}
A_STEP: dict[Language, str] = {"de": "den nächsten Schritt tun", "en": "take the next step"}
"""For a code that is newer than this list."""
CAUSES: dict[str, dict[Language, str]] = {
    "absent": {"de": "ist abwesend", "en": "is absent"},
    "leaving": {"de": "verlässt das Programm", "en": "leaves the programme"},
    "conflict": {"de": "hat einen Interessenkonflikt", "en": "has a conflict of interest"},
}
PROOFS: dict[str, dict[Language, str]] = {
    "interim": {"de": "Zwischennachweis", "en": "interim proof"},
    "final": {"de": "Schlussnachweis", "en": "final proof"},
}
ANSWERS: dict[str, dict[Language, str]] = {
    "agreed": {"de": "hat zugestimmt", "en": "has agreed"},
    "declined": {"de": "hat abgelehnt", "en": "has declined"},
    "withdrawn": {"de": "hat die Zustimmung zurückgenommen", "en": "has taken back its consent"},
}
A_CAUSE: dict[Language, str] = {"de": "kann nicht weitermachen", "en": "can't go on"}


def day(value: date, language: Language) -> str:
    """Such as `Donnerstag, 5. November 2026`."""
    return format_date(value, "full", locale=_LOCALE[language])


def short_day(value: date, language: Language) -> str:
    """Such as `5. November 2026`."""
    return format_date(value, "long", locale=_LOCALE[language])


def span(starts_at: datetime, minutes: int, zone: ZoneInfo, language: Language) -> str:
    """Such as `10:00 bis 11:30 Uhr`, in local time."""
    start = starts_at.astimezone(zone)
    end = (starts_at + timedelta(minutes=minutes)).astimezone(zone)
    first, last = (format_time(moment, "short", locale=_LOCALE[language]) for moment in (start, end))
    return f"{first} bis {last} Uhr" if language == "de" else f"{first} to {last}"


def period(first: date, of: str, language: Language) -> str:
    """The month, quarter or year that begins on `first`, such as `November 2026`."""
    if of == "year":
        return str(first.year)
    return format_skeleton("yMMMM" if of == "month" else "yQQQQ", first, locale=_LOCALE[language])
