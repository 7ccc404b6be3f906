"""Where it is measured: real Kafka and MongoDB, and single processes of services and baselines on them."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.local import parts
from deploy.local.stack import Stack
from shared.mongo import Mongo
from shared.publisher import Message
from shared.settings import Settings
from tests.waiting import until

ROOT = Path(__file__).parents[2]
OPEN = {"MIGLOBE_LIMIT_ADDRESS_MINUTE": "0", "MIGLOBE_LIMIT_EMAIL_DAY": "0", "MIGLOBE_LOG_LEVEL": "WARNING"}
"""One client sends all requests."""
PARTITIONS: int = Settings.model_fields["partitions"].default
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Process:
    """A running server and its port."""

    pid: int
    port: int


class Place:
    """Names of its own (`prefix`) on a stack's servers, so that measurements don't meet each other's events."""

    def __init__(self, stack: Stack, prefix: str, env: Mapping[str, str] | None = None) -> None:
        """`env` is laid over the environment of all that runs here."""
        self.stack = stack
        self.prefix = prefix
        self.bodies = stack.home.path / "bodies"
        self.env = stack.env() | OPEN | {"MIGLOBE_PREFIX": prefix} | dict(env or {})

    def miglobe(self, *arguments: str) -> None:
        """One command of the operator. Raises CalledProcessError."""
        subprocess.run([parts.miglobe(), *arguments], env=self.env, check=True, stdout=subprocess.DEVNULL, timeout=120)

    def import_advisors(self, lines: str) -> None:
        """Those of a CSV."""
        file = self.stack.home.path / f"{self.prefix}advisors.csv"
        file.write_text(lines, encoding="utf-8")
        self.miglobe("advisors", "import", str(file))

    @asynccontextmanager
    async def service(self, name: str) -> AsyncIterator[Process]:
        """One process of a service, from ready to its orderly end."""
        async with self._running([parts.miglobe(), "serve", name, "--port"], "/readyz", name) as process:
            yield process

    @asynccontextmanager
    async def baseline(self, name: str) -> AsyncIterator[Process]:
        """One of `tests/bench/baselines/` that serves HTTP."""
        async with self._running([sys.executable, "-m", f"tests.bench.baselines.{name}"], "/docs", name) as process:
            yield process

    @asynccontextmanager
    async def helper(self, name: str) -> AsyncIterator[Process]:
        """Another module of tests/bench/ that serves HTTP or SMTP on its port."""
        async with self._running([sys.executable, "-m", f"tests.bench.{name}"], None, name) as process:
            yield process

    @asynccontextmanager
    async def _running(self, command: list[str], path: str | None, name: str) -> AsyncIterator[Process]:
        """Ready once `path` is answered with 200, or without one, once the port is open."""
        port = _free_port()
        log = self.stack.home.path / "logs" / f"{self.prefix}{name}.log"
        process = _start([*command, str(port)], self.env, log)
        try:
            await asyncio.to_thread(_until_ready, port, path, process, log)
            yield Process(process.pid, port)
        finally:
            process.terminate()
            try:
                await asyncio.to_thread(process.wait, 30)
            except subprocess.TimeoutExpired:
                process.kill()

    @asynccontextmanager
    async def mongo(self, service: str) -> AsyncIterator[Mongo]:
        """A service's database, or one of a baseline's own."""
        mongo = Mongo(self.stack.mongo, f"{self.prefix}miglobe-{service}")
        try:
            yield mongo
        finally:
            await mongo.close()

    async def publish(self, messages: Sequence[Message]) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.stack.kafka, linger_ms=5, max_batch_size=131_072)
        await producer.start()
        try:
            sent = [
                await producer.send(one.topic, value=one.value, key=one.key, headers=list(one.headers))
                for one in messages
            ]
            await asyncio.gather(*sent)
        finally:
            await producer.stop()

    @asynccontextmanager
    async def counting(self, *topics: str) -> AsyncIterator["Counter"]:
        """Counts the messages of `topics` (without prefix)."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.stack.kafka)
        await consumer.start()
        try:
            numbers = range(PARTITIONS)
            yield Counter(consumer, [TopicPartition(self.prefix + topic, n) for topic in topics for n in numbers])
        finally:
            await consumer.stop()


@dataclass(frozen=True, slots=True)
class Counter:
    consumer: AIOKafkaConsumer
    places: list[TopicPartition]

    async def now(self) -> int:
        ends = await self.consumer.end_offsets(self.places)
        return sum(ends.values())

    async def reach(self, number: int) -> None:
        """Returns when there are so many messages, or soon after: to ask more often would be work for the servers."""

        async def reached() -> bool:
            return await self.now() >= number

        await until(reached, seconds=120, pause=0.1)

    async def newest(self) -> float:
        """When the newest message was appended, in seconds since 1970 by the broker's clock."""
        self.consumer.assign(self.places)
        there = {place: end for place, end in (await self.consumer.end_offsets(self.places)).items() if end}
        for place in self.places:
            self.consumer.seek(place, max(0, there.get(place, 0) - 1))
        found: list[float] = []
        while len(found) < len(there):
            for records in (await self.consumer.getmany(timeout_ms=1000)).values():
                found += [record.timestamp / 1000 for record in records]
        return max(found)


def _start(command: list[str], env: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("ab") as out:
        return subprocess.Popen(command, env=env, stdout=out, stderr=out, cwd=ROOT)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _until_ready(port: int, path: str | None, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + 180
    while time.monotonic() < end and process.poll() is None:
        try:
            if path is None:
                socket.create_connection(("127.0.0.1", port), 2).close()
                return
            with _direct.open(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nothing answers on {port}:\n{log.read_text()[-2000:]}")


def metrics(process: Process) -> Mapping[str, float]:
    """What a service tells of itself, added up over labels; `…_lines`: over how many."""
    found: defaultdict[str, float] = defaultdict(float)
    with _direct.open(f"http://127.0.0.1:{process.port}/metrics", timeout=10) as answer:
        for line in answer.read().decode().splitlines():
            if not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                name = name.partition("{")[0]
                found[name] += float(value)
                found[f"{name}_lines"] += 1
    return found


def busy_cores(seconds: float = 3.0) -> float:
    """How many cores all processes of this machine keep busy."""

    def used() -> float:
        fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")

    before, began = used(), time.monotonic()
    time.sleep(seconds)
    return (used() - before) / (time.monotonic() - began)


def cpu_seconds(*pids: int) -> float:
    """Of a core, since the processes began."""
    return sum(map(_cpu_seconds, pids))


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def frozen(processes: Sequence[Process]) -> Iterator[None]:
    """They do nothing for as long as the block."""
    for process in processes:
        os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process.pid, signal.SIGCONT)


def resident_mb(pid: int) -> float:
    """Resident memory in units of 1,000,000 bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
