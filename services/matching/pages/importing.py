"""/coordination/advisors/import: a CSV, first as a preview of what would change, then for good."""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from services.matching import entries
from services.matching.api.door import Door
from services.matching.domain.model import Advisor
from services.matching.handlers import advisors as handlers
from services.matching.pages import forms
from services.matching.pages.pool import HOME
from services.matching.pages.showing import Guard, Pages, Values, back
from shared.auth import Caller
from shared.commit import again
from shared.errors import Malformed

_SHOWN = (
    *("name", "email", "phone", "correspondence", "levels", "languages", "regions", "certified_on", "certified_until"),
    *("capacity", "absences", "conflicts"),
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do. `changes`: number → (field, before, after); `digest`: of all of it."""

    done: handlers.Imported
    changes: dict[str, list[tuple[str, Any, Any]]]
    digest: str


def router(door: Door, pages: Pages, guard: Guard) -> APIRouter:
    coordinator = Depends(guard("coordinator"))
    made = APIRouter(prefix=f"{HOME}/import", route_class=pages.route_class, dependencies=[coordinator])
    store = door.store

    @made.get("")
    async def ask(request: Request) -> Response:
        return show(request)

    @made.post("")
    async def take(request: Request, by: Annotated[Caller, coordinator]) -> Response:
        """Shows what would change; with `confirm` it does it, if that is still what would change."""
        text = await _text(request)
        form = await forms.read(request)
        if not text.strip():
            nothing = Malformed("Bitte wählen Sie eine Datei oder fügen Sie die Zeilen ein.", "Choose a file or paste.")
            return show(request, refused=nothing, code=400)
        wanted, wrong = entries.read(text, door.register)
        if wrong:
            return show(request, text=text, wrong=wrong, code=422)
        preview = await again(lambda: _preview(wanted, by))
        if form.get("confirm") == preview.digest:
            await again(lambda: _take_over(wanted, by, dry_run=False))
            return back(HOME, "imported")
        late = bool(form.get("confirm"))
        return show(request, text=text, preview=preview, changed_since=late, code=409 if late else 200)

    def show(request: Request, *, code: int = 200, **more: Any) -> Response:
        usual: Values = {"text": "", "wrong": [], "preview": None, "changed_since": False, "refused": None}
        return pages.show(request, "coordination/import.html", usual | {"columns": entries.COLUMNS} | more, code)

    async def _people(wanted: list[entries.NumberedEntry]) -> tuple[dict[str, Advisor], list[Advisor]]:
        known = {one.id: one for one in await store.advisors()}
        return known, [entry.advisor(entry.id, known.get(entry.id)) for entry in wanted]

    async def _take_over(wanted: list[entries.NumberedEntry], by: Caller, *, dry_run: bool) -> handlers.Imported:
        _, people = await _people(wanted)
        governed = await door.governed()
        return await handlers.take_over(store, people, by.subject, governed, door.clock(), dry_run=dry_run)

    async def _preview(wanted: list[entries.NumberedEntry], by: Caller) -> Preview:
        known, people = await _people(wanted)
        done = await _take_over(wanted, by, dry_run=True)
        changes = {one.id: _differences(known[one.id], one) for one in people if one.id in done.changed}
        digest = hashlib.sha256(repr((done, changes)).encode()).hexdigest()
        return Preview(done, changes, digest)

    return made


def _differences(before: Advisor, after: Advisor) -> list[tuple[str, Any, Any]]:
    both = ((name, getattr(before, name), getattr(after, name)) for name in _SHOWN)
    return [(name, old, new) for name, old, new in both if old != new]


async def _text(request: Request) -> str:
    """Of the file, or what was pasted. Raises Malformed when the file is no UTF-8."""
    sent = await request.form(max_files=1, max_fields=forms.MAX_FIELDS)
    file = sent.get("file")
    if isinstance(file, UploadFile) and file.filename:
        try:
            return (await file.read()).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Malformed(
                "Die Datei ist nicht in UTF-8 gespeichert. Bitte als „CSV UTF-8“ speichern.",
                "The file is not UTF-8; save it as CSV UTF-8.",
            ) from None
    return str(sent.get("text", ""))
