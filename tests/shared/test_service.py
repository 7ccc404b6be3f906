"""One service as a process: how it starts, stops, and says what it waits for."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx

from deploy.local.journey import REQUEST
from shared import outbox, topics
from shared.mongo import Mongo
from shared.settings import Settings
from tests.e2e.test_bad_input import _soon
from tests.shared.serving import MIGLOBE, answer, checks, serving
from tests.waiting import until


async def post(port: int) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        body = REQUEST | {"wanted_from": _soon()}
        return await client.post(f"http://127.0.0.1:{port}/api/requests", json=body, timeout=30)


def test_a_missing_topic_refuses_to_start_with_what_to_do(
    settings_for: Callable[..., Settings], unused_tcp_port: int
) -> None:
    with serving("reporting", settings_for(), unused_tcp_port) as process:
        assert process.wait(timeout=60) != 0
        assert process.stderr is not None
        assert "topics are missing" in (said := process.stderr.read())
        assert "miglobe topics apply" in said


def test_wrong_settings_and_unknown_services_are_one_clear_message(settings_for: Callable[..., Settings]) -> None:
    for arguments, env, words in (
        (["serve", "reporting"], {"MIGLOBE_SECRET": "short"}, "MIGLOBE_SECRET"),
        (["serve", "repotring"], {}, "intake, matching, notifications, reporting"),
        (["serve", "intake"], {"MIGLOBE_SECRET": "x" * 40, "MIGLOBE_TIME_ZONE": "Mars/Base"}, "MIGLOBE_TIME_ZONE"),
        (["serve", "intake"], {"MIGLOBE_SECRET": "x" * 40, "MIGLOBE_REGISTER_FILE": "/nowhere"}, "can't be read"),
        (["topics", "apply"], {"MIGLOBE_SECRET": "x" * 40, "MIGLOBE_KAFKA": "127.0.0.1:1"}, "MIGLOBE_KAFKA"),
    ):
        done = subprocess.run([MIGLOBE, *arguments], env=os.environ | env, capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert words in done.stderr
        assert "Traceback" not in done.stderr


def test_a_port_in_use_is_said_before_anything_starts(settings_for: Callable[..., Settings]) -> None:
    """A second process at the first one's address would work under its lease."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serving("intake", settings_for(), port) as process:
            assert process.wait(timeout=60) != 0
            assert process.stderr is not None
            [said] = process.stderr.read().splitlines()
    assert f"127.0.0.1:{port} could not be opened" in said


async def test_with_kafka_away_requests_are_accepted_and_kept_until_it_is_back(
    settings_for: Callable[..., Settings], unused_tcp_port: int
) -> None:
    there = settings_for()
    away = there.model_copy(update={"kafka": "127.0.0.1:1"})
    with serving("intake", away, unused_tcp_port):
        await until(lambda: checks(unused_tcp_port, mongo="up", start="waiting for kafka"), seconds=60)
        assert (await post(unused_tcp_port)).status_code == 201
        await until(lambda: checks(unused_tcp_port, kafka="down"))
        assert (found := await answer(unused_tcp_port, "/livez"))
        assert found.status_code == 200
    mongo = Mongo(there.mongo, there.database("intake"))
    assert (await outbox.backlog(mongo, ["requests"]))[0] == 1, "a request with both of its events"
    await topics.apply(there)
    with serving("intake", there, unused_tcp_port):

        async def published() -> bool:
            return (await outbox.backlog(mongo, ["requests"]))[0] == 0

        await until(published, seconds=60)
    await mongo.client.drop_database(mongo.db.name)
    await mongo.close()


async def test_with_mongodb_away_the_answer_is_503_with_retry_after(
    settings_for: Callable[..., Settings], unused_tcp_port: int
) -> None:
    away = settings_for(mongo="mongodb://127.0.0.1:1/?replicaSet=rs0&serverSelectionTimeoutMS=500")
    with serving("intake", away, unused_tcp_port):
        body = await until(lambda: checks(unused_tcp_port, mongo="down"), seconds=60)
        assert body is not None
        assert body["ready"] is False
        refused = await post(unused_tcp_port)
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert refused.headers["content-type"] == "application/problem+json"


async def test_sigterm_stops_within_the_grace_and_frees_the_port(
    settings_for: Callable[..., Settings], unused_tcp_port: int
) -> None:
    settings = settings_for()
    await topics.apply(settings)
    with serving("matching", settings, unused_tcp_port) as process:
        await until(lambda: checks(unused_tcp_port, start="up", mongo="up", kafka="up"), seconds=60)
        metrics = await answer(unused_tcp_port, "/metrics")
        assert metrics is not None
        assert "miglobe_outbox_pending 0.0" in metrics.text
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=25) == 0
    assert await answer(unused_tcp_port, "/livez") is None


def test_what_can_never_become_ready_ends_with_its_reason(
    settings_for: Callable[..., Settings], unused_tcp_port: int, tmp_path: Path
) -> None:
    """A register that can't be read: no waiting, no restart would mend it."""
    file = tmp_path / "register.csv"
    file.write_text("ags,name\n08111000,Stuttgart\n")
    with serving("intake", settings_for(), unused_tcp_port, MIGLOBE_REGISTER_FILE=str(file)) as process:
        assert process.wait(timeout=60) != 0
        assert process.stderr is not None
        assert "columns missing" in process.stderr.read()
