"""One function per event or command: load, decide, save."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any

from services.notifications import calls, domain, plan
from services.notifications.case import Case, CaseFact, noted
from services.notifications.domain import COORDINATORS, Contact, Message, State
from services.notifications.settings import Settings
from services.notifications.store import Store
from shared.commit import Insert
from shared.errors import Conflict, NotFound, Stale
from shared.events import AdvisorDossier, BarrierReported, DraftDossier, ProofReminded, RequestDossier
from shared.telemetry import Trace, current

AT_ONCE = 200
"""Waiting messages that one dossier releases in its own transaction; the sender's scan releases the rest."""


async def note(store: Store, fact: CaseFact, mark: Insert, now: datetime, silent_after: timedelta) -> None:
    """A fact of a request: kept in its case, with the messages that it calls for."""
    case, messages = await asyncio.gather(store.case(fact.request_id), store.messages(fact.request_id))
    case = case.note(noted(_event_id(mark), fact))
    concerned = [*messages, *calls.calls_for(case)]
    contacts = await store.contacts({key for message in concerned for key in plan.pieces(case, message)})
    changed = plan.settle(case, messages, contacts, now, silent_after)
    trace = current()
    await store.save(case=case, messages=[_traced(message, trace) for message in changed], cause=mark)


async def keep_request(store: Store, dossier: RequestDossier, mark: Insert, now: datetime) -> None:
    """The municipality's contact, and whatever waited for it."""
    contact = Contact(
        key=f"request:{dossier.request_id}",
        version=0,
        event_id=_event_id(mark),
        name=dossier.contact.name,
        email=dossier.contact.email,
        phone=dossier.contact.phone,
        office=dossier.contact.office,
        language=dossier.correspondence,
        case_number=dossier.case_number,
        municipality=dossier.municipality_name,
    )
    await _keep(store, contact, mark, now)


async def keep_advisor(store: Store, dossier: AdvisorDossier, mark: Insert, now: datetime) -> None:
    """An advisor's contact, and whatever waited for it."""
    contact = Contact(
        key=f"advisor:{dossier.advisor_id}",
        version=0,
        event_id=_event_id(mark),
        name=dossier.name,
        email=dossier.email,
        phone=dossier.phone,
        language=dossier.correspondence,
    )
    await _keep(store, contact, mark, now)


async def keep_draft(store: Store, dossier: DraftDossier, mark: Insert, now: datetime, silent_after: timedelta) -> None:
    """Where to mail a draft's link, and the mail."""
    contact = Contact(
        key=f"draft:{dossier.request_id}",
        version=0,
        event_id=_event_id(mark),
        email=dossier.email,
        language=dossier.correspondence,
    )
    old, case = await asyncio.gather(store.contact(contact.key), store.case(dossier.request_id))
    message = domain.resume(dossier, contact.event_id)
    if not domain.is_newer(contact.event_id, old) or plan.is_moot(case, message):
        await store.save(cause=mark)
        return
    late = now - message.happened_at > silent_after
    message = domain.dropped(message, "too_old") if late else domain.queued(message, now, now)
    contact = replace(contact, version=(old.version if old else 0) + 1)
    await store.save(contact=contact, messages=[_traced(message, current())], cause=mark)


async def tell_of_barrier(
    store: Store, fact: BarrierReported, mark: Insert, now: datetime, silent_after: timedelta
) -> None:
    """The mail to the coordinators, whose contact each process keeps before it reads events."""
    await _tell_office(store, domain.about_barrier(fact, _event_id(mark)), mark, now, silent_after)


async def tell_of_proof(
    store: Store, fact: ProofReminded, mark: Insert, now: datetime, silent_after: timedelta
) -> None:
    """The mail to the coordinators that a proof is due."""
    await _tell_office(store, domain.about_proof(fact, _event_id(mark)), mark, now, silent_after)


async def _tell_office(store: Store, message: Message, mark: Insert, now: datetime, silent_after: timedelta) -> None:
    late = now - message.happened_at > silent_after
    message = domain.dropped(message, "too_old") if late else domain.queued(message, now, now)
    await store.save(messages=[_traced(message, current())], cause=mark)


