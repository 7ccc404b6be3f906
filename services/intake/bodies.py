"""What callers send, checked: everything about its form; what the register and the calendar say, domain.py checks."""

import re
import unicodedata
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Annotated, Any

import phonenumbers
from babel import Locale
from email_validator import EmailNotValidError, validate_email
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.intake import domain
from shared import web
from shared.events.base import FieldCode, Mode, Tandem, moment

_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and line feed, and those that turn the direction of writing around."""
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_PLAIN_PHONE, _NO_DIGIT = re.compile(r"0[1-9][0-9 /-]{2,20}[0-9]"), re.compile(r"[^0-9]")
_BREAKS = re.compile(r"[\n\t\u2028\u2029]")


def _text(value: str) -> str:
    """Composed (NFC), lines ended by a line feed. Refuses characters that steer instead of showing."""
    if value.isprintable():  # nothing that ends a line, nothing that steers
        return value if value.isascii() else unicodedata.normalize("NFC", value)
    value = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))
    if _STEERING.search(value):
        raise ValueError("Bitte ohne Steuerzeichen.", "Control characters are not allowed.")
    return value


def _line(value: str) -> str:
    """One line of text with at least one letter: it goes into mails' headers."""
    value = _text(value)
    if _BREAKS.search(value):
        raise ValueError("Bitte in einer Zeile.", "One line only, please.")
    if not any(character.isalpha() for character in value):
        raise ValueError("Bitte in Worten.", "Words, please.")
    return value


def _email(value: str) -> str:
    local, _, domain = value.rpartition("@")
    try:
        if value.isascii() and len(value) <= 254 and len(local) <= 64 and _PLAIN_LOCAL.fullmatch(local):
            return f"{local}@{_domain(domain)}"  # the library would say the same of it, each time anew
        found = validate_email(value, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise ValueError("Das ist keine gültige E-Mail-Adresse.", f"Not a valid e-mail address: {error}") from None
    return found.ascii_email or found.normalized


@lru_cache(maxsize=10_000)
def _domain(name: str) -> str:
    """`name` as e-mail goes to it, in ASCII. Raises EmailNotValidError."""
    found = validate_email(f"x@{name}", check_deliverability=False, allow_smtputf8=False)
    return found.ascii_domain or found.domain


def _phone(value: str) -> str:
    wrong = ValueError(
        "Das ist keine gültige Telefonnummer; international bitte mit + und Ländervorwahl.",
        "Not a valid telephone number; outside Germany with + and the country's code.",
    )
    if _PLAIN_PHONE.fullmatch(value):  # what the library would make of it, in a tenth of the time
        national = _NO_DIGIT.sub("", value)[1:]
        (lengths, general), *kinds = _german()
        fits = len(national) in lengths and general.fullmatch(national)
        if fits and any(len(national) in lengths and kind.fullmatch(national) for lengths, kind in kinds):
            return f"+49{national}"
        raise wrong
    try:
        number = phonenumbers.parse(value, "DE")
    except phonenumbers.NumberParseException:
        raise wrong from None
    if not phonenumbers.is_valid_number(number):
        raise wrong
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@cache
def _german() -> tuple[tuple[frozenset[int], re.Pattern[str]], ...]:
    """Lengths and form of all German numbers and of each kind, from the library's own tables."""
    table: Any = phonenumbers.PhoneMetadata.metadata_for_region("DE")
    kinds = (table.fixed_line, table.mobile, table.toll_free, table.shared_cost, table.premium_rate)
    more = (table.personal_number, table.voip, table.pager, table.uan, table.voicemail)
    there = [kind for kind in (table.general_desc, *kinds, *more) if kind and kind.national_number_pattern]
    return tuple((frozenset(kind.possible_length), re.compile(kind.national_number_pattern)) for kind in there)


@cache
def languages() -> frozenset[str]:
    """The ISO 639-1 codes, which are CLDR's codes of two letters."""
    return frozenset(code for code in map(str, Locale("en").languages) if len(code) == 2)


def _language(value: str) -> str:
    if (code := value.lower()) not in languages():
        raise ValueError(f"{value} ist kein Sprachkürzel nach ISO 639-1.", f"{value} is no ISO 639-1 code.")
    return code


def _distinct(values: list[Any]) -> list[Any]:
    if len(set(values)) < len(values):
        raise ValueError("Bitte jede Angabe nur einmal.", "Each entry once only.")
    return values


def _agreed(value: bool) -> bool:
    if not value:
        raise ValueError(
            "Ohne Zustimmung zur Datenschutzerklärung können wir die Anfrage nicht annehmen.",
            "We can't take the request without consent to the privacy notice.",
        )
    return value


def _ags(value: str) -> str:
    digits = "".join(value.split())
    if not (digits.isascii() and digits.isdecimal() and len(digits) in (5, 8)):
        raise ValueError(
            "Der amtliche Schlüssel hat 8 Ziffern, der eines Landkreises 5, etwa 08117042.",
            "The official key has 8 digits, a rural district's 5, such as 08117042.",
        )
    return digits


Ags = Annotated[
    str,
    AfterValidator(_ags),
    Field(
        max_length=20,
        description="official key: 8 digits of a municipality, 5 of a rural district",
        json_schema_extra={"pattern": "^[0-9]{5}([0-9]{3})?$", "examples": ["08117042"]},
    ),
]
Need = Annotated[str, StringConstraints(min_length=20, max_length=4000), AfterValidator(_text)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=120), AfterValidator(_line)]
Email = Annotated[
    str, StringConstraints(max_length=254), AfterValidator(_email), Field(examples=["rathaus@stadt.example"])
]
Phone = Annotated[str, StringConstraints(max_length=40), AfterValidator(_phone), Field(description="kept as E.164")]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2}$"), AfterValidator(_language)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, str_strip_whitespace=True)


