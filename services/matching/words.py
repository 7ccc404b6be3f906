"""The codes of matching in words, German and English."""

from collections.abc import Callable, Mapping
from typing import Any

from services.matching.domain.model import Absence

FIELDS: dict[str, dict[str, str]] = {
    "de": {
        "fair_week": "Neue migrantische Akteure für eine Faire Woche oder ein interkulturelles Fest",
        "partnerships": "Städte- und Projektpartnerschaften mit dem Globalen Süden",
        "agenda_2030": "Die Agenda 2030 vor Ort gemeinsam mit Migrantinnen und Migranten umsetzen",
        "policy_quality": "Qualität der kommunalen Entwicklungspolitik durch migrantische Expertise",
        "opportunities": "Chancen der interkulturellen Öffnung für die ganze Kommune sichtbar machen",
        "causes_of_flight": "Über Fluchtursachen aufklären, gemeinsam mit Geflüchteten",
        "other": "Etwas anderes",
    },
    "en": {
        "fair_week": "New migrant actors for a Fair Week or an intercultural festival",
        "partnerships": "City and project partnerships with the Global South",
        "agenda_2030": "Carrying out the 2030 Agenda locally together with migrants",
        "policy_quality": "Quality of municipal development policy through migrants' expertise",
        "opportunities": "What intercultural opening gains for the whole town",
        "causes_of_flight": "Awareness of why people flee, together with refugees",
        "other": "Something else",
    },
}
MODES: dict[str, dict[str, str]] = {
    "de": {"on_site": "vor Ort", "online": "online", "either": "vor Ort oder online"},
    "en": {"on_site": "on site", "online": "online", "either": "on site or online"},
}
REASONS: dict[str, dict[str, str]] = {
    "de": {
        "no_time": "Keine Zeit",
        "too_far": "Zu weit entfernt",
        "not_my_field": "Nicht mein Fachgebiet",
        "conflict_of_interest": "Interessenkonflikt",
        "other": "Anderer Grund",
    },
    "en": {
        "no_time": "No time",
        "too_far": "Too far away",
        "not_my_field": "Not my field",
        "conflict_of_interest": "Conflict of interest",
        "other": "Another reason",
    },
}
ROLES: dict[str, dict[str, str]] = {
    "de": {"lead": "Leitung", "co": "Ko-Beratung"},
    "en": {"lead": "lead", "co": "co-advisor"},
}
CRITERIA: dict[str, dict[str, str]] = {
    "de": {
        "expertise": "Ihr Fachwissen passt zu dem, was gefragt ist",
        "region": "Sie arbeiten in der Nähe",
        "languages": "Sie sprechen die gewünschten Sprachen",
        "fairness": "Sie hatten in den letzten zwölf Monaten noch Spielraum gegenüber anderen",
        "load": "Sie haben gerade freie Kapazität",
        "tandem": "Die Kommune wünscht sich ein Tandem",
        "waiting": "Die Kommune wartet schon länger",
    },
    "en": {
        "expertise": "Your expertise fits what is asked",
        "region": "You work nearby",
        "languages": "You speak the languages asked for",
        "fairness": "In the last twelve months you had room compared with others",
        "load": "You have free capacity now",
        "tandem": "The municipality wants a tandem",
        "waiting": "The municipality has waited for some time",
    },
}

