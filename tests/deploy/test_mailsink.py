"""The mail sink keeps what it is given, whatever that is."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from deploy.local.stack import Stack


@pytest.fixture
def smtp(stack: Stack) -> Iterator[smtplib.SMTP]:
    """A connection to the sink."""
    with smtplib.SMTP("127.0.0.1", urlsplit(stack.smtp).port or 0, timeout=20) as client:
        yield client


@pytest.fixture
def web(stack: Stack) -> Iterator[httpx.Client]:
    """The sink's pages."""
    with httpx.Client(base_url=stack.urls["mail"], trust_env=False) as client:
        yield client


def mail(subject: str, **headers: str) -> EmailMessage:
    """A mail with text, HTML and an attachment."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Amt <amt@town.example>", "b@example.org", subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Grüße: https://example.org/accept?x=1")
    message.add_alternative("<h1>Grüße</h1><script>alert(1)</script>", subtype="html")
    message.add_attachment(b"BEGIN:VCALENDAR", maintype="text", subtype="calendar", filename='termin "1".ics')
    return message


def listed(web: httpx.Client, subject: str) -> list[dict[str, Any]]:
    """The mails of this subject."""
    return [mail for mail in web.get("/api/mails").json() if mail["subject"] == subject]


def test_a_mail_is_kept_as_a_file_and_listed(smtp: smtplib.SMTP, web: httpx.Client, stack: Stack) -> None:
    smtp.send_message(mail("kept", Message_ID="<kept@example.org>", Date="Mon, 02 Nov 2026 10:00:00 +0100"))
    [found] = listed(web, "kept")
    assert found["message_id"] == "<kept@example.org>"
    assert (found["from"], found["to"]) == ("Amt <amt@town.example>", "b@example.org")
    assert (found["recipients"], found["copy"]) == (["b@example.org"], 1)
    assert found["date"].startswith("Mon, 02 Nov 2026")
    raw = (stack.mail_dir / found["file"]).read_bytes()
    assert web.get(f"/api/mails/{found['file']}").content == raw
    assert b"X-Envelope-To: b@example.org" in raw


def test_a_mail_delivered_again_is_kept_and_counted(smtp: smtplib.SMTP, web: httpx.Client) -> None:
    for _ in range(3):
        smtp.send_message(mail("again", Message_ID="<again@example.org>"))
    found = listed(web, "again")
    assert [one["copy"] for one in found] == [1, 2, 3]
    assert [one["file"] for one in found] == sorted(one["file"] for one in found)
    assert "delivered again, 3." in web.get("/").text


def test_a_mail_can_be_read_safely(smtp: smtplib.SMTP, web: httpx.Client) -> None:
    smtp.send_message(mail("<script>alert(2)</script>"))
    [found] = listed(web, "<script>alert(2)</script>")
    page = web.get(f"/mails/{found['file']}")
    assert "<script" not in page.text
    assert '<a href="https://example.org/accept?x=1"' in page.text
    assert '<iframe title="The mail&#39;s HTML part"' in page.text or "<iframe" in page.text
    assert "sandbox=" in page.text
    html = web.get(f"/mails/{found['file']}/html")
    assert "<h1>Grüße</h1>" in html.text
    assert "default-src 'none'" in html.headers["content-security-policy"]
    assert "sandbox" in html.headers["content-security-policy"]
    assert "allow-scripts" not in html.headers["content-security-policy"]
    attachment = web.get(f"/mails/{found['file']}/attachments/0")
    assert attachment.content.startswith(b"BEGIN:VCALENDAR")
    assert attachment.headers["content-disposition"] == "attachment"
    assert web.get(f"/mails/{found['file']}/attachments/1").status_code == 404


@pytest.mark.parametrize(("domain", "code"), [("refuse.example", 550), ("later.example", 451)])
def test_domains_that_refuse(smtp: smtplib.SMTP, web: httpx.Client, domain: str, code: int) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        smtp.sendmail("a@example.org", [f"x@{domain}"], b"Subject: refused\r\n\r\n")
    assert refused.value.recipients[f"x@{domain}"][0] == code
    left = smtp.sendmail("a@example.org", ["ok@example.org", f"x@{domain.upper()}"], b"Subject: in part\r\n\r\n")
    assert left[f"x@{domain.upper()}"][0] == code
    assert listed(web, "in part")[-1]["recipients"] == ["ok@example.org"]
    assert listed(web, "refused") == []


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe" * 100,
        b"Subject: =?utf-8?q?=FF=FF?=\r\nFrom: \xe4\xf6<<>>@\r\nTo: ;;,,@@\r\nDate: never\r\n\r\nx",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/html; charset=nonsense\r\n\r\n<b>",
        b"Content-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!",
        b"Message-ID: <[broken\r\nSubject: a\r\n b\r\n" + b"X-Long: " + b"y" * 900 + b"\r\n\r\n.\r\n..",
    ],
)
def test_whatever_arrives_can_be_listed_and_shown(smtp: smtplib.SMTP, web: httpx.Client, raw: bytes) -> None:
    smtp.sendmail("a@example.org", ["b@example.org"], raw)
    last = web.get("/api/mails").json()[-1]["file"]
    for path in ("/", f"/mails/{last}", f"/mails/{last}/html", f"/api/mails/{last}"):
        assert web.get(path).status_code == 200, path


def test_a_mail_that_is_too_large_is_refused(smtp: smtplib.SMTP, web: httpx.Client) -> None:
    with pytest.raises(smtplib.SMTPResponseException) as refused:
        smtp.sendmail("a@example.org", ["b@example.org"], b"Subject: large\r\n\r\n" + (b"x" * 70 + b"\r\n") * 360_000)
    assert refused.value.smtp_code == 552
    assert web.get("/livez").status_code == 200


@pytest.mark.parametrize("name", ["nothing.eml", "..%2Fsecret", "%2e%2e%2frun%2flock", f"{0:014}T{0:012}Z.eml"])
def test_only_mails_are_shown(web: httpx.Client, name: str) -> None:
    assert web.get(f"/mails/{name}").status_code == 404
    assert web.get(f"/api/mails/{name}").status_code == 404
