"""The form: four steps, a summary, and sending. What is typed is kept whatever happens."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.intake import domain, drafts, forms, handlers, search, sheet
from services.intake.drafts import Draft, Entries
from services.intake.forms import STEPS, WHO, Errors, Step
from services.intake.handlers import Changed, Gone
from services.intake.limits import network
from services.intake.pages.drafting import ORDER, DraftId, Drafting, StepCode, Token, now
from services.intake.words import Pair
from shared import auth, web
from shared.access import by_link, everybody
from shared.commit import again
from shared.ids import new_id
from shared.register import Municipality

MOST_FOUND = 20
_WHICH: Pair = ("Bitte wählen Sie, welche Kommune gemeint ist.", "Please choose which municipality is meant.")
_NONE: Pair = (
    "Dazu haben wir keine Kommune gefunden. Bitte prüfen Sie die Schreibweise oder geben Sie den Schlüssel (AGS) ein.",
    "We found no municipality for this. Please check the spelling, or type the official key.",
)


def router(drafting: Drafting) -> APIRouter:
    look, store = drafting.look, drafting.store
    routes = APIRouter(route_class=look.route_class, include_in_schema=False)

    @by_link
    async def own(draft_id: DraftId, token: Token = None) -> str:
        auth.check(drafting.secret, token, "draft", draft_id)
        return draft_id

    Own = Annotated[str, Depends(own)]

    @routes.get("/")
    @everybody
    async def start(request: Request) -> HTMLResponse:
        practice = drafting.settings.link("intake", "reporting", "/reporting/practice")
        return look.show(request, "start.html", days=drafting.settings.draft_days, practice=practice)

    @routes.get("/request")
    @everybody
    async def begin() -> RedirectResponse:
        """A draft's address; nothing is stored before something was typed."""
        return drafting.to(new_id(), "/who")

    @routes.get("/request/suggestions")
    @everybody
    async def suggestions(request: Request, q: Annotated[str, Query(max_length=100)] = "") -> HTMLResponse:
        """Municipalities that begin as typed, for the list under the field."""
        found = await handlers.find(store, q, 8)
        language = web.language(request)
        choices = [(each.ags, each.name, sheet.place(each, language)) for each in found if each.eligible]
        return look.show(request, "form/suggestions.html", choices=choices)

    @routes.get("/request/{draft_id}")
    async def resume(draft_id: Own) -> RedirectResponse:
        """To where something is still missing."""
        draft = await _load(drafting, draft_id)
        errors = drafting.checked(draft, now())[1]
        unfinished = next((step for step in ORDER if forms.of(step, errors)), None)
        return drafting.to(draft_id, f"/{unfinished.code}" if unfinished else "/check")

    @routes.get("/request/{draft_id}/check")
    async def check(request: Request, draft_id: Own) -> HTMLResponse:
        draft = await _load(drafting, draft_id)
        return drafting.check(request, draft, drafting.checked(draft, now())[1])

    @routes.post("/request/{draft_id}/send")
    async def send(request: Request, draft_id: Own) -> Response:
        seen = (await request.form(max_files=0, max_fields=10)).get("seen")
        known = drafts.begin(draft_id, "web", drafting.life, now())
        counted = False

        async def act() -> domain.Request | Errors:
            nonlocal known, counted
            known = await handlers.draft(store, draft_id, drafting.life, now())
            if drafts.seal(known.entries) != seen:
                raise Changed(known)
            body, errors = drafting.checked(known, now())
            if body is None:
                return errors
            if not counted:
                drafting.limits.addresses.take(network(request.client.host if request.client else None))
                drafting.limits.emails.take(body.contact.email.casefold())
                counted = True
            return await handlers.send_draft(store, known, body.wish(), drafting.rules(now()), drafting.life, now())

        try:
            done = await again(act)
        except Gone as gone:
            if gone.request:  # the second click, or another tab
                return RedirectResponse(drafting.sent(draft_id), 303)
            raise drafting.over(gone) from None
        except Changed as changed:
            errors = drafting.checked(changed.draft, now())[1]
            return drafting.check(request, changed.draft, errors, 409, notice="changed")
        except Exception as error:
            said = web.as_problem(error)
            return drafting.check(request, known, {}, said.status, trouble=said, seen=str(seen or ""))
        if isinstance(done, dict):
            return drafting.check(request, known, done, 422)
        return RedirectResponse(drafting.sent(draft_id), 303)

    @routes.get("/request/{draft_id}/{code}")
    async def show(request: Request, draft_id: Own, code: StepCode) -> HTMLResponse:
        draft = await _load(drafting, draft_id)
        notice = str(request.query_params.get("notice", ""))
        return drafting.step(request, draft, STEPS[code], notice=notice if notice == "expired" else "")

    @routes.post("/request/{draft_id}/{code}")
    async def keep(request: Request, draft_id: Own, code: StepCode) -> Response:
        step = STEPS[code]
        form = await request.form(max_files=0, max_fields=200)
        typed, action, seen = forms.read(form, step.names), form.get("action"), str(form.get("seen", ""))
        empty = drafts.begin(draft_id, "web", drafting.life, now())
        try:
            drafting.count(request)
            found: list[Municipality] = []
            if step is WHO:
                typed, found = await _resolved(drafting, typed, bool(action == "find"))
            draft = await handlers.keep_draft(
                store, draft_id, typed, step.names, seen, drafting.life, now(), empty.channel
            )
            if action == "save":
                await handlers.save_draft(store, draft_id, drafting.life, now())
        except Gone as gone:
            if gone.request:
                raise drafting.over(gone) from None
            return await _anew(drafting, step, typed)
        except Changed as changed:
            return drafting.step(request, changed.draft, step, status=409, shown=typed, notice="changed")
        except Exception as error:  # whatever it is: what was typed stays on the page
            said = web.as_problem(error)
            errors = {forms.part_of(wrong.field): (wrong.de, wrong.en) for wrong in said.fields}
            return drafting.step(
                request, empty, step, errors, said.status, shown=typed, trouble=None if errors else said, seen=seen
            )
        if action == "save":
            return drafting.to(draft_id, "/save")
        if action == "back":
            return drafting.to(draft_id, f"/{ORDER[max(0, ORDER.index(step) - 1)].code}")
        if action == "find":
            return drafting.step(request, draft, step, _unfound(typed, found) if not found else {}, found=found)
        errors = forms.of(step, drafting.checked(draft, now())[1])
        if errors:
            if step is WHO:
                errors |= _unfound(typed, found)
            return drafting.step(request, draft, step, errors, 422, found=found)
        following = ORDER.index(step) + 1
        if form.get("from") == "check" or following == len(ORDER):
            return drafting.to(draft_id, "/check")
        return drafting.to(draft_id, f"/{ORDER[following].code}")

    return routes