async def keep_coordinators(store: Store, settings: Settings) -> None:
    """The office's contact, as the settings have it now."""
    name, email = parseaddr(settings.mail_coordinators)
    old = await store.contact(COORDINATORS)
    new = Contact(COORDINATORS, 0, "", name=name or email, email=email, language=settings.mail_coordinators_language)
    if old is None or replace(old, version=0) != new:
        with suppress(Stale):  # another process has just begun, too
            await store.save(contact=replace(new, version=(old.version if old else 0) + 1))


async def erase(store: Store, key: str, mark: Insert, now: datetime) -> None:
    """A tombstone: the contact and every address of theirs go, and nobody writes to them any more.

    The contact's trace is stored first, so that no message is released meanwhile; the mark last, so that a
    crash in between begins again.
    """
    old = await store.contact(key)
    if old is None or not old.erased:
        trace = Contact(key, (old.version if old else 0) + 1, old.event_id if old else "", erased=True)
        await store.save(contact=trace)
    await store.forget(key)
    await store.save(messages=await _released(store, key, now), cause=mark)


async def release_arrived(store: Store, now: datetime) -> None:
    """Releases messages that were stored in the very moment in which what they wait for arrived."""
    for key in await store.arrived():
        contact = await store.contact(key)
        if contact is not None and contact.erased:
            await store.forget(key)
        await store.save(messages=await _released(store, key, now))


async def resend(store: Store, message: Message, by: str, now: datetime, cause: Insert | None) -> None:
    """Queues `message` once more, if it stands as loaded. Raises Conflict or Stale."""
    case = await store.case(message.request_id)
    again = domain.resent(message, by, now)
    contacts = await store.contacts(plan.pieces(case, message))
    if plan.is_moot(case, message):
        raise Conflict("Diese Nachricht gilt nicht mehr.", "What this message says no longer holds.")
    if plan.is_erased(message, contacts):
        raise Conflict("Diese Daten wurden gelöscht.", "These data have been erased.")
    await store.save(messages=[again], cause=cause)


async def listed(
    store: Store, case_number: str, state: State | None, before: str | None, limit: int
) -> tuple[list[Message], dict[str, str], dict[str, Contact]]:
    """Messages, the newest first, with their requests' numbers and their advisors' contacts."""
    filters: dict[str, Any] = {"state": state} if state else {}
    if case_number:
        filters["request_id"] = {"$in": await store.requests_of(case_number)}
    messages = await store.newest(filters, before, limit)
    numbers, contacts = await asyncio.gather(
        store.case_numbers({message.request_id for message in messages}),
        store.contacts({message.contact for message in messages if message.advisor_id}),
    )
    return messages, numbers, contacts


async def shown(store: Store, message: Message) -> tuple[Case, dict[str, Contact], bool]:
    """The case of `message`, the contacts that it names, and whether it can be written from what is known."""
    case = await store.case(message.request_id)
    pieces = plan.pieces(case, message)
    contacts = await store.contacts(pieces)
    writable = pieces <= contacts.keys() and not any(contact.erased for contact in contacts.values())
    return case, contacts, writable


async def read(store: Store, message_id: str) -> Message:
    """Raises NotFound."""
    message = await store.message(message_id)
    if message is None:
        raise NotFound("Diese Nachricht gibt es nicht.", "There is no such message.")
    return message


def _traced(message: Message, trace: Trace) -> Message:
    """A new message goes out in the trace of what called for it, whenever that is."""
    if message.version > 1:
        return message
    return replace(message, correlation_id=trace.correlation_id, traceparent=trace.traceparent)


async def _keep(store: Store, contact: Contact, mark: Insert, now: datetime) -> None:
    old = await store.contact(contact.key)
    if not domain.is_newer(contact.event_id, old):
        await store.save(cause=mark)
        return
    contact = replace(contact, version=(old.version if old else 0) + 1)
    await store.save(contact=contact, messages=await _released(store, contact.key, now), cause=mark)


async def _released(store: Store, key: str, now: datetime) -> list[Message]:
    return [plan.released(message, key, now) for message in await store.waiting_for(key, AT_ONCE)]


def _event_id(mark: Insert) -> str:
    return str(mark.document["_id"]["m"])
