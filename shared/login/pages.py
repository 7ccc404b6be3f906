"""The pages of the login itself: who may not, what has ended, what was kept."""

from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from shared.access import Role
from shared.auth import Person
from shared.errors import Problem
from shared.look import Look, Viewer
from shared.settings import ServiceName, Settings

if TYPE_CHECKING:
    from shared.login.sessions import Kept

ROLES: dict[Role, tuple[str, str]] = {
    "advisor": ("Beratung", "advisors"),
    "coordinator": ("Koordination", "the coordination"),
    "skew": ("SKEW", "SKEW"),
    "ops": ("Betrieb", "operations"),
}


class Pages:
    def __init__(self, service: ServiceName, settings: Settings) -> None:
        self._look = Look(settings, "shared.login", service)

    def show(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        return self._look.show(request, template, status, **values)

    def problem(self, request: Request, error: Problem, again: str) -> HTMLResponse:
        """`error` with a link to try `again`."""
        answer = self.show(request, "problem.html", error.status, error=error, again=again)
        if error.retry_after is not None:
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer

    def forbidden(self, request: Request, seen: Viewer, person: Person, roles: tuple[Role, ...]) -> Response:
        """Signed in, but as somebody whom this page is not for. `seen` holds the way out."""
        return self.show(
            request,
            "forbidden.html",
            403,
            out=seen,
            needed=[ROLES[role] for role in roles],
            own=[ROLES[role] for role in person.roles],
            numberless="advisor" in person.roles and not person.advisor_id,
        )

    def foreign(self, request: Request, person: Person) -> Response:
        """A form of another account than the one that is signed in now."""
        return self.show(request, "foreign.html", 403, name=person.name)

    def expired(self, request: Request, renew: str, *, kept: bool, files: bool, too_large: bool = False) -> Response:
        """The session had ended when the form came. A page, no redirect: a form may not lead to another site."""
        return self.show(request, "expired.html", 401, renew=renew, kept=kept, files=files, too_large=too_large)

    def stale(self, request: Request, seen: Viewer, form: "Kept", *, files: bool) -> Response:
        """A form of an earlier session of the same person: to be looked at, and sent."""
        request.state.viewer = seen
        shown = {"csrf": seen.csrf, "forms": [("", form)], "files": files, "late": False, "onward": "/"}
        return self._look.show(request, "kept.html", 409, **shown)

    def kept(self, request: Request, csrf: str, forms: list[tuple[str, "Kept"]], onward: str) -> Response:
        """Forms that came after the end of a session."""
        shown = {"csrf": csrf, "forms": forms, "files": False, "late": True, "onward": onward}
        return self._look.show(request, "kept.html", **shown)
