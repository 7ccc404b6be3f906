"""The loop and its lease: woken by whoever records, one at a time, and a rebuild beside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from prometheus_client import CollectorRegistry, Gauge

from services.reporting import rebuilding
from services.reporting.projector import Projector, lease
from services.reporting.store import Store
from shared import waking
from shared.commit import Committer, committing
from shared.ids import new_id
from shared.lease import Lease
from tests.reporting.conftest import Kept
from tests.reporting.journeys import RULES, whole
from tests.waiting import until


@asynccontextmanager
async def projecting(kept: Kept, count: int = 1) -> AsyncIterator[list[Projector]]:
    """`count` projectors as in as many processes, each with its own committer."""
    assert kept.mongo is not None
    gauge = Gauge("waiting", "waiting", registry=CollectorRegistry())
    async with asyncio.TaskGroup() as group:
        made, tasks, commits = [], [], []
        for _ in range(count):
            commits.append(Committer(kept.mongo, "reporting"))
            group.create_task(commits[-1].run())
            made.append(Projector(kept.mongo, kept.ledger, Store(kept.mongo, commits[-1]), RULES, gauge, new_id()))
            tasks.append(group.create_task(made[-1].run()))
        yield made
        for task in tasks:
            task.cancel()
        for commit in commits:
            commit.close()


async def test_what_another_process_records_is_projected_at_once(
    database: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody calls wake and the scan never comes: the change stream does it."""
    monkeypatch.setattr(waking, "SCAN_SECONDS", 3600.0)
    async with projecting(database):
        for done in (1, 2, 3):  # after the first the loop is idle, waiting for its scan
            await database.ledger.record(whole().facts)
            await until(partial(_cases, database, done))


async def _cases(kept: Kept, count: int) -> bool:
    return (await kept.store.counts())["cases"] == count


async def test_three_projectors_make_what_one_makes(database: Kept) -> None:
    journeys = [whole() for _ in range(40)]
    async with projecting(database, 3) as projectors:
        for start in range(9):
            await database.ledger.record([j.facts[start] for j in journeys])
            for projector in projectors:
                projector.wake()
        head = await database.ledger.head()
        await until(lambda: _at(database, head))
        await until(lambda: _cases(database, 40))
    assert database.mongo is not None
    async with lease(database.mongo, new_id()).held():
        assert (await rebuilding.rebuild(database.ledger, database.store, RULES, lambda *_: None)).equal
    assert await database.mongo["outbox"].count_documents({}) == 160


async def _at(kept: Kept, place: int) -> bool:
    return (await kept.store.position()).seq == place


async def test_a_rebuild_beside_the_running_service_comes_out_equal_and_nothing_is_lost(database: Kept) -> None:
    assert database.mongo is not None
    first, later = [whole() for _ in range(10)], [whole() for _ in range(10)]
    await database.ledger.record([fact for journey in first for fact in journey.facts])
    async with projecting(database, 2), asyncio.TaskGroup() as group:

        async def go_on() -> None:
            for journey in later:
                await database.ledger.record(journey.facts)

        group.create_task(go_on())
        async with (
            committing(Committer(database.mongo, "reporting")) as commits,
            lease(database.mongo, new_id()).held(),
        ):
            store = Store(database.mongo, commits)
            done = await rebuilding.rebuild(database.ledger, store, RULES, lambda *_: None)
        assert done.equal
        await until(lambda: _cases(database, 20))
    assert await database.mongo["outbox"].count_documents({}) == 80


async def test_the_lease_goes_to_whoever_needs_it_for_long_and_back(database: Kept) -> None:
    assert database.mongo is not None
    holder, other, rebuild = (lease(database.mongo, name) for name in ("holder", "other", "rebuild"))
    assert await holder.take()
    assert await holder.take()
    assert not await other.take()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:

        async def give_way() -> None:
            await until(lambda: _refused(holder))
            await holder.give_back()

        group.create_task(give_way())
        async with rebuild.held():
            assert not await holder.take()
            assert not await other.take()
    assert await other.take()


async def _refused(lease: Lease) -> bool:
    return not await lease.take()


async def test_an_interrupted_rebuild_is_ended_by_the_projector(database: Kept) -> None:
    await database.ledger.record(whole().facts)
    async with projecting(database):
        await until(lambda: _cases(database, 1))
    before = await database.store.digest()
    await database.store.drop()
    async with projecting(database):
        await until(lambda: _cases(database, 1))
        await until(lambda: _same(database, before))


async def _same(kept: Kept, digest: str) -> bool:
    return await kept.store.digest() == digest