STATES: dict[str, dict[str, str]] = {
    "de": {
        "pending": "In Zuordnung",
        "review": "Wartet auf Freigabe",
        "proposed": "Angefragt",
        "engaged": "In Beratung",
        "parked": "Zurückgestellt",
        "closed": "Abgeschlossen",
        "withdrawn": "Zurückgezogen",
    },
    "en": {
        "pending": "Being matched",
        "review": "Waits for release",
        "proposed": "Asked",
        "engaged": "In consultation",
        "parked": "Parked",
        "closed": "Closed",
        "withdrawn": "Withdrawn",
    },
}
STEPS: dict[str, dict[str, str]] = {
    "de": {
        "match": "Beratende zuordnen",
        "release": "Vorschlag ansehen und freigeben",
        "hand_over": "Übergabe regeln",
        "answer": "Anfrage beantworten",
        "find_advisor": "Beratende von Hand finden",
        "schedule_first_talk": "Erstgespräch vereinbaren",
        "hold_session": "Vereinbarte Sitzung durchführen",
        "record_session": "Sitzung erfassen",
        "continue_or_close": "Weitere Sitzung vereinbaren oder abschließen",
        "renew_certificate": "Zertifikat erneuern",
    },
    "en": {
        "match": "Assign advisors",
        "release": "Look at the proposal and release it",
        "hand_over": "Settle the hand-over",
        "answer": "Answer the request",
        "find_advisor": "Find advisors by hand",
        "schedule_first_talk": "Arrange the first talk",
        "hold_session": "Hold the arranged session",
        "record_session": "Record the session",
        "continue_or_close": "Arrange another session or close",
        "renew_certificate": "Renew the certificate",
    },
}
KINDS: dict[str, dict[str, str]] = {
    "de": {
        "first_talk": "Erstgespräch",
        "dialogue_forum": "Dialogforum",
        "consultation": "Beratung",
        "keynote": "Impulsvortrag",
    },
    "en": {
        "first_talk": "First talk",
        "dialogue_forum": "Dialogue forum",
        "consultation": "Consultation",
        "keynote": "Keynote",
    },
}
SESSION_STATES: dict[str, dict[str, str]] = {
    "de": {"scheduled": "Vereinbart", "completed": "Erfasst", "cancelled": "Abgesagt"},
    "en": {"scheduled": "Arranged", "completed": "Recorded", "cancelled": "Called off"},
}
ANSWERS: dict[str, dict[str, str]] = {
    "de": {"open": "Antwort offen", "accepted": "Zugesagt", "declined": "Abgesagt", "expired": "Frist verstrichen"},
    "en": {"open": "No answer yet", "accepted": "Accepted", "declined": "Declined", "expired": "Time has passed"},
}
PARKED: dict[str, dict[str, str]] = {
    "de": {
        "nobody_certified": "Niemand mit gültigem Zertifikat passt zum Termin.",
        "nobody_free": "Wer passen würde, ist ausgelastet oder abwesend.",
        "nobody_suitable": "Niemand hat das gefragte Fachwissen oder es bestehen Interessenkonflikte.",
        "all_declined": "Alle Passenden haben abgesagt oder nicht geantwortet.",
        "budget": "Das Budget reicht dafür nicht.",
    },
    "en": {
        "nobody_certified": "Nobody with a valid certificate fits the dates.",
        "nobody_free": "Those who would fit are busy or absent.",
        "nobody_suitable": "Nobody has the expertise asked for, or there are conflicts of interest.",
        "all_declined": "All who fit have declined or did not answer.",
        "budget": "The budget does not allow it.",
    },
}
DECISIONS: dict[str, dict[str, str]] = {
    "de": {
        "assigned": "zugeordnet",
        "assigned_over_capacity": "zugeordnet, über die Kapazität hinaus",
        "released": "Vorschlag freigegeben",
        "reconsidered": "neu entscheiden lassen",
        "pinned": "festgesetzt",
        "unpinned": "Festsetzung aufgehoben",
        "accepted": "zugesagt",
        "declined": "abgesagt",
        "withdrawn": "zurückgezogen",
        "closed": "abgeschlossen",
        "noted": "Notiz",
        "reminded": "erinnert",
        "handed_over": "übergeben",
        "stays": "macht weiter",
        "conflict_flagged": "Interessenkonflikt vermerkt",
        "session_scheduled": "Sitzung vereinbart",
        "session_moved": "Sitzung verschoben",
        "session_cancelled": "Sitzung abgesagt",
        "session_recorded": "Sitzung erfasst",
        "session_corrected": "Sitzung berichtigt",
        "advisor_entered": "aufgenommen",
        "advisor_changed": "Eintrag geändert",
        "absences_announced": "Abwesenheiten geändert",
        "advisor_leaves": "Ausscheiden geändert",
        "advisor_erased": "Daten gelöscht",
        "budget_set": "Budget festgelegt",
    },
    "en": {
        "assigned": "assigned",
        "assigned_over_capacity": "assigned, above the capacity",
        "released": "released the proposal",
        "reconsidered": "had it decided anew",
        "pinned": "pinned",
        "unpinned": "unpinned",
        "accepted": "accepted",
        "declined": "declined",
        "withdrawn": "withdrew",
        "closed": "closed",
        "noted": "note",
        "reminded": "reminded",
        "handed_over": "handed over",
        "stays": "goes on",
        "conflict_flagged": "flagged a conflict of interest",
        "session_scheduled": "arranged a session",
        "session_moved": "moved a session",
        "session_cancelled": "called a session off",
        "session_recorded": "recorded a session",
        "session_corrected": "corrected a session",
        "advisor_entered": "entered",
        "advisor_changed": "changed the entry",
        "absences_announced": "changed absences",
        "advisor_leaves": "changed the last day",
        "advisor_erased": "erased the data",
        "budget_set": "set the budget",
    },
}
OUTCOMES: dict[str, dict[str, str]] = {
    "de": {
        "completed": "Durchgeführt",
        "ended_early": "Vorzeitig beendet",
        "no_longer_possible": "Nicht mehr möglich",
    },
    "en": {"completed": "Completed", "ended_early": "Ended early", "no_longer_possible": "No longer possible"},
}
WITHDRAWALS: dict[str, dict[str, str]] = {
    "de": {
        "no_longer_needed": "Kein Bedarf mehr",
        "too_slow": "Es dauerte zu lange",
        "solved_otherwise": "Anders gelöst",
        "by_mistake": "Versehentlich gestellt",
        "unspecified": "Ohne Angabe",
    },
    "en": {
        "no_longer_needed": "No longer needed",
        "too_slow": "It took too long",
        "solved_otherwise": "Solved otherwise",
        "by_mistake": "Sent by mistake",
        "unspecified": "Not specified",
    },
}
TANDEMS: dict[str, dict[str, str]] = {
    "de": {"wanted": "Tandem gewünscht", "not_wanted": "Kein Tandem", "either": "Tandem oder eine Person"},
    "en": {"wanted": "Tandem wanted", "not_wanted": "No tandem", "either": "Tandem or one person"},
}
CHANNELS: dict[str, dict[str, str]] = {
    "de": {"web": "Formular", "api": "Schnittstelle", "staff": "Geschäftsstelle", "advisor": "Beratende"},
    "en": {"web": "form", "api": "API", "staff": "office", "advisor": "advisor"},
}
LEVELS: dict[str, dict[int, str]] = {
    "de": {0: "keine", 1: "Grundlagen", 2: "gut", 3: "vertieft"},
    "en": {0: "none", 1: "basic", 2: "good", 3: "expert"},
}
BARRIERS: dict[str, dict[str, str]] = {
    "de": {
        "seated": "ist schon dabei",
        "not_certified": "hat zum Termin kein gültiges Zertifikat",
        "conflict": "hat einen Interessenkonflikt mit dieser Kommune",
        "no_expertise": "hat in keinem der gefragten Felder Fachwissen",
        "refused": "hat diese Anfrage abgelehnt oder nicht beantwortet",
        "absent": "ist abwesend",
        "full": "ist ausgelastet",
    },
    "en": {
        "seated": "is part of it already",
        "not_certified": "has no valid certificate on that day",
        "conflict": "has a conflict of interest with this municipality",
        "no_expertise": "has expertise in none of the fields",
        "refused": "has declined this request or not answered it",
        "absent": "is absent",
        "full": "is busy",
    },
}
HEADS: dict[str, dict[str, str]] = {
    "de": {
        "expertise": "Fachwissen",
        "region": "Region",
        "languages": "Sprachen",
        "fairness": "Ausgleich",
        "load": "Auslastung",
        "tandem": "Tandem",
        "waiting": "Wartezeit",
    },
    "en": {
        "expertise": "Expertise",
        "region": "Region",
        "languages": "Languages",
        "fairness": "Fairness",
        "load": "Load",
        "tandem": "Tandem",
        "waiting": "Waiting",
    },
}
"""The criteria as heads of columns."""


