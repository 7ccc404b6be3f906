"""aiokafka on the services' own loop."""

import asyncio

import pytest
import uvloop
from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest

from deploy.local.stack import Stack
from shared import uvloop_kafka


def test_a_connection_that_was_lost_is_told_as_one(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the consumer's routines end by a RuntimeError, and nothing is consumed any more."""
    monkeypatch.setattr(AIOKafkaConnection, "send", AIOKafkaConnection.send)
    host, port = stack.kafka.split(":")

    async def write_on_a_lost_one() -> None:
        connection = await create_conn(host, int(port))
        connection._writer.transport.abort()
        await asyncio.sleep(0)
        try:
            await connection.send(ApiVersionRequest())
        finally:
            connection.close()

    with pytest.raises(RuntimeError, match="closed"):
        uvloop.run(write_on_a_lost_one())
    uvloop_kafka.mend()
    with pytest.raises(KafkaConnectionError, match="closed"):
        uvloop.run(write_on_a_lost_one())
