"""Makes a fresh mongod a replica set with a user and a database per service. Can be run again and again.

Runs in mongod's own network namespace: only over 127.0.0.1 a server without users lets itself be set up.

    MONGO_ADMIN     connection string of the administrator; its host and port become the member's address
    MONGO_SERVICES  connection strings of the services, separated by spaces; user, password and database count
"""

import os
import sys
import time
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

SECONDS = 60.0
ALREADY_INITIALIZED, UNAUTHORIZED, AUTHENTICATION_FAILED = 23, 13, 18

Client = MongoClient[dict[str, Any]]


def main() -> None:
    """Ends with 0 when all is as it should be, with one sentence on standard error otherwise."""
    admin = parse_uri(os.environ["MONGO_ADMIN"])
    services = [parse_uri(uri) for uri in os.environ["MONGO_SERVICES"].split()]
    try:
        with _client() as client:
            _initiate(client, admin)
            _first_user(client, admin)
        with _client(username=admin["username"], password=admin["password"]) as client:
            for service in services:
                print(f"{service['database']}: user {service['username']} {_user(client, service)}")
    except OperationFailure as error:
        if error.code != AUTHENTICATION_FAILED:
            raise
        sys.exit(
            "MongoDB refuses the administrator's password: its data was made with another MIGLOBE_SECRET. "
            "Start with that one, or drop the data: docker-compose down --volumes"
        )
    except PyMongoError as error:
        sys.exit(f"MongoDB does not answer as needed: {str(error)[:300]}")


def _client(username: str | None = None, password: str | None = None) -> Client:
    return MongoClient(
        "127.0.0.1", directConnection=True, serverSelectionTimeoutMS=20_000, username=username, password=password
    )


def _initiate(client: Client, admin: dict[str, Any]) -> None:
    host, port = admin["nodelist"][0]
    name = admin["options"]["replicaSet"]
    if "setName" not in client.admin.command("hello"):
        config = {"_id": name, "members": [{"_id": 0, "host": f"{host}:{port}"}]}
        try:
            client.admin.command("replSetInitiate", config)
        except OperationFailure as error:
            if error.code not in (ALREADY_INITIALIZED, UNAUTHORIZED):
                raise
    end = time.monotonic() + SECONDS
    while not client.admin.command("hello")["isWritablePrimary"]:
        if time.monotonic() > end:
            sys.exit(f"The replica set {name} has no primary after {SECONDS:.0f} s; see mongod's log.")
        time.sleep(0.2)


def _first_user(client: Client, admin: dict[str, Any]) -> None:
    """Creates the administrator. Where there is one already, nobody without a password may, and that is fine."""
    try:
        client.admin.command("createUser", admin["username"], pwd=admin["password"], roles=["root"])
    except OperationFailure as error:
        if error.code != UNAUTHORIZED:
            raise


def _user(client: Client, service: dict[str, Any]) -> str:
    """A service's user lives in its own database and may do nothing elsewhere."""
    database, name = client[service["database"]], service["username"]
    there = database.command("usersInfo", name)["users"]
    command = "updateUser" if there else "createUser"
    database.command(command, name, pwd=service["password"], roles=["readWrite"])
    return "is as it should be" if there else "created"


if __name__ == "__main__":
    main()
