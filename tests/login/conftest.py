"""A real provider on a port of its own, and a small service that people log in to."""

import threading
from collections.abc import AsyncIterator, Iterator

import pytest
from werkzeug.serving import make_server

from deploy.local import provider
from tests.conftest import FreshMongo
from tests.login.world import World, world


@pytest.fixture(scope="session")
def running_provider() -> Iterator[str]:
    """The embedded stack's provider; its issuer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
        server = make_server("127.0.0.1", 0, provider.build(), threaded=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
async def here(fresh_mongo: FreshMongo, running_provider: str) -> AsyncIterator[World]:
    async with world(fresh_mongo("matching"), running_provider) as made:
        yield made
