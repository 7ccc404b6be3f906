"""What was once published must be readable for ever, and be written the same way."""

import hashlib
import json
from typing import Any

import pytest

from shared import envelope
from shared.events import BY_TOPIC, Event
from shared.telemetry import Trace
from tests.contracts.frozen import FOLDER, SAMPLES, Sample, name, of

each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.file)


@pytest.mark.parametrize("event", BY_TOPIC.values(), ids=name)
def test_every_event_has_a_frozen_sample(event: type[Event]) -> None:
    assert of(event), f"write tests/contracts/samples/{name(event)}.json, once and for ever"


def test_no_published_sample_has_changed() -> None:
    """Who breaks a contract must not get away with mending its sample."""
    sums = {line.split()[1]: line.split()[0] for line in (FOLDER / "SHA256SUMS").read_text().splitlines()}
    now = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in FOLDER.glob("*.json")}
    assert now == sums, "a published sample stays as it is; a new one gets its line: sha256sum *.json > SHA256SUMS"


@each_sample
def test_a_sample_parses_and_is_dumped_equal(sample: Sample) -> None:
    """Fields that came later may appear in the dump, none of the old ones may go or change."""
    dumped = json.loads(sample.parsed().model_dump_json())
    assert _only(dumped, sample.body) == sample.body
    assert list(dumped)[: len(sample.body)] == list(sample.body), "new fields come last"


@pytest.mark.parametrize("event", BY_TOPIC.values(), ids=name)
def test_every_field_occurs_in_some_sample(event: type[Event]) -> None:
    dumped = set().union(*(_paths(sample.parsed().model_dump(mode="json")) for sample in of(event)))
    shown = set().union(*(_paths(sample.body) for sample in of(event)))
    assert dumped == shown, "a new optional field needs a further sample that has it"


@each_sample
def test_members_that_a_newer_emitter_adds_are_ignored(sample: Sample) -> None:
    newer = sample.event.model_validate_json(json.dumps(sample.body | {"added_in_2031": {"some": ["thing"]}}))
    assert newer == sample.parsed()


@each_sample
def test_key_and_headers_are_written_as_in_the_sample(sample: Sample) -> None:
    event, head = sample.parsed(), sample.headers
    trace = Trace(head["ce_correlationid"], head["traceparent"], head["ce_causationid"])
    assert event.key == sample.key
    assert envelope.headers(event, head["ce_id"], sample.service, sample.time, trace) == head


@each_sample
def test_the_headers_of_a_sample_are_read_back(sample: Sample) -> None:
    raw = [(header, value.encode()) for header, value in sample.headers.items()]
    read = envelope.read(raw, sample.event.topic, partition=3, offset=14)
    assert (read.id, read.type, read.subject) == (sample.headers["ce_id"], sample.event.type(), sample.key)
    assert (read.correlation_id, read.traceparent) == (
        sample.headers["ce_correlationid"],
        sample.headers["traceparent"],
    )
    assert read.time == sample.time


def _only(value: Any, shape: Any) -> Any:
    """Of `value` only what `shape` has too."""
    if isinstance(value, dict) and isinstance(shape, dict):
        return {member: _only(value[member], shape[member]) for member in value if member in shape}
    if isinstance(value, list) and isinstance(shape, list) and len(value) == len(shape):
        return [_only(item, shaped) for item, shaped in zip(value, shape, strict=True)]
    return value


def _paths(value: Any, path: str = "") -> set[str]:
    """Where values stand, such as `members[].advisor_id`."""
    if isinstance(value, dict):
        return {path}.union(*(_paths(item, f"{path}.{member}") for member, item in value.items()))
    if isinstance(value, list):
        return {path}.union(*(_paths(item, f"{path}[]") for item in value))
    return {path}
