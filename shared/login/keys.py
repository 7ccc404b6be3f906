"""A provider's discovery document and keys: fetched when needed, kept, and fetched anew within limits."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import structlog

from shared.errors import Unavailable
from shared.settings import is_local

KEEP_SECONDS = 3600.0
PAUSE_SECONDS = 10.0
"""Between two fetches because of an unknown key or a failure: whoever sends nonsense causes no more."""
TIMEOUT_SECONDS = 5.0

_log = structlog.get_logger(__name__)


class Source:
    """What the provider publishes."""

    def __init__(self, issuer: str, discovery: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._address = discovery or f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        self._clock = clock
        self._lock = asyncio.Lock()
        self._metadata: dict[str, Any] = {}
        self._keys: Any = None
        self._fetched_at = self._tried_at = float("-inf")
        self._wrong: str | None = None
        self._renewing: asyncio.Task[None] | None = None

    @property
    def failing(self) -> str | None:
        """What was wrong with it within the last minute; nobody asks while nobody logs in."""
        return self._wrong if self._clock() - self._tried_at < 60 else None

    async def metadata(self) -> dict[str, Any]:
        """The discovery document. Raises Unavailable while the provider is away and nothing is known yet."""
        await self._known()
        return self._metadata

    async def keys(self, *, other: bool = False) -> Any:
        """joserfc's KeySet; `other`: the known one lacks a key. Raises Unavailable as above."""
        await self._known(other=other)
        return self._keys

    async def _known(self, *, other: bool = False) -> None:
        """With something known that is old, nobody waits for the new."""
        if self._keys is None or other:
            await self._renew()
        elif self._clock() - self._fetched_at > KEEP_SECONDS and (self._renewing is None or self._renewing.done()):
            self._renewing = asyncio.create_task(self._renew())
        if self._keys is None:
            raise away()

    async def _renew(self) -> None:
        async with self._lock:
            now = self._clock()
            if now - self._tried_at < PAUSE_SECONDS:
                return
            self._tried_at = now
            try:
                await self._fetch()
                self._fetched_at, self._wrong = now, None
            except (OSError, ValueError, KeyError) as error:
                self._wrong = f"{type(error).__name__}: {error}"[:200]
                _log.warning("provider_away", error=self._wrong)

    async def _fetch(self) -> None:
        import httpx
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        try:
            async with client(self._address) as http:
                found = (await http.get(self._address)).raise_for_status().json()
                if found.get("issuer") != self._issuer:
                    raise ValueError(f"{self._address} speaks for {found.get('issuer')}, not for {self._issuer}")
                keys = KeySet.import_key_set((await http.get(found["jwks_uri"])).raise_for_status().json())
        except (httpx.HTTPError, JoseError) as error:
            raise OSError(f"{type(error).__name__} {error}") from error
        self._metadata, self._keys = found, keys


def client(address: str) -> Any:
    """An httpx client for requests to the provider."""
    import httpx

    return httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=not is_local(address), follow_redirects=False)


def away() -> Unavailable:
    return Unavailable(
        "Der Anmeldedienst antwortet gerade nicht. Bitte versuchen Sie es gleich noch einmal.",
        "The login service does not answer. Please try again in a moment.",
        retry_after=10,
    )
