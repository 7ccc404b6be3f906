"""Three Kafka nodes and three mongods on this machine, and a stack whose services work on them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient, MongoClient

from deploy.local import mongod, parts, ports
from deploy.local.component import Component
from deploy.local.crew import Crew
from deploy.local.stack import SERVICES, Stack
from deploy.local.tools import Tools
from tests.shared.kafka import admin

NODES = (1, 2, 3)
BROKERS = tuple(f"kafka-{number}" for number in NODES)
MEMBERS = tuple(f"mongo-{number}" for number in NODES)
SETTINGS = {"MIGLOBE_REPLICATION": "3"}
ELECTION_MS = 60_000
"""How long a replica set may be without a primary."""


class Cluster(Crew):
    """Brokers that are controllers too, kafka-1 to 3, and a replica set of mongo-1 to 3. Its data are not kept.

    Who is what is asked of the servers, so these need one that answers.
    """

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self._tools = Tools()

    @property
    def kafka(self) -> str:
        """Bootstrap servers."""
        return ",".join(f"127.0.0.1:{self._ports[name]}" for name in BROKERS)

    @property
    def mongo(self) -> str:
        """Connection string."""
        return mongod.uri(*(self._ports[name] for name in MEMBERS))

    async def leader(self, topic: str, partition: int = 0) -> str:
        """The broker that takes what is written to it."""
        async with admin(self.kafka) as client:
            places = (await client.describe_topics([topic]))[0]["partitions"]
        return BROKERS[next(int(place["leader"]) for place in places if place["partition"] == partition) - 1]

    async def coordinator(self, group: str) -> str:
        """The broker that keeps a consumer group together."""
        async with admin(self.kafka) as client:
            return BROKERS[int(await client.find_coordinator(group)) - 1]

    def controller(self) -> str:
        """The node that leads the quorum, by the last vote that any of them has written down."""
        votes = [json.loads((self._data(name) / "quorum-state").read_text()) for name in BROKERS]
        last = max((vote for vote in votes if vote["leaderId"] > 0), key=lambda vote: int(vote["leaderEpoch"]))
        return BROKERS[int(last["leaderId"]) - 1]

    async def primary(self) -> str:
        """The mongod that takes writes."""
        async with AsyncMongoClient[dict[str, Any]](self.mongo, serverSelectionTimeoutMS=ELECTION_MS) as client:
            said = await client.admin.command("hello")
        return next(name for name in MEMBERS if said["me"] == f"127.0.0.1:{self._ports[name]}")

    def stop(self) -> None:
        """Kill all: without each other they would take their time to end, and for nothing."""
        for name in self.pids:
            self.kill(name)
        super().stop()

    def _begin(self) -> None:
        self._tools.require(("kafka", "mongo"))
        self._ports = ports.free([*BROKERS, *MEMBERS, *map(_controller, BROKERS)], self.home.ports())
        self.home.remember(self._ports.by_name)
        self._together((*BROKERS, *MEMBERS), self.start_one)
        with MongoClient[dict[str, Any]](self.mongo, serverSelectionTimeoutMS=ELECTION_MS) as client:
            client.admin.command("hello")  # each member works; which one takes writes may not be settled yet

    def _build(self, name: str) -> Component | None:
        if name not in BROKERS + MEMBERS:
            return None
        home = self.home.path / name
        if name in BROKERS:
            nodes = [(self._ports[one], self._ports[_controller(one)]) for one in BROKERS]
            command, probe = parts.kafka_node(home, nodes, BROKERS.index(name) + 1, self._tools)
        else:
            members = [self._ports[one] for one in MEMBERS]
            command, probe = parts.mongod_node(home, members, MEMBERS.index(name) + 1, self._tools)
        log = self.home.log(name)
        return Component(name, command, log=log, probe=probe, env=self.home.mark, abort=self._abort, start_timeout=300)

    def _where(self, name: str) -> str:
        return f"127.0.0.1:{self._ports[name]}"

    def _data(self, name: str) -> Path:
        return self.home.path / name / "data" / "__cluster_metadata-0"


class Clustered(Stack):
    """A stack whose Kafka and MongoDB are `cluster`, with two more processes of each service to be had."""

    def __init__(self, home: Path, cluster: Cluster, env: Mapping[str, str]) -> None:
        servers = {"MIGLOBE_KAFKA": cluster.kafka, "MIGLOBE_MONGO": cluster.mongo}
        super().__init__(home, spare=HELPERS, env={**env, **SETTINGS, **servers})
        self.cluster = cluster


HELPERS = tuple(f"{service}-{number}" for service in SERVICES for number in (2, 3))


@contextmanager
def clustered(home: Path, env: Mapping[str, str]) -> Iterator[Clustered]:
    """All of it, in one home."""
    with Cluster(home / "cluster") as cluster, Clustered(home / "stack", cluster, env) as stack:
        yield stack


def _controller(broker: str) -> str:
    return f"{broker}-controller"
