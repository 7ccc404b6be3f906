"""Advisors as people enter them: by the API or as a line of the CSV. Checked here, plain data after.

CSV: one line per advisor; lists in a cell are parted by spaces.

    id,name,email,phone,correspondence   phone may be empty; correspondence is de or en
    languages,regions                    ISO 639 codes; one to four AGS of 8 or 5 digits
    fair_week … other                    level 0–3 for each of the seven fields, empty is 0
    certified_on,certified_until         YYYY-MM-DD
    capacity                             engagements at once
    absences                             YYYY-MM-DD..YYYY-MM-DD; empty leaves what was announced as it is
    conflicts                            AGS of municipalities or districts that the advisor must not advise
"""

import csv
import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, NamedTuple

import phonenumbers
from fastapi.exceptions import RequestValidationError
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    EmailStr,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from services.matching.domain.model import Absence, Advisor
from shared.errors import FieldError
from shared.events.base import AdvisorId, Ags, FieldCode, Language
from shared.register import Register
from shared.web import invalid


def _reachable(value: str) -> str:
    try:
        number = phonenumbers.parse(value, "DE")
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise ValueError("Das ist keine Telefonnummer.", "This is no telephone number.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _written(value: object) -> object:
    """Numbers would pass as seconds since 1970."""
    if not (isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value)):
        raise ValueError("Bitte ein Datum in der Form JJJJ-MM-TT.", "Please give a date as YYYY-MM-DD.")
    return value


Day = Annotated[date, BeforeValidator(_written)]


class AbsenceEntry(BaseModel):
    """Both days included."""

    model_config = ConfigDict(extra="forbid")

    start: Day
    end: Day

    @model_validator(mode="after")
    def _in_order(self) -> "AbsenceEntry":
        if self.end < self.start:
            raise ValueError("Das Ende liegt vor dem Anfang.", "The end is before the start.")
        return self

    def absence(self) -> Absence:
        return Absence(self.start, self.end)


class AdvisorEntry(BaseModel):
    """Who an advisor is and what they can do. Origin, ethnicity and gender have no place here."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    email: EmailStr
    phone: Annotated[str, StringConstraints(max_length=40), AfterValidator(_reachable)] | None = None
    correspondence: Literal["de", "en"] = "de"
    levels: dict[FieldCode, Annotated[int, Field(ge=0, le=3)]] = Field(
        description="level per field of consultation: 0 none, 1 basic, 2 good, 3 expert"
    )
    languages: list[Language] = Field(min_length=1, max_length=20)
    regions: list[Ags] = Field(min_length=1, max_length=4, description="AGS of 8 or 5 digits")
    certified_on: Day
    certified_until: Day
    capacity: int = Field(ge=0, le=50, description="engagements at once")
    conflicts: list[Ags] = Field(
        default=[], max_length=50, description="must not advise these: own employer, council seat"
    )
    absences: list[AbsenceEntry] | None = Field(
        default=None, max_length=100, description="missing: as announced before"
    )

    @field_validator("levels")
    @classmethod
    def _some_expertise(cls, levels: dict[FieldCode, int]) -> dict[FieldCode, int]:
        if not any(levels.values()):
            raise ValueError(
                "Mindestens ein Feld braucht Stufe 1 oder mehr.", "At least one field needs level 1 or more."
            )
        return levels

    @model_validator(mode="after")
    def _in_order(self) -> "AdvisorEntry":
        if self.certified_until < self.certified_on:
            raise ValueError("Das Zertifikat endet, bevor es beginnt.", "The certificate ends before it begins.")
        return self

    def advisor(self, advisor_id: str, known: Advisor | None) -> Advisor:
        """As the domain has it; absences of `known` stay where none are given."""
        told = None if self.absences is None else tuple(entry.absence() for entry in self.absences)
        absences = told if told is not None else known.absences if known else ()
        return Advisor(
            id=advisor_id,
            name=self.name,
            email=self.email,
            phone=self.phone,
            correspondence=self.correspondence,
            levels={code: self.levels[code] for code in FieldCode if self.levels.get(code)},
            languages=tuple(dict.fromkeys(self.languages)),
            regions=tuple(dict.fromkeys(self.regions)),
            certified_on=self.certified_on,
            certified_until=self.certified_until,
            capacity=self.capacity,
            absences=tuple(sorted(set(absences), key=lambda one: (one.start, one.end))),
            conflicts=tuple(dict.fromkeys(self.conflicts)),
            leaves_on=known.leaves_on if known else None,
            audit=known.audit if known else (),
        )


class NumberedEntry(AdvisorEntry):
    """With the number that the programme gives: A01, A02 …"""

    id: AdvisorId


COLUMNS = (
    *("id", "name", "email", "phone", "correspondence", "languages", "regions"),
    *FieldCode,
    *("certified_on", "certified_until", "capacity", "absences", "conflicts"),
)


def unknown_places(entry: AdvisorEntry, register: Register) -> list[FieldError]:
    """One error per key that is neither a municipality nor a district of the register."""
    return [
        FieldError(
            f"{name}.{position}", "unknown_ags", f"{ags} steht nicht im Verzeichnis.", f"{ags} is not in the register."
        )
        for name in ("regions", "conflicts")
        for position, ags in enumerate(getattr(entry, name))
        if ags not in register.by_ags and ags not in register.districts
    ]


class Wrong(NamedTuple):
    """Why a line of a CSV can't be taken, German and English."""

    de: str
    en: str

    def on(self, number: int, whom: str | None = None) -> "Wrong":
        german = f"Zeile {number}" + (f" ({whom or 'ohne Nummer'})" if whom is not None else "")
        english = f"line {number}" + (f" ({whom or 'no id'})" if whom is not None else "")
        return Wrong(f"{german}: {self.de}", f"{english}: {self.en}")


