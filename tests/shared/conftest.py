"""An installation of each test's own on the session's servers."""

from collections.abc import Callable

import pytest

from shared import topics
from shared.mongo import Mongo
from shared.settings import Settings
from tests.conftest import FreshMongo


@pytest.fixture
async def settings(settings_for: Callable[..., Settings]) -> Settings:
    """With its topics."""
    made = settings_for()
    await topics.apply(made)
    return made


@pytest.fixture
def mongo(fresh_mongo: FreshMongo) -> Mongo:
    return fresh_mongo("shared")
