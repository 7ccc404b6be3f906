"""One real Kafka, MongoDB and mail sink for the whole run; each test gets names of its own on them."""

import secrets
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from deploy.local.stack import Stack
from shared.mongo import Driver, Mongo
from shared.settings import Settings
from tests.shared.kafka import admin

SECRET = "only-for-tests-0123456789-0123456789"

FreshMongo = Callable[..., Mongo]

# What an example takes tells of the machine's load, not of the code.
settings.register_profile("miglobe", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("miglobe")


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Kafka, mongod and the mail sink, without the services; on free ports, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="miglobe-test-") as home, Stack(Path(home), services=()) as running:
        yield running


@pytest.fixture
async def fresh_mongo(stack: Stack) -> AsyncIterator[FreshMongo]:
    """Makes `Mongo`s with a new, empty database each; dropped after the test."""
    made: list[Mongo] = []

    def make(service: str, driver: Driver = "pymongo") -> Mongo:
        mongo = Mongo(stack.mongo, f"test-{secrets.token_hex(5)}-{service}", driver)
        made.append(mongo)
        return mongo

    yield make
    for mongo in made:
        await mongo.client.drop_database(mongo.db.name)
        await mongo.close()


@pytest.fixture
async def settings_for(stack: Stack) -> AsyncIterator[Callable[..., Settings]]:
    """Makes settings of `cls` for the stack's servers, with a prefix that no other test has; its topics go with it."""
    prefixes: list[str] = []

    def make(cls: type[Settings] = Settings, **values: object) -> Settings:
        given = {
            "kafka": stack.kafka,
            "mongo": stack.mongo,
            "secret": SECRET,
            "prefix": f"t{secrets.token_hex(4)}-",
            "partitions": 2,
        }
        made = cls.model_validate(given | values)
        prefixes.append(made.prefix)
        return made

    yield make
    if prefixes := [prefix for prefix in prefixes if prefix]:
        async with admin(stack.kafka) as client:  # thousands of them would outgrow the broker's memory
            left = [topic for topic in await client.list_topics() if topic.startswith(tuple(prefixes))]
            if left:
                await client.delete_topics(left)
