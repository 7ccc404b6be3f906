"""mongod as a replica set, of one node at least: transactions and change streams need one."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.local.tools import Tools

if TYPE_CHECKING:  # pymongo takes half a second, which commands that don't start anything needn't
    from pymongo import MongoClient

REPLICA_SET = "rs0"
_NOT_YET_INITIALIZED = 94


def prepare(home: Path, port: int, tools: Tools) -> list[str]:
    """Make the data directory; returns the command that runs mongod. Raises: NotInstalled."""
    home.mkdir(parents=True, exist_ok=True)
    return [
        tools.mongod(),
        f"--dbpath={home}",
        f"--port={port}",
        "--bind_ip=127.0.0.1",
        f"--replSet={REPLICA_SET}",
        "--wiredTigerCacheSizeGB=0.25",
        "--oplogSize=256",
        "--nounixsocket",
        "--quiet",
        "--setParameter=diagnosticDataCollectionEnabled=false",
        # What a process or connection that is gone has locked is free again after a quarter of a minute, not after one.
        "--setParameter=transactionLifetimeLimitSeconds=10",
    ]


def uri(*members: int) -> str:
    """What services connect to."""
    return f"mongodb://{','.join(f'127.0.0.1:{port}' for port in members)}/?replicaSet={REPLICA_SET}"


def is_ready(members: Sequence[int], number: int) -> bool:
    """True when the `number`th of the set that has these ports works: alone it must take writes.

    The first one makes them a set on the way there.
    """
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    port = members[number - 1]
    client: MongoClient[dict[str, Any]] = MongoClient(
        "127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=1000
    )
    with client:
        try:
            hello = client.admin.command("hello")
            if number == 1 and not hello.get("isWritablePrimary"):
                _initiate(client, [f"127.0.0.1:{one}" for one in members])
                hello = client.admin.command("hello")
            works = hello.get("isWritablePrimary") or (len(members) > 1 and hello.get("secondary"))
            return bool(works) and hello.get("me") == f"127.0.0.1:{port}"
        except PyMongoError:
            return False


def answers(uri: str) -> bool:
    """True when the server or replica set of this URI has a primary."""
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    client: MongoClient[dict[str, Any]] = MongoClient(uri, serverSelectionTimeoutMS=3000)
    with client:
        try:
            return bool(client.admin.command("hello").get("isWritablePrimary"))
        except PyMongoError:
            return False


def _initiate(client: "MongoClient[dict[str, Any]]", addresses: Sequence[str]) -> None:
    from pymongo.errors import OperationFailure

    members = [{"_id": number, "host": address} for number, address in enumerate(addresses)]
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code == _NOT_YET_INITIALIZED:
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
        return
    if len(addresses) == 1 and config["members"][0]["host"] != addresses[0]:  # started before on another port
        config["members"][0]["host"] = addresses[0]
        config["version"] += 1
        client.admin.command("replSetReconfig", config, force=True)
