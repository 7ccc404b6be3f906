"""/advisor: what waits for the advisor who looks, each request and engagement of theirs."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.matching.api.bodies import CloseBody
from services.matching.api.door import AssignmentId, Door, RequestId
from services.matching.domain.model import Engagement, Session
from services.matching.domain.worklist import next_step
from services.matching.finding import Finder
from services.matching.handlers import advisors as people
from services.matching.handlers import rounds as handlers
from services.matching.pages import asked, forms
from services.matching.pages.showing import Guard, Pages, Values, back
from shared.auth import Caller
from shared.commit import again
from shared.errors import Conflict, Forbidden, Invalid, Malformed, Problem
from shared.events.base import Id

PAST = 20
"""Former engagements on one page."""


def router(door: Door, pages: Pages, finder: Finder, guard: Guard) -> APIRouter:
    made = APIRouter(prefix="/advisor", route_class=pages.route_class)
    Me = Annotated[Caller, Depends(guard("advisor"))]
    store = door.store

    @made.get("")
    async def home(request: Request, me: Me) -> Response:
        """New requests, what is coming up, running engagements."""
        person = await people.get(store, me.subject)
        held = await store.holding(me.subject)
        return pages.show(request, "advisor/home.html", {"person": person} | _matters(door, held, me.subject))

    @made.get("/past")
    async def past(request: Request, me: Me, before: Annotated[Id | None, Query()] = None) -> Response:
        """What is over for them, the newest first."""
        found = await finder.past(me.subject, before or "", PAST + 1)
        rows = [(one, asked.last(one, me.subject), door.register.name(one.asked.municipality_ags)) for one in found]
        values = {"me": me.subject, "rows": rows[:PAST], "next": found[PAST - 1].id if len(found) > PAST else None}
        return pages.show(request, "advisor/past.html", values)

    async def request_page(request: Request, assignment_id: str, me: str, refused: Problem | None = None) -> Response:
        known, round_, seat = await asked.seat(door, assignment_id, me)
        newer = asked.newer(known, round_, me)
        values = await asked.values(door, finder, known, round_, seat) | {
            "here": f"/advisor/requests/{assignment_id}",
            "newer": f"/advisor/requests/{newer.assignment_id}" if newer else None,
            "refused": refused,
        }
        return pages.show(request, "advisor/request.html", values, refused.status if refused else 200)

    @made.get("/requests/{assignment_id}")
    async def show(request: Request, assignment_id: AssignmentId, me: Me) -> Response:
        """What is asked and why they; with the two answers where one is wanted."""
        return await request_page(request, assignment_id, me.subject)

    @made.post("/requests/{assignment_id}")
    async def answer(request: Request, assignment_id: AssignmentId, me: Me) -> Response:
        form = await forms.read(request)
        try:
            await asked.answer(door, assignment_id, me.subject, form.get("answer"), form.get("reason"))
        except (Conflict, Malformed) as error:
            return await request_page(request, assignment_id, me.subject, error)
        return back(f"/advisor/requests/{assignment_id}")

    async def engagement_page(
        request: Request, request_id: str, me: Caller, form: forms.Form | None = None, code: int = 200
    ) -> Response:
        known = await handlers.engagement(store, request_id)
        seat = known.current.seat(me.subject) if known.current else None
        if seat is None or seat.answer != "accepted":
            last = asked.last(known, me.subject)
            if last is None:
                raise Forbidden("Das ist nicht Ihre Beratung.", "This is not your engagement.")
            return RedirectResponse(f"/advisor/requests/{last.assignment_id}", 303)
        assert known.current is not None
        dossier = await store.dossier(known.id)
        partners = [one for one in known.current.held if one.advisor_id != me.subject]
        found = [await store.advisor(one.advisor_id) for one in partners]
        values: Values = {
            "known": known,
            "case": known.asked,
            "place": door.register.name(known.asked.municipality_ags),
            "dossier": dossier,
            "seat": seat,
            "partners": list(zip(partners, found, strict=True)),
            "step": next_step(known, door.rules, door.today()),
            "names": await finder.names(known.holders),
            "sessions": sorted(known.sessions, key=lambda one: one.starts_at),
            "options": [option for one in known.sessions if one.record for option in one.record.options],
            "held": any(one.state == "completed" for one in known.sessions),
            "today": door.today(),
            "now": door.clock(),
            "form": form or forms.Form(),
        }
        return pages.show(request, "advisor/engagement.html", values, code)

    @made.get("/engagements/{request_id}")
    async def engagement(request: Request, request_id: RequestId, me: Me) -> Response:
        """Whom they advise, with whom, the sessions, and how it goes on."""
        return await engagement_page(request, request_id, me)

    @made.post("/engagements/{request_id}/close")
    async def close(request: Request, request_id: RequestId, me: Me) -> Response:
        form = await forms.read(request)
        try:
            body = forms.check(CloseBody, {"outcome": form.get("outcome")})
            await again(lambda: handlers.close(store, request_id, body.outcome, me, door.clock()))
        except (Conflict, Forbidden, Invalid) as error:
            form.blame(error, {})
            return await engagement_page(request, request_id, me, form, error.status)
        return back(f"/advisor/engagements/{request_id}", "closed")

    return made


def _matters(door: Door, held: list[Engagement], me: str) -> Values:
    """`held`, by what the advisor has to do."""
    new, waiting, running = [], [], []
    coming: list[tuple[Session, Engagement]] = []
    for one in held:
        seat = one.current.seat(me) if one.current else None
        if one.current is None or seat is None:  # nobody has asked them yet
            continue
        if seat.answer == "open":
            new.append((one, one.current, seat))
        elif one.state != "engaged":
            waiting.append((one, one.current, seat))
        else:
            running.append((one, seat, next_step(one, door.rules, door.today())))
            coming += [(session, one) for session in one.sessions if session.state == "scheduled"]
    return {
        "new": sorted(new, key=lambda row: row[1].respond_by),
        "waiting": waiting,
        "running": sorted(running, key=lambda row: (row[2].due if row[2] else door.today(), row[0].id)),
        "coming": sorted(coming, key=lambda row: row[0].starts_at),
        "place": door.register.name,
        "today": door.today(),
        "now": door.clock(),
        "me": me,
    }
