"""From a provider's claims to a person."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shared.access import ROLES
from shared.auth import Person
from shared.events.base import AdvisorId
from shared.settings import Settings

_NUMBER = TypeAdapter[str](AdvisorId)


def person(claims: Mapping[str, Any], settings: Settings) -> Person:
    """Who the claims speak of. Roles that we don't know are other programs'; a number that is none counts as absent."""
    given = at(claims, settings.oidc_roles_claim)
    named = given.split() if isinstance(given, str) else given if isinstance(given, list) else ()
    account = _text(at(claims, settings.oidc_account_claim)) or str(claims["sub"])
    return Person(
        account,
        _text(claims.get("name")) or account,
        tuple(role for role in ROLES if role in named),
        _number(at(claims, settings.oidc_advisor_claim)),
    )


def at(claims: Mapping[str, Any], path: str) -> Any:
    """The claim of that name; or the one to which the dots lead. None where there is none."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _text(value: Any) -> str:
    return value.strip()[:200] if isinstance(value, str) else ""


def _number(value: Any) -> str | None:
    try:
        return _NUMBER.validate_python(value)
    except ValidationError:
        return None
