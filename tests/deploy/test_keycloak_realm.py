"""The realm file of docker-compose.yml: the same people, roles and client as the embedded stack's provider has."""

import json
import re
from typing import Any, get_args

import pytest

from deploy.local.people import accounts
from deploy.local.tools import ROOT
from shared.access import ROLES
from shared.login.people import person
from shared.settings import ServiceName, Settings
from tests.conftest import SECRET


@pytest.fixture
def realm() -> dict[str, Any]:
    text = (ROOT / "deploy" / "keycloak" / "realm.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def test_its_people_are_those_of_the_embedded_stack(realm: dict[str, Any]) -> None:
    found = {
        (one["email"], f"{one['firstName']} {one['lastName']}", *one["realmRoles"], *one.get("attributes", {}).values())
        for one in (user | {"attributes": _first(user)} for user in realm["users"])
    }
    expected = {(one.mail, one.full_name, one.role, *([one.number] if one.number else [])) for one in accounts()}
    assert found == expected
    assert {role["name"] for role in realm["roles"]["realm"]} == set(ROLES)


def _first(user: dict[str, Any]) -> dict[str, str]:
    return {name: values[0] for name, values in user.get("attributes", {}).items()}


def test_its_client_returns_to_each_service_and_wants_pkce(realm: dict[str, Any]) -> None:
    (client,) = realm["clients"]
    settings = Settings(secret=SECRET)
    assert client["clientId"] == settings.oidc_client_id
    assert client["redirectUris"] == [f"${{SITE_URL}}/{name}/login/back" for name in get_args(ServiceName)]
    after = client["attributes"]["post.logout.redirect.uris"].split("##")
    assert after == [f"${{SITE_URL}}/{name}/logged-out" for name in get_args(ServiceName)]
    assert client["attributes"]["pkce.code.challenge.method"] == "S256"
    assert not client["publicClient"]
    assert not client["directAccessGrantsEnabled"]


def test_its_tokens_have_what_the_settings_look_for(realm: dict[str, Any]) -> None:
    settings = Settings(secret=SECRET)
    mappers = [one["config"] for one in realm["clients"][0]["protocolMappers"]]
    claims = {one["claim.name"]: one for one in mappers if "claim.name" in one}
    assert set(claims) == {settings.oidc_roles_claim, settings.oidc_advisor_claim}
    assert all(one["id.token.claim"] == one["access.token.claim"] == "true" for one in claims.values())
    (audience,) = [one for one in mappers if "included.custom.audience" in one]
    assert audience["included.custom.audience"] == settings.oidc_audience
    assert audience["id.token.claim"] == "false", "a page's ID token must open no API"
    told = {
        "sub": "f0e1",
        "preferred_username": "a05",
        "name": "Beispiel Fünf",
        "roles": ["advisor"],
        "advisor_id": "A05",
    }
    assert person(told, settings).acting(("advisor",))


def test_every_variable_it_names_is_set_by_the_composition() -> None:
    named = set(re.findall(r"\${(\w+)}", (ROOT / "deploy" / "keycloak" / "realm.json").read_text(encoding="utf-8")))
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert named == {name for name in named if re.search(rf"^ +{name}: \S", compose, re.MULTILINE)}
