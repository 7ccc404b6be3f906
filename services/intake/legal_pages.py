"""Imprint, privacy notice, accessibility statement, easy and sign language: texts that belong to the operator.

`MIGLOBE_LEGAL_DIR` names a folder whose files stand in place of ours (`services/intake/legal`), one by one: HTML with
the placeholders that ours have, `<name>.<de|en>.html`. What there is in German only is shown in German. Ours are
examples, and their pages say so.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, HTMLResponse
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PackageLoader

from services.intake.settings import Settings
from services.intake.words import Pair
from shared import web
from shared.access import everybody
from shared.errors import NotFound
from shared.login import noticed
from shared.look import Look

TITLES: dict[str, Pair] = {
    "imprint": ("Impressum", "Imprint"),
    "privacy": ("Datenschutzerklärung", "Privacy notice"),
    "accessibility": ("Erklärung zur Barrierefreiheit", "Accessibility statement"),
    "plain-language": ("Leichte Sprache", "Easy language"),
    "sign-language": ("Gebärdensprache", "Sign language"),
}
_VIDEO = "sign-language.mp4"


def texts(settings: Settings) -> dict[str, BaseLoader]:
    """The texts for `Look`: the operator's before ours."""
    own = [FileSystemLoader(settings.legal_dir)] if settings.legal_dir else []
    return {"legal": ChoiceLoader([*own, PackageLoader("services.intake", "legal")])}


def words(settings: Settings) -> dict[str, object]:
    """What the texts may name."""
    operator = {
        "name": settings.operator_name,
        "address": settings.operator_address,
        "email": settings.operator_email,
        "phone": settings.operator_phone,
    }
    return {"operator": operator, "barrier_link": "/barrier"}


def router(look: Look, settings: Settings) -> APIRouter:
    routes = APIRouter(route_class=look.route_class, include_in_schema=False, dependencies=[Depends(noticed)])
    folder = settings.legal_dir
    video = folder / _VIDEO if folder and (folder / _VIDEO).is_file() else None

    def page(name: str) -> Callable[[Request], Awaitable[HTMLResponse]]:
        file = f"{name}.{settings.accessibility_form}" if name == "accessibility" else name
        found = {tongue: _find(folder, file, tongue) for tongue in ("de", "en")}

        @everybody
        async def show(request: Request) -> HTMLResponse:
            text, tongue, example = found[web.language(request)]
            values = {"title": TITLES[name], "text": f"legal/{text}", "tongue": tongue, "example": example}
            return look.show(request, "legal.html", video=f"/{_VIDEO}" if video else None, **values)

        return show

    for name in TITLES:
        routes.add_api_route(f"/{name}", page(name), methods=["GET"])

    @routes.get(f"/{_VIDEO}")
    @everybody
    async def moving() -> FileResponse:
        if video is None:
            raise NotFound("Es gibt noch kein Video.", "There is no video yet.")
        return FileResponse(video, media_type="video/mp4")

    return routes


def _find(folder: Path | None, name: str, wanted: str) -> tuple[str, str, bool]:
    """(file, its language, whether it is our example) of the text `name` for who reads `wanted`."""
    ours = Path(__file__).parent / "legal"
    places = [(folder, False), (ours, True)] if folder else [(ours, True)]
    for place, example in places:
        for tongue in (wanted, "de"):
            if (place / f"{name}.{tongue}.html").is_file():
                return f"{name}.{tongue}.html", tongue, example
    raise FileNotFoundError(name)
