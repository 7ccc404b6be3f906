"""The mail as it goes to the server: a letter with its headers, and a session's calendar entry."""

from collections.abc import Mapping
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from services.notifications import invite
from services.notifications.domain import Contact, Message
from services.notifications.letters import Letter, one_line
from services.notifications.smtp import Refused


def build(
    message: Message, letter: Letter, contacts: Mapping[str, Contact], mail_from: str, now: datetime
) -> EmailMessage:
    """Raises Refused when the recipient's address is none.

    The Message-ID is the message's own, so that a repetition after a crash is known by it; only `resend`
    makes a new one.
    """
    name, sender = parseaddr(mail_from)
    domain = sender.rpartition("@")[2]
    contact = contacts[message.contact]
    root = f"<case.{message.request_id}@{domain}>"
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(name, addr_spec=sender)
    mail["To"] = _recipient(contact)
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{message.id}.{len(message.resends)}@{domain}>"
    mail["In-Reply-To"] = root
    mail["References"] = root
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    mail.set_content(letter.text, cte="quoted-printable")
    mail.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    if "session_id" in message.context:
        calendar = invite.build(message, contacts, mail_from, letter.language)
        params = {"method": invite.method(message), "component": "VEVENT"}
        mail.add_alternative(calendar, subtype="calendar", params=params, cte="base64")
        mail.add_attachment(calendar.encode(), maintype="application", subtype="ics", filename="miglobe.ics")
    mail["Content-Language"] = letter.language  # earlier it would move into the first part
    return mail


def _recipient(contact: Contact) -> Address:
    try:
        if contact.email.count("@") != 1:
            raise ValueError(contact.email)
        return Address(one_line(contact.name), addr_spec=contact.email)
    except (ValueError, IndexError, MessageError) as error:
        raise Refused("bad_address", "the address is not of the form name@domain") from error


def address(mail_from: str) -> str:
    """The bare address in `Name <address>`."""
    return parseaddr(mail_from)[1]
