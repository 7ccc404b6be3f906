"""Apache Kafka: nodes that are broker and controller (KRaft); one is enough."""

import asyncio
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.tools import Tools

_CLUSTER_ID = "bWlnbG9iZS1lbWJlZGRlZA"

# Serial collector and a small heap: the stack shares a small machine with all the rest.
_JVM = ("-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true")
_LOGGING = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
    # Otherwise each start lists some 400 settings, twice.
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config.AbstractConfig=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaConfig=warn",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
)

_PROPERTIES = """\
process.roles=broker,controller
node.id={number}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor={copies}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={copies}
offsets.topic.num.partitions=8
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={in_sync}
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={in_sync}
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=4
# Its default, 128 MB, would be half of the heap.
log.cleaner.dedupe.buffer.size=8388608
log.index.size.max.bytes=1048576
"""


Ports = tuple[int, int]
"""Where a node listens as broker, and as controller."""


def prepare(home: Path, nodes: Sequence[Ports], number: int, tools: Tools) -> list[str]:
    """Write the settings and format the data directory if it is new; returns the command that runs Kafka.

    home: gets `server.properties` and `data/`. number: which of `nodes` this one is, from 1; all are voters.
    Raises: NotInstalled, StackError.
    """
    home.mkdir(parents=True, exist_ok=True)
    properties = home / "server.properties"
    data = home / "data"
    port, controller = nodes[number - 1]
    voters = ",".join(f"{voter}@127.0.0.1:{its}" for voter, (_, its) in enumerate(nodes, 1))
    copies = min(3, len(nodes))
    settings = _PROPERTIES.format(
        port=port,
        controller=controller,
        number=number,
        voters=voters,
        copies=copies,
        in_sync=max(1, copies - 1),
        data=data,
    )
    properties.write_text(settings)
    if not (data / "meta.properties").exists():
        _format(properties, tools)
    return command(tools, "kafka.Kafka", str(properties))


def command(tools: Tools, main: str, *arguments: str, archive: str = "SharedArchiveFile") -> list[str]:
    """The command line of one of Kafka's programs. Raises: NotInstalled, without Java.

    archive: "ArchiveClassesAtExit" records the classes that later starts load from the archive (3.9 → 1.9 s).
    """
    # Without an archive that fits these jars and this JVM the start takes longer, that is all.
    jars = ":".join(tools.kafka_jars())
    classes = [f"-XX:{archive}={tools.kafka_archive}", "-Xlog:cds=off", "-Xlog:cds+dynamic=off"]
    if archive == "SharedArchiveFile" and not tools.kafka_archive.exists():
        classes = []
    return [tools.java(), *_JVM, *classes, *_LOGGING, "-cp", jars, main, *arguments]


def answers(bootstrap: str) -> bool:
    """True when Kafka answers and names a broker. Must run in a thread without a running event loop."""
    host, _, port = bootstrap.split(",")[0].rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=2):
        pass
    return bool(brokers(bootstrap))


def is_member(port: int) -> bool:
    """True when the node at this port of ours knows itself as a broker that works. Blocks as `answers` does."""
    with socket.create_connection(("127.0.0.1", port), timeout=2):
        pass
    return port in brokers(f"127.0.0.1:{port}").values()


def brokers(bootstrap: str) -> dict[int, int]:
    """Id → port of the brokers that work; empty when nothing answers. Blocks as `answers` does."""
    from aiokafka.errors import KafkaError  # takes time, which commands that don't start anything needn't

    try:
        return asyncio.run(_brokers(bootstrap))
    except (KafkaError, TimeoutError):
        return {}


async def _brokers(bootstrap: str) -> dict[int, int]:
    from aiokafka.admin import AIOKafkaAdminClient

    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=3000)
    try:
        await admin.start()
        return {broker["node_id"]: broker["port"] for broker in (await admin.describe_cluster())["brokers"]}
    finally:
        await admin.close()


def _format(properties: Path, tools: Tools) -> None:
    arguments = ("format", "--cluster-id", _CLUSTER_ID, "--config", str(properties), "--ignore-formatted")
    line = command(tools, "kafka.tools.StorageTool", *arguments)
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stdout + done.stderr).strip().splitlines()[-1:]
        raise StackError(f"Kafka's data directory could not be set up: {''.join(reason)}")
