"""What a hurried person types: accepted where it can be understood, else the reason stands at its field."""

import json
from typing import Any

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from fastapi.exceptions import RequestValidationError
from hypothesis import example, given, settings
from hypothesis.strategies import text
from pydantic import ValidationError

from services.intake.bodies import FeedbackBody, RequestBody, schema
from shared.web import invalid
from tests.intake import samples

CONTACT = samples.body()["contact"]


def parsed(**changes: Any) -> RequestBody:
    return RequestBody.model_validate_json(json.dumps(samples.body(**changes)))


@pytest.mark.parametrize(
    ("changes", "field", "kept"),
    [
        ({"municipality_ags": " 08 117 042 "}, "municipality_ags", "08117042"),
        ({"need": "  " + "Ä" * 20 + "\r\nZeile\t2  "}, "need", "Ä" * 20 + "\nZeile\t2"),
        ({"need": "A\u0308" * 20}, "need", "Ä" * 20),
        ({"languages": ["DE", "uk"]}, "languages", ["de", "uk"]),
    ],
)
def test_harmless_differences_are_evened_out(changes: dict[str, Any], field: str, kept: object) -> None:
    assert getattr(parsed(**changes), field) == kept


@pytest.mark.parametrize(
    ("phone", "kept"),
    [
        ("07161 650-0", "+4971616500"),
        ("(07161) 650 0", "+4971616500"),
        ("+49 7161 6500", "+4971616500"),
        ("0049 7161 6500", "+4971616500"),
        ("+33 1 42 68 53 00", "+33142685300"),
        (None, None),
    ],
)
def test_a_phone_number_is_kept_in_international_form(phone: str | None, kept: str | None) -> None:
    assert parsed(contact={**CONTACT, "phone": phone}).contact.phone == kept


@settings(max_examples=300, deadline=None)
@example("49", "30508 15063")
@example("49", "/40392")
@example("32", "9-0123456789")
@given(text("0123456789", min_size=1, max_size=3), text("0123456789 -/", max_size=18))
def test_a_plain_number_is_what_the_library_makes_of_it(area: str, rest: str) -> None:
    typed = f"0{area}{rest}"
    try:
        number = phonenumbers.parse(typed, "DE")
    except phonenumbers.NumberParseException:
        number = phonenumbers.PhoneNumber()
    valid = phonenumbers.is_valid_number(number)
    said = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if valid else None
    try:
        kept = parsed(contact={**CONTACT, "phone": typed}).contact.phone
    except ValidationError:
        kept = None
    assert kept == said


