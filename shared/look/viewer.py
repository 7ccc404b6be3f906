"""Who looks at a page, as far as header and navigation say so."""

from dataclasses import dataclass

from starlette.requests import Request

from shared.auth import Role


@dataclass(frozen=True)
class Viewer:
    """Somebody signed in. `logout`: the address their logout button posts to; `csrf`: what it sends along."""

    name: str
    role: Role
    logout: str
    csrf: str


def viewer(request: Request) -> Viewer | None:
    """Whoever let the request in says so in `request.state.viewer`; None for the public."""
    found: Viewer | None = getattr(request.state, "viewer", None)
    return found
