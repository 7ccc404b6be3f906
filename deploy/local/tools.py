"""Where the downloaded programs lie. One set per checkout, shared by all of its stacks."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import NotInstalled

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Tools:
    """home: the directory of the tools."""

    home: Path = ROOT / ".local" / "tools"

    @property
    def kafka_libs(self) -> Path:
        """The directory of Kafka's jars."""
        return self.home / "kafka" / "libs"

    @property
    def kafka_archive(self) -> Path:
        """Kafka's classes as the JVM maps them into memory."""
        return self.home / "kafka" / "classes.jsa"

    def require(self, parts: Iterable[str]) -> None:
        """Raises: NotInstalled, if what these parts (kafka, mongo, …) run on is missing."""
        if "kafka" in parts:
            self.java()
            self.kafka_jars()
        if "mongo" in parts:
            self.mongod()
        if not shutil.which("setpriv"):
            raise NotInstalled("setpriv is missing: run `sudo apt-get install util-linux`.")

    def kafka_jars(self) -> list[str]:
        """In an order that is always the same, as the archive wants it. Raises: NotInstalled."""
        jars = sorted(str(jar) for jar in (self.home / "kafka" / "libs").glob("*.jar"))
        if not jars:
            raise NotInstalled("Kafka's jars are missing: run `make install`.")
        return jars

    def java(self) -> str:
        """The path of the JVM. Raises: NotInstalled."""
        at_home = Path(os.environ.get("JAVA_HOME", "/nonexistent")) / "bin" / "java"
        found = str(at_home) if at_home.exists() else shutil.which("java")
        if not found:
            raise NotInstalled("Java 17 is missing: run `sudo apt-get install openjdk-17-jre-headless`.")
        return found

    def caddy(self) -> str | None:
        """The path of Caddy, without which each service has its own address; None where it is not installed."""
        return shutil.which("caddy")

    def mongod(self) -> str:
        """The path of mongod. Raises: NotInstalled."""
        path = self.home / "mongo" / "bin" / "mongod"
        if not path.exists():
            raise NotInstalled("mongod is missing: run `make install`.")
        return str(path)
