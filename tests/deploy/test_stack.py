"""What a stack promises to those who use it from Python."""

import os
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient

from deploy.local import parts
from deploy.local.errors import NotInstalled, NotReachable, PortInUse, ProcessDied, StackError
from deploy.local.home import Home
from deploy.local.stack import Stack
from tests.deploy.conftest import Small, alive
from tests.waiting import until

OWN = {"MIGLOBE_KAFKA": "", "MIGLOBE_MONGO": "", "MIGLOBE_SMTP": ""}


def port(address: str) -> int:
    """The port in a URL."""
    found = urlsplit(address).port
    assert found
    return found


async def test_second_start_finds_its_data_again_even_on_other_ports(stack: Stack, tmp_path: Path) -> None:
    """Runs beside the session's stack, which also shows that two get along."""

    async def admin(running: Stack) -> AIOKafkaAdminClient:
        client = AIOKafkaAdminClient(bootstrap_servers=running.kafka)
        await client.start()
        return client

    with Stack(tmp_path, services=(), env=OWN) as first:
        assert {first.kafka, first.mongo, first.smtp}.isdisjoint({stack.kafka, stack.mongo, stack.smtp})
        ports = dict(first.home.ports())
        client = await admin(first)
        await client.create_topics([NewTopic("kept", 1, 1)])
        await client.close()
        async with AsyncMongoClient[dict[str, Any]](first.mongo) as mongo:
            await mongo.db.kept.insert_one({"_id": 1})
        with smtplib.SMTP("127.0.0.1", port(first.smtp)) as smtp:
            smtp.sendmail("a@example.org", ["b@example.org"], b"Subject: kept\r\n\r\n")

    (tmp_path / "run" / "ports.json").unlink()
    with Stack(tmp_path, services=(), env=OWN) as second:
        assert ports.items() != second.home.ports().items()
        client = await admin(second)
        assert "kept" in await client.list_topics()
        await client.close()
        async with AsyncMongoClient[dict[str, Any]](second.mongo) as mongo:
            assert await mongo.db.kept.find_one() == {"_id": 1}
        assert len(list(second.mail_dir.glob("*.eml"))) == 1


def test_ports_are_remembered(small: Small) -> None:
    with small() as one:
        before = one.smtp
    with small() as one:
        assert one.smtp == before


def test_watch_reports_a_process_that_died_with_its_last_lines(small: Small) -> None:
    with small() as one:
        os.kill(one.pids["mail"], signal.SIGKILL)
        with pytest.raises(
            ProcessDied, match=r"^mail ended with exit code -9; the last lines of .*/mail\.log:"
        ) as died:
            one.watch()
        assert "Uvicorn running" in died.value.tail


def test_killing_by_the_stack_is_no_death_and_the_process_can_be_started_again(small: Small) -> None:
    with small() as one:
        old = one.pids["mail"]
        one.kill("mail")
        one.check_alive()
        assert not alive(old)
        one.start_one("mail")
        assert one.pids["mail"] != old
        one.restart("mail")
        one.check_alive()


def test_a_paused_process_is_silent_and_can_be_resumed_or_stopped(small: Small) -> None:
    with small() as one:
        one.pause("mail")
        with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
            smtplib.SMTP("127.0.0.1", port(one.smtp), timeout=0.3)
        one.resume("mail")
        smtplib.SMTP("127.0.0.1", port(one.smtp), timeout=10).close()
        one.pause("mail")
        pid = one.pids["mail"]
    assert not alive(pid)


def test_port_in_use_is_said_in_one_sentence(small: Small) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(PortInUse, match=rf"^Port {taken} \(smtp\) is in use: stop what listens there, or .*$"):
            small(free_ports=False, port_offset=taken - 1025).start()


def test_no_java_is_said_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stack: Stack) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(
        NotInstalled, match=r"^Java 17 is missing: run `sudo apt-get install openjdk-17-jre-headless`\.$"
    ):
        Stack(tmp_path, services=(), env=OWN).start()
    assert not (tmp_path / "logs").exists()