def span(minutes: float, tongue: str) -> str:
    """Such as `2 Std. 30 Min.`"""
    hours, rest = divmod(round(minutes), 60)
    hour, minute = ("Std.", "Min.") if tongue == "de" else ("h", "min")
    return " ".join([f"{hours} {hour}"] * bool(hours) + [f"{rest} {minute}"] * bool(rest or not hours))


WORKLIST: dict[str, dict[str, str]] = {
    "de": {
        "overdue": "Überfällig",
        "release": "Freigabe",
        "parked": "Zurückgestellt",
        "answers": "Antwort offen",
        "silent": "Nichts gehört",
        "handing": "Übergaben",
        "certificates": "Zertifikate",
    },
    "en": {
        "overdue": "Overdue",
        "release": "To release",
        "parked": "Parked",
        "answers": "Waiting for answers",
        "silent": "Silent",
        "handing": "Hand-overs",
        "certificates": "Certificates",
    },
}
LEAVING: dict[str, dict[str, str]] = {
    "de": {
        "absent": "ist länger abwesend",
        "leaving": "scheidet aus",
        "conflict": "hat einen Interessenkonflikt",
    },
    "en": {
        "absent": "is away for longer",
        "leaving": "leaves the programme",
        "conflict": "has a conflict of interest",
    },
}
"""Why an advisor can't go on."""
SHORT_FIELDS: dict[str, dict[str, str]] = {
    "de": {
        "fair_week": "Faire Woche",
        "partnerships": "Partnerschaften",
        "agenda_2030": "Agenda 2030",
        "policy_quality": "Politikqualität",
        "opportunities": "Öffnung",
        "causes_of_flight": "Fluchtursachen",
        "other": "Anderes",
    },
    "en": {
        "fair_week": "Fair Week",
        "partnerships": "partnerships",
        "agenda_2030": "2030 Agenda",
        "policy_quality": "policy quality",
        "opportunities": "opening",
        "causes_of_flight": "causes of flight",
        "other": "other",
    },
}
COLUMNS: dict[str, dict[str, str]] = {
    "de": {
        "name": "Name",
        "email": "E-Mail",
        "phone": "Telefon",
        "correspondence": "Sprache der E-Mails",
        "levels": "Fachwissen",
        "languages": "Sprachen",
        "regions": "Region",
        "certified_on": "Zertifikat seit",
        "certified_until": "Zertifikat bis",
        "capacity": "Plätze",
        "absences": "Abwesenheiten",
        "conflicts": "Interessenkonflikte",
    },
    "en": {
        "name": "Name",
        "email": "E-mail",
        "phone": "Telephone",
        "correspondence": "Language of mails",
        "levels": "Expertise",
        "languages": "Languages",
        "regions": "Region",
        "certified_on": "Certified since",
        "certified_until": "Certified until",
        "capacity": "Places",
        "absences": "Absences",
        "conflicts": "Conflicts of interest",
    },
}
TOLD: dict[str, dict[str, str]] = {
    "de": {
        "arranged": "Der Termin ist vereinbart. Die Einladungen sind unterwegs.",
        "moved": "Der Termin ist verschoben. Die neuen Einladungen sind unterwegs.",
        "cancelled": "Der Termin ist abgesagt.",
        "recorded": "Die Sitzung ist erfasst. Danke!",
        "closed": "Die Beratung ist abgeschlossen.",
        "absence": "Ihre Abwesenheiten sind gespeichert.",
        "answered": "Die Antwort ist eingetragen.",
        "assigned": "Die Anfrage ist unterwegs.",
        "barred": "Der Interessenkonflikt ist festgehalten.",
        "released": "Der Vorschlag ist freigegeben, die Anfrage ist unterwegs.",
        "reconsidered": "Es wird neu entschieden.",
        "noted": "Die Notiz ist festgehalten.",
        "reminded": "Die Erinnerung ist unterwegs.",
        "handed_over": "Die Übergabe ist angestoßen.",
        "stays": "Festgehalten: Die Person macht weiter.",
        "added": "Neu aufgenommen.",
        "changed": "Gespeichert.",
        "erased": "Die Daten sind gelöscht.",
        "imported": "Die Datei ist übernommen.",
    },
    "en": {
        "arranged": "The session is arranged. The invitations are on their way.",
        "moved": "The session is moved. The new invitations are on their way.",
        "cancelled": "The session is called off.",
        "recorded": "The session is recorded. Thank you!",
        "closed": "The consultation is closed.",
        "absence": "Your absences are stored.",
        "answered": "The answer is entered.",
        "assigned": "The request is on its way.",
        "barred": "The conflict of interest is noted.",
        "released": "The proposal is released, the request is on its way.",
        "reconsidered": "It is decided anew.",
        "noted": "The note is kept.",
        "reminded": "The reminder is on its way.",
        "handed_over": "The hand-over has begun.",
        "stays": "Noted: they go on.",
        "added": "Added.",
        "changed": "Stored.",
        "erased": "The data are erased.",
        "imported": "The file was taken over.",
    },
}
"""What a step has done, by the word in the address that it leads to."""


