"""A mail taken apart for reading."""

import contextlib
from dataclasses import dataclass
from email.message import EmailMessage

from deploy.local.mailsink.store import header, parse


@dataclass(frozen=True)
class Attachment:
    """Also parts that are shown neither as text nor as HTML, such as a calendar invite."""

    name: str
    kind: str
    content: bytes


@dataclass(frozen=True)
class Letter:
    """headers: name and value, in the mail's order. text, html: "" where the mail has none."""

    headers: list[tuple[str, str]]
    subject: str
    text: str
    html: str
    attachments: list[Attachment]


def read(raw: bytes) -> Letter:
    """Take a mail apart; one that can't be is shown as the text that it is."""
    message = parse(raw)
    try:
        text, html, attachments = _parts(message)
    except Exception:  # malformed mails raise errors of every kind, and showing them is what we are for
        text, html, attachments = raw.decode("utf-8", "replace"), "", []
    headers = [(name, header(message, name)) for name in dict.fromkeys(message.keys())]
    return Letter(headers, header(message, "Subject"), text, html, attachments)


def _parts(message: EmailMessage) -> tuple[str, str, list[Attachment]]:
    texts: dict[str, str] = {}
    attachments = []
    for part in message.walk():
        if part.is_multipart():
            continue
        kind = part.get_content_type()
        if kind in ("text/plain", "text/html") and kind not in texts and not part.get_filename():
            texts[kind] = _text(part)
        else:
            content = part.get_payload(decode=True)
            name = part.get_filename() or kind
            attachments.append(Attachment(name, kind, content if isinstance(content, bytes) else b""))
    return texts.get("text/plain", ""), texts.get("text/html", ""), attachments


def _text(part: EmailMessage) -> str:
    content = part.get_payload(decode=True)
    raw = content if isinstance(content, bytes) else b""
    with contextlib.suppress(LookupError):  # a charset that nobody knows
        return raw.decode(part.get_content_charset("utf-8"), "replace")
    return raw.decode("utf-8", "replace")
