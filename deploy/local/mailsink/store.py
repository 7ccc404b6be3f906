"""The mails, one .eml file each."""

import email
import email.policy
import itertools
import re
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

_NAME = re.compile(r"\d{8}T\d{12}Z-\d{6}\.eml")


@dataclass(frozen=True)
class Mail:
    """What the list shows.

    file: its name sorts by arrival. copy: 1 for the first mail with its Message-ID, 2 for the next …
    sender, recipients: of the SMTP envelope. sent_to, sender_shown: the To and From headers.
    """

    file: str
    message_id: str
    sender_shown: str
    sent_to: str
    subject: str
    date: str
    recipients: tuple[str, ...]
    received_at: str
    copy: int

    def as_json(self) -> dict[str, Any]:
        """As `GET /api/mails` lists it."""
        fields = asdict(self)
        return {"from": fields.pop("sender_shown"), "to": fields.pop("sent_to"), **fields}


class MailStore:
    """A directory of mails. Several processes may read it, one writes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._number = itertools.count(1)
        self._heads: dict[str, Mail] = {}
        directory.mkdir(parents=True, exist_ok=True)

    def add(self, raw: bytes, sender: str, recipients: list[str]) -> str:
        """Keep a mail with its envelope in front; returns the file's name. Raises: OSError."""
        now = datetime.now(UTC)
        # The number wraps far beyond what arrives within one microsecond.
        name = f"{now:%Y%m%dT%H%M%S%f}Z-{next(self._number) % 1_000_000:06}.eml"
        envelope = f"Return-Path: <{_line(sender)}>\r\nX-Envelope-To: {_line(', '.join(recipients))}\r\n"
        part = self._directory / f"{name}.part"
        part.write_bytes(envelope.encode("utf-8", "replace") + raw)
        part.rename(self._directory / name)
        return name

    def all(self) -> list[Mail]:
        """Every mail, oldest first."""
        seen: Counter[str] = Counter()
        mails = []
        for name in sorted(path.name for path in self._directory.glob("*.eml")):
            mail = self._heads.get(name)
            if mail is None:
                mail = self._heads[name] = self._head(name, seen)
            if mail.message_id:
                seen[mail.message_id] += 1
            mails.append(mail)
        return mails

    def raw(self, name: str) -> bytes | None:
        """A mail as it was received, with its envelope; None if there is none of that name."""
        path = self._directory / name
        return path.read_bytes() if _NAME.fullmatch(name) and path.exists() else None

    def message(self, name: str) -> EmailMessage | None:
        """A mail, parsed."""
        raw = self.raw(name)
        return None if raw is None else parse(raw)

    def _head(self, name: str, seen: Counter[str]) -> Mail:
        message = parse(self.raw(name) or b"")
        message_id = header(message, "Message-ID")
        return Mail(
            file=name,
            message_id=message_id,
            sender_shown=header(message, "From"),
            sent_to=header(message, "To"),
            subject=header(message, "Subject"),
            date=header(message, "Date"),
            recipients=tuple(part.strip() for part in header(message, "X-Envelope-To").split(",") if part.strip()),
            received_at=datetime.strptime(name[:21], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC).isoformat(),
            copy=seen[message_id] + 1 if message_id else 1,
        )


def parse(raw: bytes) -> EmailMessage:
    """Whatever the bytes are, they give a message."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def header(message: EmailMessage, name: str) -> str:
    """A header's value; as written if the parser stumbles over it, "" if there is none."""
    try:
        return str(message.get(name, ""))
    except Exception:  # the parser's exceptions on malformed headers are of every kind
        return next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")


def _line(text: str) -> str:
    return re.sub(r"[\r\n]+", " ", text)
