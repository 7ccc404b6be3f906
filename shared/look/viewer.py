"""Who looks at a page."""

from dataclasses import dataclass

from starlette.requests import Request

from shared.auth import Caller, Role


@dataclass(frozen=True)
class Viewer(Caller):
    """Somebody signed in, as the one they act as here; handlers take them as the caller.

    `csrf` goes into each form of theirs; `logout`: the address their sign-out button posts to; `session`: the address
    that tells how long the session lasts, and prolongs it; `renew`: the link that signs in anew; `ends_in`: seconds
    until it ends by itself.
    """

    name: str
    roles: tuple[Role, ...]
    csrf: str
    logout: str
    session: str
    renew: str
    ends_in: int

    @property
    def warn(self) -> int:
        """Seconds before the end at which they are told."""
        return min(300, max(self.ends_in // 5, 1))


def viewer(request: Request) -> Viewer | None:
    """Whoever let the request in says so in `request.state.viewer`; None for the public."""
    found: Viewer | None = getattr(request.state, "viewer", None)
    return found