def test_full_disk_is_said_before_anything_starts(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(free=5_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StackError, match=r"^Only 5 MB are free under .*, the stack's data needs 800 MB: make room"):
        small().start()


@pytest.mark.parametrize(
    ("setting", "address", "shown"),
    [
        ("MIGLOBE_KAFKA", "127.0.0.1:1", "127.0.0.1:1"),
        ("MIGLOBE_SMTP", "smtp://127.0.0.1:1", "smtp://127.0.0.1:1"),
        ("MIGLOBE_SMTP", "smtp://me:hidden@127.0.0.1:1", r"smtp://me:\*\*\*@127.0.0.1:1"),
        ("MIGLOBE_SMTP", "smtps://127.0.0.1:1", "smtps://127.0.0.1:1"),
        ("MIGLOBE_KAFKA", "no port", "no port"),
    ],
)
def test_server_elsewhere_that_is_not_there(small: Small, setting: str, address: str, shown: str) -> None:
    with pytest.raises(NotReachable, match=rf"^Nothing answers at {setting}={shown}: start that server, or unset"):
        small(env={setting: address}).start()


def test_servers_elsewhere_are_used_and_not_started(small: Small, stack: Stack) -> None:
    with small() as one:
        assert (one.kafka, one.mongo) == (stack.kafka, stack.mongo)
        assert set(one.pids) == {"mail"}


def test_one_stack_per_home(small: Small) -> None:
    with small(), pytest.raises(StackError, match=rf"A stack already runs in .* \(process {os.getpid()}\)"):
        small().start()


def test_leftovers_of_a_killed_owner_are_ended(small: Small) -> None:
    one = small()
    left = subprocess.Popen(["sleep", "600"], env={**os.environ, **one.home.mark})
    other = subprocess.Popen(["sleep", "600"], env={**os.environ, **Home(Path("/elsewhere")).mark})
    try:
        with one:
            assert left.wait(5) == -signal.SIGKILL
            assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_secret_is_made_once_and_private(small: Small) -> None:
    with small() as one:
        secret = one.env()["MIGLOBE_SECRET"]
        assert len(secret) >= 32
        assert (one.home.path / "secret").stat().st_mode & 0o777 == 0o600
        assert one.env()["MIGLOBE_SECRET"] == secret


Script = Callable[[str], None]


@pytest.fixture
def miglobe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Puts a shell script in the place of the command `miglobe`."""

    def make(script: str) -> None:
        path = tmp_path / "miglobe"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setattr(parts, "miglobe", lambda: str(path))

    return make


# Answers all paths with 200, until SIGTERM, of which it takes note.
SERVICE = """
[ "$1" = topics ] && exit 0
cd "$(dirname "$0")" && touch readyz
trap 'echo SIGTERM; kill $!; wait; exit 0' TERM
%s -m http.server "$6" & wait
"""


def test_services_are_started_after_the_topics_and_told_where_everything_is(small: Small, miglobe: Script) -> None:
    miglobe('[ "$1" = topics ] && touch "$(dirname "$0")/applied"; env;' + SERVICE % sys.executable)
    with small(("intake", "matching")) as one:
        assert (one.home.path.parent / "applied").exists()
        told = one.log_tail("intake", 1000)
        urls = [f"MIGLOBE_{name.upper()}_URL={one.urls[name]}" for name in one.services]
        for line in [f"MIGLOBE_KAFKA={one.kafka}", f"MIGLOBE_MONGO={one.mongo}", f"MIGLOBE_SMTP={one.smtp}", *urls]:
            assert line in told
        one.kill("intake")
        one.start_one("intake")
    assert "SIGTERM" in (one.home.log("intake")).read_text()


def test_service_that_cannot_start_is_named_with_its_log_and_all_ends(small: Small, miglobe: Script) -> None:
    miglobe('[ "$1" = topics ] && exit 0; echo "$2: bad setting"; [ "$2" = matching ] && exit 3; exec sleep 600')
    one = small(("intake", "matching"))
    with pytest.raises(ProcessDied, match=r"matching ended with exit code 3; .*\n    matching: bad setting"):
        one.start()
    assert one.pids == {}
    assert one.home.owner() is None


def test_service_that_ends_at_once_without_error_is_a_failure_too(small: Small, miglobe: Script) -> None:
    miglobe("exit 0")
    with pytest.raises(ProcessDied, match=r"intake ended with exit code 0; .*\n.*its log is empty"):
        small(("intake",)).start()


def test_topics_that_cannot_be_applied_stop_the_start(small: Small, miglobe: Script) -> None:
    miglobe("echo no rights >&2; exit 1")
    with pytest.raises(StackError, match=r"`miglobe topics apply` failed:\n    no rights"):
        small(("intake",)).start()


async def test_watch_returns_when_told_to(small: Small) -> None:
    with small() as one:
        stop = threading.Event()
        watcher = threading.Thread(target=one.watch, args=[stop])
        watcher.start()
        stop.set()
        await until(lambda: not watcher.is_alive(), what="watch returned")
