"""Facts into the ledger, by one process of reporting with its projector at work."""

import time
from collections.abc import Sequence

from services.reporting.documents import PROJECTED
from services.reporting.ledger import COUNTERS, FACTS, HEAD
from shared.mongo import Mongo
from tests.bench import samples
from tests.bench.baselines.inserts import insert_many
from tests.bench.figures import Board
from tests.bench.place import Place, Process, frozen
from tests.waiting import until

REQUESTS = 1_500
ROUNDS = 3
INGESTED = "ledger ingestion ÷ bare insert_many of 500"
REPORTED = "facts in the reports too ÷ bare insert_many of 500"
INDEXED, BARE = "indexed", "bare"


async def measure(place: Place, board: Board) -> None:
    place.miglobe("topics", "apply")
    ours: list[float] = []
    read: list[float] = []
    plain: list[float] = []
    indexed: list[float] = []
    async with place.service("reporting") as reporting, place.mongo("reporting") as mongo:
        await record(place, [reporting], mongo, 100)
        for number in range(ROUNDS):
            head = await _place(mongo, HEAD)
            recorded, projected = await record(place, [reporting], mongo, REQUESTS)
            ours.append(recorded)
            read.append(projected)
            facts = await mongo[FACTS].find({"seq": {"$gt": head}}).to_list(None)
            for collection, rates in ((BARE, plain), (INDEXED, indexed)):
                await mongo[collection].drop()
                await mongo.db.create_collection(collection)
                if collection == INDEXED:
                    await mongo[collection].create_index("seq", unique=True)
                    await mongo[collection].create_index([("key", 1), ("seq", 1)])
                    await mongo[collection].create_index([("topic", 1), ("seq", 1)])
                rates.append(await insert_many(mongo, collection, facts))
            print(
                f"  … round {number + 1}: recorded {recorded:,.0f}/s, in the reports {projected:,.0f}/s, "
                f"bare {plain[-1]:,.0f}/s, with the ledger's indexes {indexed[-1]:,.0f}/s",
                flush=True,
            )
    board.compare(INGESTED, ours, plain, "1/s", 0.5)
    board.compare("… ÷ insert_many of 500 with the ledger's indexes", ours, indexed, "1/s", None)
    board.compare(REPORTED, read, plain, "1/s", None)


async def record(place: Place, reporting: Sequence[Process], mongo: Mongo, requests: int) -> tuple[float, float]:
    """Facts per second: in the ledger, and in the read models; from the moment that all lie on their topics."""
    before = await _place(mongo, HEAD)
    facts = [samples.message(fact, place.prefix) for fact in samples.journeys(requests)]
    with frozen(reporting):
        await place.publish(facts)
    began = time.perf_counter()
    rates = []
    for what in (HEAD, PROJECTED):

        async def there(what: str = what) -> bool:
            return await _place(mongo, what) >= before + len(facts)

        await until(there, seconds=120)
        rates.append(len(facts) / (time.perf_counter() - began))
    return rates[0], rates[1]


async def _place(mongo: Mongo, what: str) -> int:
    found = await mongo[COUNTERS].find_one({"_id": what})
    return int(found["seq"]) if found else 0
