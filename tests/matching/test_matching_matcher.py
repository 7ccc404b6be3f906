"""Several matchers on one real database: each request one open assignment, nobody above their capacity."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable

import pytest

from deploy.local.stack import Stack
from services.matching.domain.model import OPEN, Advisor
from services.matching.domain.worklist import Rules
from services.matching.handlers import events, rounds
from services.matching.matcher import Matcher
from services.matching.store import Store
from shared.commit import Committer, Insert, again
from shared.events import RequestCreated
from shared.inbox import mark
from shared.mongo import Mongo
from shared.outbox import prepare as prepare_outbox
from tests.conftest import FreshMongo
from tests.matching.play import COORDINATOR, Play
from tests.matching.samples import AGENDA, FAIR, NOW, PARTNERS, TODAY, advisor, created
from tests.waiting import until

RULES = Rules()
PEOPLE = [advisor(f"A{number:02}", levels={FAIR: 3, PARTNERS: 1}, capacity=3) for number in range(1, 9)] + [
    advisor(f"B{number:02}", levels={PARTNERS: 3, AGENDA: 2}, capacity=2) for number in range(1, 9)
]


@pytest.fixture
async def process(stack: Stack, fresh_mongo: FreshMongo) -> AsyncIterator[Callable[[], Store]]:
    """Makes stores as separate processes have them: a client and a committer each, one database."""
    first = fresh_mongo("matching")
    await prepare_outbox(first)
    mongos: list[Mongo] = []
    async with asyncio.TaskGroup() as group:
        committers: list[Committer] = []

        def make() -> Store:
            mongo = Mongo(stack.mongo, first.db.name)
            commits = Committer(mongo, "matching")
            group.create_task(commits.run())
            mongos.append(mongo)
            committers.append(commits)
            return Store(mongo, commits, RULES)

        yield make
        for commits in committers:
            commits.close()
    for mongo in mongos:
        await mongo.close()


async def stopped(*running: "asyncio.Task[None]") -> None:
    """As the service does it: a cancellation may be swallowed once."""
    pending = set(running)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.2)


def matcher(store: Store, batch: int = 7) -> Matcher:
    made = Matcher(store, RULES, lambda: NOW, batch=batch, scan_seconds=0.1)
    store.woken = made.wake
    return made


async def told(store: Store, topic: str) -> Counter[str]:
    """Rows of `topic` per key."""
    rows = await store._mongo["outbox"].find({"topic": topic}).to_list(None)
    return Counter(row["key"] for row in rows)


async def test_two_matchers_at_once_give_each_place_away_once(process: Callable[[], Store]) -> None:
    """50 requests that want pairs, 40 places: whichever matcher decides, no request twice, no one above capacity."""
    stores = [process(), process(), process()]
    await stores[0].prepare()
    await Play(stores[0]).pool(*PEOPLE)
    running = [asyncio.create_task(matcher(store).run()) for store in stores[:2]]
    try:
        requests = [created() for _ in range(50)]
        async with asyncio.TaskGroup() as group:
            for event in requests:
                group.create_task(events.receive(stores[2], event, mark("matching", event.request_id), NOW))

        async def settled() -> bool:
            return not await stores[2].waiting(("pending",), "", 1)

        await until(settled, what="every request is decided")
    finally:
        await stopped(*running)
    found = await stores[2].worklist(OPEN, None, "", 200)
    assert len(found) == 50
    assert {len(one.rounds) for one in found if one.state == "proposed"} == {1}
    assigned, parked = await told(stores[2], "advisor.assigned"), await told(stores[2], "request.parked")
    assert set(assigned.values()) | set(parked.values()) == {1}
    assert assigned.keys() | parked.keys() == {one.request_id for one in requests}
    assert not assigned.keys() & parked.keys()
    loads = (await stores[2].loads(TODAY)).open
    assert loads == {one.id: one.capacity for one in PEOPLE}


async def test_arrivals_in_two_processes_and_their_loops_give_each_place_away_once(
    process: Callable[[], Store],
) -> None:
    """Whoever is too late stores theirs for the loop, as the consumer does."""
    stores = [process(), process(), process()]
    await stores[0].prepare()
    await Play(stores[0]).pool(*PEOPLE)
    matchers = [matcher(store) for store in stores[:2]]
    running = [asyncio.create_task(one.run()) for one in matchers]
    requests = [created() for _ in range(50)]
    new = [(event, mark("matching", event.request_id)) for event in requests]

    async def arrive(store: Store, at: Matcher, some: list[tuple[RequestCreated, Insert]]) -> None:
        for event, seen in some[await at.admit(some) :]:
            await events.receive(store, event, seen, NOW)

    try:
        async with asyncio.TaskGroup() as group:
            for n in range(0, 50, 5):
                group.create_task(arrive(stores[n % 2], matchers[n % 2], new[n : n + 5]))

        async def settled() -> bool:
            return not await stores[2].waiting(("pending",), "", 1)

        await until(settled, what="every request is decided")
    finally:
        await stopped(*running)
    found = await stores[2].worklist(OPEN, None, "", 200)
    assert {one.id for one in found} == {one.request_id for one in requests}
    assigned, parked = await told(stores[2], "advisor.assigned"), await told(stores[2], "request.parked")
    assert set(assigned.values()) | set(parked.values()) == {1}
    assert (await stores[2].loads(TODAY)).open == {one.id: one.capacity for one in PEOPLE}


async def test_coordinators_and_matchers_at_once_never_exceed_a_capacity_unnoticed(
    process: Callable[[], Store],
) -> None:
    """An override takes the fence too: it sees every place that was given away before it, and says when it exceeds."""
    stores = [process(), process()]
    await stores[0].prepare()
    await Play(stores[0]).pool(advisor("A01", levels={FAIR: 3}, capacity=4), advisor("A02", capacity=0))
    made = [created(tandem="not_wanted") for _ in range(12)]
    for event in made:
        await events.receive(stores[0], event, mark("matching", event.request_id), NOW)
    running = [asyncio.create_task(matcher(store, batch=1).run()) for store in stores]
    try:
        async with asyncio.TaskGroup() as group:
            for event in made[6:]:
                group.create_task(again(lambda key=event.request_id: override(stores[1], key), attempts=100))  # type: ignore[misc]
    finally:
        await stopped(*running)
    found = await stores[0].worklist(OPEN, None, "", 200)
    over = [one for one in found if any(audit.what == "assigned_over_capacity" for audit in one.audit)]
    load = (await stores[0].loads(TODAY)).open["A01"]
    assert load - len(over) <= 4


async def override(store: Store, request_id: str) -> object:
    return await rounds.assign(store, request_id, ("A01",), COORDINATOR, "nötig", RULES, NOW, lambda _: None)


async def test_what_was_stored_before_a_crash_is_decided_after_it(process: Callable[[], Store]) -> None:
    """kill -9 between storing and deciding: no wake-up is left, the first look finds it."""
    dead, alive = process(), process()
    await dead.prepare()
    await Play(dead).pool(*PEOPLE)
    event = created()
    await events.receive(dead, event, mark("matching", event.request_id), NOW)
    running = asyncio.create_task(matcher(alive).run())

    async def proposed() -> bool:
        found = await alive.engagement(event.request_id)
        return found is not None and found.state == "proposed"

    await until(proposed)
    await stopped(running)


async def test_a_change_by_another_process_is_seen_within_a_scan(process: Callable[[], Store]) -> None:
    here, elsewhere = process(), process()
    await here.prepare()
    event = created()
    await events.receive(here, event, mark("matching", event.request_id), NOW)
    running = asyncio.create_task(matcher(here).run())

    async def state(wanted: str) -> bool:
        found = await here.engagement(event.request_id)
        return found is not None and found.state == wanted

    await until(lambda: state("parked"))
    await Play(elsewhere).pool(*PEOPLE)
    await until(lambda: state("proposed"))
    await stopped(running)


async def test_two_processes_expire_an_answer_once(process: Callable[[], Store]) -> None:
    stores = [process(), process()]
    plays = [Play(store) for store in stores]
    await stores[0].prepare()
    await plays[0].pool(advisor("A01"))
    request_id = await plays[0].ask(tandem="not_wanted")
    for play in plays:
        play.now = NOW.replace(month=12, day=20)
    await asyncio.gather(*(play.matcher.turn() for play in plays))
    assert (await told(stores[0], "advisor.answered"))[request_id] == 1


async def test_a_turn_over_many_requests_reads_the_pool_once(process: Callable[[], Store]) -> None:
    """Throughput: the pool is read once for many passes, as long as nobody else has changed it."""
    store = process()
    await store.prepare()
    await Play(store).pool(*PEOPLE)
    async with asyncio.TaskGroup() as group:
        for event in [created() for _ in range(30)]:
            group.create_task(events.receive(store, event, mark("matching", event.request_id), NOW))
    reads = 0
    read = store.crew

    async def counted() -> list[Advisor]:
        nonlocal reads
        reads += 1
        return await read()

    store.crew = counted  # type: ignore[method-assign]
    await matcher(store, batch=5).turn()
    assert reads == 1
    assert await store.waiting(("pending",), "", 9) == []
