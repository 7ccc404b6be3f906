"""A foreign reader, the CloudEvents SDK, understands what our outbox writes."""

from datetime import UTC, datetime
from typing import cast

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from shared import outbox
from shared.telemetry import tracing
from tests.contracts.frozen import SAMPLES, Sample

NOW = datetime(2026, 11, 2, 9, 15, 4, 250_000, tzinfo=UTC)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.file)
def test_the_sdk_reads_a_row_of_the_outbox(sample: Sample) -> None:
    with tracing("019d00a1-0007-7007-8007-000000000007", None, cause_id=sample.headers["ce_id"]) as trace:
        (row,) = outbox.rows([sample.parsed()], version=1, service=sample.service, now=NOW)
    headers = {name: value.encode() for name, value in cast("dict[str, str]", row["headers"]).items()}
    read = from_binary(KafkaMessage(headers, row["key"].encode(), bytes(row["body"])), JSONFormat())

    assert (read.get_specversion(), read.get_datacontenttype()) == ("1.0", "application/json")
    assert (read.get_id(), read.get_time()) == (row["_id"], NOW)
    assert (read.get_type(), read.get_source()) == (sample.event.type(), f"/miglobe/{sample.service}")
    assert read.get_subject() == read.get_extension("partitionkey") == sample.key
    assert read.get_extension("correlationid") == trace.correlation_id
    assert read.get_extension("causationid") == sample.headers["ce_id"]
    assert sample.event.model_validate(read.get_data()) == sample.parsed()
