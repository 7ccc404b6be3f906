"""The world of the API's tests: two advisors near Göppingen who make a tandem, a third one next in line."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import FreshMongo
from tests.matching.samples import FAIR, PARTNERS, advisor
from tests.matching.world import World, world


@pytest.fixture
async def here(fresh_mongo: FreshMongo) -> AsyncIterator[World]:
    async with world(fresh_mongo("matching")) as made:
        await made.pool(
            advisor("A01", levels={FAIR: 3}),
            advisor("A02", levels={PARTNERS: 3}),
            advisor("A03", levels={FAIR: 1, PARTNERS: 1}),
        )
        yield made
