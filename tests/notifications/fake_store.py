"""The store in memory: the same promises, no database."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.notifications.case import Case
from services.notifications.domain import Contact, Message
from services.notifications.store import Store
from shared.commit import Insert
from shared.errors import Duplicate, Stale
from shared.events import NotificationFailed, NotificationSent


class FakeStore(Store):
    def __init__(self) -> None:
        self.queued = asyncio.Event()
        self.all_cases: dict[str, Case] = {}
        self.all_contacts: dict[str, Contact] = {}
        self.all_messages: dict[str, Message] = {}
        self.marks: list[object] = []
        self.events: list[NotificationSent | NotificationFailed] = []

    async def prepare(self) -> None:
        return None

    async def case(self, request_id: str) -> Case:
        return self.all_cases.get(request_id, Case(request_id))

    async def messages(self, request_id: str) -> list[Message]:
        return [message for message in self.all_messages.values() if message.request_id == request_id]

    async def message(self, message_id: str) -> Message | None:
        return self.all_messages.get(message_id)

    async def contacts(self, keys: Collection[str]) -> dict[str, Contact]:
        return {key: self.all_contacts[key] for key in keys if key in self.all_contacts}

    async def waiting_for(self, key: str, limit: int) -> list[Message]:
        return [message for message in self.all_messages.values() if key in message.waiting_for][:limit]

    async def arrived(self) -> list[str]:
        awaited = {key for message in self.all_messages.values() for key in message.waiting_for}
        return [key for key in awaited if key in self.all_contacts]

    async def page(self, filters: Mapping[str, str], after: str | None, limit: int) -> list[Message]:
        found = sorted(self.all_messages.values(), key=lambda message: message.id)
        fitting = [m for m in found if all(getattr(m, name) == value for name, value in filters.items())]
        return [message for message in fitting if after is None or message.id > after][:limit]

    async def save(
        self,
        *,
        case: Case | None = None,
        messages: Sequence[Message] = (),
        contact: Contact | None = None,
        events: tuple[NotificationSent | NotificationFailed, ...] = (),
        cause: Insert | None = None,
    ) -> None:
        if cause is not None and cause.document["_id"] in self.marks:
            raise Duplicate(cause.collection, ("_id",))
        stands = [(case, self.all_cases.get(case.request_id))] if case else []
        stands += [(contact, self.all_contacts.get(contact.key))] if contact else []  # type: ignore[list-item]
        stands += [(message, self.all_messages.get(message.id)) for message in messages]  # type: ignore[misc]
        if any(new.version - 1 != (old.version if old else 0) for new, old in stands):
            raise Stale
        if cause is not None:
            self.marks.append(cause.document["_id"])
        if case:
            self.all_cases[case.request_id] = case
        if contact:
            self.all_contacts[contact.key] = contact
        self.all_messages |= {message.id: message for message in messages}
        self.events += events
        if any(message.state == "queued" for message in messages):
            self.queued.set()

    async def claim(self, holder: str, now: datetime, lease: timedelta, longest: timedelta) -> Message | None:
        own = datetime.now(UTC)
        due = [
            message
            for message in self.all_messages.values()
            if message.state == "queued" and (message.sending_until is None or message.sending_until <= own)
            if message.due_at and not now < message.due_at <= now + longest
        ]
        if not due:
            return None
        first = min(due, key=lambda message: message.due_at or now)
        claimed = replace(
            first,
            version=first.version + 1,
            attempts=first.attempts + 1,
            sending_until=own + lease,
            sending_by=holder,
        )
        self.all_messages[first.id] = claimed
        return claimed

    async def give_back(self, holder: str, but: Collection[str] = ()) -> None:
        for message in list(self.all_messages.values()):
            if message.state == "queued" and message.sending_by == holder and message.id not in but:
                self._put(message, sending_until=None, sending_by=None)

    async def forget(self, key: str) -> None:
        kind, _, subject = key.partition(":")
        for message in list(self.all_messages.values()):
            about = kind == "request" and message.request_id == subject
            theirs = message.contact == key or (about and message.recipient == "municipality")
            if message.is_open() and (theirs or about):
                self._put(
                    message, state="dropped", reason="erased", waiting_for=(), sending_until=None, sending_by=None
                )
            message = self.all_messages[message.id]
            if theirs and (message.address or message.last_error):
                self._put(message, address=None, last_error=None)

    def _put(self, message: Message, **changes: object) -> None:
        self.all_messages[message.id] = replace(message, version=message.version + 1, **changes)  # type: ignore[arg-type]
