"""Bearer tokens at the APIs: the provider's, and where they count those of `miglobe token`."""

import base64
import json

from shared.auth import Person, local
from shared.errors import Unauthorized
from shared.login.people import person
from shared.login.provider import Provider
from shared.settings import Settings


class Bearers:
    def __init__(self, settings: Settings, provider: Provider | None) -> None:
        self._settings = settings
        self._secret = settings.secret.get_secret_value()
        self._provider = provider

    async def __call__(self, bearer: str) -> Person:
        """Whom it speaks for. Raises Unauthorized, Unavailable."""
        if self._provider is None or (self._settings.local_tokens and _algorithm(bearer) == "HS256"):
            return local(self._secret, bearer)
        if _algorithm(bearer) == "HS256":
            raise Unauthorized(
                "Hier gelten nur Anmeldungen des Anmeldedienstes.",
                "Tokens of `miglobe token` don't count here: get one from the OpenID provider.",
            )
        return person(await self._provider.bearer(bearer), self._settings)


def _algorithm(bearer: str) -> str:
    head = bearer.partition(".")[0]
    try:
        said = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except ValueError:
        return ""
    return str(said.get("alg", "")) if isinstance(said, dict) else ""
