"""The loop and its lease: woken by whoever records, one at a time, and a rebuild beside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from functools import partial

import pytest
from prometheus_client import CollectorRegistry, Gauge

from services.reporting import beside, handlers, rebuilding
from services.reporting.definition import definition
from services.reporting.documents import COUNTERS, PROJECTED
from services.reporting.figures import Scope
from services.reporting.journey import Rules
from services.reporting.projector import Projector, lease
from services.reporting.store import Store
from shared import waking
from shared.commit import Committer, committing
from shared.errors import Stale
from shared.ids import new_id
from shared.lease import Lease
from shared.mongo import Mongo
from tests.reporting.conftest import Kept
from tests.reporting.journeys import AGS, RULES, whole
from tests.waiting import until


@asynccontextmanager
async def projecting(kept: Kept, count: int = 1, rules: Rules = RULES) -> AsyncIterator[list[Projector]]:
    """`count` projectors as in as many processes, each with its own committer."""
    assert kept.mongo is not None
    gauge = Gauge("waiting", "waiting", registry=CollectorRegistry())
    async with asyncio.TaskGroup() as group:
        made, tasks, commits = [], [], []
        for _ in range(count):
            commits.append(Committer(kept.mongo, "reporting"))
            group.create_task(commits[-1].run())
            made.append(Projector(kept.mongo, kept.ledger, Store(kept.mongo, commits[-1]), rules, gauge, new_id()))
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


async def test_an_interrupted_rebuild_changes_nothing_and_the_next_one_clears_it_away(database: Kept) -> None:
    """Whatever was written by then; and one that went on although another was begun puts nothing in place."""
    assert database.mongo is not None
    await database.ledger.record([fact for _ in range(5) for fact in whole().facts])
    while await handlers.step(database.ledger, database.store, RULES):
        pass
    before, position = await database.store.digest(), await database.store.position()
    given_up = await database.store.beside()
    async for some in database.ledger.whole(45):
        await given_up.add(handlers.understand(key, facts, RULES, ())[0] for key, facts in some[:2])
    await (await given_up._add_cells())
    assert await database.store.digest() == before
    assert (await rebuilding.rebuild(database.ledger, database.store, RULES, lambda *_: None)).equal
    with pytest.raises(Stale):
        await given_up.switch(45, definition(RULES))
    assert await database.store.digest() == before
    assert (await database.store.position()).epoch > position.epoch
    names = await database.mongo.db.list_collection_names()
    assert [name for name in names if name.startswith("next~") and given_up._name not in name] == []


async def test_a_switch_that_was_interrupted_is_brought_to_its_end_at_the_next_start(
    database: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was noted, one collection had its name already."""
    assert database.mongo is not None
    await database.ledger.record([fact for _ in range(5) for fact in whole().facts])
    while await handlers.step(database.ledger, database.store, RULES):
        pass
    before = await database.store.digest()

    async def crash(mongo: Mongo) -> None:
        stands = await mongo[COUNTERS].find_one({"_id": PROJECTED})
        assert stands is not None
        await mongo[f"next~{stands['ready']['name']}~cases"].rename("cases", dropTarget=True)
        raise KeyboardInterrupt

    monkeypatch.setattr(beside, "finish", crash)
    with pytest.raises(KeyboardInterrupt):
        await rebuilding.rebuild(database.ledger, database.store, RULES, lambda *_: None)
    monkeypatch.undo()
    await database.store.prepare()
    assert await database.store.digest() == before
    assert (await database.store.position()).definition == definition(RULES)


async def test_another_definition_is_built_beside_the_old_one_and_then_switched_to(
    database: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an earlier version has made is read until then; no line is sent twice; a later form is left alone."""
    assert database.mongo is not None
    await database.ledger.record([fact for _ in range(5) for fact in whole().facts])
    async with projecting(database):
        await until(lambda: _cases(database, 5))
    old = await database.store.position()
    await database.mongo["measures"].delete_many({"indicator": "conversion"})
    with_sizes = replace(RULES, sizes={AGS: "under_20000"})
    read: list[int] = []

    async def switched() -> bool:
        read.append((await database.store.counts())["cases"])
        return (await database.store.position()).definition == definition(with_sizes)

    async with projecting(database, rules=with_sizes):
        await until(switched)
        await database.ledger.record(whole().facts)
        await until(lambda: _cases(database, 6))
    assert set(read) == {5}, "there were reports all the time"
    assert (await database.store.position()).epoch == old.epoch + 1
    year = Scope(date(2026, 1, 1), date(2026, 12, 31), size="under_20000")
    assert [t.n for t in await database.queries.totals(year) if t.indicator == "conversion"] == [6]
    assert await database.mongo["outbox"].count_documents({}) == 24
    await database.mongo[COUNTERS].update_one({"_id": PROJECTED}, {"$set": {"definition": "999.later"}})
    async with projecting(database) as (older,):
        await database.ledger.record(whole().facts)
        older.wake()
        await until(lambda: older._current)
        await older._catch_up()
    assert await _cases(database, 6)
