"""Signing in to one service: its provider, sessions, cookies and pages in one hand."""

from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.responses import Response

from shared.auth import Caller
from shared.errors import Unavailable
from shared.login.bearers import Bearers
from shared.login.cookies import Cookies
from shared.login.door import KEPT_BYTES
from shared.login.pages import Pages
from shared.login.provider import Departure, Provider
from shared.login.sealing import FormToken, digest, seal, unseal
from shared.login.sessions import KEPT_MINUTES, Kept, Session, Sessions
from shared.look import Viewer
from shared.mongo import Mongo
from shared.settings import ServiceName, Settings

DEPARTED_SECONDS = 900
COOKIE_BYTES = 3800
"""Browsers drop cookies of more than 4,096 bytes, name and marks included."""
_AT_ONCE = 4
"""Logins under way in one browser, and forms that wait in it: as many as it has tabs, within reason."""


class Login:
    """`home`: the page to which a login leads that began nowhere; the composition root sets it."""

    def __init__(self, service: ServiceName, settings: Settings, mongo: Mongo) -> None:
        self.service = service
        self.secret = settings.secret.get_secret_value()
        self.settings = settings
        self.address = settings.address(service)
        self.home = "/"
        self.cookies = Cookies(service, urlsplit(self.address).scheme == "https")
        self.provider = Provider(settings) if settings.oidc_issuer else None
        self.bearers = Bearers(settings, self.provider)
        self.sessions = Sessions(mongo, settings.session_idle_minutes * 60, settings.session_hours * 3600)
        self.pages = Pages(service, settings)

    @property
    def failing(self) -> str | None:
        """What was wrong with the provider when it was last asked, for `/readyz`."""
        return self.provider.source.failing if self.provider else None

    def path(self, what: str) -> str:
        """The address of one of the login's own pages on this site, such as `/matching/login`."""
        return f"/{self.service}/{what}"

    def way_in(self, to: str) -> str:
        """The link that logs in and then leads to `to`."""
        return f"{self.path('login')}?to={quote(to, safe='/')}"

    def there(self) -> Provider:
        """Raises Unavailable without a provider."""
        if self.provider is None:
            raise Unavailable(
                "Die Anmeldung ist hier nicht eingerichtet.", "No login is set up here: MIGLOBE_OIDC_ISSUER is empty."
            )
        return self.provider

    async def session(self, request: Request, *, use: bool = True) -> Session | None:
        """The living session of this browser; `use` prolongs it."""
        given = self.cookies.get(request, "session")
        return await self.sessions.find(given, use=use) if given else None

    def viewer(self, session: Session, caller: Caller | None = None) -> Viewer:
        person = session.person
        seen = caller or Caller(person.account, person.roles[0] if person.roles else "advisor")
        return Viewer(
            seen.subject,
            seen.role,
            name=person.name,
            roles=person.roles,
            csrf=FormToken.of(self.secret, session.id, person.account).text(self.secret),
            logout=self.path("logout"),
            session=self.path("session"),
            renew=self.way_in(self.path("back-again")),
            ends_in=session.left,
        )

    # -- logins under way ---------------------------------------------------------------------------------

    def remember(self, request: Request, answer: Response, departure: Departure, to: str) -> None:
        """In a sealed cookie: nothing is stored for somebody who may never come back."""
        own = [departure.state, departure.nonce, departure.verifier, to]
        under_way = [*self._departed(request), own][-_AT_ONCE:]
        while len(text := seal(self.secret, "login", under_way)) > COOKIE_BYTES and len(under_way) > 1:
            under_way = under_way[1:]
        self.cookies.set(answer, "login", text, DEPARTED_SECONDS)

    def recall(self, request: Request, answer: Response, state: str) -> tuple[Departure, str] | None:
        """The departure with that state and where it wanted to go, once; None when this browser began none."""
        under_way = self._departed(request)
        others = [one for one in under_way if one[0] != state]
        if others:
            self.cookies.set(answer, "login", seal(self.secret, "login", others), DEPARTED_SECONDS)
        else:
            self.cookies.drop(answer, "login")
        for known, nonce, verifier, to in under_way:
            if known == state:
                return Departure("", state, nonce, verifier), to
        return None

    def _departed(self, request: Request) -> list[list[str]]:
        return unseal(self.secret, "login", self.cookies.get(request, "login")) or []

    # -- forms that came too late -------------------------------------------------------------------------

    async def keep(self, request: Request, form: Kept, *, files: bool) -> Response:
        """Keeps `form` for whoever logs in again as the same, and says so."""
        small = sum(len(name) + len(value.encode()) for name, value in form.fields) <= KEPT_BYTES
        renew = self.way_in(self.path("kept" if small else "back-again"))
        answer = self.pages.expired(request, renew, kept=small, files=files, too_large=not small)
        if small:
            keys = [*self.kept_keys(request), await self.sessions.keep(form)][-_AT_ONCE:]
            self.cookies.set(answer, "kept", ".".join(keys), KEPT_MINUTES * 60)
        return answer

    def kept_keys(self, request: Request) -> list[str]:
        return [key for key in self.cookies.get(request, "kept").split(".") if key]

    async def waiting(self, request: Request, session: Session) -> list[tuple[str, Kept]]:
        """The kept forms of this browser that are this person's, each with the name by which it is dropped."""
        own = FormToken.of(self.secret, session.id, session.person.account).account
        found = [(key, await self.sessions.kept(key)) for key in self.kept_keys(request)]
        return [(digest(key), form) for key, form in found if form and form.account == own]

    async def resent(self, request: Request, name: str) -> None:
        """A kept form is on its way at last: it isn't offered again."""
        for key in self.kept_keys(request):
            if digest(key) == name:
                await self.sessions.drop(key)
