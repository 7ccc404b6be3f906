"""The HTTP door's plumbing: problem+json in the reader's language, ids, limits, idempotency."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from opentelemetry.trace import SpanKind
from prometheus_client import Counter, Histogram
from pydantic import TypeAdapter
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import FieldError, Invalid, Malformed, Problem, TooLarge, Unavailable
from shared.headers import EVERY
from shared.idempotency import Carried, Once
from shared.mongo import Mongo, is_transient
from shared.telemetry import current, tracing
from shared.telling import told

_log = structlog.get_logger(__name__)

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_READ = {b"x-correlation-id", b"traceparent", b"content-length"}
_ANY: TypeAdapter[Any] = TypeAdapter(Any)
_UNTRACED = {"/metrics", "/livez", "/readyz"}
"""Asked every few seconds: spans of these would say nothing."""
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": PROBLEM}
    for status, text in {
        400: "unreadable",
        401: "no or a wrong token",
        403: "not allowed",
        404: "unknown",
        409: "its state forbids it",
        413: "too large",
        422: "wrong content, one entry per field",
        429: "too many requests",
        503: "a dependency is away; Retry-After says when to come back",
    }.items()
}
"""What every route may answer besides its own; for `responses=` of a router."""

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457; `detail` is German unless Accept-Language prefers English.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "correlation_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {name: {"type": "string"} for name in ("field", "code", "detail")},
            },
        },
    },
}


LANGUAGE_COOKIE = "lang"


def language(request: Request) -> str:
    """`de` or `en`: what the reader chose (`?lang=`, then the cookie), else what their browser asks for."""
    for chosen in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if chosen in ("de", "en"):
            return chosen
    ranked: dict[str, float] = {}
    for part in request.headers.get("accept-language", "").split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            ranked.setdefault(tag[:2].lower(), float(weight or 1))
        except ValueError:
            continue
    return "en" if ranked.get("en", 0) > ranked.get("de", 0) else "de"


def remember_language(request: Request, answer: Response, chosen: str) -> None:
    """Keeps the reader's choice for a year; it is the only thing that is stored without a login."""
    answer.set_cookie(
        LANGUAGE_COOKIE, chosen, max_age=31_536_000, samesite="lax", httponly=True, secure=request.url.scheme == "https"
    )


def problem(request: Request, error: Problem) -> JSONResponse:
    """`error` as RFC 9457 problem+json."""
    english = language(request) == "en"
    body: dict[str, Any] = {
        "type": f"urn:miglobe:problem:{error.type}",
        "title": error.title_en if english else error.title_de,
        "status": error.status,
        "detail": error.en if english else error.de,
        "correlation_id": current().correlation_id,
    }
    if error.fields:
        body["errors"] = [{"field": f.field, "code": f.code, "detail": f.en if english else f.de} for f in error.fields]
    headers = {"Content-Language": "en" if english else "de"}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, error.status, headers, media_type="application/problem+json")


_GERMAN = {
    "missing": "Diese Angabe fehlt.",
    "string_too_short": "Bitte mindestens {min_length} Zeichen.",
    "string_too_long": "Bitte höchstens {max_length} Zeichen.",
    "string_pattern_mismatch": "Das hat nicht die erwartete Form.",
    "too_short": "Bitte mindestens {min_length} angeben.",
    "too_long": "Bitte höchstens {max_length} angeben.",
    "enum": "Erlaubt sind: {expected}.",
    "literal_error": "Erlaubt sind: {expected}.",
    "greater_than": "Bitte mehr als {gt}.",
    "greater_than_equal": "Bitte mindestens {ge}.",
    "less_than_equal": "Bitte höchstens {le}.",
    "int_parsing": "Bitte eine ganze Zahl.",
    "int_type": "Bitte eine ganze Zahl.",
    "int_from_float": "Bitte eine ganze Zahl.",
    "bool_parsing": "Bitte ja (true) oder nein (false).",
    "bool_type": "Bitte ja (true) oder nein (false).",
    "date_from_datetime_parsing": "Bitte ein Datum in der Form JJJJ-MM-TT.",
    "date_type": "Bitte ein Datum in der Form JJJJ-MM-TT.",
    "date_parsing": "Bitte ein Datum in der Form JJJJ-MM-TT.",
    "datetime_from_date_parsing": "Bitte einen Zeitpunkt nach ISO 8601 mit Zeitzone.",
    "datetime_parsing": "Bitte einen Zeitpunkt nach ISO 8601 mit Zeitzone.",
    "timezone_aware": "Bitte mit Zeitzone angeben, etwa +01:00 oder Z.",
    "extra_forbidden": "Diese Angabe ist nicht vorgesehen.",
    "string_type": "Bitte Text.",
    "list_type": "Bitte eine Liste.",
}


