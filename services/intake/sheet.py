"""A request as its author reads it, part by part: on the last page of the form, and on the copy to keep. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from babel import Locale

from services.intake import forms, words
from services.intake.bodies import languages
from services.intake.domain import Request
from services.intake.drafts import Entries
from services.intake.forms import CONTACT, HOW, WHAT, WHO, Step, one
from services.intake.search import fold
from services.intake.words import Pair, pick
from shared.register import Municipality

_NOTHING: Pair = ("keine Angabe", "not given")
_SOON: Pair = ("so bald wie möglich", "as soon as possible")


@dataclass(frozen=True, slots=True)
class Row:
    """`values`: one paragraph or point each; `typed`: in the words of a person, with their line breaks."""

    label: str
    values: tuple[str, ...]
    typed: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    step: Step
    title: str
    rows: tuple[Row, ...]


def place(entry: Municipality, language: str) -> str:
    """A municipality so that no other is meant, such as `Salach (Landkreis Göppingen), 08117042`."""
    if entry.kind in ("rural_district", "urban_district") or entry.district_name == entry.name:
        return f"{entry.name}, {entry.ags}"
    district = f"Landkreis {entry.district_name}" if language == "de" else f"rural district of {entry.district_name}"
    return f"{entry.name} ({district}), {entry.ags}"


def tongue(code: str, language: str) -> str:
    """The name of an ISO 639-1 language, or its code where there is none."""
    return str(Locale.parse(language).languages.get(code, code))


def other_tongues(known: Sequence[str], language: str) -> list[tuple[str, str]]:
    """All further languages by their names."""
    names = Locale.parse(language).languages
    others = [(code, str(names[code])) for code in languages() if code not in known and code in names]
    return sorted(others, key=lambda each: fold(each[1]))


def of_draft(entries: Entries, entry: Municipality | None, language: str) -> list[Part]:
    """What was typed so far."""
    municipality = place(entry, language) if entry else one(entries, "municipality")
    day = forms.wanted(entries, date.min)
    when = pick(_SOON, language) if day == date.min.isoformat() else _day(day, language)
    return _parts(entries, municipality, forms.tongues(entries), when, language)


def of_request(request: Request, municipality: str, language: str) -> list[Part]:
    """What was sent; without need and contact once they are erased."""
    entries: dict[str, tuple[str, ...]] = {
        "fields": tuple(request.fields),
        "mode": (request.mode,),
        "tandem": (request.tandem,),
        "correspondence": (request.correspondence,),
    }
    if request.dossier:
        contact = request.dossier.contact
        told = {"need": request.dossier.need, "name": contact.name, "email": contact.email}
        told |= {"office": contact.office or "", "phone": contact.phone or ""}
        entries |= {name: (text,) for name, text in told.items() if text}
    day = words.day(request.wanted_from, language)
    return _parts(entries, municipality, request.languages, day, language)


def _parts(entries: Entries, municipality: str, tongues: Sequence[str], wanted: str, language: str) -> list[Part]:
    def row(label: Pair, *values: str, typed: bool = False) -> Row:
        return Row(pick(label, language), tuple(filter(None, values)) or (pick(_NOTHING, language),), typed)

    def coded(label: Pair, known: dict[str, Pair], codes: Sequence[str]) -> Row:
        return row(label, *(pick(known[code], language) for code in codes if code in known))

    fields = {code.value: pair for code, pair in words.FIELDS.items()}
    modes = {code.value: pair for code, pair in words.MODES.items()}
    tandems = {code.value: pair for code, pair in words.TANDEMS.items()}
    rows = {
        WHO: (row(("Kommune", "Municipality"), municipality),),
        WHAT: (
            coded(("Themen", "Topics"), fields, entries.get("fields", ())),
            row(("Situation und Bedarf", "Situation and need"), one(entries, "need"), typed=True),
        ),
        HOW: (
            coded(("Form", "Form"), modes, entries.get("mode", ())),
            row(("Sprachen", "Languages"), ", ".join(tongue(code, language) for code in tongues)),
            row(("Ab wann", "From when"), wanted),
            coded(("Wie viele beraten", "How many advise"), tandems, entries.get("tandem", ())),
        ),
        CONTACT: (
            row(("Name", "Name"), one(entries, "name"), typed=True),
            row(("Amt oder Stelle", "Office"), one(entries, "office"), typed=True),
            row(("E-Mail", "E-mail"), one(entries, "email"), typed=True),
            row(("Telefon", "Telephone"), one(entries, "phone"), typed=True),
            coded(("Sprache unserer Mails", "Language of our mails"), words.CORRESPONDENCE, [_mails(entries)]),
        ),
    }
    return [Part(step, pick(step.title, language), found) for step, found in rows.items()]


def _mails(entries: Entries) -> str:
    return one(entries, "correspondence") or "de"


def _day(text: str, language: str) -> str:
    try:
        return words.day(date.fromisoformat(text), language)
    except ValueError:
        return ""
