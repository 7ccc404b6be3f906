"""Every query of notifications; documents ↔ domain."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from pymongo import ReturnDocument

from services.notifications.case import Case, CaseFact, Noted
from services.notifications.domain import RESUME, Contact, Message
from shared.commit import Change, Committer, Insert, Replace, Write
from shared.events import BY_TOPIC, NotificationFailed, NotificationSent, RequestCreated
from shared.mongo import Document, Mongo

CASES, CONTACTS, MESSAGES = "cases", "contacts", "messages"

_message = TypeAdapter(Message)
_contact = TypeAdapter(Contact)
_fact: TypeAdapter[CaseFact] = TypeAdapter(CaseFact)


class Store:
    """`queued` is set whenever this process has stored a message that may go out."""

    def __init__(self, mongo: Mongo, commits: Committer) -> None:
        self._mongo = mongo
        self._commits = commits
        self.queued = asyncio.Event()

    async def prepare(self) -> None:
        """Indexes; can be run again."""
        for name in ("request_id", "advisor_id", "state", "template"):
            await self._mongo.index(MESSAGES, [(name, 1), ("_id", 1)], name=name)
        await self._mongo.index(CASES, "facts.body.case_number", name="case_number", sparse=True)
        await self._mongo.index(MESSAGES, [("due_at", 1)], name="due", partialFilterExpression={"state": "queued"})
        await self._mongo.index(
            MESSAGES, [("waiting_for", 1)], name="waiting_for", partialFilterExpression={"state": "waiting"}
        )

    async def case(self, request_id: str) -> Case:
        """The case as it stands; one of version 0 when nothing is known yet."""
        found = await self._mongo[CASES].find_one({"_id": request_id})
        return _to_case(found) if found else Case(request_id)

    async def messages(self, request_id: str) -> list[Message]:
        """All messages of a case."""
        return [_to_message(found) async for found in self._mongo[MESSAGES].find({"request_id": request_id})]

    async def message(self, message_id: str) -> Message | None:
        """As it is for good: whether it was sent, no election may undo."""
        found = await self._mongo.settled(MESSAGES).find_one({"_id": message_id})
        return _to_message(found) if found else None

    async def contacts(self, keys: Collection[str]) -> dict[str, Contact]:
        """Those of `keys` that are known, erased ones included."""
        found = self._mongo[CONTACTS].find({"_id": {"$in": list(keys)}})
        return {document["_id"]: _to_contact(document) async for document in found}

    async def contact(self, key: str) -> Contact | None:
        return (await self.contacts([key])).get(key)

    async def waiting_for(self, key: str, limit: int) -> list[Message]:
        """Messages that wait for this contact."""
        found = self._mongo[MESSAGES].find({"state": "waiting", "waiting_for": key}).limit(limit)
        return [_to_message(document) async for document in found]

    async def arrived(self) -> list[str]:
        """Contacts that are there although messages still wait for them: stored at the same moment as those."""
        awaited = await self._mongo[MESSAGES].distinct("waiting_for", {"state": "waiting"})
        found = self._mongo[CONTACTS].find({"_id": {"$in": awaited}}, {"_id": 1})
        return [document["_id"] async for document in found]

    async def page(self, filters: Mapping[str, str], after: str | None, limit: int) -> list[Message]:
        """Messages in the order of what they are about; `filters` by field, `after` is the last id seen."""
        query: dict[str, Any] = dict(filters)
        if after is not None:
            query["_id"] = {"$gt": after}
        found = self._mongo[MESSAGES].find(query).sort("_id", 1).limit(limit)
        return [_to_message(document) async for document in found]

    async def newest(self, filters: Mapping[str, Any], before: str | None, limit: int) -> list[Message]:
        """Messages, what happened last first; `before` is the last id seen."""
        query: dict[str, Any] = dict(filters)
        if before is not None:
            query["_id"] = {"$lt": before}
        found = self._mongo[MESSAGES].find(query).sort("_id", -1).limit(limit)
        return [_to_message(document) async for document in found]

    async def requests_of(self, case_number: str) -> list[str]:
        """The ids of the requests with this number: one, or none."""
        found = self._mongo[CASES].find({"facts.body.case_number": case_number}, {"_id": 1}).limit(10)
        return [document["_id"] async for document in found]

    async def case_numbers(self, request_ids: Collection[str]) -> dict[str, str]:
        """The numbers of those requests that are known."""
        created = {"facts": {"$elemMatch": {"topic": RequestCreated.topic}}}
        found = self._mongo[CASES].find({"_id": {"$in": list(request_ids)}}, created)
        return {one["_id"]: one["facts"][0]["body"]["case_number"] async for one in found if one.get("facts")}

    async def save(
        self,
        *,
        case: Case | None = None,
        messages: Sequence[Message] = (),
        contact: Contact | None = None,
        events: "tuple[NotificationSent | NotificationFailed, ...]" = (),
        cause: Insert | None = None,
    ) -> None:
        """All of it or nothing, each against the version before. Raises Stale, Duplicate or Unavailable."""
        writes: list[Write] = []
        if case is not None:
            writes.append(Replace(CASES, _from_case(case), was=case.version - 1))
        if contact is not None:
            writes.append(Replace(CONTACTS, _from_contact(contact), was=contact.version - 1))
        writes += [Replace(MESSAGES, _from_message(message), was=message.version - 1) for message in messages]
        version = messages[0].version if messages else 0
        await self._commits.commit(Change(tuple(writes), events, version, cause))
        if any(message.state == "queued" for message in messages):
            self.queued.set()

    async def claim(self, holder: str, now: datetime, lease: timedelta, longest: timedelta) -> Message | None:
        """The longest due message, for `holder` alone as long as `lease`, by the server's clock; counts as an attempt.

        Nothing is put off by more than `longest`: what is due later was queued while our clock was ahead.
        """
        due = [{"due_at": {"$lte": now}}, {"due_at": {"$gt": now + longest}}]
        free = {"$lte": [{"$ifNull": ["$sending_until", 0]}, "$$NOW"]}
        claimed = {
            "sending_until": {"$add": ["$$NOW", int(lease.total_seconds() * 1000)]},
            "sending_by": {"$literal": holder},
            "version": {"$add": ["$version", 1]},
            "attempts": {"$add": ["$attempts", 1]},
        }
        found = await self._mongo[MESSAGES].find_one_and_update(
            {"state": "queued", "$or": due, "$expr": free},
            [{"$set": claimed}],
            sort=[("due_at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return _to_message(found) if found else None

    async def give_back(self, holder: str, but: Collection[str] = ()) -> None:
        """What `holder` has claimed and not sent is free again, except the messages `but`."""
        await self._mongo[MESSAGES].update_many(
            {"state": "queued", "sending_by": holder, "_id": {"$nin": list(but)}},
            {"$set": {"sending_until": None, "sending_by": None}, "$inc": {"version": 1}},
        )

    async def forget(self, key: str) -> None:
        """Empties what messages hold of this contact, and drops those to them and about their request."""
        kind, _, subject = key.partition(":")
        about, to_them = {
            "advisor": ({"advisor_id": subject}, {"advisor_id": subject}),
            "request": ({"request_id": subject}, {"request_id": subject, "recipient": "municipality"}),
            "draft": ({"request_id": subject, "template": RESUME},) * 2,
        }[kind]
        messages = self._mongo[MESSAGES]
        drop: Document = {
            "state": "dropped",
            "reason": "erased",
            "waiting_for": [],
            "sending_until": None,
            "sending_by": None,
        }
        step = {"version": 1}
        open_ones = {**about, "state": {"$in": ["waiting", "queued"]}}
        await messages.update_many(open_ones, {"$set": drop, "$inc": step})
        await messages.update_many(
            {**to_them, "$or": [{"address": {"$ne": None}}, {"last_error": {"$ne": None}}]},
            {"$set": {"address": None, "last_error": None}, "$inc": step},
        )


def _from_case(case: Case) -> Document:
    facts = [
        {
            "event_id": noted.event_id,
            "at": noted.at,
            "topic": noted.fact.topic,
            "body": noted.fact.model_dump(mode="json"),
        }
        for noted in case.facts
    ]
    return {"_id": case.request_id, "version": case.version, "facts": facts}


def _to_case(document: Document) -> Case:
    return Case(document["_id"], document["version"], tuple(_to_facts(document["facts"])))


def _to_facts(documents: Iterable[Document]) -> Iterable[Noted]:
    for document in documents:
        fact = _fact.validate_python(BY_TOPIC[document["topic"]].model_validate(document["body"]))
        yield Noted(document["event_id"], document["at"], fact)


def _from_message(message: Message) -> Document:
    document: Document = _message.dump_python(message)
    document["_id"] = document.pop("id")
    return document


def _to_message(document: Document) -> Message:
    return _message.validate_python({**document, "id": document["_id"]})


def _from_contact(contact: Contact) -> Document:
    document: Document = _contact.dump_python(contact)
    document["_id"] = document.pop("key")
    return document


def _to_contact(document: Document) -> Contact:
    return _contact.validate_python({**document, "key": document["_id"]})
