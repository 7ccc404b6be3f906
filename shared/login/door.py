"""Who may look at a page, and whether what they send was meant by them."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from pymongo.errors import PyMongoError
from starlette.datastructures import UploadFile

from shared.access import ROLES, Access, Role, stating
from shared.errors import Forbidden
from shared.login.sealing import FormToken
from shared.login.sessions import Kept, Session
from shared.look import Viewer
from shared.web import Answered

if TYPE_CHECKING:
    from shared.login.login import Login

SAFE = ("GET", "HEAD")
FIELD = "csrf"
"""The hidden field of every form: `<input type="hidden" name="csrf" value="{{ viewer.csrf }}">`."""
HEADER = "x-csrf-token"
"""The same for a script's requests."""
AGAIN = "kept-form"
"""The hidden field by which a kept form, sent at last, is known."""
KEPT_BYTES = 65_536


def signed_in(*roles: Role) -> Callable[..., Awaitable[Viewer]]:
    """A FastAPI dependency of a page: who looks at it, who must have one of `roles`; without any, a role at all.

    Whoever is not signed in goes to the login and comes back; other roles get a page that says so. What a POST sends
    must bear the form's token (`FIELD` or `HEADER`) and come from this site. A form that comes after the session's end
    is kept and offered again.
    """

    wanted = roles or ROLES

    @stating(Access("session", wanted))
    async def viewer(request: Request) -> Viewer:
        return await admit(request, request.app.state.login, wanted)

    return viewer


async def noticed(request: Request) -> None:
    """A FastAPI dependency of pages that are open to all or by a link: whoever is signed in is named there, too."""
    login: Login = request.app.state.login
    try:
        session = await login.session(request)
    except PyMongoError:  # the page itself says what is away
        return
    seen = session.person.acting(ROLES) if session else None
    if session and seen:
        request.state.viewer = login.viewer(session, seen)


async def admit(request: Request, login: "Login", roles: tuple[Role, ...]) -> Viewer:
    """Raises Answered with what to show instead, Forbidden for what no browser of ours sends."""
    session = await login.session(request)
    if request.method not in SAFE:
        from_here(request, login.address)
        await _meant(request, login, session)
    if session is None:
        raise Answered(_to_login(request, login))
    found = session.person.acting(roles)
    seen = found or session.person.acting(ROLES)
    if seen:
        request.state.viewer = login.viewer(session, seen)
    if found is None:
        raise Answered(login.pages.forbidden(request, login.viewer(session), session.person, roles))
    return login.viewer(session, found)


def from_here(request: Request, address: str) -> None:
    """Raises Forbidden when the browser says that another site sent this."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    host = request.headers.get("host", "")
    ours = site in (None, "same-origin") and (
        origin is None or urlsplit(origin).netloc in (host, urlsplit(address).netloc) or site == "same-origin"
    )
    if not ours:
        raise Forbidden(
            "Das kam von einer fremden Seite und wurde nicht ausgeführt.",
            "This came from another site and was not carried out.",
        )


async def _meant(request: Request, login: "Login", session: Session | None) -> None:
    """The form's token; a stale one of the same person's is answered with the form, to be sent again."""
    form = await request.form()
    given = request.headers.get(HEADER) or form.get(FIELD)
    token = FormToken.read(login.secret, given) if isinstance(given, str) else None
    fields = tuple((name, value) for name, value in form.multi_items() if isinstance(value, str) and name != FIELD)
    lost = any(isinstance(value, UploadFile) and value.filename for value in form.values())
    form_kept = Kept(_here(request), token.account if token else "", fields)
    if token is None:
        if session is None and login.cookies.get(request, "session") == "":
            raise Answered(login.pages.expired(request, login.way_in(login.path("back-again")), kept=False, files=lost))
        raise Forbidden(
            "Dieses Formular ist nicht vollständig. Bitte laden Sie die Seite neu und versuchen Sie es noch einmal.",
            "This form is not complete. Please load the page again and try once more.",
        )
    if session is None:
        if request.headers.get(HEADER):  # a script asks, which can show no page
            raise Answered(Response(status_code=401))
        raise Answered(await login.keep(request, form_kept, files=lost))
    expected = FormToken.of(login.secret, session.id, session.person.account)
    if token == expected:
        for key in form.getlist(AGAIN):
            if isinstance(key, str):
                await login.resent(request, key)
        return
    if token.account != expected.account:
        raise Answered(login.pages.foreign(request, session.person))
    raise Answered(login.pages.stale(request, login.viewer(session), form_kept, files=lost))


def _here(request: Request) -> str:
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")


def _to_login(request: Request, login: "Login") -> Response:
    """With htmx's requests the browser itself must go, not the script."""
    if request.headers.get("hx-request"):
        here = urlsplit(request.headers.get("hx-current-url", ""))
        to = login.way_in(here.path + (f"?{here.query}" if here.query else "") or "/")
        return Response(status_code=401, headers={"HX-Redirect": to})
    return RedirectResponse(login.way_in(_here(request)), 303, {"Cache-Control": "no-store"})


def same_site(path: str) -> str:
    """`path` if it leads to this site and nowhere else, else `/`."""
    plain = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if plain and len(path) <= 2000 else "/"


def query(path: str) -> str:
    return quote(path, safe="/")
