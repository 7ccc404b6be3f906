"""How matching's pages are shown: with the words of its codes, and without losing what was typed."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.routing import APIRoute
from pymongo.errors import PyMongoError

from services.matching.pages import forms
from shared import web
from shared.errors import Problem, Unavailable
from shared.look import Look
from shared.mongo import is_transient

Values = dict[str, Any]
GOVERNING = "/coordination/governing"
"""Where the pages are on which coordinators govern the matcher."""
Show = Callable[..., Coroutine[Any, Any, Response]]
"""Shows a page again with a form that could not be carried out: (request, id, form, code)."""
Guard = Callable[..., Callable[..., Any]]
"""Makes a dependency of roles: the caller, who must have one of them."""


class Pages:
    """`route_class`: routes whose errors are pages, and that give back what was typed where it can't be stored."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self.route_class = type("Page", (look.route_class, _keeping(self)), {})

    def show(self, request: Request, template: str, values: Values, code: int = 200) -> HTMLResponse:
        """`done` in the address: what the step before has done, in a word that the templates know."""
        form = values.get("form")
        usual = {"done": request.query_params.get("done"), "errors": form.errors if form else {}}
        return self._look.show(request, template, code, **usual | values)

    async def kept(self, request: Request, error: Problem) -> HTMLResponse:
        """What could not be stored now, to be sent once more: nothing of it is lost."""
        form = await forms.read(request)
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        answer = self.show(request, "kept.html", {"error": error, "form": form, "here": here}, error.status)
        if error.retry_after is not None:
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer


def back(path: str, done: str | None = None) -> RedirectResponse:
    """To the page that shows what has come of a POST; `done`: what it tells there."""
    return RedirectResponse(f"{path}?done={done}" if done else path, 303, {"Cache-Control": "no-store"})


def _keeping(pages: Pages) -> type[APIRoute]:
    class Keeping(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            inner = super().get_route_handler()

            async def handler(request: Request) -> Response:
                try:
                    return await inner(request)
                except (Unavailable, PyMongoError) as error:
                    if request.method != "POST" or not (isinstance(error, Unavailable) or is_transient(error)):
                        raise
                    return await pages.kept(request, web.as_problem(error))

            return handler

    return Keeping
