"""What becomes of a case's messages at each new fact: added, released, dropped.

Pure. The plan is made anew each time: what the facts call for beyond the messages that are there is added,
what waits is looked at again, and what would only confuse by now is dropped.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.notifications import domain
from services.notifications.calls import calls_for
from services.notifications.case import Case, members
from services.notifications.domain import Contact, Message, dropped, queued
from shared.events import AdvisorAnswered, AdvisorAssigned, SessionScheduled

SECOND_THOUGHTS = timedelta(minutes=2)
"""How long "no longer needed" is held back: the answer that makes it pointless may be on another topic still."""


def settle(
    case: Case, messages: Sequence[Message], contacts: Mapping[str, Contact], now: datetime, silent_after: timedelta
) -> list[Message]:
    """What must be stored: new messages, and those that now go out, wait for something else, or are dropped."""
    changed = {
        message.id: after
        for message in messages
        if message.is_open() and not message.is_claimed()
        if (after := _ready(case, message, contacts, now)) is not message
    }
    there = {message.id: changed.get(message.id, message) for message in messages}
    for wanted in calls_for(case):
        if wanted.id in there or is_moot(case, wanted) or _overtaken(case, wanted) or _untold(case, wanted, there):
            continue
        if now - wanted.happened_at > silent_after:
            changed[wanted.id] = dropped(wanted, "too_old")
        else:
            changed[wanted.id] = _ready(case, wanted, contacts, now)
        there[wanted.id] = changed[wanted.id]
    return list(changed.values())


def released(message: Message, key: str, now: datetime) -> Message:
    """`message` once the contact `key` has arrived: queued, unless it waits for more."""
    missing = tuple(piece for piece in message.waiting_for if piece != key)
    if missing:
        return replace(message, version=message.version + 1, waiting_for=missing)
    return queued(message, _due(message, now), now)


def pieces(case: Case, message: Message) -> set[str]:
    """What must be known before it can be written: contacts by their key, facts by their topic."""
    if message.template == domain.RESUME:
        return {message.contact}
    found = {message.contact}
    if message.template not in (domain.BARRIER, domain.PROOF):
        found.add(f"request:{message.request_id}")
    advisors: Iterable[str] = message.context.get("advisor_ids", ())
    if message.template in ("assignment", "reminder") and case.created is None:
        found.add("request.created")
    if message.template in ("introduction", "engagement_started", "reminder"):
        assignment_id = message.context["assignment_id"]
        assignment = case.assignment(assignment_id)
        if assignment is None:
            found.add(f"advisor.assigned:{assignment_id}")
        elif message.template != "reminder":
            advisors = [seat.advisor_id for seat in assignment.members]
    return found | {f"advisor:{advisor_id}" for advisor_id in advisors}


def is_moot(case: Case, message: Message) -> bool:
    """True when it would only confuse: what it asks or tells no longer holds."""
    withdrawn = case.is_withdrawn
    current = case.current
    match message.template:
        case domain.RESUME:
            return case.created is not None
        case "assignment":
            answer = case.answer(message.context["assignment_id"], message.advisor_id)
            replaced = current is not None and current.assignment_id != message.context["assignment_id"]
            closed = case.is_closed
            return withdrawn or (answer is None and (replaced or closed)) or answer in ("declined", "expired")
        case "reminder":
            answer = case.answer(message.context["assignment_id"], message.advisor_id)
            replaced = current is not None and current.assignment_id != message.context["assignment_id"]
            return withdrawn or replaced or case.is_closed or answer is not None
        case "step_reminder":
            return withdrawn or case.is_closed or message.advisor_id not in members(current)
        case "escalation" | "hand_over":
            since = any(fact.assigned_at > message.happened_at for _, fact in case.of(AdvisorAssigned))
            return withdrawn or case.is_closed or since
        case "delayed":
            return withdrawn or case.is_closed or (current is not None and case.has_begun(current.assignment_id))
        case "handed_over":
            return withdrawn or message.advisor_id in members(current)
        case "introduction" | "engagement_started":
            return withdrawn or (current is not None and current.assignment_id != message.context["assignment_id"])
        case "superseded":
            answer = case.answer(message.context["assignment_id"], message.advisor_id)
            asked_again = message.advisor_id in members(current) and not case.is_closed
            begun = case.has_begun(message.context["assignment_id"])
            return withdrawn or answer in ("declined", "expired") or asked_again or begun
        case "withdrawn_advisor":
            if current is None or message.advisor_id not in members(current):
                return True
            return case.answer(current.assignment_id, message.advisor_id) in ("declined", "expired")
        case "parked":
            helped = any(fact.assigned_at > message.happened_at for _, fact in case.of(AdvisorAssigned))
            return withdrawn or helped or case.is_closed
        case "example_consent" | "example_published":
            stands = case.example.status if case.example else None
            return stands != {"example_consent": "asked", "example_published": "published"}[message.template]
        case "session_invite" | "session_update":
            return withdrawn
    return False


def is_erased(message: Message, contacts: Mapping[str, Contact]) -> bool:
    """True when there is nobody to write to, or no municipality to write about. Others who were erased are left out."""
    return any(key in contacts and contacts[key].erased for key in (message.contact, f"request:{message.request_id}"))


def _ready(case: Case, message: Message, contacts: Mapping[str, Contact], now: datetime) -> Message:
    """`message` itself when nothing changes; else queued, waiting for what is missing now, or dropped."""
    if is_moot(case, message):
        return dropped(message, "superseded")
    needed = pieces(case, message)
    if is_erased(message, contacts):
        return dropped(message, "erased")
    missing = tuple(sorted(needed - contacts.keys()))
    if missing:
        if message.state == "waiting" and message.waiting_for == missing:
            return message
        return replace(message, version=message.version + 1, state="waiting", waiting_for=missing)
    if message.state == "queued":
        return message
    return queued(message, _due(message, now), now)


def _due(message: Message, now: datetime) -> datetime:
    return now + SECOND_THOUGHTS if message.template == "superseded" else now


def _overtaken(case: Case, wanted: Message) -> bool:
    """A session's change that arrives after a later one says nothing any more."""
    session_id = wanted.context.get("session_id")
    return session_id is not None and any(
        fact.session_id == session_id and fact.sequence > wanted.context["sequence"]
        for _, fact in case.of(SessionScheduled)
    )


def _untold(case: Case, wanted: Message, there: Mapping[str, Message]) -> bool:
    """Nobody takes back a question that was never asked."""
    if wanted.template not in ("withdrawn_advisor", "superseded"):
        return False
    if any(fact.advisor_id == wanted.advisor_id and fact.answer == "accepted" for _, fact in case.of(AdvisorAnswered)):
        return False
    return not any(
        message.template == "assignment"
        and message.advisor_id == wanted.advisor_id
        and (message.state in ("sent", "failed") or message.is_claimed())
        for message in there.values()
    )
