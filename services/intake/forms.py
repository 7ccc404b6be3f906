"""The form in four steps: which fields each has, what was typed into them, and what is wrong with it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import FormData

from services.intake.bodies import Email, RequestBody
from services.intake.domain import Channel
from services.intake.drafts import Draft, Entries
from services.intake.rules import Rules
from services.intake.words import Pair
from shared import web
from shared.errors import FieldError
from shared.register import Municipality


@dataclass(frozen=True, slots=True)
class Step:
    """One page of the form. `names`: its fields; `parts`: where an error of it is shown, in the page's order."""

    code: str
    title: Pair
    names: tuple[str, ...]
    parts: tuple[str, ...]


WHO = Step(
    "who",
    ("Ihre Kommune", "Your municipality"),
    ("municipality", "municipality_ags", "municipality_for"),
    ("municipality",),
)
WHAT = Step("what", ("Ihr Anliegen", "Your concern"), ("fields", "need"), ("fields", "need"))
HOW = Step(
    "how",
    ("Die Beratung", "The consultation"),
    ("mode", "languages", "more_language", "wanted_day", "wanted_month", "wanted_year", "tandem"),
    ("mode", "languages", "wanted", "tandem"),
)
CONTACT = Step(
    "contact",
    ("Ihre Kontaktdaten", "Your contact details"),
    ("name", "office", "email", "phone", "correspondence", "consent"),
    ("name", "office", "email", "phone", "correspondence", "consent"),
)
STEPS = {step.code: step for step in (WHO, WHAT, HOW, CONTACT)}
NAMES = tuple(name for step in STEPS.values() for name in step.names)

Errors = dict[str, Pair]
"""What is wrong, by the part of the page where it is shown."""

_PARTS = {
    "municipality_ags": "municipality",
    "wanted_from": "wanted",
    "contact.name": "name",
    "contact.office": "office",
    "contact.email": "email",
    "contact.phone": "phone",
    "consent.privacy_notice": "consent",
}
MOST_NEED = 4000
_MISSING: dict[str, Pair] = {
    "municipality": (
        "Bitte geben Sie Ihre Gemeinde, Ihre Stadt oder Ihren Landkreis an.",
        "Please name your municipality, town or rural district.",
    ),
    "fields": ("Bitte wählen Sie mindestens ein Thema.", "Please choose one topic at least."),
    "need": (
        "Bitte beschreiben Sie die Situation vor Ort in mindestens 20 Zeichen.",
        "Please describe the situation on the spot in 20 characters at least.",
    ),
    "mode": ("Bitte wählen Sie, wie die Beratung stattfinden soll.", "Please choose how the consultation shall be."),
    "languages": ("Bitte wählen Sie mindestens eine Sprache.", "Please choose one language at least."),
    "wanted": (
        "Bitte ein Datum mit Tag, Monat und Jahr, etwa 1 12 2026.",
        "Please a date with day, month and year, such as 1 12 2026.",
    ),
    "tandem": ("Bitte wählen Sie, ob eine oder zwei Personen beraten.", "Please choose whether one or two advise."),
    "name": ("Bitte geben Sie Vor- und Nachnamen an.", "Please give first and last name."),
    "email": ("Bitte geben Sie eine E-Mail-Adresse an.", "Please give an e-mail address."),
    "consent": (
        "Ohne Zustimmung zur Datenschutzerklärung können wir die Anfrage nicht annehmen.",
        "We can't take the request without consent to the privacy notice.",
    ),
}
_EMPTY = {"missing", "too_short", "string_too_short", "enum", "literal_error"}
_ADDRESS: TypeAdapter[str] = TypeAdapter(Email)


def read(form: FormData, names: Iterable[str] = NAMES) -> Entries:
    """What was typed into the fields `names`, with lines ended as they are stored; empty ones are left out."""
    typed = {
        name: tuple(value.replace("\r\n", "\n") for value in form.getlist(name) if isinstance(value, str) and value)
        for name in names
    }
    return {name: values for name, values in typed.items() if values}


def one(entries: Entries, name: str) -> str:
    return next(iter(entries.get(name, ())), "")


