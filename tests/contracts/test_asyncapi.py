"""AsyncAPI's own parser accepts the document of each service."""

import json
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest

from shared import asyncapi
from shared.events import EMITTED
from shared.topics import CONSUMED, dead_letter_topic

SCRIPT = Path(__file__).parent / "asyncapi.mjs"


def _without_info() -> dict[str, Any]:
    return {key: value for key, value in asyncapi.document("intake").items() if key != "info"}


def _with_a_dangling_reference() -> dict[str, Any]:
    document = asyncapi.document("intake")
    document["operations"]["send_request_created"]["channel"] = {"$ref": "#/channels/nowhere"}
    return document


@pytest.fixture(scope="module")
def complaints() -> dict[str, list[str]]:
    """Document → what the parser says against it; one process for all, it takes seconds to warm up."""
    documents = {service: asyncapi.document(service, prefix="land-") for service in EMITTED}
    broken = {"without info": _without_info(), "dangling reference": _with_a_dangling_reference()}
    ran = subprocess.run(
        ["node", SCRIPT], input=json.dumps(documents | broken), capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, f"the parser did not run (is it installed? npm ci):\n{ran.stderr}"
    return cast("dict[str, list[str]]", json.loads(ran.stdout))


@pytest.mark.parametrize("service", EMITTED)
def test_the_parser_accepts_the_document(service: str, complaints: dict[str, list[str]]) -> None:
    assert complaints[service] == []


@pytest.mark.parametrize("broken", ["without info", "dangling reference"])
def test_the_parser_refuses_a_broken_document(broken: str, complaints: dict[str, list[str]]) -> None:
    assert complaints[broken]


@pytest.mark.parametrize("service", EMITTED)
def test_the_document_names_every_topic_of_the_service(service: str) -> None:
    document = asyncapi.document(service, prefix="land-")
    addresses = {channel["address"] for channel in document["channels"].values()}
    topics = [event.topic for event in EMITTED[service]] + list(CONSUMED[service])
    topics += [dead_letter_topic(topic, service) for topic in CONSUMED[service]]
    assert addresses == {f"land-{topic}" for topic in topics}
    directions = {name.split("_")[0] for name in document["operations"]}
    assert directions == {"send", "receive"}
