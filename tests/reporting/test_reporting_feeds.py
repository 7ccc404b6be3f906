"""Feeds to follow with a cursor: an order without gaps, long poll, ETag; and the sample consumer of the topic."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.tools import ROOT
from services.reporting import handlers
from services.reporting.app import build
from services.reporting.documents import ENTRIES
from services.reporting.entries import Entries
from services.reporting.settings import Settings
from shared import topics
from shared.auth import token
from shared.mongo import Mongo
from shared.publisher import Message
from tests.conftest import SECRET
from tests.reporting.conftest import Kept, in_database
from tests.reporting.journeys import RULES, whole
from tests.reporting.test_reporting_kafka import wipe
from tests.shared.kafka import everything, send
from tests.waiting import until

EXAMPLE = ROOT / "deploy" / "examples" / "entries.py"


@pytest.fixture
async def settings(settings_for: Callable[..., Settings]) -> AsyncIterator[Settings]:
    made = settings_for(Settings, webhook_loopback=True)
    await topics.apply(made)
    yield made
    mongo = Mongo(made.mongo, made.database("reporting"))
    await mongo.client.drop_database(mongo.db.name)
    await mongo.close()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[tuple[httpx.AsyncClient, Kept]]:
    """The service, and a hand on its database."""
    app = build(settings)
    mongo = Mongo(settings.mongo, settings.database("reporting"))
    async with app.router.lifespan_context(app), in_database(mongo) as kept:
        headers = {"Authorization": f"Bearer {token(SECRET, 'skew', 'x')}"}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://test", headers=headers, timeout=60
        ) as client:
            await until(lambda: _ready(client))
            yield client, kept
    await mongo.close()


async def _ready(client: httpx.AsyncClient) -> bool:
    checks = (await client.get("/readyz")).json()["checks"]
    return all(value == "up" for value in checks.values())


async def page(client: httpx.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_lines_get_places_without_gaps_whoever_places_them(database: Kept) -> None:
    """Four at once, and lines that an earlier version has left without a place."""
    assert database.mongo is not None
    entries = Entries(database.mongo)
    await database.ledger.record([fact for _ in range(12) for fact in whole().facts])
    await handlers.step(database.ledger, database.store, RULES)
    await database.mongo[ENTRIES].update_many({}, {"$unset": {"unplaced": ""}})
    await entries.prepare()
    await asyncio.gather(*(Entries(database.mongo).place() for _ in range(4)))
    assert await entries.place() == 0
    lines = await entries.after(0, 1000)
    assert [line.seq for line in lines] == list(range(1, 49))
    assert len({line.id for line in lines}) == 48
    assert (await entries.head())[0] == 48
    assert [line.seq for line in await entries.after(40, 3)] == [41, 42, 43]


async def test_who_waits_is_answered_as_soon_as_something_comes(settings: Settings) -> None:
    """On facts and on lines; nothing came: an empty page when the time is over."""
    async with running(settings) as (client, kept):
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert (await page(client, "/api/entries", wait=0.5))["items"] == []
        assert loop.time() - began >= 0.5
        facts = asyncio.create_task(page(client, "/api/facts", wait=50))
        lines = asyncio.create_task(page(client, "/api/entries", wait=50))
        await asyncio.sleep(0.2)
        assert not facts.done()
        began = loop.time()
        await kept.ledger.record(whole().facts)
        assert len((await facts)["items"]) == 9
        assert (await lines)["items"]
        assert loop.time() - began < 45, "nobody waited for the time to be over"
        found = await until(partial(_lines, client, 4))
        assert [item["cursor"] for item in found["items"]] == ["1", "2", "3", "4"]
        assert found["position"] == "4"
        entry = found["items"][0]
        sent = await until(partial(_sent, settings, 4))
        assert sent[entry["id"]] == entry["data"]
        assert entry["type"] == "de.miglobe.reporting.entry.v1"


async def _sent(settings: Settings, count: int) -> dict[str, Any]:
    found = {
        h["ce_id"].decode(): json.loads(v or b"") for _, v, h in await everything(settings.kafka, _topic(settings))
    }
    return found if len(found) == count else {}


async def _lines(client: httpx.AsyncClient, count: int) -> dict[str, Any]:
    found = await page(client, "/api/entries")
    return found if len(found["items"]) == count else {}


def _topic(settings: Settings) -> str:
    return f"{settings.prefix}reporting.entry"


async def test_a_page_that_is_known_is_not_sent_again_and_a_feed_made_anew_is_told(settings: Settings) -> None:
    async with running(settings) as (client, kept):
        await kept.ledger.record(whole().facts)
        for path in ("/api/facts", "/api/entries"):
            first = await client.get(path, params={"limit": 4, "wait": 20})
            tag = first.headers["etag"]
            known = {"If-None-Match": f'W/{tag}, "other"'}
            assert (await client.get(path, params={"limit": 4}, headers=known)).status_code == 304
            assert (await client.get(path, params={"limit": 3}, headers=known)).status_code == 200
            feed = first.json()["feed"]
            assert (await client.get(path, params={"feed": feed})).status_code == 200
            other = await client.get(path, params={"feed": "an-earlier-one"})
            assert other.status_code == 409
            assert "von vorn" in other.json()["detail"]


async def test_days_that_were_sealed_are_given_to_keep(settings: Settings) -> None:
    async with running(settings) as (client, _):
        assert await page(client, "/api/ledger/days") == {"items": []}


def consume(settings: Settings, file: Path) -> subprocess.Popen[str]:
    """The sample consumer as a process of its own, with nothing of ours in its environment but the addresses."""
    command = [sys.executable, str(EXAMPLE), settings.kafka, str(file), _topic(settings)]
    return subprocess.Popen(command, env={}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


async def _written(file: Path, count: int) -> bool:
    return len(await asyncio.to_thread(_text, file)) == count


def _text(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


async def _said(consumer: "subprocess.Popen[str]") -> str:
    _, said = await asyncio.to_thread(consumer.communicate, timeout=60)
    return said


def line(topic: str, number: int) -> Message:
    identity = f"line-{number}"
    return Message(
        topic, str(number).encode(), json.dumps({"entry_id": identity}).encode(), [("ce_id", identity.encode())]
    )


async def test_the_sample_consumer_reads_each_line_once_and_notices_a_topic_wiped_or_refilled(
    settings: Settings, tmp_path: Path
) -> None:
    """40 lines of code: killed and begun again, repetitions, then the topic empty, then with something else in it."""
    assert len(EXAMPLE.read_text(encoding="utf-8").splitlines()) <= 48
    file, topic = tmp_path / "lines.jsonl", _topic(settings)
    lines = [line(topic, number) for number in range(30)]
    for sent, expected in ((lines[:20], 20), (lines[10:], 30)):
        consumer = consume(settings, file)
        try:
            await send(settings.kafka, sent)
            await until(partial(_written, file, expected))
        finally:
            consumer.kill()
            await _said(consumer)
    ids = [json.loads(text)["id"] for text in _text(file)]
    assert sorted(ids) == sorted({f"line-{number}" for number in range(30)})
    await wipe(settings, "reporting.entry")
    assert "wiped" in await _said(consume(settings, file))
    await send(settings.kafka, [line(topic, number) for number in range(100, 300)])
    assert "refilled" in await _said(consume(settings, file))
