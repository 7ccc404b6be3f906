"""Who may use a route, said at the route itself, once: by the dependency that enforces it, or by `everybody`.

A route that says nothing is not served (`shared/service.py`), and a test walks all that are.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.routing import BaseRoute

Role = Literal["advisor", "coordinator", "skew", "ops"]
ROLES: tuple[Role, ...] = get_args(Role)
By = Literal["open", "link", "bearer", "session"]

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Access:
    """`by`: open to all · the token of a link · a bearer token · a session. `roles`: one of them is needed.

    A session without roles wants somebody who is signed in; a link with roles may be replaced by their token.
    """

    by: By
    roles: tuple[Role, ...] = ()


def stating(access: Access) -> Callable[[F], F]:
    """A decorator for a dependency that enforces `access`, or for an endpoint that needs no enforcing."""

    def mark(function: F) -> F:
        function.access = access  # type: ignore[attr-defined]
        return function

    return mark


everybody = stating(Access("open"))
"""Below the route's decorator: this route is open to all."""

by_link = stating(Access("link"))
"""On a dependency or an endpoint that checks the token of a link itself."""


@dataclass(frozen=True)
class Stated:
    """One route as it is served; `access`: None when it states nothing. `plain`: files and documents only."""

    path: str
    methods: tuple[str, ...]
    access: Access | None
    plain: bool


def routes(served: Sequence[BaseRoute]) -> list[Stated]:
    """All routes of an app or a router, those of the routers included in it too."""
    return [
        Stated(
            found.path or "",
            tuple(sorted(found.methods or ())),
            _asked_most(found),
            not isinstance(found.original_route, APIRoute),
        )
        for found in iter_route_contexts(served)
    ]


def unstated(served: Sequence[BaseRoute]) -> list[str]:
    """Those that say nothing, for people."""
    return [f"{', '.join(one.methods)} {one.path}" for one in routes(served) if not one.plain and one.access is None]


def is_open(endpoint: Callable[..., Any]) -> bool:
    """Whether `endpoint` itself says that everybody may use it."""
    return getattr(endpoint, "access", None) == Access("open")


def _asked_most(found: RouteContext) -> Access | None:
    if not isinstance(found.original_route, APIRoute):
        return None
    stated = [getattr(call, "access", None) for call in (found.endpoint, *_calls(found.dependant))]
    return max((one for one in stated if one), key=lambda one: get_args(By).index(one.by), default=None)


def _calls(dependant: Dependant) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls(inner)