def read(text: str, register: Register) -> tuple[list[NumberedEntry], list[Wrong]]:
    """The entries of a CSV file, and one message per line that is wrong."""
    reader = csv.DictReader(text.removeprefix("\ufeff").splitlines(), strict=True)
    try:
        given = [name.strip() for name in reader.fieldnames or ()]
        if wrong := _columns(given):
            return [], [wrong.on(1)]
        reader.fieldnames = given
        entries, messages, seen = list[NumberedEntry](), list[Wrong](), dict[str, int]()
        for row in reader:
            number, said = reader.line_num, (row.get("id") or "").strip()
            entry, problems = _line(row, register)
            if entry is not None and entry.id in seen:
                before = seen[entry.id]
                german = f"id: {entry.id} steht schon in Zeile {before}"
                problems.append(Wrong(german, f"id: {entry.id} stands on line {before} already"))
            if entry is not None and not problems:
                seen[entry.id] = number
                entries.append(entry)
            else:
                told = Wrong("; ".join(one.de for one in problems), "; ".join(one.en for one in problems))
                messages.append(told.on(number, said))
    except csv.Error as error:
        return [], [Wrong(f"kein gültiges CSV: {error}", f"no valid CSV: {error}").on(reader.line_num)]
    nobody = Wrong("In der Datei steht niemand.", "there is no advisor in the file").on(2)
    return entries, messages if entries or messages else [nobody]


def _columns(given: list[str]) -> Wrong | None:
    missing = [name for name in COLUMNS if name not in given]
    strange = [name for name in given if name not in COLUMNS]
    if missing and len(given) == 1 and ";" in given[0]:
        german = "Die Spalten sind durch Semikolons getrennt; nötig sind Kommas"
        return Wrong(german, "the columns are parted by semicolons; they must be parted by commas")
    both = (("es fehlt", "missing", missing), ("unbekannt ist", "unknown", strange))
    german = "; ".join(f"{de} {', '.join(names)}" for de, _, names in both if names)
    english = "; ".join(f"{en} {', '.join(names)}" for _, en, names in both if names)
    return Wrong(f"Spalten: {german}", f"columns: {english}") if german else None


def _line(row: Mapping[str | None, object], register: Register) -> tuple[NumberedEntry | None, list[Wrong]]:
    if None in row or None in row.values():
        german = f"sie hat eine andere Zahl von Zellen als die erste Zeile ({len(COLUMNS)})"
        return None, [Wrong(german, f"it has another number of cells than the first line ({len(COLUMNS)})")]
    cells = {str(name): str(cell).strip() for name, cell in row.items()}
    levels = {code: cells.pop(code) or "0" for code in FieldCode}
    wanted: dict[str, object] = {name: cell for name, cell in cells.items() if cell}
    for name in ("languages", "regions", "conflicts"):
        wanted[name] = cells[name].split()
    if cells["absences"]:
        spans = (span.partition("..") for span in cells["absences"].split())
        wanted["absences"] = [{"start": start, "end": end or start} for start, _, end in spans]
    try:
        entry = NumberedEntry.model_validate({**wanted, "levels": levels})
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        return None, [_said(one) for one in invalid(RequestValidationError(found)).fields]
    return entry, [_said(one) for one in unknown_places(entry, register)]


def _said(found: FieldError) -> Wrong:
    where = " ".join(
        part for part in found.field.split(".") if not (part.isdigit() or part in ("body", "levels", "[key]"))
    )
    return Wrong(f"{where or 'Zeile'}: {found.de}", f"{where or 'line'}: {re.sub(r'^Value error, ', '', found.en)}")
