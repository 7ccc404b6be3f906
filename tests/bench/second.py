"""A second process of reporting and of matching beside the first: what it adds, as far as there are cores for it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack

from shared.events import AdvisorAssigned
from shared.topics import CONSUMED
from tests.bench import samples
from tests.bench.assigning import ADVISORS, assign
from tests.bench.figures import Board
from tests.bench.place import PARTITIONS, Place, Process, cpu_seconds, metrics
from tests.bench.recording import record
from tests.waiting import until

REQUESTS = 1_000
EVENTS = 180
ROUNDS = 2
WANTED = 1.7
Rates = Mapping[str, float]
Work = Callable[[Sequence[Process]], Awaitable[tuple[int, Rates]]]
"""Does something by the given processes; returns how much, and how much per second came how far."""


async def measure(place: Place, board: Board) -> None:
    """On topics of its own each: what reporting records are requests too, and would use up the advisors' places."""
    matching = Place(place.stack, f"{place.prefix}matching-")
    for one in (place, matching):
        one.miglobe("topics", "apply")
    matching.import_advisors(samples.advisors(ADVISORS))
    async with place.mongo("reporting") as mongo, matching.counting(AdvisorAssigned.topic) as assigned:

        async def recorded(processes: Sequence[Process]) -> tuple[int, Rates]:
            ledger, reports = await record(place, processes, mongo, REQUESTS)
            return 6 * REQUESTS, {"into the ledger": ledger, "into the reports": reports}

        async def matched(processes: Sequence[Process]) -> tuple[int, Rates]:
            return EVENTS, {"assigned": await assign(matching, processes, assigned, EVENTS)}

        await _both(place, board, "reporting", recorded)
        await _both(matching, board, "matching", matched)


async def _both(place: Place, board: Board, service: str, work: Work) -> None:
    told: dict[int, list[Rates]] = {1: [], 2: []}
    async with place.service(service) as first:
        await _shared(service, [first])
        await work([first])
        for number in range(ROUNDS):
            for count in (1, 2):
                async with AsyncExitStack() as more:
                    processes = [first]
                    if count == 2:
                        processes.append(await more.enter_async_context(place.service(service)))
                        await _shared(service, processes)
                        await work(processes)  # what is imported and connected at first use
                    pids = [process.pid for process in processes]
                    before = cpu_seconds(*pids)
                    amount, rates = await work(processes)
                    told[count].append({**rates, "per CPU second": amount / (cpu_seconds(*pids) - before)})
                await _shared(service, [first])
            for what in told[1][-1]:
                last = " and ".join(f"{told[count][-1][what]:,.0f}" for count in (1, 2))
                print(f"  … {service}, round {number + 1}, {what}: one and two do {last}", flush=True)
    for what in told[1][0]:
        one, two = ([rates[what] for rates in told[count]] for count in (1, 2))
        wanted = WANTED / 2 if what == "per CPU second" else WANTED
        board.compare(f"two processes of {service} ÷ one, {what}", two, one, "1/s", wanted)


async def _shared(service: str, processes: Sequence[Process]) -> None:
    """Waits until these processes have all partitions among them, and each has some."""
    everything = PARTITIONS * len(CONSUMED[service])

    async def done() -> bool:
        told = await asyncio.gather(*(asyncio.to_thread(metrics, one) for one in processes))
        parts = [one["miglobe_consumer_lag_lines"] for one in told]
        return min(parts) > 0 and sum(parts) == everything

    await until(done, seconds=60)
