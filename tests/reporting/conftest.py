"""Ledger, store and queries over memory, PyMongo and Motor."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from services.reporting.ledger import Ledger
from services.reporting.queries import Queries
from services.reporting.store import Store
from shared.commit import Committer, committing
from shared.mongo import Mongo
from tests.conftest import FreshMongo
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
