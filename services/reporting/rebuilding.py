"""The read models made again from the ledger, and the ledger completed from Kafka."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from services.reporting.definition import definition
from services.reporting.facts import Fact
from services.reporting.handlers import fact, step, understand
from services.reporting.journey import Rules
from services.reporting.ledger import Ledger
from services.reporting.store import Store
from shared.broker import Arrival
from shared.errors import Permanent
from shared.events import ReportingEntry

Progress = Callable[[int, int], None]
"""Told how much is done, and how much there is."""


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


async def rebuild(ledger: Ledger, store: Store, rules: Rules, progress: Progress, *, compare: bool = True) -> Rebuilt:
    """Makes the read models again beside those that are read, and puts them in their place. The caller holds the lease.

    First whatever waits is projected, and the rebuild goes just as far, so that before and after speak of the
    same facts; what arrives meanwhile is left to the projector. If it is interrupted, nothing has changed.
    Without `compare` no digests are made. `progress` is told the facts done and to do. Raises Stale when somebody
    else has begun a rebuild since.
    """
    place = await ledger.head()
    if (await store.position()).definition in (None, definition(rules)):
        while await step(ledger, store, rules):
            pass
        place = (await store.position()).seq
    before = await store.digest() if compare else ""
    requests = await _make(ledger, store, rules, place, progress)
    return Rebuilt(requests, place, before, await store.digest() if compare else "")


async def renew(ledger: Ledger, store: Store, rules: Rules, progress: Progress) -> int:
    """The read models by other definitions than before, as `rebuild`; returns the place up to which they are made."""
    place = await ledger.head()
    await _make(ledger, store, rules, place, progress)
    return place


async def _make(ledger: Ledger, store: Store, rules: Rules, place: int, progress: Progress) -> int:
    beside, requests, done = await store.beside(), 0, 0
    with _rarely_collecting():
        async for some in ledger.whole(place):
            sent = await store.sent([request_id for request_id, _ in some])
            cases = [understand(request_id, facts, rules, sent) for request_id, facts in some]
            await beside.add(case for case, _ in cases)
            await store.send([(line, case.version) for case, lines in cases for line in lines])
            requests, done = requests + len(some), done + sum(len(facts) for _, facts in some)
            progress(done, place)
            await beside.tell(done, place)
    await beside.switch(place, definition(rules))
    progress(place, place)
    return requests


@contextmanager
def _rarely_collecting() -> Iterator[None]:
    """Millions of live objects are made that all stay until they are written: looking through them gains nothing."""
    usual = gc.get_threshold()
    gc.set_threshold(200_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


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
