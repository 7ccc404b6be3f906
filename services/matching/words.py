"""The codes of matching in words, German and English."""

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
