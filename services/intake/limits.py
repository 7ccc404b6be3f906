"""Limits against abuse of the open form: a count per key in fixed windows, in this process' memory.

Each process counts for itself, so with N workers up to N times the limit passes; that is enough against
floods and costs no round trip. Behind a proxy the address is the one that uvicorn takes from it
(FORWARDED_ALLOW_IPS).
"""

import ipaddress
import time
from collections import Counter
from collections.abc import Callable
from functools import lru_cache

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


class Limits:
    """Those of all doors, in one place: a request counts the same by the form and by the API."""

    def __init__(self, *, address_minute: int, email_day: int, draft_minute: int, draft_mail_day: int) -> None:
        again = "Bitte versuchen Sie es in einer Minute noch einmal.", "Please try again in a minute."
        self.addresses = Window(
            address_minute,
            60,
            f"Von Ihrem Anschluss kommen gerade sehr viele Anfragen. {again[0]}",
            f"Very many requests come from your network right now. {again[1]}",
        )
        self.emails = Window(
            email_day,
            86_400,
            "Mit dieser E-Mail-Adresse wurden heute schon sehr viele Anfragen gestellt. Bitte melden Sie sich bei uns.",
            "Very many requests were made with this e-mail address today. Please contact us.",
        )
        self.drafts = Window(
            draft_minute,
            60,
            f"Von Ihrem Anschluss kommen gerade sehr viele Eingaben. {again[0]}",
            f"Very many entries come from your network right now. {again[1]}",
        )
        self.draft_mails = Window(
            draft_mail_day,
            86_400,
            "An diese E-Mail-Adresse haben wir heute schon mehrere Links verschickt. Bitte sehen Sie in Ihr Postfach.",
            "We have sent several links to this e-mail address today already. Please look into your inbox.",
        )


@lru_cache(maxsize=10_000)
def network(host: str | None) -> str:
    """The key of a client's address: an IPv6 subscriber has a whole /64."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return host or "unknown"
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
