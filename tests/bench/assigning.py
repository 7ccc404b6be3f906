"""request.created → advisor.assigned published, by one process of matching."""

import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from services.matching import entries
from services.matching.domain.policy import OPTIMAL, candidate, seeker
from services.matching.engine.choice import decide
from services.matching.handlers.events import received
from shared import register
from shared.events import AdvisorAssigned, RequestCreated
from tests.bench import samples
from tests.bench.baselines import consumers
from tests.bench.figures import Board
from tests.bench.place import Counter, Place, Process, cpu_seconds, frozen

ASSIGNED = "request.created → advisor.assigned ÷ bare transaction per 100"
EVENTS = 420
BARE_EVENTS = 3_000
ALONE = 200
ROUNDS = 3
FEW = 20
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
    cpu: list[float] = []
    async with (
        place.service("matching") as matching,
        place.counting(AdvisorAssigned.topic) as assigned,
        place.mongo("bare") as bare,
    ):
        await assign(place, [matching], assigned, 100)
        for number in range(ROUNDS):
            before = cpu_seconds(matching.pid)
            ours.append(await assign(place, [matching], assigned, EVENTS))
            cpu.append(1000 * (cpu_seconds(matching.pid) - before) / EVENTS)
            await consumers.prepare(bare)
            batches.append(await consumers.transaction_per_batch(place.stack.kafka, topic, bare, BARE_EVENTS))
            await consumers.prepare(bare)
            singles.append(await consumers.transaction_per_event(place.stack.kafka, topic, bare, ALONE))
            print(
                f"  … round {number + 1}: assigned {ours[-1]:,.0f}/s of {cpu[-1]:.2f} ms each, "
                f"transaction per batch {batches[-1]:,.0f}/s, "
                f"per event {singles[-1]:,.0f}/s",
                flush=True,
            )
        await _few(place, matching, assigned, board)
    board.compare(ASSIGNED, ours, batches, "1/s", 0.4)
    board.compare("… ÷ transaction per event", ours, singles, "1/s", None)
    board.limit("processor time of one assignment, many at once", statistics.median(cpu), "ms")


async def _few(place: Place, matching: Process, assigned: Counter, board: Board) -> None:
    """At `FEW` pending: from the topic to the topic, and the engine's part of it."""
    entries_, wrong = entries.read(samples.advisors(ADVISORS), register.load())
    assert not wrong
    people = [candidate(one.advisor(one.id, None), 0, 0) for one in entries_]
    seconds, engine = list[float](), list[float]()
    for _ in range(5):
        seconds.append(FEW / await assign(place, [matching], assigned, FEW))
        events = [received(None, one, datetime.now(UTC)) for one in samples.created(FEW)]
        wishes, began = [seeker(one) for one in events], time.perf_counter()
        decide(people, wishes, datetime.now(UTC).date(), OPTIMAL)
        engine.append(time.perf_counter() - began)
    whole, part = statistics.median(seconds), statistics.median(engine)
    print(f"  … at {FEW} pending {1000 * whole:.0f} ms, of it the engine {1000 * part:.0f} ms", flush=True)
    board.limit(f"engine's part of request.created → advisor.assigned at {FEW} pending", 100 * part / whole, "%", 50)


async def assign(place: Place, matching: Sequence[Process], assigned: Counter, number: int) -> float:
    """Requests per second from the moment that all lie on the topic to the last assignment on its own."""
    before = await assigned.now()
    events = [samples.message(event, place.prefix) for event in samples.created(number)]
    with frozen(matching):
        await place.publish(events)
    began = time.time()
    await assigned.reach(before + number)
    return number / (await assigned.newest() - began)
