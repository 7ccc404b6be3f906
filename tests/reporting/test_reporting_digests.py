"""Days sealed in a chain: what was changed afterwards is found, to the day and the fact."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.reporting import digests
from services.reporting.digests import DIGESTS, MARKS, Digests
from services.reporting.ledger import FACTS
from shared.mongo import Mongo
from tests.reporting.conftest import Kept
from tests.reporting.journeys import whole

FIRST = datetime(2026, 11, 2, 12, tzinfo=UTC)
NOON = FIRST + timedelta(days=4)
ZONE = ZoneInfo("Europe/Berlin")


async def four_days(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> tuple[Mongo, Digests]:
    """Nine facts on each of the first two days, none on the third, nine just before midnight of the fourth."""
    assert kept.mongo is not None
    monkeypatch.setattr(digests, "BLOCK", 4)
    for at in (FIRST, FIRST + timedelta(days=1), datetime(2026, 11, 5, 22, 59, 59, tzinfo=UTC)):
        await kept.ledger.record(whole().facts)
        await kept.mongo[FACTS].update_many({"recorded_at": {"$gt": NOON}}, {"$set": {"recorded_at": at}})
    return kept.mongo, Digests(kept.mongo, ZONE)


async def test_days_are_sealed_when_they_are_over_also_those_without_facts(
    database: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    mongo, chain = await four_days(database, monkeypatch)
    assert await chain.seal(FIRST) == datetime(2026, 11, 1, 23, tzinfo=UTC)
    assert await chain.days() == []
    assert await chain.seal(NOON) == datetime(2026, 11, 5, 23, tzinfo=UTC)
    days = await chain.days()
    assert [(day.day.day, day.first, day.last) for day in days] == [(2, 1, 9), (3, 10, 18), (4, 19, 18), (5, 19, 27)]
    assert [day.previous for day in days] == [digests.BEGINNING, *(day.digest for day in days[:-1])]
    await database.ledger.record(whole().facts)
    verdict = await chain.verify()
    assert (verdict.days, verdict.facts, verdict.unsealed, verdict.difference) == (4, 27, 9, None)
    assert verdict.head == days[-1].digest
    await mongo[FACTS].update_many({"seq": {"$gt": 27}}, {"$set": {"recorded_at": NOON}})
    await chain.seal(NOON + timedelta(days=1))
    assert (await chain.days(after=date(2026, 11, 5)))[0].last == 36, "late facts belong to the day they were recorded"


async def test_processes_that_seal_at_once_make_one_chain(database: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of them knows fewer facts: what is stored first counts for all."""
    mongo, chain = await four_days(database, monkeypatch)
    await asyncio.gather(*(Digests(mongo, ZONE).seal(NOON) for _ in range(4)))
    assert await mongo[DIGESTS].count_documents({}) == 4
    assert (await chain.verify()).difference is None


TAMPERED: dict[str, tuple[dict[str, Any], int, str]] = {
    "content": ({"$set": {"data": "{}"}}, 12, "not what was sealed"),
    "time": ({"$set": {"time": "2026-01-01T00:00:00.000000+00:00"}}, 12, "not what was sealed"),
    "place on Kafka": ({"$set": {"offset": 4711}}, 12, "not what was sealed"),
    "recorded": ({"$set": {"recorded_at": FIRST}}, 12, "not what was sealed"),
}


@pytest.mark.parametrize("what", TAMPERED)
async def test_a_fact_changed_later_is_named(database: Kept, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    update, place, said = TAMPERED[what]
    mongo, chain = await four_days(database, monkeypatch)
    await chain.seal(NOON)
    await mongo[FACTS].update_one({"seq": place}, update)
    difference = (await chain.verify()).difference
    assert difference is not None
    assert (difference.day, difference.place) == (date(2026, 11, 3), place)
    assert said in difference.what


async def test_a_fact_taken_away_is_named_and_a_forged_chain_breaks_where_it_was_forged(
    database: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    mongo, chain = await four_days(database, monkeypatch)
    await chain.seal(NOON)
    there = await mongo[FACTS].find_one_and_delete({"seq": 18})
    assert there is not None
    assert (await chain.verify()).difference == digests.Difference(date(2026, 11, 3), 18, "the fact is missing")
    await mongo[FACTS].insert_one(there | {"data": "{}"})
    await mongo[MARKS].delete_many({"_id": {"$regex": "^2026-11-03"}})
    difference = (await chain.verify()).difference
    assert difference is not None
    assert (difference.day, difference.place) == (date(2026, 11, 3), None), "without marks the day is still told"
    await mongo[DIGESTS].delete_one({"_id": "2026-11-03"})
    forged = await Digests(mongo, ZONE)._seal(date(2026, 11, 3), (await chain.days())[0])
    verdict = await chain.verify()
    assert verdict.difference == digests.Difference(
        date(2026, 11, 4), None, "it is not chained to the day before it"
    ), f"{forged} was sealed anew, the days after it were not"
