"""The OpenID provider: where to send somebody, what their return is worth, whether a token is one of its own."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from shared.errors import Unauthorized
from shared.login.keys import TIMEOUT_SECONDS, Source, away
from shared.settings import Settings, is_local

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"]
"""Signatures with a key pair only: with a shared secret whoever can check could also forge."""
LEEWAY_SECONDS = 60
"""By how much the provider's clock and ours may differ."""


class Rejected(Exception):
    """A token or a return that is not what was asked for; str() says why, for the log."""


@dataclass(frozen=True)
class Departure:
    """Somebody is sent to `url`; the rest is needed to believe their return."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class Arrival:
    """Who came back, as the provider says it."""

    claims: dict[str, Any]
    id_token: str


class Provider:
    """One provider and our client there."""

    def __init__(self, settings: Settings, source: Source | None = None) -> None:
        self._client_id = settings.oidc_client_id
        self._client_secret = settings.oidc_client_secret.get_secret_value() or None
        self._scope = settings.oidc_scope
        self._audience = settings.oidc_audience
        self._issuer = settings.oidc_issuer
        self.source = source or Source(settings.oidc_issuer, settings.oidc_discovery)

    async def depart(self, back: str) -> Departure:
        """The way to the login; `back`: the address to return to. Raises Unavailable."""
        metadata = await self.source.metadata()
        async with self._client(back, metadata) as client:
            from authlib.common.security import generate_token

            verifier, nonce = generate_token(64), generate_token(32)
            url, state = client.create_authorization_url(
                metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce, state=generate_token(32)
            )
        return Departure(url, state, nonce, verifier)

    async def arrive(self, back: str, code: str, departure: Departure) -> Arrival:
        """Redeems the code of a return. Raises Rejected, Unavailable."""
        import httpx
        from authlib.integrations.base_client import OAuthError

        metadata = await self.source.metadata()
        try:
            async with self._client(back, metadata) as client:
                token = await client.fetch_token(
                    metadata["token_endpoint"], code=code, code_verifier=departure.verifier
                )
        except httpx.HTTPError as error:
            raise away() from error
        except (OAuthError, ValueError) as error:
            raise Rejected(f"the code was not redeemed: {error}") from error
        id_token = token.get("id_token")
        if not isinstance(id_token, str):
            raise Rejected("no ID token came")
        claims = await self._claims(id_token, self._client_id, departure.nonce, token.get("access_token"))
        return Arrival(claims, id_token)

    async def bearer(self, text: str) -> dict[str, Any]:
        """The claims of a bearer token that is meant for our APIs. Raises Unauthorized, Unavailable."""
        try:
            return await self._claims(text, self._audience)
        except Rejected as error:
            raise Unauthorized(
                "Die Anmeldung ist abgelaufen oder ungültig. Bitte melden Sie sich neu an.",
                f"The token is not valid ({error}).",
            ) from None

    async def farewell(self, id_token: str | None, back: str) -> str | None:
        """Where the provider's own session is ended; None when it has no such place. Raises Unavailable."""
        place = (await self.source.metadata()).get("end_session_endpoint")
        if not place:
            return None
        hint = {"id_token_hint": id_token} if id_token else {}
        asked = urlencode({"client_id": self._client_id, "post_logout_redirect_uri": back, **hint})
        return f"{place}{'&' if '?' in place else '?'}{asked}"

    async def _claims(
        self, text: str, audience: str, nonce: str | None = None, access_token: str | None = None
    ) -> dict[str, Any]:
        """Signature, issuer, audience, times, and what else OpenID Connect asks for. Raises Rejected, Unavailable."""
        from authlib.oauth2.claims import JWTClaims
        from authlib.oidc.core import CodeIDToken
        from joserfc.errors import JoseError

        token = await self._decoded(text)
        options = {
            "iss": {"essential": True, "value": self._issuer},
            "aud": {"essential": True, "value": audience},
            "sub": {"essential": True},
            "exp": {"essential": True},
        }
        if nonce is None:
            claims = JWTClaims(token.claims, token.header, options)
        else:
            params = {"nonce": nonce, "client_id": self._client_id, "access_token": access_token}
            claims = CodeIDToken(token.claims, token.header, options, params)
        try:
            claims.validate(leeway=LEEWAY_SECONDS)
        except JoseError as error:
            raise Rejected(f"{error.error}: {error.description}") from None
        return dict(claims)

    async def _decoded(self, text: str) -> Any:
        from joserfc import jwt
        from joserfc.errors import InvalidKeyIdError, JoseError

        for other in (False, True):
            try:
                return jwt.decode(text, await self.source.keys(other=other), algorithms=ALGORITHMS)
            except InvalidKeyIdError as error:
                if other:
                    raise Rejected(f"nobody knows its key: {error.description}") from None
            except (JoseError, ValueError) as error:
                raise Rejected(f"{type(error).__name__}: {error}") from None
        raise AssertionError("not reached")

    def _client(self, back: str, metadata: dict[str, Any]) -> Any:
        from authlib.integrations.httpx_client import AsyncOAuth2Client

        return AsyncOAuth2Client(
            client_id=self._client_id,
            client_secret=self._client_secret,
            token_endpoint_auth_method="client_secret_basic" if self._client_secret else "none",
            scope=self._scope,
            redirect_uri=back,
            code_challenge_method="S256",
            timeout=TIMEOUT_SECONDS,
            trust_env=not is_local(metadata["token_endpoint"]),
        )
