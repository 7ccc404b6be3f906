"""The ledger under several writers, and the lease of the projectors."""

import asyncio

from services.reporting.ledger import Ledger
from shared.mongo import Mongo
from tests.conftest import FreshMongo
from tests.reporting.conftest import Kept
from tests.reporting.journeys import whole


async def test_a_reader_with_a_cursor_misses_nothing_that_commits_late(database: Kept, fresh_mongo: FreshMongo) -> None:
    """Four writers with batches of very different size, some facts coming by two of them, and one reader."""
    assert database.mongo is not None
    name = database.mongo.db.name
    batches = [[f for _ in range(1 + 12 * (n % 3)) for f in whole().facts] for n in range(24)]
    everything = {fact.id for batch in batches for fact in batch}
    batches += batches[::5]

    async def write(mongo: Mongo, mine: list[list[object]]) -> None:
        for batch in mine:
            await Ledger(mongo).record(batch)  # type: ignore[arg-type]

    seen: list[str] = []
    places: list[int] = []

    async def follow() -> None:
        while len(seen) < len(everything):
            for fact in await database.ledger.after(places[-1] if places else 0, 50):
                seen.append(fact.id)
                places.append(fact.seq)

    writers = [fresh_mongo("reporting") for _ in range(4)]
    for mongo in writers:
        mongo.db = mongo.client[name]
    async with asyncio.timeout(60):
        await asyncio.gather(follow(), *(write(mongo, batches[n::4]) for n, mongo in enumerate(writers)))  # type: ignore[arg-type]
    assert places == list(range(1, len(everything) + 1))
    assert set(seen) == everything


async def test_a_batch_that_aborts_takes_no_place(database: Kept) -> None:
    """Half of the batch is there already: the first attempt aborts, its places are given anew."""
    one, other = whole().facts, whole().facts
    await database.ledger.record(one)
    await database.ledger.record([*other, *one])
    assert [fact.seq for fact in await database.ledger.after(0, 100)] == list(range(1, len(one) + len(other) + 1))
