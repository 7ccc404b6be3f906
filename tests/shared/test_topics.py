"""Topic creation on the real broker."""

import time
from collections.abc import Callable

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared import topics
from shared.settings import Settings
from tests.shared.kafka import admin, partitions_of
from tests.waiting import until


async def test_apply_creates_then_finds_all_as_it_should_be(settings_for: Callable[..., Settings]) -> None:
    settings = settings_for()
    assert set((await topics.apply(settings)).values()) == {"created"}
    assert set((await topics.apply(settings)).values()) == {"as it should be"}
    assert await topics.missing(settings, [t.name for t in topics.table(settings)]) == []


async def test_apply_adds_partitions_and_mends_the_configuration(settings_for: Callable[..., Settings]) -> None:
    settings = settings_for()
    await topics.apply(settings)
    name = f"{settings.prefix}request.created"
    async with admin(settings.kafka) as client:
        await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs={"retention.ms": "1000"})])
        await until(lambda: _retention(client, name, "1000"))
        more = settings.model_copy(update={"partitions": 3})
        done = await topics.apply(more)
        assert "partitions 2 → 3" in done[name]
        assert "retention.ms" in done[name]
        assert await partitions_of(settings.kafka, name) == 3
        await until(lambda: _retention(client, name, "-1"))
    assert set((await topics.apply(more)).values()) == {"as it should be"}


async def test_a_message_from_a_clock_that_is_ahead_is_taken_and_bears_the_brokers_time(
    settings_for: Callable[..., Settings],
) -> None:
    """Without the setting Kafka 4 refuses what is dated more than an hour ahead."""
    settings = settings_for()
    await topics.apply(settings)
    name, ahead = f"{settings.prefix}request.created", int((time.time() + 7200) * 1000)
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka)
    await producer.start()
    try:
        sent = await producer.send_and_wait(name, b"{}", timestamp_ms=ahead)
    finally:
        await producer.stop()
    assert sent.timestamp < ahead - 3600_000


async def _retention(client: AIOKafkaAdminClient, name: str, expected: str) -> bool:
    """The controller's change reaches the broker a moment later."""
    [answer] = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
    now: dict[str, str] = {entry[0]: entry[1] for entry in answer.resources[0][4]}
    return now["retention.ms"] == expected


async def test_missing_topics_are_named(settings_for: Callable[..., Settings]) -> None:
    settings = settings_for()
    assert await topics.missing(settings, [f"{settings.prefix}request.created"]) == [
        f"{settings.prefix}request.created"
    ]
