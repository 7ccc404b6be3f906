"""What `make up`, `make down` and a person at the keyboard see."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.home import Home
from deploy.local.tools import ROOT
from tests.deploy.conftest import alive
from tests.waiting import until

WAIT = 90  # seconds, for machines that do a lot else

Run = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def run(elsewhere: dict[str, str], tmp_path: Path) -> Iterator[Run]:
    """Runs a command on the home `tmp_path`; whatever holds that home is ended after the test."""
    made: list[subprocess.Popen[str]] = []

    def start(command: str, *arguments: str, env: dict[str, str] | None = None) -> "subprocess.Popen[str]":
        if command == "up":
            arguments = (*arguments, "--servers-only")
        line = [sys.executable, "-m", "deploy.local", command, f"--home={tmp_path}", *arguments]
        environment = {**os.environ, **elsewhere, **(env or {})}
        out = subprocess.PIPE
        made.append(subprocess.Popen(line, cwd=ROOT, env=environment, stdout=out, stderr=out, text=True))
        return made[-1]

    yield start
    for process in made:
        process.kill()
        process.communicate()
    if owner := Home(tmp_path).owner():
        os.kill(owner, signal.SIGKILL)


def state(home: Path) -> dict[str, dict[str, int]]:
    """What the supervisor wrote down; {} before that."""
    path = home / "run" / "state.json"
    return json.loads(path.read_text() or "{}") if path.exists() else {}


async def test_a_dying_process_is_reported_and_stops_the_rest(run: Run, tmp_path: Path) -> None:
    process = run("up", "--foreground", "--free-ports", env={"MIGLOBE_MONGO": ""})
    pids = (await until(lambda: state(tmp_path), seconds=WAIT, what="the stack is up"))["pids"]
    os.kill(pids["mail"], signal.SIGKILL)
    out, err = process.communicate(timeout=WAIT)
    assert process.returncode == 1
    assert "error: mail ended with exit code -9; the last lines of " in err
    assert "Traceback" not in out + err
    assert not alive(pids["mongo"])

    status = run("status")
    assert "mail ended with exit code -9" in status.communicate()[0]
    assert status.returncode == 1


async def test_a_killed_supervisor_leaves_nothing_behind_and_the_next_start_works(run: Run, tmp_path: Path) -> None:
    up = run("up", "--free-ports")
    out, err = up.communicate(timeout=WAIT)
    assert up.returncode == 0, out + err
    assert "inbox" in out
    owner, pid = Home(tmp_path).owner(), state(tmp_path)["pids"]["mail"]
    assert owner
    assert alive(pid)
    os.kill(owner, signal.SIGKILL)
    await until(lambda: not alive(pid), seconds=WAIT, what="the mail sink ended with its supervisor")

    again = run("up", "--free-ports")
    out, err = again.communicate(timeout=WAIT)
    assert again.returncode == 0, out + err
    pid = state(tmp_path)["pids"]["mail"]

    second = run("up", "--free-ports")
    assert "error: It already runs" in second.communicate(timeout=WAIT)[1]

    down = run("down")
    assert down.communicate(timeout=WAIT)[0] == "stopped\n"
    assert not alive(pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_all_in_order(run: Run, tmp_path: Path, number: signal.Signals) -> None:
    process = run("up", "--foreground", "--free-ports")
    pid = (await until(lambda: state(tmp_path), seconds=WAIT, what="the stack is up"))["pids"]["mail"]
    process.send_signal(number)
    out, err = process.communicate(timeout=WAIT)
    assert (process.returncode, err) == (0, "")
    assert out.endswith("stopped\n")
    assert not alive(pid)


async def test_a_signal_during_the_start_leaves_nothing_running(run: Run, tmp_path: Path) -> None:
    process = run("up", "--foreground", "--free-ports", env={"MIGLOBE_KAFKA": ""})
    log = tmp_path / "logs" / "kafka.log"
    await until(log.exists, seconds=WAIT, what="Kafka is being started")
    process.terminate()
    out, err = process.communicate(timeout=WAIT)
    assert "stopped" in out
    assert "Traceback" not in err
    assert Home(tmp_path).owner() is None


def test_clean_drops_the_data(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "old.eml").touch()
    (tmp_path / "tools").mkdir()
    clean = run("clean")
    assert clean.communicate(timeout=WAIT)[1] == ""
    assert [path.name for path in tmp_path.iterdir() if path.name != "run"] == ["tools"]


def test_down_when_nothing_runs(run: Run) -> None:
    assert run("down").communicate(timeout=WAIT) == ("nothing runs\n", "")
