"""Bearer tokens at the APIs: the provider's own, and nobody else's."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any, cast

import httpx
import jwt as pyjwt
import pytest
from joserfc.jwk import RSAKey

from shared import auth
from shared.login.keys import PAUSE_SECONDS, Source
from shared.login.people import person
from shared.mongo import Mongo
from shared.settings import Settings
from tests.login.issuing import Issuer, issuing
from tests.login.world import SECRET, World
from tests.waiting import until


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as made:
        yield made


def service(issuer: Issuer, **settings: Any) -> World:
    """Bearer tokens need no database."""
    return World(Mongo("mongodb://127.0.0.1:1/", "none"), issuer.url, **settings)


async def ask(here: World, token: str, language: str = "de") -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(here.app), base_url=here.site) as http:
        return await http.get("/api/work", headers={"authorization": f"Bearer {token}", "accept-language": language})


async def test_a_token_of_the_provider_with_the_role_is_let_in(issuer: Issuer) -> None:
    answer = await ask(service(issuer), issuer.token())
    assert (answer.status_code, answer.json()) == (200, {"by": "koordination"})


async def test_a_token_without_the_role_is_refused_in_plain_words(issuer: Issuer) -> None:
    here = service(issuer)
    for role in ("advisor", "skew", "ops", None):
        answer = await ask(here, issuer.token(cast("auth.Role", role)))
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"] == "Ihre Rolle darf das nicht."


async def test_stale_forged_and_misdirected_tokens_are_refused(issuer: Issuer) -> None:
    here, now = service(issuer), int(time.time())
    stranger = RSAKey.generate_key(2048, {"kid": issuer.keys[0].kid or ""})
    wrong = {
        "stale": issuer.token(exp=now - 120),
        "without an end": issuer.token(exp=None),
        "not yet valid": issuer.token(nbf=now + 600),
        "for the pages' client": issuer.token(aud="miglobe"),
        "for another API": issuer.token(aud=["somebody-else"]),
        "without an audience": issuer.token(aud=None),
        "of another provider": issuer.token(iss="https://other.example"),
        "signed by a stranger": issuer.token(key=stranger),
        "cut off": issuer.token()[:-20],
        "nothing of the kind": "abc",
        "not signed": pyjwt.encode({"sub": "x", "roles": ["coordinator"]}, "", algorithm="none"),
    }
    for name, token in wrong.items():
        answer = await ask(here, token, "en")
        assert answer.status_code == 401, name
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_the_providers_public_key_is_no_shared_secret(issuer: Issuer) -> None:
    """HS256 signed with the public key, which anybody can fetch."""
    key = issuer.keys[0].as_pem(private=False)
    claims = {"iss": issuer.url, "aud": "miglobe-api", "sub": "x", "roles": ["coordinator"], "exp": time.time() + 300}
    head = pyjwt.utils.base64url_encode(b'{"alg":"HS256","kid":"' + (issuer.keys[0].kid or "").encode() + b'"}')
    body = pyjwt.utils.base64url_encode(json.dumps(claims).encode())
    mac = pyjwt.utils.base64url_encode(hmac.digest(key, head + b"." + body, hashlib.sha256))
    for local in (False, True):
        answer = await ask(service(issuer, local_tokens=local), b".".join((head, body, mac)).decode())
        assert answer.status_code == 401


async def test_clocks_may_differ_by_a_minute(issuer: Issuer) -> None:
    here, now = service(issuer), int(time.time())
    assert (await ask(here, issuer.token(exp=now - 40))).status_code == 200
    assert (await ask(here, issuer.token(iat=now + 40, nbf=now + 40))).status_code == 200


async def test_a_new_key_is_fetched_when_it_is_first_seen_and_nonsense_fetches_nothing(issuer: Issuer) -> None:
    now = 0.0
    here = service(issuer)
    assert here.login.provider
    here.login.provider.source = Source(issuer.url, clock=lambda: now)
    assert (await ask(here, issuer.token())).status_code == 200
    issuer.rotate()
    now += PAUSE_SECONDS
    assert (await ask(here, issuer.token())).status_code == 200
    assert (await ask(here, issuer.token(key=issuer.keys[1]))).status_code == 200  # the old one still counts
    assert issuer.asked == 2
    unknown = issuer.token(key=RSAKey.generate_key(2048, auto_kid=True))
    for _ in range(20):
        assert (await ask(here, unknown)).status_code == 401
    assert issuer.asked == 2
    now += PAUSE_SECONDS
    await ask(here, unknown)
    assert issuer.asked == 3


async def test_with_the_provider_away_known_keys_go_on_and_unknown_ones_get_503(issuer: Issuer) -> None:
    now = 0.0
    here = service(issuer)
    assert here.login.provider
    here.login.provider.source = Source(issuer.url, clock=lambda: now)
    issuer.away = True
    answer = await ask(here, issuer.token())
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert here.login.failing
    issuer.away, now = False, PAUSE_SECONDS
    assert (await ask(here, issuer.token())).status_code == 200
    assert here.login.failing is None
    issuer.away, now = True, now + 7200
    assert (await ask(here, issuer.token())).status_code == 200
    await until(lambda: here.login.failing, what="the old keys to be asked for anew")
    assert (await ask(here, issuer.token())).status_code == 200
    now += 61
    assert here.login.failing is None, "what nobody has asked for a minute is not said to be down"


async def test_tokens_of_the_command_line_count_only_where_a_setting_says_so(issuer: Issuer) -> None:
    token = auth.token(SECRET, "coordinator", "demo")
    assert (await ask(service(issuer), token)).status_code == 401
    assert (await ask(service(issuer, local_tokens=True), token)).status_code == 200
    assert (await ask(service(issuer, oidc_issuer=""), token)).status_code == 200
    assert (await ask(service(issuer, local_tokens=True), auth.token("x" * 40, "coordinator", "x"))).status_code == 401


def test_roles_and_numbers_are_found_where_the_settings_say() -> None:
    claims = {
        "sub": "A07",
        "name": "Probe Sieben",
        "realm_access": {"roles": ["offline_access", "advisor", "coordinator"]},
        "https://claims.example/roles": "skew ops",
    }
    nested = Settings(secret=SECRET, oidc_roles_claim="realm_access.roles", oidc_advisor_claim="sub")
    found = person(claims, nested)
    assert (found.roles, found.advisor_id, found.account) == (("advisor", "coordinator"), "A07", "A07")
    assert found.acting(("advisor",)) == auth.Caller("A07", "advisor")
    assert found.acting(("advisor", "coordinator")) == auth.Caller("A07", "coordinator")
    flat = Settings(secret=SECRET, oidc_roles_claim="https://claims.example/roles")
    assert person(claims, flat).roles == ("skew", "ops")


@pytest.mark.parametrize("number", [None, "", "a05", "A05; drop", 5, ["A05"]])
def test_who_has_no_proper_number_is_no_advisor(number: object) -> None:
    found = person({"sub": "x", "roles": ["advisor"], "advisor_id": number}, Settings(secret=SECRET))
    assert found.acting(("advisor", "coordinator")) is None
