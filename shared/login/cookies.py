"""The names and marks of this service's cookies.

On an https site they bear `__Host-`: sent to this host only, over TLS only, set by nobody else. A plain http address,
which the settings allow for loopback alone in production's stead, can't have that prefix: there the names go without
it and without Secure. Each service has names of its own, since on one site all of them get all cookies.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import Response


@dataclass(frozen=True)
class Cookies:
    """`service`: whose; `secure`: the site is reached by https."""

    service: str
    secure: bool

    def name(self, what: str) -> str:
        """Such as `__Host-matching-session`."""
        return f"{'__Host-' if self.secure else ''}{self.service}-{what}"

    def get(self, request: Request, what: str) -> str:
        return request.cookies.get(self.name(what), "")

    def set(self, answer: Response, what: str, value: str, seconds: int | None = None) -> None:
        """`seconds`: None lets it end with the browser."""
        answer.set_cookie(
            self.name(what), value, max_age=seconds, path="/", secure=self.secure, httponly=True, samesite="lax"
        )

    def drop(self, answer: Response, what: str, services: Iterable[str] = ()) -> None:
        """This service's; or those of `services`, on the same site."""
        for service in tuple(services) or (self.service,):
            name = Cookies(service, self.secure).name(what)
            answer.delete_cookie(name, path="/", secure=self.secure, httponly=True, samesite="lax")
