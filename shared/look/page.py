"""Renders pages: one environment per language, the headers that every page bears, errors that can be read."""

import re
from collections.abc import Callable, Coroutine, Mapping
from gettext import NullTranslations
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from fastapi.routing import APIRoute
from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined
from starlette.exceptions import HTTPException

from shared import assets, headers, web
from shared.errors import Malformed, Problem
from shared.look import nav
from shared.look.catalog import translations
from shared.look.formats import filters
from shared.look.viewer import viewer
from shared.settings import ServiceName, Settings
from shared.telemetry import current

_WRONG = re.compile(r'<li><a href="#([^"]+)"><span data-label-of="[^"]+"></span>[^<]*</a></li>')
_EMPTY = re.compile(r'<span data-label-of="([^"]+)"></span>')
_LABEL = re.compile(
    r'<label class="kern-label" for="([^"]+)">([^<]+)'
    r'|<fieldset[^>]*\bid="([^"]+)"[^>]*>\s*<legend class="kern-label">([^<]+)'
)
LANGUAGES = {"de": "Deutsch", "en": "English"}
_OWN = "shared.look"


class Look:
    """The pages of one service. `package`: where its `templates/` and `locale/` are, such as `services.intake`."""

    def __init__(
        self,
        settings: Settings,
        package: str,
        service: ServiceName | None = None,
        folders: Mapping[str, BaseLoader] | None = None,
        /,
        **more: Any,
    ) -> None:
        """`service`: whose pages these are, where the package's name doesn't say it. `folders`: templates from
        elsewhere, by the name before their slash. `more`: further globals of the templates; a function of (language)
        is called once per language.
        """
        self._settings = settings
        self._service: ServiceName = service or package.rpartition(".")[2]  # type: ignore[assignment]
        self._environments = {
            language: _environment(language, package, settings, translations(language, package, _OWN), folders or {})
            for language in LANGUAGES
        }
        for language, environment in self._environments.items():
            environment.globals.update(
                {name: value(language) if callable(value) else value for name, value in more.items()}
            )
        self.route_class = _route_class(self)

    def show(self, request: Request, template: str, code: int = 200, /, **values: Any) -> HTMLResponse:
        """`template` in the reader's language, as an answer with the headers of a page."""
        language, settings, path = web.language(request), self._settings, request.scope["path"]
        looks = viewer(request)
        entries = nav.NAV[looks.role] if looks else ()
        body = (
            self._environments[language]
            .get_template(template)
            .render(
                viewer=looks,
                nav=nav.links(entries, settings, self._service, path),
                home=settings.link(self._service, "intake", "/"),
                legal=nav.links(nav.LEGAL, settings, self._service, path),
                tongues=_tongues(request, language),
                **values,
            )
        )
        if values.get("errors"):
            body = _named(body)
        answer = HTMLResponse(body, code, headers.PAGE | {"Content-Language": language})
        if request.query_params.get("lang") == language:
            web.remember_language(request, answer, language)
        return answer

    def sorry(self, request: Request, error: Problem) -> HTMLResponse:
        """`error` as a page; the service's own `error.html` may say more about what to do."""
        own = "error.html" in self._environments["de"].list_templates()  # a prefixed template tells its name without
        template = "error.html" if own else "look/error.html"
        answer = self.show(request, template, error.status, error=error, correlation_id=current().correlation_id)
        if error.retry_after is not None:
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer


def _readable(error: Exception) -> Problem:
    """`error` in the words of a page, whose reader has followed a link or sent a form."""
    if isinstance(error, RequestValidationError) and all(e["loc"][0] in ("path", "query") for e in error.errors()):
        problem = Malformed(
            "Bitte öffnen Sie den Link noch einmal aus Ihrer E-Mail.",
            "Please open the link once more from your e-mail.",
        )
        problem.title_de, problem.title_en = "Dieser Link ist unvollständig", "This link is incomplete"
        return problem
    if isinstance(error, HTTPException) and error.status_code == 400:
        return Malformed("Das Formular kam unvollständig an.", "The form arrived incomplete.")
    return web.as_problem(error)


def _environment(
    language: str, package: str, settings: Settings, words: NullTranslations, folders: Mapping[str, BaseLoader]
) -> Environment:
    shared = PrefixLoader({"look": PackageLoader(_OWN), **folders})
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package), shared]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined]
    made.filters |= filters(language, ZoneInfo(settings.time_zone))
    made.globals.update(
        lang=language,
        pick=lambda words: words if isinstance(words, str) else words[language == "en"],
        asset=assets.address,
        programme=settings.programme_name,
        demonstration=settings.demonstration,
    )
    return made


def _named(body: str) -> str:
    """`body` whose list of what is wrong names each field by its label, in the order of the fields.

    What people typed is escaped, so none of it is taken for markup.
    """
    labels = {one or other: (words or more).strip() for one, words, other, more in _LABEL.findall(body)}

    def name(empty: re.Match[str]) -> str:
        label = labels.get(empty[1], "")
        return f"{label}{'' if label.endswith('?') else ':'} " if label else ""

    places = {field: place for place, field in enumerate(labels)}
    found = [(one[1], one[0]) for one in _WRONG.finditer(body)]
    ordered = iter(sorted(found, key=lambda one: places.get(one[0], len(places))))
    return _EMPTY.sub(name, _WRONG.sub(lambda _: next(ordered)[1], body))


def _tongues(request: Request, language: str) -> list[tuple[str, str, str | None]]:
    """(code, name, address of this page in it or None); none after a POST, whose page has no address."""
    if request.method not in ("GET", "HEAD"):
        return []
    here = request.url
    return [
        (code, name, None if code == language else f"{here.path}?{here.include_query_params(lang=code).query}")
        for code, name in LANGUAGES.items()
    ]


def _route_class(look: Look) -> type[APIRoute]:
    class PageRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def readable(request: Request) -> Response:
                try:
                    return await handle(request)
                except web.Answered as instead:
                    return instead.answer
                except Exception as error:
                    return look.sorry(request, _readable(error))

            return readable

    return PageRoute