def invalid(error: RequestValidationError) -> Problem:
    """FastAPI's finding as our own: 400 when the body is no JSON, else 422 with one entry per field."""
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return Malformed("Der Inhalt ist kein gültiges JSON.", "The body is not valid JSON.")
    fields = []
    for item in found:
        loc = [str(part) for part in item["loc"]]
        where = ".".join(loc[1:] if loc[0] in ("body", "query", "path", "header") and len(loc) > 1 else loc)
        context = item.get("ctx", {})
        if item["type"] == "value_error" and len(context.get("error", ValueError()).args) == 2:
            german, english = context["error"].args  # a validator of ours: (German, English)
        else:
            english = item["msg"]
            german = _GERMAN.get(item["type"], "Diese Angabe ist ungültig.").format_map(_Lenient(context))
        fields.append(FieldError(where, item["type"], german, english))
    return Invalid.of(*fields)


class _Lenient(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


Pages = Callable[[Request, Problem], Response]


class Answered(Exception):
    """What a dependency answers in the route's stead: the way to the login, a question before a form is carried out."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


def as_problem(error: Exception) -> Problem:
    """Any error as one that carries its status and words; what nobody foresaw is logged and called our fault."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return invalid(error)
    if isinstance(error, HTTPException):
        known = {
            404: ("Das gibt es hier nicht.", "There is nothing here."),
            405: ("So geht es nicht.", "Not this method."),
        }
        said = Problem(*known.get(error.status_code, (str(error.detail), str(error.detail))))
        said.status, said.type = error.status_code, "http"
        said.title_de, said.title_en = {404: ("Nicht gefunden", "Not found")}.get(
            error.status_code, ("Fehler", "Error")
        )
        return said
    if is_transient(error):
        _log.warning("database_away", error=told(error))
        return Unavailable(
            "Die Datenbank antwortet gerade nicht. Bitte in wenigen Sekunden noch einmal.",
            "The database does not answer; nothing was stored. Please try again in a few seconds.",
        )
    _log.error("request_failed", exc_info=error)
    return Problem(
        "Das ist unser Fehler. Bitte nennen Sie die Kennung, wenn Sie sich melden.",
        "This is our fault. Please quote the correlation id when you report it.",
    )


def install(app: FastAPI) -> None:
    """Renders every error of `app` as a problem, or by `app.state.pages`, where there are any, for who reads pages."""

    async def render(request: Request, error: Exception) -> Response:
        said = as_problem(error)
        pages: Pages | None = getattr(app.state, "pages", None)
        answer = pages(request, said) if pages and _reads_pages(request) else problem(request, said)
        if isinstance(error, HTTPException):
            answer.headers.update(error.headers or {})
        return answer

    async def answered(_: Request, error: Exception) -> Response:
        assert isinstance(error, Answered)
        return error.answer

    app.add_exception_handler(Answered, answered)
    for kind in (Problem, RequestValidationError, HTTPException, PyMongoError, Exception):
        app.add_exception_handler(kind, render)


def _reads_pages(request: Request) -> bool:
    path = request.scope["path"]
    return "text/html" in request.headers.get("accept", "") and not path.startswith(("/api/", "/static/"))


class Json(JSONResponse):
    """JSON as pydantic writes it, in a tenth of the time."""

    def render(self, content: Any) -> bytes:
        return _ANY.dump_json(content)


Endpoint = Callable[[Request], Awaitable[Response]]


class Express:
    """An API endpoint without the framework's layers round it; its errors are problems as everywhere."""

    def __init__(self, path: str, endpoint: Endpoint) -> None:
        self.path = path
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = self
        request = _Whole(scope, receive)
        try:
            answer = await self._endpoint(request)
        except ClientDisconnect:
            return
        except Exception as error:
            answer = problem(request, as_problem(error))
        await answer(scope, receive, send)


class _Whole(Request):
    """A request whose body is read as it comes, without Starlette's stream in between."""

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            parts, more = [], True
            while more:
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                parts.append(message.get("body", b""))
                more = message.get("more_body", False)
            self._body = b"".join(parts)
        return self._body


class Front:
    """The outermost door: what is express goes past all layers of `app`."""

    def __init__(self, app: ASGIApp, express: Mapping[tuple[str, str], Express], entrance: "Entrance") -> None:
        self._app = app
        self._express = express
        self._entrance = entrance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hot = scope["type"] == "http" and (scope["method"], scope["path"]) in self._express
        await (self._entrance if hot else self._app)(scope, receive, send)


class Entrance:
    """Every request's first and last step: its ids, its size, its time."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        body_limit: int,
        express: Mapping[tuple[str, str], Express],
        requests: Counter,
        seconds: Histogram,
    ) -> None:
        """`express`: by method and path."""
        self._app = app
        self._limit = body_limit
        self._express = express
        self._requests = requests
        self._seconds = seconds
        self._metrics: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"] if name in _READ}
        given = headers.get(b"x-correlation-id", "")
        correlation_id = given if 8 <= len(given) <= 64 and given.replace("-", "").isalnum() else None
        started, status, size, refused = time.perf_counter(), 500, 0, False
        span = None if scope["path"] in _UNTRACED else scope["method"]
        with tracing(correlation_id, headers.get(b"traceparent"), span=span, kind=SpanKind.SERVER) as trace:

            async def answer(message: Message) -> None:
                nonlocal status
                if refused:
                    return
                if message["type"] == "http.response.start":
                    status = message["status"]
                    given = message.get("headers", ())
                    named = {name for name, _ in given}
                    message["headers"] = [
                        *given,
                        (b"x-correlation-id", trace.correlation_id.encode()),
                        *(header for header in EVERY if header[0] not in named),
                    ]
                await send(message)

            async def refuse() -> None:
                nonlocal refused
                await problem(Request(scope), self._too_large())(scope, receive, answer)
                refused = True  # whatever the app still says goes nowhere

            async def counted() -> Message:
                nonlocal size
                message = await receive()
                size += len(message.get("body", b""))
                if size > self._limit:
                    if not refused:
                        await refuse()
                    return {"type": "http.disconnect"}
                return message

            try:
                announced = headers.get(b"content-length", "0")
                if announced.isdecimal() and int(announced) > self._limit:
                    await refuse()
                else:
                    app = self._express.get((scope["method"], scope["path"]), self._app)
                    await app(scope, counted, answer)
            finally:
                route = getattr(scope.get("route"), "path", "unknown")
                trace.name(f"{scope['method']} {route}", status=status)
                self._count(scope["method"], route, status, time.perf_counter() - started)

    def _count(self, method: str, route: str, status: int, seconds: float) -> None:
        metrics = self._metrics.get((method, route, status))
        if metrics is None:
            metrics = self._requests.labels(method, route, str(status)), self._seconds.labels(route)
            self._metrics[method, route, status] = metrics
        metrics[0].inc()
        metrics[1].observe(seconds)

    def _too_large(self) -> TooLarge:
        return TooLarge(
            f"Die Anfrage ist größer als {self._limit} Bytes.",
            f"The request is larger than {self._limit} bytes.",
        )


def once(mongo: Mongo, marks: Carried | None = None) -> Callable[[Request], Awaitable[Once]]:
    """A FastAPI dependency: the POST's `Once`, by its Idempotency-Key and body."""

    async def dependency(request: Request) -> Once:
        route = f"{request.method} {request.scope['path']}"
        return Once(mongo, route, request.headers.get("idempotency-key"), await request.body(), marks)

    return dependency