class ContactBody(Body):
    name: Line
    email: Email
    phone: Phone | None = None
    office: Line | None = None


class ConsentBody(Body):
    privacy_notice: Annotated[bool, AfterValidator(_agreed)] = Field(
        description="must be true", json_schema_extra={"const": True}
    )
    version: str = Field(pattern=r"^[A-Za-z0-9._-]{1,40}$", description="of the privacy notice that was shown")


class RequestBody(Body):
    """A municipality's request for advice."""

    municipality_ags: Ags
    fields: Annotated[list[FieldCode], AfterValidator(_distinct)] = Field(
        min_length=1, max_length=7, json_schema_extra={"uniqueItems": True}
    )
    need: Need = Field(description="the situation and what is needed, in own words")
    contact: ContactBody
    languages: Annotated[list[Language], AfterValidator(_distinct)] = Field(
        default=["de"], min_length=1, max_length=20, description="ISO 639-1", json_schema_extra={"uniqueItems": True}
    )
    mode: Mode = Mode.EITHER
    wanted_from: date = Field(description="today at the earliest, in two years at the latest")
    tandem: Tandem = Tandem.EITHER
    correspondence: domain.Correspondence = Field(default="de", description="language of mails")
    consent: ConsentBody
    channel: domain.Channel = "api"

    def wish(self) -> domain.Wish:
        contact = domain.Contact(self.contact.name, self.contact.email, self.contact.phone, self.contact.office)
        return domain.Wish(
            municipality_ags=self.municipality_ags,
            fields=tuple(self.fields),
            dossier=domain.Dossier(contact, self.need),
            languages=tuple(self.languages),
            mode=self.mode,
            wanted_from=self.wanted_from,
            tandem=self.tandem,
            correspondence=self.correspondence,
            consent_version=self.consent.version,
            channel=self.channel,
        )


class WithdrawBody(Body):
    reason: domain.Reason = "unspecified"


class FeedbackBody(Body):
    satisfaction: int = Field(ge=1, le=5, description="1 not at all … 5 very satisfied")
    would_recommend: bool
    options_taken_up: int = Field(ge=0, le=1000, description="options for action taken up so far")
    comment: Annotated[str, StringConstraints(max_length=2000), AfterValidator(_text)] | None = None

    def feedback(self, now: datetime) -> domain.Feedback:
        return domain.Feedback(
            self.satisfaction, self.would_recommend, self.options_taken_up, self.comment or None, moment(now)
        )


async def request_body(request: Request) -> RequestBody:
    """The body validated straight from its bytes: the hot path. Raises Malformed or Invalid."""
    try:
        return RequestBody.model_validate_json(await request.body())
    except ValidationError as error:
        found = [{**item, "loc": ("body", *item["loc"])} for item in error.errors(include_url=False)]
        raise web.invalid(RequestValidationError(found)) from None


def schema(model: type[BaseModel]) -> dict[str, Any]:
    """`model`'s JSON schema without references, to stand in OpenAPI where FastAPI doesn't see the model."""
    described = model.model_json_schema()
    definitions: dict[str, Any] = described.pop("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            target = definitions.get(str(node.get("$ref", "")).rpartition("/")[2], {})
            return {key: resolve(value) for key, value in {**target, **node}.items() if key != "$ref"}
        return [resolve(item) for item in node] if isinstance(node, list) else node

    resolved: dict[str, Any] = resolve(described)
    return resolved
