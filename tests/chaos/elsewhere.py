"""An operator's own Kafka and MongoDB: used under names of this run's own, and left as they were."""

import os
from collections.abc import Mapping

from aiokafka.errors import KafkaError
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.local.stack import Stack
from tests.chaos.world import SERVICES, TOPICS
from tests.shared.kafka import admin

OWN = {"MIGLOBE_KAFKA": "", "MIGLOBE_MONGO": "", "MIGLOBE_SMTP": ""}
_NAMES = {"MIGLOBE_KAFKA": "kafka", "MIGLOBE_MONGO": "mongo"}


def settings() -> dict[str, str]:
    """Those of the environment that name a server elsewhere; never SMTP, nobody shall get these mails."""
    return {name: os.environ[name] for name in _NAMES if os.environ.get(name)}


def servers(given: Mapping[str, str]) -> set[str]:
    """What the stack starts no server for."""
    return {_NAMES[name] for name in given}


async def tidy(stack: Stack, prefix: str) -> str:
    """Removes what was made under `prefix`; returns what could not be removed, "" when nothing is left."""
    assert prefix, "without a prefix these would be everybody's"
    try:
        async with admin(stack.kafka) as client:
            there = set(await client.list_topics())
            await client.delete_topics([prefix + topic for topic in TOPICS if prefix + topic in there])
        with MongoClient[dict[str, object]](stack.mongo, serverSelectionTimeoutMS=5000) as databases:
            for service in (*SERVICES, "chaos"):
                databases.drop_database(f"{prefix}miglobe-{service}")
    except (KafkaError, PyMongoError) as error:
        return f"topics and databases under {prefix} are left: {type(error).__name__}: {error}"
    return ""
