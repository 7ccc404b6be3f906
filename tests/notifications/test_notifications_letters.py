"""What the mails say, in both languages, and that nobody can break out of a name."""

import re
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from typing import Any

import pytest
from icalendar import Calendar

from services.notifications import mail, sample
from services.notifications.calls import TEMPLATES
from services.notifications.domain import BARRIER, PROOF, RESUME, Contact, Language, Message, Resend
from services.notifications.letters import Letter, Letters
from services.notifications.settings import Settings
from services.notifications.smtp import Refused
from shared.auth import sign
from tests.notifications import facts

SECRET = "only-for-tests-0123456789-0123456789"
FROM = "MiGlobe-Beratung <beratung@miglobe.example>"
EVERY = [(name, to, language) for name, audiences in TEMPLATES.items() for to in audiences for language in ("de", "en")]


@pytest.fixture
def letters() -> Letters:
    return Letters(
        Settings(secret=SECRET, intake_url="https://intake.example", matching_url="https://matching.example/")
    )


def written(letters: Letters, template: str, language: Language = "de", to: Any = None, **municipality: Any) -> Letter:
    contacts = sample.contacts(language)
    key = next(key for key in contacts if key.startswith("request:"))
    contacts[key] = replace(contacts[key], **municipality)
    return letters.write(sample.message(template, to), sample.case(), contacts)


def mailed(letters: Letters, message: Message, contacts: dict[str, Contact]) -> EmailMessage:
    letter = letters.write(message, sample.case(), contacts)
    built = mail.build(message, letter, contacts, FROM, facts.NOW)
    return message_from_bytes(built.as_bytes(policy=SMTP), policy=default)


@pytest.mark.parametrize(("name", "to", "language"), EVERY)
def test_every_template_is_complete(letters: Letters, name: str, to: Any, language: Language) -> None:
    letter = written(letters, name, language, to)
    for text in (letter.subject, letter.text, letter.html):
        assert not re.search(r"\{\{|\{%|None|undefined", text)
    for text in (letter.text, letter.html) if name not in (RESUME, BARRIER, PROOF) else ():
        assert "DEMO-0001" in text
        assert "Musterstadt" in text
        assert ("Guten Tag" if language == "de" else "Dear") in text
        about = "Koordination" if name == "example_answered" else "Amina Beispiel"
        assert ("Erika Musterfrau" if to == "municipality" else about) in text
    assert "\n\n\n" not in letter.text
    assert f'<html lang="{language}">' in letter.html
    assert len(letter.subject) < 100


@pytest.mark.parametrize(("name", "to", "language"), EVERY)
def test_html_loads_nothing_and_links_where_the_text_does(
    letters: Letters, name: str, to: Any, language: Language
) -> None:
    letter = written(letters, name, language, to)
    assert not re.search(r"<(img|script|link|iframe)|url\(|@import", letter.html)
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="(https?:[^"]+)"', letter.html)}
    assert links == set(re.findall(r"https?://\S+", letter.text))