def test_an_address_with_umlauts_in_its_domain_is_kept_as_mail_servers_take_it() -> None:
    assert parsed(contact={**CONTACT, "email": "Erika@Göppingen.example"}).contact.email == (
        "Erika@xn--gppingen-n4a.example"
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"municipality_ags": "8117042"}, "municipality_ags"),
        ({"municipality_ags": "٠٨١١٧٠٤٢"}, "municipality_ags"),
        ({"municipality_ags": None}, "municipality_ags"),
        ({"fields": []}, "fields"),
        ({"fields": ["fair_week", "fair_week"]}, "fields"),
        ({"fields": ["everything"]}, "fields.0"),
        ({"need": "zu kurz"}, "need"),
        ({"need": " " * 40}, "need"),
        ({"need": "x" * 4001}, "need"),
        ({"need": "Bitte helfen Sie uns\x00 schnell"}, "need"),
        ({"need": "Bitte helfen Sie uns \u202eschnell"}, "need"),
        ({"contact": {**CONTACT, "name": "Erika\nBcc: alle@example.org"}}, "contact.name"),
        ({"contact": {**CONTACT, "name": "  "}}, "contact.name"),
        ({"contact": {**CONTACT, "name": "123"}}, "contact.name"),
        ({"contact": {**CONTACT, "email": "erika@rathaus"}}, "contact.email"),
        ({"contact": {**CONTACT, "email": "erika at rathaus.de"}}, "contact.email"),
        ({"contact": {**CONTACT, "email": "erika@localhost"}}, "contact.email"),
        ({"contact": {**CONTACT, "phone": "0123"}}, "contact.phone"),
        ({"contact": {**CONTACT, "phone": "ruft an"}}, "contact.phone"),
        ({"languages": []}, "languages"),
        ({"languages": ["deutsch"]}, "languages.0"),
        ({"languages": ["zz"]}, "languages.0"),
        ({"languages": ["de", "DE"]}, "languages"),
        ({"mode": "zoom"}, "mode"),
        ({"wanted_from": "28.02.2027"}, "wanted_from"),
        ({"wanted_from": 1800000000}, "wanted_from"),
        ({"wanted_from": "2027-02-30"}, "wanted_from"),
        ({"tandem": "ja"}, "tandem"),
        ({"consent": {"privacy_notice": False, "version": "1"}}, "consent.privacy_notice"),
        ({"consent": {"privacy_notice": "true", "version": "1"}}, "consent.privacy_notice"),
        ({"correspondence": "fr"}, "correspondence"),
        ({"channel": "fax"}, "channel"),
        ({"origin": "Syrien"}, "origin"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_in_both_languages(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as raised:
        parsed(**changes)
    found = invalid(RequestValidationError([{**e, "loc": ("body", *e["loc"])} for e in raised.value.errors()]))
    assert [entry.field for entry in found.fields] == [field]
    assert found.fields[0].de
    assert found.fields[0].en


def test_defaults_are_the_usual_case() -> None:
    given = samples.body()
    for optional in ("languages", "mode", "tandem", "channel"):
        del given[optional]
    body = RequestBody.model_validate(given | {"wanted_from": samples.NOW.date()}, strict=False)
    assert (body.languages, body.mode, body.tandem, body.channel, body.correspondence) == (
        ["de"],
        "either",
        "either",
        "api",
        "de",
    )


def test_feedback_is_measured_too() -> None:
    good = {"satisfaction": 5, "would_recommend": True, "options_taken_up": 0}
    assert FeedbackBody.model_validate(good | {"comment": "  "}).feedback(samples.NOW).comment is None
    for wrong in ({"satisfaction": 6}, {"satisfaction": True}, {"options_taken_up": -1}, {"comment": "x" * 2001}):
        with pytest.raises(ValidationError):
            FeedbackBody.model_validate(good | wrong)


def test_the_described_schema_stands_on_its_own() -> None:
    described = schema(RequestBody)
    assert "$ref" not in str(described)
    assert "$defs" not in described
    assert described["properties"]["contact"]["properties"]["email"]["maxLength"] == 254
    assert described["properties"]["fields"]["items"]["enum"][0] == "fair_week"


@pytest.mark.parametrize(
    "address",
    [
        "a@b.de",
        "A.b-c_d@Gemeinde.example",
        "a@münchen.example",
        "ä@gemeinde.example",
        "a..b@gemeinde.example",
        ".a@gemeinde.example",
        '"a b"@gemeinde.example',
        "a@@gemeinde.example",
        "a@gemeinde.example.",
        "a@gemeinde.test",
        "a@[127.0.0.1]",
        "a@-x.example",
        "@gemeinde.example",
        "a" * 64 + "@gemeinde.example",
        "a" * 65 + "@gemeinde.example",
        "a@" + "x" * 64 + ".example",
        "a" * 60 + "@" + ".".join(["y" * 60] * 3) + ".example",
    ],
)
def test_an_address_is_judged_as_the_library_judges_it(address: str) -> None:
    """Domains are judged once and remembered; the outcome must be the same."""
    try:
        found = validate_email(address, check_deliverability=False, allow_smtputf8=False)
        expected = found.ascii_email or found.normalized
    except EmailNotValidError:
        expected = None
    for _ in range(2):
        try:
            taken = parsed(contact={**CONTACT, "email": address}).contact.email
        except ValidationError:
            taken = None
        assert taken == expected
