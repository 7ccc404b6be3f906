"""Ledger, store and queries over memory, PyMongo and Motor."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from services.reporting.ledger import Ledger
from services.reporting.queries import Queries
from services.reporting.settings import Settings
from services.reporting.store import Position, Store
from shared import topics
from shared.commit import Committer, committing
from shared.mongo import Mongo
from tests.conftest import SECRET, FreshMongo
from tests.reporting.fake_store import FakeLedger, FakeQueries, FakeStore, Memory


@dataclass(frozen=True)
class Kept:
    """One database and what reporting does with it; `mongo` is None in memory."""

    ledger: Ledger
    store: Store
    queries: Queries
    mongo: Mongo | None = None


def in_memory() -> Kept:
    memory = Memory()
    return Kept(FakeLedger(memory), FakeStore(memory), FakeQueries(memory))


@asynccontextmanager
async def in_database(mongo: Mongo) -> AsyncIterator[Kept]:
    async with committing(Committer(mongo, "reporting")) as commits:
        kept = Kept(Ledger(mongo), Store(mongo, commits), Queries(mongo), mongo)
        await kept.ledger.prepare()
        await kept.store.prepare()
        yield kept


async def emptied(store: Store) -> Position:
    """What a rebuild of nothing leaves: no read models, and a new epoch."""
    beside = await store.beside()
    await beside.switch((await store.position()).seq, "none")
    return await store.position()


@pytest.fixture(params=["fake", "pymongo", "motor"])
async def kept(request: pytest.FixtureRequest, fresh_mongo: FreshMongo) -> AsyncIterator[Kept]:
    """Empty, once of each kind."""
    if request.param == "fake":
        yield in_memory()
        return
    async with in_database(fresh_mongo("reporting", request.param)) as database:
        yield database


@pytest.fixture
async def database(fresh_mongo: FreshMongo) -> AsyncIterator[Kept]:
    """Empty, the real database by PyMongo."""
    async with in_database(fresh_mongo("reporting")) as found:
        yield found


@pytest.fixture
async def settings(settings_for: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of an installation with topics, also in the environment, for the command line."""
    made = settings_for(Settings)
    for name in ("kafka", "mongo", "prefix"):
        monkeypatch.setenv(f"MIGLOBE_{name.upper()}", getattr(made, name))
    monkeypatch.setenv("MIGLOBE_SECRET", SECRET)
    await topics.apply(made)
    return made


@pytest.fixture
async def mongo(settings: Settings) -> AsyncIterator[Mongo]:
    mongo = Mongo(settings.mongo, settings.database("reporting"))
    yield mongo
    await mongo.client.drop_database(mongo.db.name)
    await mongo.close()
