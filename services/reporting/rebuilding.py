"""The read models made again from the ledger, and the ledger completed from Kafka."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from services.reporting.definition import definition
from services.reporting.facts import Fact
from services.reporting.handlers import chunks, fact, step, understand
from services.reporting.journey import Rules
from services.reporting.ledger import Ledger, Requests
from services.reporting.store import Store
from shared.broker import Arrival
from shared.errors import Permanent
from shared.events import ReportingEntry
from shared.tasks import end

Progress = Callable[[int, int], None]
"""Told how much is done, and how much there is."""
_AT_ONCE = 20
"""Requests that are worked on without a look at what was read and written."""
T = TypeVar("T")


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
        async with aclosing(_ahead(_loaded(ledger, store, place))) as pages:
            async for some, sent in pages:
                for few in chunks(some, _AT_ONCE):
                    cases = [understand(request_id, facts, rules, sent) for request_id, facts in few]
                    await beside.add(case for case, _ in cases)
                    await store.send([(line, case.version) for case, lines in cases for line in lines])
                    await asyncio.sleep(0)  # what is being read and written meanwhile goes on
                requests, done = requests + len(some), done + sum(len(facts) for _, facts in some)
                progress(done, place)
                await beside.tell(done, place)
        await beside.switch(place, definition(rules))
    progress(place, place)
    return requests


async def _loaded(ledger: Ledger, store: Store, place: int) -> AsyncGenerator[tuple[Requests, set[str]]]:
    """Some requests with their facts, and the lines of them that were sent, at a time."""
    async for some in ledger.whole(place):
        yield some, await store.sent([request_id for request_id, _ in some])


async def _ahead(items: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """`items`, the next one of which is made ready while one is worked on."""
    coming = asyncio.ensure_future(anext(items, None))
    try:
        while (item := await coming) is not None:
            coming = asyncio.ensure_future(anext(items, None))
            yield item
    finally:
        await end(coming)
        await items.aclose()


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
