"""The tests of broker and database, on servers that testcontainers starts."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from deploy.local import parts, ports
from deploy.local.errors import NotReachable
from deploy.local.tools import ROOT
from tests.compose.docker import Docker
from tests.compose.images import Images
from tests.compose.telling import figure

START_SECONDS = 120.0
KAFKA = {
    "CLUSTER_ID": "bWlnbG9iZS1jb250YWluZXI",
    "KAFKA_HEAP_OPTS": "-Xms128m -Xmx384m",
    "KAFKA_PROCESS_ROLES": "broker,controller",
    "KAFKA_NODE_ID": "1",
    "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@127.0.0.1:9093",
    "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "KAFKA_LISTENERS": "PLAINTEXT://0.0.0.0:9092,CONTROLLER://127.0.0.1:9093",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "KAFKA_INTER_BROKER_LISTENER_NAME": "PLAINTEXT",
    "KAFKA_LOG_DIRS": "/var/lib/kafka/data",
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "8",
    "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
    "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
}


@pytest.fixture
def client(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> str:
    """testcontainers works with our daemon; finalizers take the place of its reaper. Returns where ports are."""
    if docker.host:
        monkeypatch.setenv("DOCKER_HOST", docker.host)
    monkeypatch.setattr(testcontainers_config, "ryuk_disabled", True)
    return docker.address


@contextmanager
def mongo(image: str, host: str) -> Iterator[str]:
    """A replica set of one, by its address alone: its member's name is of no use from outside."""
    container = DockerContainer(image).with_command("--replSet rs0 --bind_ip_all").with_exposed_ports(27017)
    with container:
        uri = f"mongodb://{host}:{container.get_exposed_port(27017)}/?directConnection=true"
        end = time.monotonic() + START_SECONDS
        with MongoClient[dict[str, object]](uri, serverSelectionTimeoutMS=1000) as asking:
            while not _is_primary(asking):
                assert time.monotonic() < end, container.get_logs()
                time.sleep(0.2)
        yield uri


def _is_primary(asking: "MongoClient[dict[str, object]]") -> bool:
    try:
        hello = asking.admin.command("hello")
        if "setName" not in hello:
            asking.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": "127.0.0.1:27017"}]})
        return bool(hello["isWritablePrimary"])
    except PyMongoError:
        return False


@contextmanager
def kafka(image: str, host: str) -> Iterator[str]:
    """It must say itself where it is reached, so its port is chosen before."""
    chosen = ports.free(["kafka"], {})
    port = chosen["kafka"]
    chosen.release()
    container = DockerContainer(image).with_envs(**KAFKA).with_bind_ports(9092, port)
    address = f"{host}:{port}"
    with container.with_env("KAFKA_ADVERTISED_LISTENERS", f"PLAINTEXT://{address}"):
        end = time.monotonic() + START_SECONDS
        while not _answers(address):
            assert time.monotonic() < end, container.get_logs()
            time.sleep(0.2)
        yield address


def _answers(address: str) -> bool:
    try:
        parts.ask("kafka", address)
    except NotReachable:
        return False
    return True


@pytest.mark.timeout(2400)
def test_the_tests_of_broker_and_database_pass_on_containers(images: Images, client: str) -> None:
    begun, names = time.monotonic(), images.names
    with kafka(names["kafka"], client) as bootstrap, mongo(names["mongo"], client) as uri:
        figure(f"testcontainers: Kafka and MongoDB ready in {time.monotonic() - begun:.0f} s")
        env = os.environ | {"MIGLOBE_KAFKA": bootstrap, "MIGLOBE_MONGO": uri}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/shared"]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=2200)
    summary = done.stdout.strip().splitlines()[-1] if done.stdout else done.stderr
    figure(f"tests/shared on containers: {summary}")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", summary)
    assert passed
    assert int(passed[1]) > 50
