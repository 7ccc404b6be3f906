"""request.created → advisor.assigned published, by one process of matching."""

import time
from collections.abc import Sequence

from shared.events import AdvisorAssigned, RequestCreated
from tests.bench import samples
from tests.bench.baselines import consumers
from tests.bench.figures import Board
from tests.bench.place import Counter, Place, Process, frozen

ASSIGNED = "request.created → advisor.assigned ÷ bare transaction per 100"
EVENTS = 420
BARE_EVENTS = 3_000
ALONE = 200
ROUNDS = 3
ADVISORS = 48
"""Of 50 places each: enough for all rounds. The choice's cost grows with their number."""


async def measure(place: Place, board: Board) -> None:
    place.miglobe("topics", "apply")
    place.import_advisors(samples.advisors(ADVISORS))
    elsewhere = Place(place.stack, f"bare-{place.prefix}")
    elsewhere.miglobe("topics", "apply")
    topic = elsewhere.prefix + RequestCreated.topic
    await elsewhere.publish([samples.message(event, elsewhere.prefix) for event in samples.created(BARE_EVENTS)])
    ours: list[float] = []
    batches: list[float] = []
    singles: list[float] = []
    async with (
        place.service("matching") as matching,
        place.counting(AdvisorAssigned.topic) as assigned,
        place.mongo("bare") as bare,
    ):
        await assign(place, [matching], assigned, 100)
        for number in range(ROUNDS):
            ours.append(await assign(place, [matching], assigned, EVENTS))
            await consumers.prepare(bare)
            batches.append(await consumers.transaction_per_batch(place.stack.kafka, topic, bare, BARE_EVENTS))
            await consumers.prepare(bare)
            singles.append(await consumers.transaction_per_event(place.stack.kafka, topic, bare, ALONE))
            print(
                f"  … round {number + 1}: assigned {ours[-1]:,.0f}/s, transaction per batch {batches[-1]:,.0f}/s, "
                f"per event {singles[-1]:,.0f}/s",
                flush=True,
            )
    board.compare(ASSIGNED, ours, batches, "1/s", 0.4)
    board.compare("… ÷ transaction per event", ours, singles, "1/s", None)


async def assign(place: Place, matching: Sequence[Process], assigned: Counter, number: int) -> float:
    """Requests per second from the moment that all lie on the topic."""
    before = await assigned.now()
    events = [samples.message(event, place.prefix) for event in samples.created(number)]
    with frozen(matching):
        await place.publish(events)
    began = time.perf_counter()
    await assigned.reach(before + number)
    return number / (time.perf_counter() - began)
