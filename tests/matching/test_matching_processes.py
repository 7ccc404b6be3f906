"""Two processes of matching on real Kafka and MongoDB, one of which halts in the midst of a decision."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.matching.domain.model import OPEN
from services.matching.settings import Settings
from services.matching.store import Store
from shared import topics
from shared.commit import Committer, committing
from shared.events import RequestCreated
from shared.mongo import Mongo
from tests.bench.place import Process, metrics
from tests.matching.play import Play
from tests.matching.samples import FAIR, PARTNERS, advisor, created
from tests.shared.kafka import everything, message, send
from tests.shared.serving import checks, running, serving
from tests.waiting import until

PEOPLE = [advisor(f"A{n:02}", levels={FAIR: 3, PARTNERS: 1}, capacity=2) for n in range(1, 7)]
"""Twelve places."""


@asynccontextmanager
async def installation(settings: Settings) -> AsyncIterator[Store]:
    """With its topics and the pool."""
    await topics.apply(settings)
    mongo = Mongo(settings.mongo, settings.database("matching"))
    try:
        async with committing(Committer(mongo, "matching")) as commits:
            store = Store(mongo, commits, settings.rules())
            await store.prepare()
            await Play(store).pool(*PEOPLE)
            yield store
    finally:
        await mongo.client.drop_database(mongo.db.name)
        await mongo.close()


def asked(number: int) -> list[RequestCreated]:
    now = datetime.now(UTC)
    return [created(tandem="not_wanted", submitted_at=now, wanted_from=now.date()) for _ in range(number)]


async def decided(store: Store, events: Sequence[RequestCreated]) -> bool:
    """Whether all are known and none waits for a decision."""
    found = {one.id: one.state for one in await store.worklist(OPEN, None, "", 500)}
    return all(found.get(one.request_id, "pending") != "pending" for one in events)


async def share(*processes: Process) -> list[float]:
    """How many partitions each has."""
    told = await asyncio.gather(*(asyncio.to_thread(metrics, one) for one in processes))
    return [one.get("miglobe_consumer_lag_lines", 0) for one in told]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("how", ["frozen", "slow"])
async def test_who_halts_in_mid_decision_gives_nothing_away_that_another_process_has_given(
    how: str, settings_for: Callable[..., Settings], tmp_path: Path, unused_tcp_port_factory: Callable[[], int]
) -> None:
    """Frozen longer than its session, or slow while another one joins: its partitions go over, then it goes on."""
    settings, halted = settings_for(Settings), tmp_path / f"halted.{how}"
    ports = [unused_tcp_port_factory(), unused_tcp_port_factory()]
    async with installation(settings) as store:
        first, later = asked(20), asked(8)
        command = [sys.executable, "-m", "tests.matching.halting_process", str(ports[0]), str(halted)]
        with running(command, settings) as slow:
            await until(lambda: checks(ports[0], start="up", kafka="up"), seconds=90)
            await send(settings.kafka, [message(one, settings.prefix) for one in first])
            await until(halted.exists, seconds=60)
            with serving("matching", settings, ports[1]) as other:
                two = [Process(slow.pid, ports[0]), Process(other.pid, ports[1])]
                await until(lambda: checks(ports[1], start="up", kafka="up"), seconds=90)
                await send(settings.kafka, [message(one, settings.prefix) for one in later])
                if how == "frozen":  # nobody but the other can decide
                    await until(lambda: decided(store, [*first, *later]), seconds=90)
                    os.kill(slow.pid, signal.SIGCONT)
                else:

                    async def joined() -> bool:
                        return min(await share(*two)) > 0

                    await until(joined, seconds=60)
                    halted.unlink()

                async def settled() -> bool:
                    return min(await share(*two)) > 0 and await decided(store, [*first, *later])

                await until(settled, seconds=90)
                [last] = asked(1)
                await send(settings.kafka, [message(last, settings.prefix)])
                await until(lambda: decided(store, [last]), seconds=60)
                await until(lambda: published(store, settings), seconds=60)
        found = await store.worklist(OPEN, None, "", 500)
        assert {one.id for one in found} == {one.request_id for one in (*first, *later, last)}
        seats = Counter(number for one in found for number in one.holders)
        assert all(seats[one.id] <= one.capacity for one in PEOPLE)
        assert seats.total() == sum(one.capacity for one in PEOPLE)
        told = {ids: json.loads(body or b"") for ids, body in await released(settings)}
        assert Counter(one["request_id"] for one in told.values()) == Counter(
            one.id for one in found if one.state == "proposed"
        )
        for one in found:
            assert [each.assignment_id for each in one.rounds] == [
                each["assignment_id"] for each in told.values() if each["request_id"] == one.id
            ]


async def released(settings: Settings) -> list[tuple[bytes, bytes | None]]:
    """The id of each advisor.assigned and its body; a relay that was frozen may have sent one twice."""
    found = await everything(settings.kafka, f"{settings.prefix}advisor.assigned")
    return [(head["ce_id"], body) for _, body, head in found]


async def published(store: Store, settings: Settings) -> bool:
    proposed = [one for one in await store.worklist(OPEN, None, "", 500) if one.state == "proposed"]
    return len({number for number, _ in await released(settings)}) >= len(proposed)
