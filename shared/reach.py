"""Whether Kafka answers, asked on a connection of its own.

FastStream's ping keeps a connection that has gone silent, as one that a firewall forgot, and then says no for ever.
"""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError


class Reach:
    """Keeps its connection as long as it is answered there; opened when first asked."""

    def __init__(self, bootstrap: str, client_id: str) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._admin: AIOKafkaAdminClient | None = None
        self._turn = asyncio.Lock()

    async def answers(self, seconds: float) -> bool:
        """Whether a broker answers within `seconds`, from when it is this one's turn."""
        async with self._turn:
            try:
                async with asyncio.timeout(seconds):
                    await self._ask()
            except (KafkaError, OSError, TimeoutError):
                await self._drop()
                return False
            return True

    async def close(self) -> None:
        async with self._turn:
            await self._drop()

    async def _ask(self) -> None:
        if self._admin is None:
            self._admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, client_id=self._client_id)
            await self._admin.start()
        await self._admin.describe_cluster()

    async def _drop(self) -> None:
        admin, self._admin = self._admin, None
        if admin is not None:
            await admin.close()
