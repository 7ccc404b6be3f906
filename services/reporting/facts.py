"""A fact as the ledger keeps it, and as the reports read it."""

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from shared.events import BY_TOPIC, Event

E_co = TypeVar("E_co", bound=Event, covariant=True)


class Fact(NamedTuple):
    """One event as it came: `data` is its JSON text, `time` the emitter's (UTC, ISO 8601).

    `seq` is its place in the ledger, 1 … head without gaps; 0 before it has one.
    """

    id: str
    topic: str
    partition: int
    offset: int
    key: str
    type: str
    source: str
    time: str
    correlation_id: str | None
    data: str
    seq: int = 0


@dataclass(slots=True)  # as with measures
class Recorded(Generic[E_co]):
    """A fact of the ledger, read."""

    id: str
    seq: int
    time: str
    event: E_co


def read(fact: Fact) -> Recorded[Event]:
    """`fact` with its event. What was recorded once can be read for ever (the frozen samples prove it)."""
    return Recorded(fact.id, fact.seq, fact.time, BY_TOPIC[fact.topic].model_validate_json(fact.data))