def chosen(entries: Entries) -> str:
    """The key that was chosen for the municipality as it is typed now, or nothing."""
    same = one(entries, "municipality_for") == one(entries, "municipality")
    return one(entries, "municipality_ags") if same else ""


def choose(entries: Entries, entry: Municipality) -> Entries:
    """`entries` with `entry` chosen."""
    return {
        **entries,
        "municipality": (entry.name,),
        "municipality_for": (entry.name,),
        "municipality_ags": (entry.ags,),
    }


def tongues(entries: Entries) -> list[str]:
    """The languages that are wished, each once."""
    return list(dict.fromkeys((*entries.get("languages", ()), *entries.get("more_language", ()))))


def wanted(entries: Entries, today: date) -> str:
    """From when on, as ISO 8601, or what is no date; nothing typed means as soon as possible."""
    parts = [one(entries, f"wanted_{part}").strip() for part in ("year", "month", "day")]
    if not any(parts):
        return today.isoformat()
    try:
        return date(*map(int, parts)).isoformat()
    except (ValueError, OverflowError):
        return "no date"


def check(draft: Draft, entry: Municipality | None, version: str, rules: Rules) -> tuple[RequestBody | None, Errors]:
    """The whole form: what would be asked for, or all that is wrong. `entry`: the register's, for the key chosen."""
    document = _document(draft.entries, draft.channel, version, rules.today)
    errors: Errors = {}
    body: RequestBody | None = None
    try:
        body = RequestBody.model_validate_json(json.dumps(document))
    except ValidationError as error:
        found = [{**item, "loc": ("body", *item["loc"])} for item in error.errors(include_url=False)]
        for wrong in web.invalid(RequestValidationError(found)).fields:
            part = part_of(wrong.field)
            errors.setdefault(part, _said(part, wrong, draft.entries))
    day = rules.today if "wanted" in errors else date.fromisoformat(document["wanted_from"])
    for wrong in rules.broken(document["municipality_ags"], entry, day):
        errors.setdefault(part_of(wrong.field), (wrong.de, wrong.en))
    return (None if errors else body), errors


def of(step: Step, errors: Errors) -> Errors:
    """Those of one page, in its order."""
    return {part: errors[part] for part in step.parts if part in errors}


def step_of(part: str) -> Step:
    return next(step for step in STEPS.values() if part in step.parts)


def address(text: str) -> tuple[str, Pair | None]:
    """An e-mail address in good form, or what is wrong with it."""
    try:
        return _ADDRESS.validate_python(text.strip()), None
    except ValidationError as error:
        (wrong,) = web.invalid(RequestValidationError([{**error.errors()[0], "loc": ("body", "email")}])).fields
        return text, (wrong.de, wrong.en) if text.strip() else _MISSING["email"]


def _document(entries: Entries, channel: Channel, version: str, today: date) -> dict[str, Any]:
    """As the API takes it."""
    given: Mapping[str, Any] = {
        "municipality_ags": chosen(entries),
        "fields": list(entries.get("fields", ())),
        "need": one(entries, "need"),
        "contact": {
            name: text for name in ("name", "email", "phone", "office") if (text := one(entries, name).strip())
        },
        "languages": tongues(entries),
        "mode": one(entries, "mode"),
        "wanted_from": wanted(entries, today),
        "tandem": one(entries, "tandem"),
        "correspondence": one(entries, "correspondence") or "de",
        "consent": {"privacy_notice": one(entries, "consent") == "true", "version": version},
        "channel": channel,
    }
    return dict(given)


def part_of(field: str) -> str:
    """Where an error of the API's `field` is shown."""
    path = ".".join(each for each in field.split(".") if not each.isdecimal())
    return _PARTS.get(path, path)


def _said(part: str, wrong: FieldError, entries: Entries) -> Pair:
    if wrong.code == "string_too_long" and part == "need":
        count = len(one(entries, "need").strip())
        return (
            f"Bitte höchstens {MOST_NEED} Zeichen; zurzeit sind es {count}.",
            f"Please {MOST_NEED} characters at most; there are {count} now.",
        )
    if part in _MISSING and (wrong.code in _EMPTY or part in ("municipality", "wanted")):
        return _MISSING[part]
    return wrong.de, wrong.en