async def _load(drafting: Drafting, draft_id: str) -> Draft:
    """Raises Over."""
    try:
        return await handlers.draft(drafting.store, draft_id, drafting.life, now())
    except Gone as gone:
        raise drafting.over(gone) from None


async def _anew(drafting: Drafting, step: Step, typed: Entries) -> RedirectResponse:
    """What was typed into an expired form begins another draft."""
    draft = await handlers.keep_draft(drafting.store, new_id(), typed, step.names, "", drafting.life, now())
    return drafting.to(draft.id, f"/{step.code}", notice="expired")


async def _resolved(drafting: Drafting, typed: Entries, searching: bool) -> tuple[Entries, list[Municipality]]:
    """What was typed with the municipality that it names, if it names one; else those that it may mean."""
    entry = drafting.entry(typed)
    if entry and not searching:
        return forms.choose(typed, entry), []
    text = forms.one(typed, "municipality")
    typed = {"municipality": (text,), "municipality_for": (text,)} if text else {}
    found = await handlers.find(drafting.store, text, MOST_FOUND)
    if searching:
        return typed, found
    exact = [each for each in found if text.casefold().strip() in (each.name.casefold(), each.ags)]
    likely = [each for each in found if search.words(text) and search.words(text)[-1] in search.words(each.name)]
    if len(found) == 1 or (len(exact) == 1 and len(likely) <= 1):
        return forms.choose(typed, (exact or found)[0]), []
    return typed, found


def _unfound(typed: Entries, found: list[Municipality]) -> Errors:
    if found:
        return {"municipality": _WHICH}
    return {"municipality": _NONE} if forms.one(typed, "municipality") and not forms.chosen(typed) else {}
