"""The login's own routes, below the service's name: `/matching/login`, `/matching/logout`, …"""

from typing import Annotated, get_args

import structlog
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from shared.access import everybody
from shared.errors import Forbidden, Malformed, Problem, Unavailable
from shared.login.door import FIELD, from_here, same_site, signed_in
from shared.login.login import Login
from shared.login.people import person
from shared.login.provider import Rejected
from shared.login.sealing import FormToken
from shared.look import Viewer
from shared.mongo import Mongo
from shared.settings import ServiceName, Settings

_NO_STORE = {"Cache-Control": "no-store"}
_log = structlog.get_logger(__name__)


def install(app: FastAPI, service: ServiceName, settings: Settings, mongo: Mongo) -> Login:
    """Gives `app` its login: these routes, bearer tokens, and what `signed_in` needs."""
    login = Login(service, settings, mongo)
    app.state.login = login
    app.state.bearers = login.bearers

    app.include_router(router(login))
    return login


def router(login: Login) -> APIRouter:
    routes = APIRouter(prefix=f"/{login.service}", include_in_schema=False)
    back_here = login.address + login.path("login/back")

    @routes.get("/login")
    @everybody
    async def begin(request: Request, to: Annotated[str, Query(max_length=4000)] = "") -> Response:
        """To the provider; whoever is signed in already goes where they wanted to at once."""
        wanted = same_site(to) if to else login.home
        try:
            if await login.session(request):
                return RedirectResponse(wanted, 303, _NO_STORE)
            departure = await login.there().depart(back_here)
        except Unavailable as error:
            return login.pages.problem(request, error, login.way_in(wanted))
        answer = RedirectResponse(departure.url, 303, _NO_STORE)
        login.remember(request, answer, departure, wanted)
        return answer

    @routes.get("/login/back")
    @everybody
    async def back(
        request: Request,
        state: Annotated[str, Query(max_length=200)] = "",
        code: Annotated[str, Query(max_length=4000)] = "",
        error: Annotated[str, Query(max_length=200)] = "",
    ) -> Response:
        """From the provider: a new session with a new id, and on to where one wanted to go."""
        answer = RedirectResponse(login.home, 303, _NO_STORE)
        departed = login.recall(request, answer, state)
        if departed is None:
            if await login.session(request):  # the back button after a login
                return answer
            return login.pages.problem(request, _unknown(), login.way_in(login.home))
        departure, wanted = departed
        try:
            if error or not code:
                raise Rejected(error or "no code came")
            arrived = await login.there().arrive(back_here, code, departure)
        except Rejected as rejected:
            _log.warning("login_rejected", reason=str(rejected)[:300])
            failed: Problem = _rejected()
        except Unavailable as unavailable:
            failed = unavailable
        else:
            if old := login.cookies.get(request, "session"):
                await login.sessions.end(old)
            session_id = await login.sessions.begin(person(arrived.claims, login.settings), arrived.id_token)
            login.cookies.set(answer, "session", session_id)
            answer.headers["location"] = wanted
            return answer
        said = login.pages.problem(request, failed, login.way_in(wanted))
        login.recall(request, said, state)
        return said

    @routes.post("/logout")
    @everybody
    async def logout(request: Request) -> Response:
        """Ends the session here, forgets those of the other services on this site, and goes on to the provider.

        A stale form will do: staying logged in against one's will is worse.
        """
        from_here(request, login.address)
        given = (await request.form()).get(FIELD)
        if not isinstance(given, str) or FormToken.read(login.secret, given) is None:
            raise Forbidden("Dieses Formular ist nicht vollständig.", "This form is not complete.")
        own = login.cookies.get(request, "session")
        id_token = await login.sessions.end(own) if own else None
        left = login.address + login.path("logged-out")
        try:
            onward = await login.provider.farewell(id_token, left) if login.provider else None
        except Unavailable:
            onward = None
        answer = login.pages.show(request, "logged_out.html", onward=onward, renew=login.way_in(login.home))
        if onward:  # a page that goes on, no redirect: a form may not lead to another site
            answer.headers["Refresh"] = f"0; url={onward}"
        for what in ("session", "login", "kept"):
            login.cookies.drop(answer, what, get_args(ServiceName))
        return answer

    @routes.get("/logged-out")
    @everybody
    async def logged_out(request: Request) -> Response:
        return login.pages.show(request, "logged_out.html", onward=None, renew=login.way_in(login.home))

    @routes.get("/kept")
    async def kept(request: Request, viewer: Annotated[Viewer, Depends(signed_in())]) -> Response:
        """Forms that came after the end of a session, to be looked at and sent."""
        session = await login.session(request)
        forms = await login.waiting(request, session) if session else []
        return login.pages.kept(request, viewer.csrf, forms, login.home)

    @routes.get("/back-again", dependencies=[Depends(signed_in())])
    async def back_again(request: Request) -> Response:
        """Where a second window ends in which somebody has signed in anew."""
        return login.pages.show(request, "done.html")

    @routes.get("/session")
    @everybody
    async def remaining(request: Request) -> Response:
        """How long the session lasts; asking does not prolong it."""
        session = await login.session(request, use=False)
        return JSONResponse({"ends_in": session.left if session else 0}, headers=_NO_STORE)

    @routes.post("/session")
    async def stay(viewer: Annotated[Viewer, Depends(signed_in())]) -> Response:
        """Goes on with the session; as a script asks for it."""
        return JSONResponse({"ends_in": viewer.ends_in}, headers=_NO_STORE)

    return routes


def _unknown() -> Problem:
    return Malformed(
        "Diese Anmeldung ist abgelaufen oder wurde schon benutzt. Bitte melden Sie sich noch einmal an.",
        "This login has expired or was used already. Please log in once more.",
    )


def _rejected() -> Problem:
    return Forbidden(
        "Die Anmeldung wurde abgebrochen oder nicht angenommen. Sie können es noch einmal versuchen.",
        "The login was cancelled or not accepted. You can try again.",
    )
