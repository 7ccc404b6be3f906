"""No fact has a field that could hold personal data or free text: shown on the models' own JSON schema.

Facts are kept for ever and by everybody, so what a person told us may stand in dossiers only.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from pydantic import AnyUrl, BaseModel, EmailStr, StringConstraints, create_model

from shared.events import BY_TOPIC, Dossier, Fact
from shared.events.base import Code

# Written out here: who loosens a pattern in shared/events must come by.
PATTERNS = {
    r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$": "UUIDv7",
    r"^[A-Z][A-Z0-9-]{1,19}$": "an advisor's number",
    r"^\d{5}(\d{3})?$": "AGS",
    r"^[a-z]{2,3}$": "ISO 639 code of a language",
    r"^[a-z0-9_.]{1,60}$": "machine-readable code",
    r"^[0-9A-Z-]{4,20}$": "case number",
}
FORMATS = {"date", "date-time"}
NAMES = {"name", "email", "mail", "phone", "address", "street", "contact", "need", "text", "note", "comment", "remark"}

FACTS = [event for event in BY_TOPIC.values() if not issubclass(event, Dossier)]


def violations(model: type[BaseModel]) -> list[str]:
    """Where `model` could hold what a fact must not, one sentence each."""
    schema = model.model_json_schema()
    return list(_walk(schema, schema.get("$defs", {}), model.__name__))


def _walk(node: Any, definitions: dict[str, Any], path: str) -> Iterator[str]:
    if not isinstance(node, dict):
        yield f"{path}: holds anything"
        return
    if "$ref" in node:
        yield from _walk(definitions[node["$ref"].rsplit("/", 1)[-1]], definitions, path)
    elif branches := [branch for word in ("anyOf", "oneOf", "allOf") for branch in node.get(word, [])]:
        for branch in branches:
            yield from _walk(branch, definitions, path)
    elif "enum" in node or "const" in node or node.get("type") in {"integer", "number", "boolean", "null"}:
        return
    elif node.get("type") == "string":
        if node.get("format") not in FORMATS and node.get("pattern") not in PATTERNS:
            yield f"{path}: a string of {node.get('pattern') or node.get('format') or 'any kind'}"
    elif node.get("type") == "array":
        for item in node.get("prefixItems") or [node.get("items")]:
            yield from _walk(item, definitions, f"{path}[]")
    elif node.get("type") == "object":
        yield from _members(node, definitions, path)
    else:
        yield f"{path}: holds anything"


def _members(node: dict[str, Any], definitions: dict[str, Any], path: str) -> Iterator[str]:
    for name, member in node.get("properties", {}).items():
        if NAMES & set(name.split("_")):
            yield f"{path}.{name}: is named like personal data"
        yield from _walk(member, definitions, f"{path}.{name}")
    for pattern, member in node.get("patternProperties", {}).items():
        if pattern not in PATTERNS:
            yield f"{path}: has members named by {pattern}"
        yield from _walk(member, definitions, f"{path}.*")
    if node.get("additionalProperties") or not node.keys() & {"properties", "patternProperties"}:
        yield f"{path}: has members of any name"


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.topic)
def test_a_fact_has_no_field_for_personal_data(fact: type[Fact]) -> None:
    assert issubclass(fact, Fact)
    assert violations(fact) == []


def test_only_the_two_dossiers_are_excepted() -> None:
    assert {topic for topic, event in BY_TOPIC.items() if event not in FACTS} == {
        "request.dossier",
        "draft.dossier",
        "advisor.dossier",
    }


class _Inner(BaseModel):
    words: str


class _Open(BaseModel, extra="allow"):
    number: int


@pytest.mark.parametrize(
    "planted",
    [
        str,
        str | None,
        EmailStr,
        AnyUrl,
        Any,
        object,
        bytes,
        tuple[str, ...],
        tuple[int, str],
        list[Any],
        dict[str, int],
        dict[Code, str],
        Annotated[str, StringConstraints(max_length=3)],
        Annotated[str, StringConstraints(pattern=r"^.*$")],
        _Inner,
        list[_Inner] | None,
        _Open,
    ],
    ids=str,
)
def test_the_scan_finds_a_planted_field(planted: Any) -> None:
    fact = create_model("Planted", __base__=FACTS[0], planted=(planted, ...))
    found = violations(fact)
    assert found
    assert all(line.startswith("Planted.planted") for line in found)


def test_the_scan_finds_a_coded_field_that_is_named_like_personal_data() -> None:
    fact = create_model("Planted", __base__=FACTS[0], contact_email=(Code, ...))
    assert violations(fact) == ["Planted.contact_email: is named like personal data"]


TOLD = ["Erika Beispiel", "Beispiel", "erika@example.org", "+4930123456", "030 123456", "Hauptstraße 1", "ja, bitte"]


@pytest.mark.parametrize("told", TOLD)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_allowed_pattern_takes_what_a_person_tells(pattern: str, told: str) -> None:
    assert not re.fullmatch(pattern, told)


def test_the_scan_needs_every_pattern_that_it_allows() -> None:
    used = str([fact.model_json_schema() for fact in FACTS])
    assert [pattern for pattern in PATTERNS if repr(pattern)[1:-1] not in used] == []
