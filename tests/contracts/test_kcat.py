"""A foreign reader, kcat, gets from the real Kafka what the outbox held."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from shared import outbox, topics
from shared.events import BY_TOPIC, RequestDossier
from shared.mongo import Mongo
from shared.publisher import Publisher
from shared.settings import Settings
from tests.contracts.frozen import SAMPLES


@pytest.fixture
def kcat() -> str:
    """The command. `make` installs it where it may; absent although we are root is an error."""
    found = shutil.which("kcat")
    if found is None and os.geteuid() != 0:
        pytest.skip("kcat is not installed and we are not root: sudo apt-get install kafkacat")
    assert found, "kcat is not installed: apt-get install kafkacat"
    return found


async def test_kcat_reads_every_event_and_a_tombstone(
    kcat: str, settings_for: Callable[..., Settings], fresh_mongo: Callable[..., Mongo]
) -> None:
    settings, mongo = settings_for(), fresh_mongo("intake")
    await topics.apply(settings)
    erased = outbox.Tombstone(RequestDossier, key=SAMPLES[0].key)
    rows = outbox.rows([*(sample.parsed() for sample in SAMPLES), erased], 1, "intake", datetime.now(UTC))
    await outbox.prepare(mongo)
    await mongo[outbox.COLLECTION].insert_many(rows)
    publisher = Publisher(settings.kafka, "test")
    await outbox.Relay(mongo, publisher, settings.prefix, instance="test").close()
    await publisher.close()

    found = await asyncio.gather(*(_read(kcat, settings.kafka, settings.prefix + topic) for topic in BY_TOPIC))
    messages = {headers.get("ce_id"): message for topic in found for message, headers in topic}
    tombstone = messages.pop(None)
    assert (tombstone["topic"], tombstone["key"]) == (settings.prefix + RequestDossier.topic, erased.key)
    assert (tombstone["payload"], tombstone["headers"]) == (None, ["ce_erased", "1"])
    assert len(messages) == len(SAMPLES)
    for sample, row in zip(SAMPLES, rows, strict=False):
        message = messages[row["_id"]]
        assert (message["topic"], message["key"]) == (settings.prefix + sample.event.topic, sample.key)
        assert message["headers"] == [text for header in row["headers"].items() for text in header]
        raw = {name: value.encode() for name, value in row["headers"].items()}
        read = from_binary(KafkaMessage(raw, message["key"], message["payload"].encode()), JSONFormat())
        assert sample.event.model_validate(read.get_data()) == sample.parsed()


async def _read(kcat: str, bootstrap: str, topic: str) -> list[tuple[dict[str, Any], dict[str, str]]]:
    """All messages on `topic` to the end: kcat's JSON of each, and its headers."""
    command = [kcat, "-C", "-b", bootstrap, "-t", topic, "-o", "beginning", "-e", "-q", "-J"]
    ran = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    return [(message, dict(zip(message["headers"][::2], message["headers"][1::2], strict=True))) for message in found]
