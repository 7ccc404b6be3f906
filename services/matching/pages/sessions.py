"""Sessions of an engagement: arrange, move, call off, record. The same pages for advisors and coordinators."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.matching.api.bodies import CompleteBody, MoveBody, SessionBody
from services.matching.api.door import Door, RequestId, SessionId
from services.matching.domain import sessions as domain
from services.matching.domain.model import Engagement, Session
from services.matching.finding import Finder
from services.matching.handlers import rounds
from services.matching.handlers import sessions as handlers
from services.matching.pages import forms
from services.matching.pages.showing import Guard, Pages, Values, back
from shared.auth import Caller, Role
from shared.commit import again
from shared.errors import Conflict, Invalid
from shared.events.base import SessionKind
from shared.ids import new_id

OPTIONS = 2
"""Rows for options for action that a fresh form has, and that the button adds."""
MOST_OPTIONS = 48


def router(door: Door, pages: Pages, finder: Finder, guard: Guard, role: Role, prefix: str, home: str) -> APIRouter:
    """Under `prefix`, for `role`; `home` + the request's id is the engagement's page."""
    made = APIRouter(prefix=prefix, route_class=pages.route_class)
    Who = Annotated[Caller, Depends(guard(role))]
    store, zone = door.store, door.rules.zone

    async def of(session_id: str, who: Caller) -> tuple[Engagement, Session]:
        known = await store.of_session(session_id)
        if known is None:
            raise rounds.unknown()
        handlers.allowed(known, who)
        return known, domain.find(known, session_id)

    async def show(
        request: Request, template: str, known: Engagement, form: forms.Form, code: int = 200, **more: Any
    ) -> Response:
        values: Values = {
            "known": known,
            "case": known.asked,
            "place": door.register.name(known.asked.municipality_ags),
            "names": await finder.names(known.holders),
            "form": form,
            "key": form.get("key", new_id()),
            "upper": home + known.id,
            "prefix": prefix,
            "here": request.url.path,
            "today": door.today(),
        }
        return pages.show(request, f"sessions/{template}.html", values | more, code)

    # -- arrange ----------------------------------------------------------------------------------------------

    async def arranging(request: Request, request_id: str, who: Caller, form: forms.Form, code: int = 200) -> Response:
        known = await rounds.engagement(store, request_id)
        handlers.allowed(known, who)
        first = not any(one.kind == SessionKind.FIRST_TALK and one.state != "cancelled" for one in known.sessions)
        kinds = [kind.value for kind in SessionKind if first or kind != SessionKind.FIRST_TALK]
        return await show(request, "arrange", known, form, code, choices=kinds, current=known.current)

    @made.get("/engagements/{request_id}/sessions/new")
    async def new(request: Request, request_id: RequestId, who: Who) -> Response:
        return await arranging(request, request_id, who, forms.Form())

    @made.post("/engagements/{request_id}/sessions/new")
    async def arrange(request: Request, request_id: RequestId, who: Who) -> Response:
        form = await forms.read(request)
        try:
            body = forms.check(
                SessionBody,
                {
                    "kind": form.get("kind"),
                    "mode": form.get("mode"),
                    "starts_at": forms.moment(form, "starts_at", zone),
                    "minutes": form.get("minutes"),
                },
            )
            once = forms.once(door.mongo, request, form)
            assignment_id = form.get("assignment_id")

            async def act() -> dict[str, Any]:
                arranged = await handlers.schedule(
                    store,
                    assignment_id,
                    body.kind,
                    body.mode,
                    body.starts_at,
                    body.minutes,
                    who,
                    lambda session: once.mark({"id": session.id}),
                    door.clock(),
                )
                return {"id": arranged.id}

            await once.run(act)
        except (Conflict, Invalid) as error:
            form.blame(error, {})
            return await arranging(request, request_id, who, form, error.status)
        return back(home + request_id, "arranged")

    # -- move, call off -----------------------------------------------------------------------------------------

    async def moving(request: Request, session_id: str, who: Caller, form: forms.Form, code: int = 200) -> Response:
        known, session = await of(session_id, who)
        return await show(request, "move", known, form, code, session=session, proposed=_plan(session, zone))

    @made.get("/sessions/{session_id}/move")
    async def move_form(request: Request, session_id: SessionId, who: Who) -> Response:
        return await moving(request, session_id, who, forms.Form())

    @made.post("/sessions/{session_id}/move")
    async def move(request: Request, session_id: SessionId, who: Who) -> Response:
        form = await forms.read(request)
        try:
            known, _ = await of(session_id, who)
            starts = forms.moment(form, "starts_at", zone)
            body = forms.check(MoveBody, {"starts_at": starts, "minutes": form.get("minutes")})
            seen = forms.number(form, "sequence")
            await again(
                lambda: handlers.reschedule(
                    store, session_id, body.starts_at, body.minutes, who, door.clock(), sequence=seen
                )
            )
        except (Conflict, Invalid) as error:
            form.blame(error, {})
            return await moving(request, session_id, who, form, error.status)
        return back(home + known.id, "moved")

    async def cancelling(request: Request, session_id: str, who: Caller, form: forms.Form, code: int = 200) -> Response:
        known, session = await of(session_id, who)
        return await show(request, "cancel", known, form, code, session=session)

    @made.get("/sessions/{session_id}/cancel")
    async def cancel_form(request: Request, session_id: SessionId, who: Who) -> Response:
        return await cancelling(request, session_id, who, forms.Form())

    @made.post("/sessions/{session_id}/cancel")
    async def cancel(request: Request, session_id: SessionId, who: Who) -> Response:
        known, _ = await of(session_id, who)
        try:
            await again(lambda: handlers.cancel(store, session_id, who, door.clock()))
        except Conflict as error:
            form = await forms.read(request)
            form.blame(error, {})
            return await cancelling(request, session_id, who, form, error.status)
        return back(home + known.id, "cancelled")

    # -- record ---------------------------------------------------------------------------------------------------

    async def recording(request: Request, session_id: str, who: Caller, form: forms.Form, code: int = 200) -> Response:
        known, session = await of(session_id, who)
        wanted = [code.value for code in known.asked.fields]
        rows = forms.number(form, "rows") or OPTIONS
        held_on = min(session.starts_at.astimezone(zone).date(), door.today())
        more = {
            "session": session,
            "rows": min(rows, MOST_OPTIONS),
            "own_fields": wanted,
            "proposed": forms.parts("held_on", held_on),
        }
        return await show(request, "record", known, form, code, **more)

    @made.get("/sessions/{session_id}/record")
    async def record_form(request: Request, session_id: SessionId, who: Who) -> Response:
        return await recording(request, session_id, who, forms.Form())

    @made.post("/sessions/{session_id}/record")
    async def record(request: Request, session_id: SessionId, who: Who) -> Response:
        """Stores the record; with the button `more` it gives the form back with more rows."""
        form = await forms.read(request)
        if form.get("more"):
            form.given = dict(form.given) | {"rows": str((forms.number(form, "rows") or OPTIONS) + OPTIONS)}
            return await recording(request, session_id, who, form)
        known, session = await of(session_id, who)
        values, names = _record(form, session)
        try:
            told = forms.check(CompleteBody, values).record(door.clock())
            await again(lambda: handlers.complete(store, session_id, told, door.rules, who))
        except (Conflict, Invalid) as error:
            form.blame(error, names)
            return await recording(request, session_id, who, form, error.status)
        return back(home + known.id, "recorded")

    return made


def _plan(session: Session, zone: ZoneInfo) -> dict[str, str]:
    """The plan as it stands in the form."""
    starts = session.starts_at.astimezone(zone)
    clock = {"starts_at_time": f"{starts:%H:%M}", "minutes": str(session.minutes)}
    return forms.parts("starts_at", starts.date()) | clock


def _record(form: forms.Form, session: Session) -> tuple[dict[str, Any], dict[str, str]]:
    """The form as CompleteBody's values, and which field of the page each of the model's stands for."""
    names: dict[str, str] = {}
    members: list[dict[str, Any]] = []
    for advisor_id in session.advisor_ids:
        names[f"members.{len(members)}.minutes"] = f"minutes_{advisor_id}"
        names[f"members.{len(members)}.travel_km"] = f"travel_km_{advisor_id}"
        part = {"minutes": form.get(f"minutes_{advisor_id}"), "travel_km": form.get(f"travel_km_{advisor_id}") or "0"}
        members.append({"advisor_id": advisor_id} | {name: value for name, value in part.items() if value != ""})
    options: list[dict[str, str]] = []
    for row in range(min(forms.number(form, "rows") or OPTIONS, MOST_OPTIONS)):
        field, text = form.get(f"option_field_{row}"), form.get(f"option_text_{row}")
        if text.strip():
            names[f"options.{len(options)}.field"] = f"option_field_{row}"
            names[f"options.{len(options)}.text"] = f"option_text_{row}"
            options.append({"text": text} | ({"field": field} if field else {}))
    return {
        "held_on": forms.day(form, "held_on"),
        "minutes": form.get("minutes"),
        "mode": form.get("mode"),
        "participants": form.get("participants"),
        "members": members,
        "options": options,
    }, names
