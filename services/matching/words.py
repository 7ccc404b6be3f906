"""The codes of matching in words, German and English."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from services.matching.domain.model import Absence

K = TypeVar("K", int, str)


def both(words: Mapping[K, tuple[str, str]]) -> dict[str, dict[K, str]]:
    """Code → (German, English), by language."""
    return {
        "de": {code: german for code, (german, _) in words.items()},
        "en": {code: english for code, (_, english) in words.items()},
    }


FIELDS = both(
    {
        "fair_week": (
            "Neue migrantische Akteure für eine Faire Woche oder ein interkulturelles Fest",
            "New migrant actors for a Fair Week or an intercultural festival",
        ),
        "partnerships": (
            "Städte- und Projektpartnerschaften mit dem Globalen Süden",
            "City and project partnerships with the Global South",
        ),
        "agenda_2030": (
            "Die Agenda 2030 vor Ort gemeinsam mit Migrantinnen und Migranten umsetzen",
            "Carrying out the 2030 Agenda locally together with migrants",
        ),
        "policy_quality": (
            "Qualität der kommunalen Entwicklungspolitik durch migrantische Expertise",
            "Quality of municipal development policy through migrants' expertise",
        ),
        "opportunities": (
            "Chancen der interkulturellen Öffnung für die ganze Kommune sichtbar machen",
            "What intercultural opening gains for the whole town",
        ),
        "causes_of_flight": (
            "Über Fluchtursachen aufklären, gemeinsam mit Geflüchteten",
            "Awareness of why people flee, together with refugees",
        ),
        "other": ("Etwas anderes", "Something else"),
    }
)
MODES = both(
    {
        "on_site": ("vor Ort", "on site"),
        "online": ("online", "online"),
        "either": ("vor Ort oder online", "on site or online"),
    }
)
REASONS = both(
    {
        "no_time": ("Keine Zeit", "No time"),
        "too_far": ("Zu weit entfernt", "Too far away"),
        "not_my_field": ("Nicht mein Fachgebiet", "Not my field"),
        "conflict_of_interest": ("Interessenkonflikt", "Conflict of interest"),
        "other": ("Anderer Grund", "Another reason"),
    }
)
ROLES = both(
    {
        "lead": ("Leitung", "lead"),
        "co": ("Ko-Beratung", "co-advisor"),
    }
)
CRITERIA = both(
    {
        "expertise": ("Ihr Fachwissen passt zu dem, was gefragt ist", "Your expertise fits what is asked"),
        "region": ("Sie arbeiten in der Nähe", "You work nearby"),
        "languages": ("Sie sprechen die gewünschten Sprachen", "You speak the languages asked for"),
        "fairness": (
            "Sie hatten in den letzten zwölf Monaten noch Spielraum gegenüber anderen",
            "In the last twelve months you had room compared with others",
        ),
        "load": ("Sie haben gerade freie Kapazität", "You have free capacity now"),
        "tandem": ("Die Kommune wünscht sich ein Tandem", "The municipality wants a tandem"),
        "waiting": ("Die Kommune wartet schon länger", "The municipality has waited for some time"),
    }
)

STATES = both(
    {
        "pending": ("In Zuordnung", "Being matched"),
        "review": ("Wartet auf Freigabe", "Waits for release"),
        "proposed": ("Angefragt", "Asked"),
        "engaged": ("In Beratung", "In consultation"),
        "parked": ("Zurückgestellt", "Parked"),
        "closed": ("Abgeschlossen", "Closed"),
        "withdrawn": ("Zurückgezogen", "Withdrawn"),
    }
)
STEPS = both(
    {
        "match": ("Beratende zuordnen", "Assign advisors"),
        "release": ("Vorschlag ansehen und freigeben", "Look at the proposal and release it"),
        "hand_over": ("Übergabe regeln", "Settle the hand-over"),
        "answer": ("Anfrage beantworten", "Answer the request"),
        "find_advisor": ("Beratende von Hand finden", "Find advisors by hand"),
        "schedule_first_talk": ("Erstgespräch vereinbaren", "Arrange the first talk"),
        "hold_session": ("Vereinbarte Sitzung durchführen", "Hold the arranged session"),
        "record_session": ("Sitzung erfassen", "Record the session"),
        "continue_or_close": ("Weitere Sitzung vereinbaren oder abschließen", "Arrange another session or close"),
        "renew_certificate": ("Zertifikat erneuern", "Renew the certificate"),
    }
)
KINDS = both(
    {
        "first_talk": ("Erstgespräch", "First talk"),
        "dialogue_forum": ("Dialogforum", "Dialogue forum"),
        "consultation": ("Beratung", "Consultation"),
        "keynote": ("Impulsvortrag", "Keynote"),
    }
)
SESSION_STATES = both(
    {
        "scheduled": ("Vereinbart", "Arranged"),
        "completed": ("Erfasst", "Recorded"),
        "cancelled": ("Abgesagt", "Called off"),
    }
)
ANSWERS = both(
    {
        "open": ("Antwort offen", "No answer yet"),
        "accepted": ("Zugesagt", "Accepted"),
        "declined": ("Abgesagt", "Declined"),
        "expired": ("Frist verstrichen", "Time has passed"),
    }
)
PARKED = both(
    {
        "nobody_certified": (
            "Niemand mit gültigem Zertifikat passt zum Termin.",
            "Nobody with a valid certificate fits the dates.",
        ),
        "nobody_free": ("Wer passen würde, ist ausgelastet oder abwesend.", "Those who would fit are busy or absent."),
        "nobody_suitable": (
            "Niemand hat das gefragte Fachwissen oder es bestehen Interessenkonflikte.",
            "Nobody has the expertise asked for, or there are conflicts of interest.",
        ),
        "all_declined": (
            "Alle Passenden haben abgesagt oder nicht geantwortet.",
            "All who fit have declined or did not answer.",
        ),
        "budget": ("Das Budget reicht dafür nicht.", "The budget does not allow it."),
    }
)
DECISIONS = both(
    {
        "assigned": ("zugeordnet", "assigned"),
        "assigned_over_capacity": ("zugeordnet, über die Kapazität hinaus", "assigned, above the capacity"),
        "released": ("Vorschlag freigegeben", "released the proposal"),
        "reconsidered": ("neu entscheiden lassen", "had it decided anew"),
        "pinned": ("festgesetzt", "pinned"),
        "unpinned": ("Festsetzung aufgehoben", "unpinned"),
        "accepted": ("zugesagt", "accepted"),
        "declined": ("abgesagt", "declined"),
        "withdrawn": ("zurückgezogen", "withdrew"),
        "closed": ("abgeschlossen", "closed"),
        "noted": ("Notiz", "note"),
        "reminded": ("erinnert", "reminded"),
        "handed_over": ("übergeben", "handed over"),
        "stays": ("macht weiter", "goes on"),
        "conflict_flagged": ("Interessenkonflikt vermerkt", "flagged a conflict of interest"),
        "session_scheduled": ("Sitzung vereinbart", "arranged a session"),
        "session_moved": ("Sitzung verschoben", "moved a session"),
        "session_cancelled": ("Sitzung abgesagt", "called a session off"),
        "session_recorded": ("Sitzung erfasst", "recorded a session"),
        "session_corrected": ("Sitzung berichtigt", "corrected a session"),
        "advisor_entered": ("aufgenommen", "entered"),
        "advisor_changed": ("Eintrag geändert", "changed the entry"),
        "absences_announced": ("Abwesenheiten geändert", "changed absences"),
        "advisor_leaves": ("Ausscheiden geändert", "changed the last day"),
        "advisor_erased": ("Daten gelöscht", "erased the data"),
        "budget_set": ("Budget festgelegt", "set the budget"),
        "policy_made": ("Fassung der Regeln angelegt", "made a version of the policy"),
        "policy_activated": ("Fassung in Kraft gesetzt", "activated the version"),
    }
)
OUTCOMES = both(
    {
        "completed": ("Durchgeführt", "Completed"),
        "ended_early": ("Vorzeitig beendet", "Ended early"),
        "no_longer_possible": ("Nicht mehr möglich", "No longer possible"),
    }
)
WITHDRAWALS = both(
    {
        "no_longer_needed": ("Kein Bedarf mehr", "No longer needed"),
        "too_slow": ("Es dauerte zu lange", "It took too long"),
        "solved_otherwise": ("Anders gelöst", "Solved otherwise"),
        "by_mistake": ("Versehentlich gestellt", "Sent by mistake"),
        "unspecified": ("Ohne Angabe", "Not specified"),
    }
)
TANDEMS = both(
    {
        "wanted": ("Tandem gewünscht", "Tandem wanted"),
        "not_wanted": ("Kein Tandem", "No tandem"),
        "either": ("Tandem oder eine Person", "Tandem or one person"),
    }
)
CHANNELS = both(
    {
        "web": ("Formular", "form"),
        "api": ("Schnittstelle", "API"),
        "staff": ("Geschäftsstelle", "office"),
        "advisor": ("Beratende", "advisor"),
    }
)
LEVELS = both(
    {
        0: ("keine", "none"),
        1: ("Grundlagen", "basic"),
        2: ("gut", "good"),
        3: ("vertieft", "expert"),
    }
)
BARRIERS = both(
    {
        "seated": ("ist schon dabei", "is part of it already"),
        "not_certified": ("hat zum Termin kein gültiges Zertifikat", "has no valid certificate on that day"),
        "conflict": (
            "hat einen Interessenkonflikt mit dieser Kommune",
            "has a conflict of interest with this municipality",
        ),
        "no_expertise": ("hat in keinem der gefragten Felder Fachwissen", "has expertise in none of the fields"),
        "refused": (
            "hat diese Anfrage abgelehnt oder nicht beantwortet",
            "has declined this request or not answered it",
        ),
        "absent": ("ist abwesend", "is absent"),
        "full": ("ist ausgelastet", "is busy"),
    }
)
HEADS = both(
    {
        "expertise": ("Fachwissen", "Expertise"),
        "region": ("Region", "Region"),
        "languages": ("Sprachen", "Languages"),
        "fairness": ("Ausgleich", "Fairness"),
        "load": ("Auslastung", "Load"),
        "tandem": ("Tandem", "Tandem"),
        "waiting": ("Wartezeit", "Waiting"),
    }
)
"""The criteria as heads of columns."""


def span(minutes: float, tongue: str) -> str:
    """Such as `2 Std. 30 Min.`"""
    hours, rest = divmod(round(minutes), 60)
    hour, minute = ("Std.", "Min.") if tongue == "de" else ("h", "min")
    return " ".join([f"{hours} {hour}"] * bool(hours) + [f"{rest} {minute}"] * bool(rest or not hours))


WORKLIST = both(
    {
        "overdue": ("Überfällig", "Overdue"),
        "release": ("Freigabe", "To release"),
        "parked": ("Zurückgestellt", "Parked"),
        "answers": ("Antwort offen", "Waiting for answers"),
        "silent": ("Nichts gehört", "Silent"),
        "handing": ("Übergaben", "Hand-overs"),
        "certificates": ("Zertifikate", "Certificates"),
    }
)
LEAVING = both(
    {
        "absent": ("ist länger abwesend", "is away for longer"),
        "leaving": ("scheidet aus", "leaves the programme"),
        "conflict": ("hat einen Interessenkonflikt", "has a conflict of interest"),
    }
)
"""Why an advisor can't go on."""
SHORT_FIELDS = both(
    {
        "fair_week": ("Faire Woche", "Fair Week"),
        "partnerships": ("Partnerschaften", "partnerships"),
        "agenda_2030": ("Agenda 2030", "2030 Agenda"),
        "policy_quality": ("Politikqualität", "policy quality"),
        "opportunities": ("Öffnung", "opening"),
        "causes_of_flight": ("Fluchtursachen", "causes of flight"),
        "other": ("Anderes", "other"),
    }
)
COLUMNS = both(
    {
        "name": ("Name", "Name"),
        "email": ("E-Mail", "E-mail"),
        "phone": ("Telefon", "Telephone"),
        "correspondence": ("Sprache der E-Mails", "Language of mails"),
        "levels": ("Fachwissen", "Expertise"),
        "languages": ("Sprachen", "Languages"),
        "regions": ("Region", "Region"),
        "certified_on": ("Zertifikat seit", "Certified since"),
        "certified_until": ("Zertifikat bis", "Certified until"),
        "capacity": ("Plätze", "Places"),
        "absences": ("Abwesenheiten", "Absences"),
        "conflicts": ("Interessenkonflikte", "Conflicts of interest"),
    }
)
TOLD = both(
    {
        "arranged": (
            "Der Termin ist vereinbart. Die Einladungen sind unterwegs.",
            "The session is arranged. The invitations are on their way.",
        ),
        "moved": (
            "Der Termin ist verschoben. Die neuen Einladungen sind unterwegs.",
            "The session is moved. The new invitations are on their way.",
        ),
        "cancelled": ("Der Termin ist abgesagt.", "The session is called off."),
        "recorded": ("Die Sitzung ist erfasst. Danke!", "The session is recorded. Thank you!"),
        "closed": ("Die Beratung ist abgeschlossen.", "The consultation is closed."),
        "absence": ("Ihre Abwesenheiten sind gespeichert.", "Your absences are stored."),
        "answered": ("Die Antwort ist eingetragen.", "The answer is entered."),
        "assigned": ("Die Anfrage ist unterwegs.", "The request is on its way."),
        "barred": ("Der Interessenkonflikt ist festgehalten.", "The conflict of interest is noted."),
        "released": (
            "Der Vorschlag ist freigegeben, die Anfrage ist unterwegs.",
            "The proposal is released, the request is on its way.",
        ),
        "reconsidered": ("Es wird neu entschieden.", "It is decided anew."),
        "noted": ("Die Notiz ist festgehalten.", "The note is kept."),
        "reminded": ("Die Erinnerung ist unterwegs.", "The reminder is on its way."),
        "handed_over": ("Die Übergabe ist angestoßen.", "The hand-over has begun."),
        "stays": ("Festgehalten: Die Person macht weiter.", "Noted: they go on."),
        "pinned": (
            "Die Person ist festgesetzt: Wer entscheidet, behält sie bei.",
            "The person is pinned: whatever is decided keeps them.",
        ),
        "unpinned": ("Die Wahl ist wieder frei.", "The choice is free again."),
        "leaves": ("Der letzte Tag ist festgehalten.", "The last day is noted."),
        "goes_on": ("Festgehalten: Die Person bleibt.", "Noted: they stay."),
        "budget": ("Das Budget ist festgelegt.", "The budget is set."),
        "kept": ("Die Fassung ist festgehalten.", "The version is kept."),
        "activated": (
            "Ab jetzt wird nach dieser Fassung entschieden.",
            "From now on decisions are made by this version.",
        ),
        "added": ("Neu aufgenommen.", "Added."),
        "changed": ("Gespeichert.", "Stored."),
        "erased": ("Die Daten sind gelöscht.", "The data are erased."),
        "imported": ("Die Datei ist übernommen.", "The file was taken over."),
    }
)
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