def entry(value: object) -> str:
    """A value of an advisor's entry as a cell shows it."""
    if isinstance(value, dict):
        return ", ".join(f"{SHORT_FIELDS['de'][code]} {level}" for code, level in value.items() if level) or "–"
    if isinstance(value, tuple):
        return ", ".join(f"{one.start}..{one.end}" if isinstance(one, Absence) else str(one) for one in value) or "–"
    return str(value) if value is not None else "–"


SPOKEN: Mapping[str, Callable[[str], Any]] = {
    "fields": FIELDS.__getitem__,
    "modes": MODES.__getitem__,
    "reasons": REASONS.__getitem__,
    "roles": ROLES.__getitem__,
    "criteria": CRITERIA.__getitem__,
    "heads": HEADS.__getitem__,
    "states": STATES.__getitem__,
    "decisions": DECISIONS.__getitem__,
    "steps": STEPS.__getitem__,
    "kinds": KINDS.__getitem__,
    "session_states": SESSION_STATES.__getitem__,
    "answers": ANSWERS.__getitem__,
    "parked_for": PARKED.__getitem__,
    "outcomes": OUTCOMES.__getitem__,
    "withdrawals": WITHDRAWALS.__getitem__,
    "tandems": TANDEMS.__getitem__,
    "channels": CHANNELS.__getitem__,
    "levels": LEVELS.__getitem__,
    "barriers": BARRIERS.__getitem__,
    "leaving_why": LEAVING.__getitem__,
    "worklist_kinds": WORKLIST.__getitem__,
    "short_fields": SHORT_FIELDS.__getitem__,
    "columns_words": COLUMNS.__getitem__,
    "told": TOLD.__getitem__,
    "cell": lambda _: entry,
    "span": lambda tongue: lambda minutes: span(minutes, tongue),
}
"""What templates say codes with, by language."""
