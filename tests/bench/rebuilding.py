"""The read models made anew from a ledger of a million facts, beside a bare loop that reads the same documents."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

import typer

from services.reporting import rebuilding
from services.reporting.ledger import COUNTERS, FACTS, HEAD, Ledger
from services.reporting.settings import Settings
from services.reporting.store import Store
from shared.commit import Committer, committing
from shared.mongo import Document, Mongo
from tests.bench import samples
from tests.bench.figures import Board
from tests.bench.place import Place
from tests.bench.summary import facts

ALL_FACTS = 1_000_000
BATCH = 2_000
SPREAD_DAYS = 365
WANTED = 10_000
"""Facts per second."""


async def measure(place: Place, board: Board, count: int) -> None:
    """The first rebuild sends the lines that were never sent; the second is what is measured."""
    rules = Settings.model_validate({"secret": "x" * 32}).rules()
    async with place.mongo("reporting") as mongo, committing(Committer(mongo, "reporting")) as commits:
        ledger, store = Ledger(mongo), Store(mongo, commits)
        await ledger.prepare()
        await store.prepare()
        began = time.perf_counter()
        await _fill(mongo, count)
        print(f"  … {count:,} facts in the ledger ({time.perf_counter() - began:.0f} s)", flush=True)
        bare = [await _bare(mongo, count) for _ in range(2)]
        place_up_to = await ledger.head()
        for title in ("with all lines to send", "again"):
            with typer.progressbar(length=count, label=f"  … rebuilt {title}") as bar:
                began = time.perf_counter()
                await rebuilding.renew(ledger, store, rules, lambda done, total: bar.update(done - bar.pos))
                taken = time.perf_counter() - began
            print(f"  … {title}: {count / taken:,.0f} facts/s", flush=True)
        assert (await store.position()).seq == place_up_to
        counts = await store.counts()
        print(f"  … {', '.join(f'{number:,} {name}' for name, number in counts.items())}", flush=True)
        board.compare("facts rebuilt ÷ read by a bare loop", [count / taken], bare, "1/s", None)
        board.limit(f"rebuild of {count:,} facts", taken, "s", count / WANTED)


async def _bare(mongo: Mongo, count: int) -> float:
    """Facts per second of a loop that reads them all and does nothing."""
    began, seen = time.perf_counter(), 0
    async for _ in mongo[FACTS].find().sort([("key", 1), ("seq", 1)]).batch_size(BATCH):
        seen += 1
    assert seen == count
    return count / (time.perf_counter() - began)


async def _fill(mongo: Mongo, count: int) -> None:
    """As the ledger would, without its transactions."""
    now, made, seq = datetime.now(UTC), _documents(count), 0
    while some := list(islice(made, BATCH)):
        for document in some:
            seq += 1
            document |= {"seq": seq, "recorded_at": now}
        await mongo[FACTS].insert_many(some, ordered=False)
    await mongo[COUNTERS].update_one({"_id": HEAD}, {"$set": {"seq": seq}})


def _documents(count: int) -> Iterator[Document]:
    for fact in facts(samples.journeys(count // 6 + 1, SPREAD_DAYS), count):
        document = fact._asdict()
        document["_id"] = document.pop("id")
        yield document
