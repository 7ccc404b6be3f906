"""Webhooks: who is to be told of each line or fact as it comes, and how far they are.

A webhook's place is the last item that its receiver has taken; items go out one after the other, signed after Standard
Webhooks. Secrets are not stored: they are derived from the installation's secret, the webhook and its generation. After
a rotation messages bear both signatures for a day.
"""

import base64
import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from pymongo import ReturnDocument
from standardwebhooks import Webhook as Signer

from shared.errors import Conflict, NotFound
from shared.ids import new_id
from shared.mongo import Document, Mongo

WEBHOOKS, DELIVERIES = "webhooks", "webhook_deliveries"
Of = Literal["entries", "facts"]
BOTH = timedelta(days=1)
"""How long after a rotation the old secret signs too."""
LOGGED = timedelta(days=30)
MOST = 50
"""Webhooks of an installation."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """`position`: cursor of the last item taken; `failing_since`: of the first failure since anything was taken."""

    id: str
    url: str
    of: Of
    position: int
    generation: int
    rotated_at: datetime | None
    state: Literal["active", "disabled"]
    created_by: str
    created_at: datetime
    attempts: int
    failing_since: datetime | None
    next_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Allowed:
    """Where webhooks may go: by https to `hosts` (host or host:port) the operator names; `loopback` to try them."""

    hosts: frozenset[str]
    loopback: bool

    def permits(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return False
        if not parts.hostname or "@" in parts.netloc or parts.fragment:
            return False
        if self.loopback and parts.scheme in ("http", "https") and _is_loopback(parts.hostname):
            return True
        named = parts.hostname if port in (None, 443) else f"{parts.hostname}:{port}"
        return parts.scheme == "https" and named in self.hosts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def secret(installation: str, webhook_id: str, generation: int) -> str:
    """What the receiver checks signatures with, as Standard Webhooks write it."""
    key = hmac.new(f"webhook:{installation}".encode(), f"{webhook_id}:{generation}".encode(), hashlib.sha256).digest()
    return f"whsec_{base64.b64encode(key).decode()}"


def headers(installation: str, hook: Webhook, item_id: str, body: str, now: datetime) -> dict[str, str]:
    """The signed headers of one message; while a rotation is fresh with both signatures."""
    generations = [hook.generation]
    if hook.rotated_at is not None and now - hook.rotated_at < BOTH:
        generations.append(hook.generation - 1)
    signers = (Signer(secret(installation, hook.id, generation)) for generation in generations)
    return {
        "content-type": "application/json",
        "webhook-id": item_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signer.sign(item_id, now, body) for signer in signers),
    }


class Webhooks:
    """All webhooks and the log of their deliveries. What is due is decided by the database's clock."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def prepare(self) -> None:
        seconds = int(LOGGED.total_seconds())
        await self._mongo.index(DELIVERIES, "at", name="kept", expireAfterSeconds=seconds)
        await self._mongo.index(DELIVERIES, [("webhook", 1), ("_id", -1)], name="webhook")

    async def all(self) -> list[Webhook]:
        return [_read(document) for document in await self._mongo.settled(WEBHOOKS).find().sort("_id", 1).to_list(None)]

    async def get(self, webhook_id: str) -> Webhook:
        """Raises NotFound."""
        found = await self._mongo.settled(WEBHOOKS).find_one({"_id": webhook_id})
        if found is None:
            raise _unknown()
        return _read(found)

    async def new(self, url: str, of: Of, position: int, by: str) -> Document:
        """The document of a new webhook. Raises Conflict when there are too many."""
        if await self._mongo[WEBHOOKS].count_documents({}) >= MOST:
            raise Conflict(f"Es gibt schon {MOST} Webhooks.", f"There are {MOST} webhooks already.")
        made = {"_id": new_id(), "url": url, "of": of, "position": position, "generation": 1, "rotated_at": None}
        return made | {"state": "active", "created_by": by, "created_at": datetime.now(UTC), **_UNTROUBLED}

    async def remove(self, webhook_id: str) -> None:
        if not (await self._mongo[WEBHOOKS].delete_one({"_id": webhook_id})).deleted_count:
            raise _unknown()

    async def rotate(self, webhook_id: str) -> Webhook:
        """A new secret from now on; the old one still signs for a day."""
        return await self._change(webhook_id, {"$inc": {"generation": 1}, "$set": {"rotated_at": datetime.now(UTC)}})

    async def enable(self, webhook_id: str) -> Webhook:
        """Goes on where it stopped, at once."""
        return await self._change(webhook_id, {"$set": {"state": "active", **_UNTROUBLED}})

    async def due(self) -> list[Webhook]:
        """Those that may be tried now."""
        reached = {"$lte": [{"$ifNull": ["$next_at", "$$NOW"]}, "$$NOW"]}
        found = await self._mongo[WEBHOOKS].find({"state": "active", "$expr": reached}).to_list(None)
        return [_read(document) for document in found]

    async def failing(self) -> int:
        """Active ones whose receiver does not take what is due, and disabled ones."""
        return await self._mongo[WEBHOOKS].count_documents(
            {"$or": [{"state": "disabled"}, {"failing_since": {"$ne": None}}]}
        )

    async def taken(self, hook: Webhook, position: int) -> None:
        """The receiver has taken the items up to `position`."""
        known = {"_id": hook.id, "position": hook.position}
        await self._mongo[WEBHOOKS].update_one(known, {"$set": {"position": position, **_UNTROUBLED}})

    async def refused(self, hook: Webhook, error: str, pause: timedelta, give_up: timedelta, *, gone: bool) -> Webhook:
        """To be tried again after `pause`; disabled when `gone`, or when that has gone on for longer than `give_up`."""
        since = {"$ifNull": ["$failing_since", "$$NOW"]}
        over = {"$gte": [{"$subtract": ["$$NOW", since]}, int(give_up.total_seconds() * 1000)]}
        update: dict[str, Any] = {
            "attempts": {"$add": ["$attempts", 1]},
            "failing_since": since,
            "next_at": {"$add": ["$$NOW", int(pause.total_seconds() * 1000)]},
            "last_error": {"$literal": error[:300]},
            "state": {"$cond": [{"$or": [gone, over]}, "disabled", "$state"]},
        }
        return await self._change(hook.id, [{"$set": update}])

    async def log(self, hook: Webhook, item_id: str, status: int | None, error: str | None, ms: int) -> None:
        line = {"_id": new_id(), "webhook": hook.id, "item": item_id, "attempt": hook.attempts + 1}
        said = {"at": datetime.now(UTC), "status": status, "error": error, "ms": ms}
        await self._mongo[DELIVERIES].insert_one(line | said)

    async def deliveries(self, webhook_id: str, before: str | None, limit: int) -> list[Document]:
        """The log, the last one first."""
        fits: Document = {"webhook": webhook_id} | ({"_id": {"$lt": before}} if before else {})
        return await self._mongo[DELIVERIES].find(fits).sort("_id", -1).limit(limit).to_list(None)

    async def _change(self, webhook_id: str, update: Any) -> Webhook:
        found = await self._mongo[WEBHOOKS].find_one_and_update(
            {"_id": webhook_id}, update, return_document=ReturnDocument.AFTER
        )
        if found is None:
            raise _unknown()
        return _read(found)


_UNTROUBLED: Document = {"attempts": 0, "failing_since": None, "next_at": None, "last_error": None}


def _unknown() -> NotFound:
    return NotFound("Diesen Webhook gibt es nicht.", "There is no such webhook.")


def _read(document: Document) -> Webhook:
    return Webhook(id=document["_id"], **{name: value for name, value in document.items() if name != "_id"})