@pytest.mark.parametrize(
    ("name", "language", "expected"),
    [
        ("receipt", "de", ["eingegangen", "Ihre Fallnummer: DEMO-0001", "kostenlos"]),
        ("receipt", "en", ["have received", "Your case number: DEMO-0001", "free of charge"]),
        (
            "assignment",
            "de",
            [
                "Faire Woche",
                "vor Ort oder online",
                "ab 1. Dezember 2026",
                "bis: Montag, 9. November 2026",
                "Federführung",
            ],
        ),
        (
            "assignment",
            "en",
            ["Fair Week", "on site or online", "1 December 2026", "by: Monday, 9 November 2026", "Your role: lead"],
        ),
        ("introduction", "de", ["Amina Beispiel (Federführung)\namina@beratung.example", "Jo Muster (Co-Beratung)"]),
        ("introduction", "en", ["Amina Beispiel (lead)\namina@beratung.example", "Jo Muster (co-advisor)"]),
        (
            "engagement_started",
            "de",
            [
                "Erika Musterfrau, Stabsstelle Integration\nerika.musterfrau@musterstadt.example\n+4971100000",
                "Jo Muster",
            ],
        ),
        ("engagement_started", "en", ["Erika Musterfrau, Stabsstelle Integration", "+4971100000", "Jo Muster"]),
        ("session_invite", "de", ["Erstgespräch, vor Ort\nDienstag, 17. November 2026, 10:30 bis 12:00 Uhr"]),
        ("session_invite", "en", ["First talk, on site\nTuesday, 17 November 2026, 10:30 to 12:00"]),
        ("session_update", "de", ["hat sich geändert"]),
        ("session_update", "en", ["has changed"]),
        ("session_cancelled", "de", ["findet nicht statt"]),
        ("session_cancelled", "en", ["will not take place"]),
        ("parked", "de", ["leider länger", "Sie müssen nichts tun"]),
        ("parked", "en", ["take longer", "nothing you need to do"]),
        ("withdrawn", "de", ["zurückgezogen"]),
        ("withdrawn", "en", ["withdrawn"]),
        ("withdrawn_advisor", "de", ["zurückgezogen", "Vielen Dank für Ihre"]),
        ("withdrawn_advisor", "en", ["withdrawn", "Thank you"]),
        ("superseded", "de", ["anders vergeben"]),
        ("superseded", "en", ["given to\nothers"]),
        ("proof_due", "de", ["Zwischennachweis für 2025 ist am Mittwoch, 2. Dezember 2026", "/reporting/periods"]),
        ("proof_due", "en", ["interim proof for 2025 is due on Wednesday, 2 December 2026", "/reporting/periods"]),
        ("thanks", "de", ["Vielen Dank", "/feedback?token="]),
        ("thanks", "en", ["Thank you", "/feedback?token="]),
    ],
)
def test_each_letter_says_what_its_reader_needs(
    letters: Letters, name: str, language: Language, expected: list[str]
) -> None:
    letter = written(letters, name, language)
    for text in expected:
        assert text in letter.text


def test_links_are_signed_for_their_purpose_only(letters: Letters) -> None:
    request_id = sample.case().request_id
    assert (
        f"https://intake.example/requests/{request_id}?token={sign(SECRET, 'status', request_id)}"
        in written(letters, "receipt").text
    )
    assignment_id = sample.message("assignment").context["assignment_id"]
    token = sign(SECRET, "answer", assignment_id, "A01")
    link = f"https://matching.example/assignments/{assignment_id}/answer?advisor=A01&token={token}"
    text = written(letters, "assignment").text
    assert f"{link}&answer=accepted" in text
    assert f"{link}&answer=declined" in text


def test_a_single_advisor_is_not_called_a_tandem(letters: Letters) -> None:
    contacts = facts.contacts("A01")
    alone = facts.case(facts.created(), facts.assigned("A01"))
    context = {"assignment_id": facts.ROUND[1], "respond_by": "2026-11-09", "role": "lead"}
    message = replace(sample.message("assignment"), request_id=facts.REQUEST, context=context)
    assert "Tandem" not in letters.write(message, alone, contacts).text
    introduction = replace(sample.message("introduction"), request_id=facts.REQUEST, context=context)
    assert "Berta Beispiel A01\na01@beratung.example" in letters.write(introduction, alone, contacts).text


def test_hostile_names_stay_text_in_html_and_one_line_in_text(letters: Letters) -> None:
    hostile = '<script>alert("x")</script>\r\nBcc: all@example.org'
    letter = written(letters, "engagement_started", name=hostile, municipality=hostile, office=hostile)
    assert "<script" not in letter.html
    assert "&lt;script&gt;" in letter.html
    assert "\nBcc:" not in letter.text
    assert "\n" not in letter.subject


def test_hostile_names_cannot_begin_a_header(letters: Letters) -> None:
    hostile = "Eve\r\nBcc: all@example.org\n\nBody"
    contacts = {
        key: replace(contact, name=hostile, municipality=hostile) for key, contact in sample.contacts("de").items()
    }
    for template in ("receipt", "session_invite"):
        found = mailed(letters, sample.message(template), contacts)
        assert found["Bcc"] is None
        assert found["To"].addresses[0].addr_spec == "erika.musterfrau@musterstadt.example"


