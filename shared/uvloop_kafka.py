"""aiokafka on uvloop: writing on a connection that was lost a moment ago.

asyncio lets it pass, uvloop raises RuntimeError, of which aiokafka knows nothing (0.14, its issue 1038): the routine
that fetches or the one that keeps up the group ends by it, and the consumer is silent from then on.
"""

from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

_send = AIOKafkaConnection.send


def mend() -> None:
    """From now on it is an error of the connection, after which aiokafka makes a new one; may be called again."""
    AIOKafkaConnection.send = _told


def _told(self: Any, request: Any, expect_response: bool = True) -> Any:
    try:
        return _send(self, request, expect_response)
    except RuntimeError as error:
        self.close(reason=CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError(f"{self.host}:{self.port}: {error}") from error
