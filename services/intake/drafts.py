"""A request that is still being written, kept as it was typed until it is sent or expires. Pure.

A draft has the id of the request that it becomes, and the request's versions go on from the draft's: whatever is
told under this key keeps its order, and a draft can't be sent twice.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.intake.domain import Channel, Correspondence
from shared.errors import FieldError, Invalid, TooMany
from shared.events import DraftDossier
from shared.events.base import moment
from shared.outbox import Tombstone

Entries = Mapping[str, tuple[str, ...]]
"""What was typed or chosen, by the field's name; empty fields are left out."""

MOST_CHARACTERS = 40_000
MOST_MAILS = 5


@dataclass(frozen=True, slots=True)
class Life:
    """How long a draft is kept after its last change: one that nobody asked to keep, and one that somebody did."""

    unsaved: timedelta
    saved: timedelta
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Draft:
    """`mails`: how many with its link were asked for. After sending only the trace is left."""

    id: str
    version: int
    channel: Channel
    until: datetime
    entries: Entries
    saved: bool = False
    mails: int = 0
    sent: bool = False


def begin(draft_id: str, channel: Channel, life: Life, now: datetime) -> Draft:
    """An empty draft, not stored yet."""
    return Draft(draft_id, 0, channel, moment(now + life.unsaved), {})


def is_fresh(draft_id: str, life: Life, now: datetime) -> bool:
    """True when the id, a UUIDv7, was made so recently that nothing can have expired under it."""
    made_at = datetime.fromtimestamp((UUID(draft_id).int >> 80) / 1000, UTC)
    return now - made_at < life.unsaved


def keep(draft: Draft, typed: Entries, names: tuple[str, ...], life: Life, now: datetime) -> Draft:
    """`draft` with the fields `names` as `typed`. Raises Invalid when that is more than is kept."""
    others = {name: values for name, values in draft.entries.items() if name not in names}
    entries = others | {name: values for name, values in typed.items() if name in names and values}
    if sum(len(text) for values in entries.values() for text in values) > MOST_CHARACTERS:
        raise Invalid.of(
            FieldError(
                "need",
                "too_long",
                "Das ist mehr Text, als wir aufbewahren können. Bitte kürzen Sie ihn.",
                "This is more text than we can keep. Please shorten it.",
            )
        )
    return replace(draft, version=draft.version + 1, entries=entries, until=_until(draft, draft.saved, life, now))


def is_same(entries: Entries, typed: Entries, names: tuple[str, ...]) -> bool:
    """True when the fields `names` are as typed already."""
    return all(entries.get(name, ()) == typed.get(name, ()) for name in names)


def save(draft: Draft, life: Life, now: datetime) -> Draft:
    """To be kept for longer: somebody will come back to it."""
    return replace(draft, version=draft.version + 1, saved=True, until=_until(draft, True, life, now))


def mail(
    draft: Draft, email: str, correspondence: Correspondence, life: Life, now: datetime
) -> tuple[Draft, tuple[DraftDossier, ...]]:
    """Has the link mailed to `email`. Raises TooMany when that was asked for too often."""
    if draft.mails >= MOST_MAILS:
        raise TooMany(
            "Den Link zu diesem Entwurf haben wir schon mehrmals verschickt; mehr Mails senden wir dazu nicht.",
            "We have sent the link to this draft several times already; we send no more mails about it.",
            retry_after=3600,
        )
    kept = replace(save(draft, life, now), mails=draft.mails + 1)
    event = DraftDossier(
        request_id=draft.id,
        email=email,
        correspondence=correspondence,
        asked_at=moment(now),
        until=last_day(kept, life),
    )
    return kept, (event,)


def sent(draft: Draft, life: Life, now: datetime) -> tuple[Draft, tuple[Tombstone, ...]]:
    """The trace of a draft that has become a request: nothing that was typed, and no address anywhere."""
    trace = replace(draft, version=draft.version + 1, sent=True, entries={}, until=moment(now + life.saved))
    return trace, _gone(draft)


def told(draft: Draft | None) -> tuple[Tombstone, ...]:
    """What has to be told once more when the request is erased that it became: its dossier may have been late."""
    return _gone(draft) if draft else ()


def expired(draft: Draft) -> tuple[Tombstone, ...]:
    """What has to be told when `draft` goes."""
    return () if draft.sent else _gone(draft)


def is_over(draft: Draft, now: datetime) -> bool:
    return not draft.sent and draft.until <= now


def last_day(draft: Draft, life: Life) -> date:
    """The last whole day on which it is still there."""
    return draft.until.astimezone(life.zone).date() - timedelta(days=1)


def seal(entries: Entries, names: tuple[str, ...] | None = None) -> str:
    """Short and the same for the same content of the fields `names`, or of all: tells what a page has shown."""
    shown = {name: list(values) for name, values in entries.items() if names is None or name in names}
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:16]


def _until(draft: Draft, saved: bool, life: Life, now: datetime) -> datetime:
    return max(draft.until, moment(now + (life.saved if saved else life.unsaved)))


def _gone(draft: Draft) -> tuple[Tombstone, ...]:
    return (Tombstone(DraftDossier, draft.id),) if draft.mails else ()
