"""The pages of the login itself: who may not, what has ended, what was kept."""

from typing import TYPE_CHECKING, Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from shared import web
from shared.access import Role
from shared.auth import Person
from shared.errors import Problem

if TYPE_CHECKING:
    from shared.login.door import Viewer
    from shared.login.login import Login
    from shared.login.sessions import Kept

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
ROLES: dict[Role, tuple[str, str]] = {
    "advisor": ("Beratung", "advisor"),
    "coordinator": ("Koordination", "coordination"),
    "skew": ("SKEW", "SKEW"),
    "ops": ("Betrieb", "operations"),
}


class Pages:
    def __init__(self, login: "Login") -> None:
        self._login = login
        self._templates = Environment(
            loader=PackageLoader("shared.login"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def show(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        language = web.language(request)
        body = self._templates.get_template(template).render(
            lang=language,
            programme=self._login.settings.programme_name,
            t=lambda de, en: en if language == "en" else de,
            **values,
        )
        return HTMLResponse(body, status, _HEADERS | {"Content-Language": language})

    def problem(self, request: Request, error: Problem, again: str) -> HTMLResponse:
        """`error` with a link to try `again`."""
        answer = self.show(request, "problem.html", error.status, error=error, again=again)
        if error.retry_after is not None:
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer

    def forbidden(self, request: Request, viewer: "Viewer", person: Person, roles: tuple[Role, ...]) -> Response:
        """Signed in, but as somebody whom this page is not for."""
        words = [ROLES[role] for role in roles]
        return self.show(
            request,
            "forbidden.html",
            403,
            viewer=viewer,
            needed=words,
            own=[ROLES[role] for role in person.roles],
            numberless="advisor" in person.roles and not person.advisor_id,
        )

    def foreign(self, request: Request, person: Person) -> Response:
        """A form of another account than the one that is signed in now."""
        return self.show(request, "foreign.html", 403, name=person.name)

    def expired(
        self, request: Request, to: str, *, kept: bool, files: bool = False, too_large: bool = False
    ) -> Response:
        """The session had ended when the form came. A page, no redirect: a form may not lead to another site."""
        login = self._login.way_in(to)
        return self.show(request, "expired.html", 401, login=login, kept=kept, files=files, too_large=too_large)

    def stale(self, request: Request, viewer: "Viewer", form: "Kept", *, files: bool) -> Response:
        """A form of an earlier session of the same person: to be looked at, and sent."""
        return self.show(
            request, "kept.html", 409, viewer=viewer, forms=[("", form)], files=files, late=False, here=self._login.home
        )
