"""Traps 17 to 20: what tests, pages and databases must be for the rest to mean anything."""

import asyncio
import re
import subprocess
import tokenize
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from deploy.local.stack import Stack
from deploy.local.tools import ROOT, Tools
from shared.mongo import Mongo
from shared.service import Service
from shared.settings import Settings
from tests.conftest import SECRET
from tests.shared.kafka import admin
from tests.shared.serving import serving


async def test_trap_17_no_test_stands_on_a_broker_that_is_none(stack: Stack) -> None:
    """TestKafkaBroker knows no commits, offsets, partitions, redelivery."""
    for file in (ROOT / "tests").rglob("*.py"):
        with tokenize.open(file) as source:
            tokens = tokenize.generate_tokens(source.readline)
            names = {one.string for one in tokens if one.type == tokenize.NAME}
        assert "TestKafkaBroker" not in names, file
    async with admin(stack.kafka) as client:
        assert (await client.describe_cluster())["brokers"]


async def test_trap_18_all_tests_and_fixtures_share_one_loop(mongo: Mongo, loop_of_a_fixture: object) -> None:
    """A client belongs to the loop that first used it; made before there is one, it belongs to none yet."""
    assert asyncio.get_running_loop() is loop_of_a_fixture
    await mongo.ping()
    with pytest.raises(RuntimeError, match="event loop"):
        await asyncio.to_thread(asyncio.run, mongo.ping())


@pytest.fixture(scope="session")
async def loop_of_a_fixture() -> object:
    return asyncio.get_running_loop()


async def test_trap_18_a_service_is_built_before_its_loop_runs(settings: Settings) -> None:
    """As `serve` does: the composition root builds, then uvicorn makes the loop."""
    made = await asyncio.to_thread(Mongo, settings.mongo, settings.database("loop"))
    await made.ping()
    await made.close()


@pytest.mark.parametrize("page", ["/docs", "/asyncapi"])
async def test_trap_19_whatever_a_page_loads_is_served_by_the_service_itself(page: str) -> None:
    service = Service("intake", Settings(secret=SECRET), title="MiGlobe intake", summary="")
    transport = httpx.ASGITransport(service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://intake.test") as client:
        answer = await client.get(page)
        assert answer.status_code == 200
        loaded = re.findall(r'(?:src|href|url)\s*[=:]\s*["\']([^"\']+)', answer.text)
        assert len(loaded) >= 4
        for address in loaded:
            assert not re.match(r"[a-z]+:|//", address), f"{address} is elsewhere"
            there = (await client.get(f"/{address}")).status_code
            assert there == 200, f"{address} is not there: node deploy/assets.mjs"


def test_trap_20_a_single_mongod_is_refused(
    settings_for: Callable[..., Settings], unused_tcp_port_factory: Callable[[], int], tmp_path: Path
) -> None:
    """It may lose what it confirmed; and without transactions it would look ready and fail at every write."""
    port = unused_tcp_port_factory()
    mongod = [Tools().mongod(), f"--dbpath={tmp_path}", f"--port={port}", "--bind_ip=127.0.0.1"]
    single = subprocess.Popen([*mongod, "--nounixsocket", "--quiet"], stdout=subprocess.DEVNULL)
    try:
        away = settings_for(mongo=f"mongodb://127.0.0.1:{port}/")
        with serving("intake", away, unused_tcp_port_factory()) as process:
            assert process.wait(timeout=60) != 0
            assert process.stderr is not None
            assert "transactions need a replica set" in process.stderr.read()
    finally:
        single.terminate()
        single.wait(30)


async def test_trap_20_whatever_we_start_is_a_replica_set(mongo: Mongo) -> None:
    """The session's, and the one of docker-compose."""
    assert (await mongo.db.command("hello"))["setName"] == "rs0"
    assert await mongo.has_transactions()
    compose = (ROOT / "docker-compose.yml").read_text()
    assert re.search(r"exec mongod --replSet rs0 ", compose)
