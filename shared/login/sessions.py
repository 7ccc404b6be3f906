"""Sessions, and forms whose session had ended, in the service's own database.

Times are those of the database's clock, so that it matters to none which process looks. An id is known here by its
hash only; what a session needs of the provider, and what somebody had typed, is sealed with the id itself: a copy of
the database opens nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from pymongo.errors import DuplicateKeyError

from shared.access import Role
from shared.auth import Person
from shared.login.sealing import digest, new_secret, seal, unseal
from shared.mongo import Mongo

SESSIONS = "web_sessions"
KEPT = "kept_forms"
KEPT_MINUTES = 30
_TOUCH_SECONDS = 30


@dataclass(frozen=True)
class Session:
    """`left`: seconds until it ends unless it is used; `final`: until it ends in any case."""

    id: str
    person: Person
    left: int
    final: int


@dataclass(frozen=True)
class Kept:
    """A form that was sent too late: where it was to go, whose it was (a tag), what was in it."""

    path: str
    account: str
    fields: tuple[tuple[str, str], ...]


class Sessions:
    def __init__(self, mongo: Mongo, idle_seconds: float, longest_seconds: float) -> None:
        self._mongo = mongo
        self._idle = int(idle_seconds)
        self._longest = int(longest_seconds)

    async def prepare(self) -> None:
        """The database forgets them itself. Repeatable."""
        for collection in (SESSIONS, KEPT):
            await self._mongo.index(collection, "expires_at", expireAfterSeconds=0)

    async def begin(self, person: Person, id_token: str) -> str:
        """A new session; returns its id."""
        session_id = new_secret()
        told = {
            "account": person.account,
            "name": person.name,
            "roles": list(person.roles),
            "advisor_id": person.advisor_id,
            "id_token": seal(session_id, "id-token", id_token),
        }
        await self._insert(SESSIONS, session_id, told, min(self._idle, self._longest), ends_at=self._longest)
        return session_id

    async def find(self, session_id: str, *, use: bool = True) -> Session | None:
        """The session while it lasts; `use` prolongs it."""
        found = await self._mongo[SESSIONS].find_one(
            _living(session_id),
            {
                "account": 1,
                "name": 1,
                "roles": 1,
                "advisor_id": 1,
                "left": {"$subtract": ["$expires_at", "$$NOW"]},
                "final": {"$subtract": ["$ends_at", "$$NOW"]},
            },
        )
        if found is None:
            return None
        left, final = found["left"] // 1000, found["final"] // 1000
        fresh = min(self._idle, final)
        if use and fresh - left > min(_TOUCH_SECONDS, self._idle // 4):
            await self._mongo[SESSIONS].update_one(
                _living(session_id),
                [{"$set": {"expires_at": {"$min": [_in(self._idle), "$ends_at"]}}}],
            )
            left = fresh
        roles = cast("tuple[Role, ...]", tuple(found["roles"]))
        return Session(session_id, Person(found["account"], found["name"], roles, found["advisor_id"]), left, final)

    async def end(self, session_id: str) -> str | None:
        """Ends it here; returns the ID token that the provider wants to see at its own end."""
        found = await self._mongo[SESSIONS].find_one_and_delete({"_id": digest(session_id)})
        return unseal(session_id, "id-token", found["id_token"]) if found else None

    async def keep(self, form: Kept) -> str:
        """Keeps a form for half an hour; returns the key to it."""
        key = new_secret()
        sealed = seal(key, "form", {"path": form.path, "account": form.account, "fields": form.fields})
        await self._insert(KEPT, key, {"sealed": sealed}, KEPT_MINUTES * 60)
        return key

    async def kept(self, key: str) -> Kept | None:
        found = await self._mongo[KEPT].find_one(_living(key), {"sealed": 1})
        form = unseal(key, "form", found["sealed"]) if found else None
        if form is None:
            return None
        return Kept(form["path"], form["account"], tuple((name, value) for name, value in form["fields"]))

    async def drop(self, key: str) -> None:
        await self._mongo[KEPT].delete_one({"_id": digest(key)})

    async def _insert(
        self, collection: str, secret: str, told: Mapping[str, Any], seconds: int, **more_times: int
    ) -> None:
        times = {"expires_at": _in(seconds)} | {name: _in(value) for name, value in more_times.items()}
        values = {name: {"$literal": value} for name, value in told.items()}
        done = await self._mongo[collection].update_one(
            {"_id": digest(secret)}, [{"$set": values | times}], upsert=True
        )
        if done.matched_count:  # 256 random bits
            raise DuplicateKeyError(f"{collection}: an id was drawn twice")


def _living(secret: str) -> dict[str, Any]:
    return {"_id": digest(secret), "$expr": {"$gt": ["$expires_at", "$$NOW"]}}


def _in(seconds: int) -> dict[str, Any]:
    return {"$add": ["$$NOW", seconds * 1000]}
