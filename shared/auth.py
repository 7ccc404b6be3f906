"""Who is calling: bearer tokens with a role, and signed links for those without an account.

Tokens are JWTs (HS256 with the installation's secret), issued by `miglobe token`. Links carry a MAC over
their purpose and ids: nothing is stored, and whether a link may still act is decided by the state of the
thing it acts on.
"""

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, get_args

import jwt
from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.errors import Forbidden, Unauthorized

Role = Literal["advisor", "coordinator", "skew", "ops"]
ROLES: tuple[Role, ...] = get_args(Role)
_ISSUER = "miglobe"


@dataclass(frozen=True)
class Caller:
    """Somebody signed in; `subject` is the advisor's id for advisors, an account's name for others."""

    subject: str
    role: Role


def token(secret: str, role: Role, subject: str, hours: float = 12.0) -> str:
    """A bearer token for `subject`, valid for `hours`."""
    now = datetime.now(UTC)
    claims = {"iss": _ISSUER, "sub": subject, "role": role, "iat": now, "exp": now + timedelta(hours=hours)}
    return jwt.encode(claims, secret, algorithm="HS256")


def caller(secret: str, bearer: str) -> Caller:
    """Who `bearer` speaks for. Raises Unauthorized when it is forged, outdated or of somebody else."""
    try:
        claims = jwt.decode(
            bearer,
            secret,
            algorithms=["HS256"],
            issuer=_ISSUER,
            leeway=30,
            # one issued by a clock that is ahead of ours is as good as any
            options={"require": ["exp", "sub"], "verify_iat": False},
        )
    except jwt.InvalidTokenError as error:
        raise Unauthorized(
            "Die Anmeldung ist abgelaufen oder ungültig. Bitte melden Sie sich neu an.",
            f"The token is not valid ({error}). Get a new one with: miglobe token --role …",
        ) from None
    role = claims.get("role")
    if role not in ROLES:
        raise Unauthorized("Diese Anmeldung hat keine Rolle.", "The token has no known role.")
    return Caller(str(claims["sub"]), role)


_BEARER = HTTPBearer(auto_error=False, description="from `miglobe token --role …`")


def require(secret: str, *roles: Role) -> Callable[..., Awaitable[Caller]]:
    """A FastAPI dependency: the caller, who must have one of `roles`."""

    async def allowed(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> Caller:
        if credentials is None:
            raise Unauthorized("Bitte melden Sie sich an.", "This needs a bearer token: miglobe token --role …")
        found = caller(secret, credentials.credentials)
        if found.role not in roles:
            raise Forbidden(
                "Ihre Rolle darf das nicht.",
                f"The role {found.role} may not do this; it needs one of {', '.join(roles)}.",
            )
        return found

    return allowed


def sign(secret: str, purpose: str, *ids: str) -> str:
    """The token of a link for `purpose` on `ids`, 43 characters that are safe in a URL."""
    text = "\x1f".join((purpose, *ids)).encode()
    mac = hmac.new(b"link:" + secret.encode(), text, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def check(secret: str, given: str | None, purpose: str, *ids: str) -> None:
    """Raises Unauthorized without a token, Forbidden when `given` is not the token of just this."""
    if not given:
        raise Unauthorized("Es fehlt der Schlüssel aus Ihrem Link.", "The token of your link is missing.")
    if not hmac.compare_digest(given.encode(errors="replace"), sign(secret, purpose, *ids).encode()):
        raise Forbidden("Dieser Link gilt hier nicht.", "This link is not valid here.")
