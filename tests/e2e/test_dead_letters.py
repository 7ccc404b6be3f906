"""Bad JSON on each topic that a service reads: a dead letter, the next goes on, a mended one comes back."""

import json
from collections.abc import Callable

import pytest

from deploy.local.journey import Journey
from deploy.local.stack import Stack
from shared.ids import new_id
from shared.publisher import Message
from shared.topics import CONSUMED, dead_letter_topic
from tests.shared.kafka import everything, message, send
from tests.shared.samples import created, withdrawn
from tests.waiting import until

Command = Callable[..., str]
TOPICS = sorted({topic for topics in CONSUMED.values() for topic in topics})


@pytest.mark.parametrize("topic", TOPICS)
async def test_bad_json_becomes_a_dead_letter_of_each_reader(services: Stack, topic: str) -> None:
    marker = new_id()
    template = message(created(), "e2e-")
    headers = [(name, value) for name, value in template.headers if name != "ce_id"]
    bad = Message(f"e2e-{topic}", marker.encode(), b'{"half": ', [*headers, ("ce_id", marker.encode())])
    await send(services.kafka, [bad])
    for service in (name for name, topics in CONSUMED.items() if topic in topics):
        letters = f"e2e-{dead_letter_topic(topic, service)}"

        async def found(letters: str = letters) -> list[dict[str, bytes]]:
            return [head for key, _, head in await everything(services.kafka, letters) if key == marker.encode()]

        [head] = await until(found, what=f"the dead letter of {service}")
        assert head["dlq_reason"] in (b"bad_json", b"unknown_version")
        assert head["dlq_service"] == service.encode()


async def test_the_next_message_goes_on_and_redrive_brings_the_mended_one_back(
    services: Stack, journey: Journey, miglobe: Command, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A withdrawal that arrived broken: mended by the operator, it takes effect in every service."""
    journey.submit()
    journey.await_assignment()
    good = message(withdrawn(journey.request_id), "e2e-")
    await send(services.kafka, [Message(good.topic, good.key, b"{", good.headers)])
    letter = await until(lambda: _place(miglobe, "matching", "request.withdrawn"), what="the letter in dlq list")
    assert "bad_json" in miglobe("dlq", "show", letter)
    journey.get("matching", f"/api/requests/{journey.request_id}")
    body = tmp_path_factory.mktemp("mended") / "body.json"
    body.write_text(json.dumps(withdrawn(journey.request_id).model_dump(mode="json")))
    assert "would be brought back" in miglobe("dlq", "redrive", letter, "--body", str(body))
    assert "1 letters brought back" in miglobe("dlq", "redrive", letter, "--body", str(body), "--yes")
    detail = f"/api/requests/{journey.request_id}"
    journey.until("the withdrawal", lambda: journey.get("matching", detail)["state"] == "withdrawn")
    assert letter not in miglobe("dlq", "list", "--service", "matching")
    assert letter in miglobe("dlq", "list", "--service", "matching", "--all")


async def _place(miglobe: Command, service: str, topic: str) -> str:
    lines = miglobe("dlq", "list", "--service", service, "--topic", topic, "--reason", "bad_json").splitlines()
    places = [line.split("\t")[0] for line in lines if "\t" in line]
    return places[-1] if places else ""
