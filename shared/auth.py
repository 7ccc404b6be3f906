"""Who is calling: bearer tokens with a role, and signed links for those without an account.

Bearer tokens are those of the OpenID provider (`shared/login/bearers.py`), or JWTs of `miglobe token` (HS256 with
the installation's secret) where they count. Links carry a MAC over their purpose and ids: nothing is stored, and
whether a link may still act is decided by the state of the thing it acts on.
"""

import base64
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.access import ROLES, Access, Role, stating
from shared.errors import Forbidden, Unauthorized

__all__ = ["ROLES", "Caller", "Person", "Role", "authenticate", "caller", "check", "require", "sign", "token"]

_ISSUER = "miglobe"


@dataclass(frozen=True)
class Caller:
    """Somebody signed in; `subject` is the advisor's id for advisors, an account's name for others."""

    subject: str
    role: Role


@dataclass(frozen=True)
class Person:
    """Whom a token or a session speaks for: the account's name, what to call them, and all that they may be.

    `advisor_id`: the number of an advisor; without one nobody is an advisor.
    """

    account: str
    name: str
    roles: tuple[Role, ...]
    advisor_id: str | None = None

    def acting(self, roles: tuple[Role, ...]) -> Caller | None:
        """As whom they do what one of `roles` may do; an advisor last, who sees least. None: they may not."""
        for role in sorted(self.roles, key=lambda one: one == "advisor"):
            if role in roles and (role != "advisor" or self.advisor_id):
                return Caller(self.advisor_id if role == "advisor" and self.advisor_id else self.account, role)
        return None


def token(secret: str, role: Role, subject: str, hours: float = 12.0) -> str:
    """A bearer token for `subject`, valid for `hours`."""
    import jwt  # with its cryptography 10 MB, which a service does without until somebody shows a token

    now = datetime.now(UTC)
    claims = {"iss": _ISSUER, "sub": subject, "role": role, "iat": now, "exp": now + timedelta(hours=hours)}
    return jwt.encode(claims, secret, algorithm="HS256")


def caller(secret: str, bearer: str) -> Caller:
    """Who `bearer` speaks for. Raises Unauthorized when it is forged, outdated or of somebody else."""
    import jwt

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


_BEARER = HTTPBearer(auto_error=False, description="of the OpenID provider; or from `miglobe token --role …`")


async def authenticate(request: Request, secret: str, bearer: str) -> Person:
    """Who `bearer` speaks for: as the app's provider has it, without one by the secret. Raises Unauthorized."""
    bearers: Callable[[str], Awaitable[Person]] | None = getattr(request.app.state, "bearers", None)
    if bearers is not None:
        return await bearers(bearer)
    return local(secret, bearer)


def local(secret: str, bearer: str) -> Person:
    """Who a token of `miglobe token` speaks for. Raises Unauthorized."""
    found = caller(secret, bearer)
    return Person(found.subject, found.subject, (found.role,), found.subject if found.role == "advisor" else None)


def require(secret: str, *roles: Role) -> Callable[..., Awaitable[Caller]]:
    """A FastAPI dependency of a route under /api: the caller, who must have one of `roles`.

    For pages see `signed_in` in `shared/login`.
    """

    @stating(Access("bearer", roles))
    async def allowed(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
    ) -> Caller:
        if credentials is None:
            raise Unauthorized("Bitte melden Sie sich an.", "This needs a bearer token.")
        person = await authenticate(request, secret, credentials.credentials)
        found = person.acting(roles)
        if found is None:
            raise Forbidden(
                "Ihre Rolle darf das nicht.",
                f"The role {', '.join(person.roles) or 'none'} may not do this; it needs one of {', '.join(roles)}.",
            )
        return found

    return allowed


def sign(secret: str, purpose: str, *ids: str) -> str:
    """The token of a link for `purpose` on `ids`, 43 characters that are safe in a URL."""
    text = "\x1f".join((purpose, *ids)).encode()
    mac = hmac.digest(b"link:" + secret.encode(), text, "sha256")
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


def check(secret: str, given: str | None, purpose: str, *ids: str) -> None:
    """Raises Unauthorized without a token, Forbidden when `given` is not the token of just this."""
    if not given:
        raise Unauthorized("Es fehlt der Schlüssel aus Ihrem Link.", "The token of your link is missing.")
    if not hmac.compare_digest(given.encode(errors="replace"), sign(secret, purpose, *ids).encode()):
        raise Forbidden("Dieser Link gilt hier nicht.", "This link is not valid here.")
