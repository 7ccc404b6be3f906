"""The Docker daemon that is there; or one of our own, with its own socket, data folder and end."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.install import need_package
from tests.compose.docker import Docker, DockerError
from tests.compose.hostside import unmount
from tests.compose.telling import say

START_SECONDS = 60.0
CHAINS = ("nat", "filter")


class NoDocker(Exception):
    """There is none and none can be had; str() says what to do."""


@contextmanager
def daemon() -> Iterator[Docker]:
    """Raises NoDocker."""
    _need("docker", "docker.io")
    there = Docker(os.environ.get("DOCKER_HOST", ""))
    if there.answers():
        say(f"daemon: {there.host or 'the default one'}, {_version(there)}")
        yield there
        return
    if there.host:
        raise NoDocker(f"Nothing answers at DOCKER_HOST={there.host}: start it, or unset DOCKER_HOST.")
    if os.geteuid() != 0:
        raise NoDocker("No Docker daemon answers: start one, set DOCKER_HOST, or run this as root.")
    _need("dockerd", "docker.io")
    with tempfile.TemporaryDirectory(prefix="miglobe-docker-") as home, _started(Path(home)) as own:
        yield own


def compose(docker: Docker) -> list[str]:
    """The command of Compose, version 2 where it is there. Raises NoDocker."""
    with suppress(DockerError):
        docker("compose", "version")
        return ["docker", "compose"]
    _need("docker-compose", "docker-compose")
    return ["docker-compose"]


def _need(command: str, packages: str) -> None:
    try:
        need_package(command, packages)
    except StackError as error:
        raise NoDocker(str(error)) from error


def _version(docker: Docker) -> str:
    return docker("info", "--format", "version {{.ServerVersion}}, storage {{.Driver}}").strip()


@contextmanager
def _started(home: Path) -> Iterator[Docker]:
    own = Docker(f"unix://{home}/docker.sock", own=True)
    command = ["dockerd", f"--host={own.host}", f"--data-root={home}/data", f"--exec-root={home}/run"]
    before, had_bridge = _rules(), _bridge()
    with (home / "dockerd.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--pidfile={home}/dockerd.pid"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        end = time.monotonic() + START_SECONDS
        while not own.answers():
            if process.poll() is not None or time.monotonic() > end:
                lines = (home / "dockerd.log").read_text(errors="replace").splitlines()[-15:]
                raise NoDocker("dockerd does not start here:\n" + "\n".join(lines))
            time.sleep(0.2)
        say(f"daemon: our own, {_version(own)}, process {process.pid}")
        yield own
    finally:
        process.terminate()
        try:
            process.wait(90)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        unmount(home)
        _restore(before, had_bridge)
        say("daemon: ended, its network rules and mounts taken back")


def _bridge() -> bool:
    return Path("/sys/class/net/docker0").exists()


def _rules() -> dict[str, list[str]]:
    """Table → its rules, as `iptables -S` prints them."""
    if not shutil.which("iptables"):
        return {}
    found = {}
    for table in CHAINS:
        done = subprocess.run(["iptables", "-t", table, "-S"], capture_output=True, text=True, check=False)
        found[table] = done.stdout.splitlines()
    return found


def _restore(before: dict[str, list[str]], had_bridge: bool) -> None:
    """dockerd leaves its bridge and rules behind; whatever others changed meanwhile stays."""
    for table, rules in _rules().items():
        new = [rule for rule in rules if rule not in before[table]]
        ours = [rule for rule in new if "DOCKER" in rule or "docker0" in rule or " br-" in rule]
        for rule in ours:
            if rule.startswith("-A"):
                _iptables(table, "-D" + rule[2:])
        for rule in ours:
            if rule.startswith("-N"):
                _iptables(table, "-X" + rule[2:])
        for policy in (rule for rule in before[table] if rule.startswith("-P") and rule not in rules):
            _iptables(table, policy)
    if not had_bridge and _bridge():
        subprocess.run(["ip", "link", "delete", "docker0"], check=False)


def _iptables(table: str, rule: str) -> None:
    subprocess.run(["iptables", "-t", table, *rule.split()], check=False, capture_output=True)
