"""/coordination/advisors: the pool: list, one advisor, changes."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from services.matching.api.door import Door, Number
from services.matching.domain.model import Advisor
from services.matching.entries import AbsenceEntry, AdvisorEntry, NumberedEntry, unknown_places
from services.matching.finding import Finder
from services.matching.handlers import advisors as handlers
from services.matching.pages import forms
from services.matching.pages.showing import Guard, Pages, Values, back
from shared.auth import Caller
from shared.commit import again
from shared.errors import Conflict, FieldError, Invalid, NotFound
from shared.events.base import AdvisorId, FieldCode
from shared.ids import new_id

ROWS = 50
HOME = "/coordination/advisors"
TEXTS = ("name", "email", "phone", "correspondence", "capacity")
LISTS = ("languages", "regions", "conflicts")
DAYS = ("certified_on", "certified_until")


def router(door: Door, pages: Pages, finder: Finder, guard: Guard) -> APIRouter:
    made = APIRouter(prefix=HOME, route_class=pages.route_class, dependencies=[Depends(guard("coordinator"))])
    Coordinator = Annotated[Caller, Depends(guard("coordinator"))]
    store = door.store

    def places(keys: tuple[str, ...]) -> list[tuple[str, str]]:
        names = door.register.districts
        return [(key, names[key] if key in names else door.register.name(key)) for key in keys]

    @made.get("")
    async def people(
        request: Request,
        q: Annotated[str, Query(max_length=100)] = "",
        after: Annotated[AdvisorId | None, Query()] = None,
    ) -> Response:
        words = " ".join(q.split())
        found = await finder.people(words, after or "", ROWS + 1)
        values: Values = {
            "q": words,
            "rows": found[:ROWS],
            "open": await finder.open_now(one.id for one in found[:ROWS]),
            "places": places,
            "today": door.today(),
            "begun": after is not None,
            "next": found[ROWS - 1].id if len(found) > ROWS else None,
        }
        return pages.show(request, "coordination/advisors.html", values)

    async def one_page(request: Request, advisor_id: str, form: forms.Form, code: int = 200) -> Response:
        person = await handlers.get(store, advisor_id)
        held = await store.holding(advisor_id)
        values: Values = {
            "person": person,
            "held": [(one, door.register.name(one.asked.municipality_ags)) for one in held],
            "places": places,
            "names": await finder.names({one for entry in person.audit for one in (entry.by, *entry.who)}),
            "today": door.today(),
            "form": form,
        }
        return pages.show(request, "coordination/advisor.html", values, code)

    async def editing(request: Request, known: Advisor | None, form: forms.Form, code: int = 200) -> Response:
        values: Values = {
            "known": known,
            "form": form if form.sent or known is None else forms.Form(_given(known)),
            "version": form.get("version", known.version if known else 0),
            "key": form.get("key", new_id()),
        }
        return pages.show(request, "coordination/advisor_edit.html", values, code)

    # -- a new one ------------------------------------------------------------------------------------------------

    @made.get("/new")
    async def new(request: Request) -> Response:
        return await editing(request, None, forms.Form())

    @made.post("/new")
    async def add(request: Request, by: Coordinator) -> Response:
        form = await forms.read(request)
        try:
            body = forms.check(NumberedEntry, _entry(form) | {"id": form.get("id").strip().upper()})
            _known_places(body, door)
            once = forms.once(door.mongo, request, form)

            async def act() -> dict[str, Any]:
                wanted, now = body.advisor(body.id, None), door.clock()
                added = await handlers.add(store, wanted, by.subject, now, lambda one: once.mark({"id": one.id}))
                return {"id": added.id}

            await once.run(act)
        except (Conflict, Invalid) as error:
            form.blame(error, _NAMES)
            return await editing(request, None, form, error.status)
        return back(f"{HOME}/{body.id}", "added")

    # -- one ------------------------------------------------------------------------------------------------------

    @made.get("/{advisor_id}")
    async def one(request: Request, advisor_id: Number) -> Response:
        return await one_page(request, advisor_id, forms.Form())

    @made.get("/{advisor_id}/edit")
    async def edit(request: Request, advisor_id: Number) -> Response:
        return await editing(request, await _living(advisor_id), forms.Form())

    @made.post("/{advisor_id}/edit")
    async def change(request: Request, advisor_id: Number, by: Coordinator) -> Response:
        form = await forms.read(request)
        known = await _living(advisor_id)
        try:
            body = forms.check(AdvisorEntry, _entry(form))
            _known_places(body, door)
            seen = forms.number(form, "version")

            async def act() -> None:
                now_there = await handlers.get(store, advisor_id)
                wanted = body.advisor(advisor_id, now_there)
                last = seen if wanted != now_there else None
                await handlers.change(store, wanted, by.subject, await door.governed(), door.clock(), last)

            await again(act)
        except (Conflict, Invalid) as error:
            form.blame(error, _NAMES)
            if isinstance(error, Conflict):
                form.given = dict(form.given) | {"version": str(known.version)}
            return await editing(request, known, form, error.status)
        return back(f"{HOME}/{advisor_id}", "changed")

    async def _living(advisor_id: str) -> Advisor:
        known = await handlers.get(store, advisor_id)
        if known.erased_at is not None:
            raise NotFound(f"Die Daten von {advisor_id} wurden gelöscht.", f"The data of {advisor_id} were erased.")
        return known

    @made.post("/{advisor_id}/absences")
    async def absences(request: Request, advisor_id: Number, by: Coordinator) -> Response:
        """Adds one, or takes one back."""
        form = await forms.read(request)
        try:
            await absence(door, advisor_id, form, by)
        except (Conflict, Invalid) as error:
            form.blame(error, {"body": "end"})
            return await one_page(request, advisor_id, form, error.status)
        return back(f"{HOME}/{advisor_id}", "absence")

    @made.get("/{advisor_id}/erase")
    async def erase_form(request: Request, advisor_id: Number) -> Response:
        return await erasing(request, advisor_id, forms.Form())

    async def erasing(request: Request, advisor_id: str, form: forms.Form, code: int = 200) -> Response:
        values: Values = {"person": await handlers.get(store, advisor_id), "form": form}
        return pages.show(request, "coordination/advisor_erase.html", values, code)

    @made.post("/{advisor_id}/erase")
    async def erase(request: Request, advisor_id: Number, by: Coordinator) -> Response:
        try:
            await again(lambda: handlers.erase(store, advisor_id, by.subject, door.clock()))
        except Conflict as error:
            form = await forms.read(request)
            form.blame(error, {})
            return await erasing(request, advisor_id, form, error.status)
        return back(f"{HOME}/{advisor_id}", "erased")

    return made


async def absence(door: Door, advisor_id: str, form: forms.Form, by: Caller) -> None:
    """Adds the absence of a form to those that are announced, or takes it back; either twice is once."""
    if form.get("remove"):
        start, _, end = form.get("remove").partition("..")
        gone = forms.check(AbsenceEntry, {"start": start, "end": end}).absence()
    else:
        new = forms.check(AbsenceEntry, {name: forms.day(form, name) for name in ("start", "end")}).absence()
        if new.end < door.today():
            raise Invalid.of(_over())

    async def act() -> None:
        known = (await handlers.get(door.store, advisor_id)).absences
        away = [one for one in known if one != gone] if form.get("remove") else [*known, new]
        await handlers.announce(door.store, advisor_id, away, by.subject, await door.governed(), door.clock())

    await again(act)


def _over() -> FieldError:
    return FieldError("end", "over", "Dieser Zeitraum ist schon vorbei.", "This time is over already.")


_NAMES = {f"levels.{code.value}": f"level_{code.value}" for code in FieldCode} | {"levels": "level_fair_week"}
"""The entry's field → the page's."""


def _entry(form: forms.Form) -> dict[str, Any]:
    """The form as the values of an AdvisorEntry; lists are parted by spaces or commas."""
    lists = {name: form.get(name).replace(",", " ").replace(";", " ").split() for name in LISTS}
    return {
        **{name: form.get(name).strip() for name in TEXTS},
        **lists,
        **{name: forms.day(form, name) for name in DAYS},
        "levels": {code.value: form.get(f"level_{code.value}") or "0" for code in FieldCode},
    }


def _given(known: Advisor) -> dict[str, str]:
    """`known` as it stands in the form."""
    told = {name: str(getattr(known, name) or "") for name in ("name", "email", "phone", "correspondence")}
    told["capacity"] = str(known.capacity)
    told |= {name: " ".join(getattr(known, name)) for name in LISTS}
    told |= {f"level_{code.value}": str(known.levels.get(code, 0)) for code in FieldCode}
    for name in DAYS:
        told |= forms.parts(name, getattr(known, name))
    return told


def _known_places(body: AdvisorEntry, door: Door) -> None:
    if wrong := unknown_places(body, door.register):
        raise Invalid.of(*wrong)
