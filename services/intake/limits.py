"""Limits against abuse of the open form: a count per key in fixed windows, in this process' memory.

Each process counts for itself, so with N workers up to N times the limit passes; that is enough against
floods and costs no round trip. Behind a proxy the address is the one that uvicorn takes from it
(FORWARDED_ALLOW_IPS).
"""

import ipaddress
import time
from collections import Counter
from collections.abc import Callable

from shared.errors import TooMany


class Window:
    """At most `limit` of the same key in each `seconds`; 0 is no limit."""

    def __init__(self, limit: int, seconds: int, de: str, en: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._seconds = seconds
        self._words = de, en
        self._clock = clock
        self._began = float("-inf")
        self._counts: Counter[str] = Counter()

    def take(self, key: str) -> None:
        """Counts one. Raises TooMany, with the seconds left, when there were enough."""
        if not self._limit:
            return
        now = self._clock()
        if now - self._began >= self._seconds:
            self._began = now
            self._counts.clear()
        if self._counts[key] >= self._limit:
            raise TooMany(*self._words, retry_after=max(1, int(self._began + self._seconds - now)))
        self._counts[key] += 1


def network(host: str | None) -> str:
    """The key of a client's address: an IPv6 subscriber has a whole /64."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return host or "unknown"
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
