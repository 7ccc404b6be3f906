"""Who advises: the names behind the ids of a request's assignment, from advisor.dossier, and their erasure. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Advisor:
    """The copy of a dossier: only the name, which the status page says. Without one: the trace of an erasure."""

    id: str
    version: int
    event_id: str
    name: str | None


def tell(known: Advisor | None, advisor_id: str, event_id: str, name: str | None) -> Advisor | None:
    """What is to be stored once `event_id` told the name, or None for an erasure; None when it was overtaken.

    Events' ids are UUIDv7 and rise with time.
    """
    if known and event_id <= known.event_id:
        return None
    return Advisor(advisor_id, (known.version if known else 0) + 1, event_id, name)
