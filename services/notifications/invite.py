"""The calendar entry of a session, by RFC 5545 and 5546: stable UID, rising SEQUENCE, REQUEST or CANCEL."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr

from icalendar import Calendar, Event, vCalAddress

from services.notifications import words
from services.notifications.domain import Contact, Language, Message
from services.notifications.letters import one_line
from shared.events.base import Mode, SessionKind


def method(message: Message) -> str:
    return "CANCEL" if message.template == "session_cancelled" else "REQUEST"


def build(message: Message, contacts: Mapping[str, Contact], organizer: str, language: Language) -> str:
    """The text/calendar body, times in UTC. `organizer`: the sender, `Name <address>`."""
    context = message.context
    request = contacts[f"request:{message.request_id}"]
    starts_at = datetime.fromisoformat(context["starts_at"]).astimezone(UTC)
    kind = words.KINDS[SessionKind(context["kind"])][language]
    mode = words.MODES[Mode(context["mode"])][language]
    event = Event()
    event.add("uid", context["session_id"])
    event.add("sequence", context["sequence"])
    event.add("dtstamp", message.happened_at)
    event.add("dtstart", starts_at)
    event.add("dtend", starts_at + timedelta(minutes=context["minutes"]))
    event.add("summary", f"{kind}: {one_line(request.municipality)} ({request.case_number})")
    event.add("description", f"{kind}, {mode}")
    event.add("status", "CANCELLED" if method(message) == "CANCEL" else "CONFIRMED")
    event.add("organizer", _person(*parseaddr(organizer)))
    attendees = [contacts[f"advisor:{advisor_id}"] for advisor_id in context["advisor_ids"]]
    for contact in attendees if context.get("left") else [request, *attendees]:
        if contact.erased:
            continue
        attendee = _person(contact.name, contact.email)
        attendee.params["ROLE"] = "REQ-PARTICIPANT"
        attendee.params["PARTSTAT"] = "NEEDS-ACTION"
        attendee.params["RSVP"] = "FALSE"
        event.add("attendee", attendee, encode=False)
    calendar = Calendar()
    calendar.add("prodid", "-//MiGlobe//notifications//DE")
    calendar.add("version", "2.0")
    calendar.add("method", method(message))
    calendar.add_component(event)
    return bytes(calendar.to_ical()).decode()


def _person(name: str, email: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{one_line(email)}")
    if name:
        person.params["CN"] = one_line(name).replace('"', "'")
    return person
