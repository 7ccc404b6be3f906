"""The read models made again from the ledger, and the ledger completed from Kafka."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from services.reporting.facts import Fact
from services.reporting.handlers import TOGETHER, chunks, fact, project, step
from services.reporting.journey import Rules
from services.reporting.ledger import Ledger
from services.reporting.store import Position, Store
from shared.broker import Arrival
from shared.errors import Permanent
from shared.events import ReportingEntry


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found: digests of the read models before and after it, by the facts up to `place`."""

    requests: int
    place: int
    before: str
    after: str

    @property
    def equal(self) -> bool:
        return self.before == self.after


@dataclass(slots=True)
class Completed:
    """What of Kafka's facts the ledger had: `seen` are their ids, `differing` have another content here."""

    seen: set[str] = field(default_factory=set)
    added: int = 0
    differing: int = 0
    lines: int = 0


async def rebuild(ledger: Ledger, store: Store, rules: Rules, progress: Callable[[int, int], None]) -> Rebuilt:
    """Drops the read models and makes them again from the ledger. The caller holds the lease.

    First whatever waits is projected, and the rebuild goes just as far, so that before and after speak of the
    same facts; what arrives meanwhile is left to the projector. If it is interrupted, the projector begins
    again at place 0. `progress` is told the requests done and to do.
    """
    while await step(ledger, store, rules):
        pass
    place, before = (await store.position()).seq, await store.digest()
    position = await store.drop()
    request_ids = await ledger.requests()
    for number, some in enumerate(chunks(request_ids, TOGETHER)):
        progress(number * TOGETHER, len(request_ids))
        await project(ledger, store, rules, some, position.epoch, place)
    progress(len(request_ids), len(request_ids))
    await store.advance(Position(place, position.epoch))
    return Rebuilt(len(request_ids), place, before, await store.digest())


async def complete(ledger: Ledger, store: Store, arrivals: Sequence[Arrival], so_far: Completed) -> None:
    """Adds to the ledger what it misses of `arrivals`, and counts; lines for SKEW are remembered as sent."""
    so_far.lines += await store.keep_sent([one.event for one in arrivals if isinstance(one.event, ReportingEntry)])
    facts: dict[str, Fact] = {}
    for one in arrivals:
        if not isinstance(one.event, ReportingEntry):
            with suppress(Permanent):  # the consumer has made it a dead letter
                facts[one.head.id] = fact(one)
    for known in (await ledger.by_ids(facts)).values():
        so_far.differing += known.data != facts[known.id].data
    so_far.seen |= facts.keys()
    so_far.added += await ledger.record(list(facts.values()))