@pytest.mark.parametrize("email", ["", "x", "a@b@c", "a b@example.org", "a@example.org\nBcc: c@d", "a@b>,<c@d"])
def test_an_address_that_is_none_is_refused(letters: Letters, email: str) -> None:
    contacts = {key: replace(contact, email=email) for key, contact in sample.contacts("de").items()}
    with pytest.raises(Refused) as refused:
        mailed(letters, sample.message("receipt"), contacts)
    assert refused.value.reason == "bad_address"


def test_the_headers_of_a_mail(letters: Letters) -> None:
    message = sample.message("receipt")
    found = mailed(letters, message, sample.contacts("en"))
    assert found["From"] == FROM
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["Message-ID"] == f"<{message.id}.0@miglobe.example>"
    assert found["References"] == found["In-Reply-To"] == f"<case.{message.request_id}@miglobe.example>"
    assert found["Content-Language"] == "en"
    assert [part.get_content_type() for part in found.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    resent = replace(message, resends=(Resend(facts.NOW, "operator"),))
    assert mailed(letters, resent, sample.contacts("en"))["Message-ID"] == f"<{message.id}.1@miglobe.example>"


def calendar_of(found: EmailMessage) -> tuple[Calendar, str]:
    [part] = [part for part in found.walk() if part.get_content_type() == "text/calendar"]
    text = part.get_content()
    assert isinstance(text, str)
    return Calendar.from_ical(text), str(part.get_param("method"))


def event_people(event: Any) -> list[str]:
    return [str(person) for person in event["ATTENDEE"]]


@pytest.mark.parametrize(
    ("template", "method", "sequence", "status"),
    [
        ("session_invite", "REQUEST", 0, "CONFIRMED"),
        ("session_update", "REQUEST", 1, "CONFIRMED"),
        ("session_cancelled", "CANCEL", 2, "CANCELLED"),
    ],
)
def test_a_session_comes_with_its_calendar_entry(
    letters: Letters, template: str, method: str, sequence: int, status: str
) -> None:
    message = sample.message(template)
    found = mailed(letters, message, sample.contacts("de"))
    calendar, in_header = calendar_of(found)
    [event] = calendar.walk("VEVENT")
    assert in_header == calendar["METHOD"] == method
    assert event["UID"] == message.context["session_id"]
    assert event["SEQUENCE"] == sequence
    assert event["STATUS"] == status
    assert event.decoded("dtstart").isoformat() == "2026-11-17T09:30:00+00:00"
    assert event.decoded("dtend").isoformat() == "2026-11-17T11:00:00+00:00"
    assert event_people(event) == [
        "mailto:erika.musterfrau@musterstadt.example",
        "mailto:amina@beratung.example",
        "mailto:jo@beratung.example",
    ]
    assert str(event["ORGANIZER"]) == "mailto:beratung@miglobe.example"
    [attached] = list(found.iter_attachments())
    assert attached.get_filename() == "miglobe.ics"


def test_a_session_told_in_local_time_is_entered_in_utc(letters: Letters) -> None:
    message = sample.message("session_invite")
    message = replace(message, context={**message.context, "starts_at": "2026-11-17T10:30:00+01:00"})
    assert "DTSTART:20261117T093000Z" in str(calendar_of(mailed(letters, message, sample.contacts("de")))[0].to_ical())


def test_who_left_a_session_gets_a_cancellation_for_themselves_alone(letters: Letters) -> None:
    message = sample.message("session_cancelled", "advisor")
    message = replace(message, context={**message.context, "advisor_ids": ["A01"], "left": True})
    found = mailed(letters, message, sample.contacts("de"))
    [event] = calendar_of(found)[0].walk("VEVENT")
    assert str(event["ATTENDEE"]) == "mailto:amina@beratung.example"
    text = found.get_body(("plain",))
    assert text is not None
    assert "nehmen Sie nicht mehr teil" in text.get_content()


def test_an_erased_advisor_is_left_out(letters: Letters) -> None:
    contacts = sample.contacts("de")
    contacts["advisor:A02"] = Contact("advisor:A02", 2, "", erased=True)
    found = mailed(letters, sample.message("session_invite"), contacts)
    [event] = calendar_of(found)[0].walk("VEVENT")
    assert len(event_people(event)) == 2
    text = found.get_body(("plain",))
    assert text is not None
    assert "Beratung: Amina Beispiel\r\n" in text.get_content()
    assert "Jo Muster" not in letters.write(sample.message("introduction"), sample.case(), contacts).text
