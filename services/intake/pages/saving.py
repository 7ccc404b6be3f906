"""Leaving the form and coming back: the link to keep, and the mail that brings it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from services.intake import drafts, forms, handlers
from services.intake.domain import Correspondence
from services.intake.drafts import Draft
from services.intake.forms import Errors
from services.intake.handlers import Gone
from services.intake.pages.drafting import DraftId, Drafting, Token, now
from shared import auth, web
from shared.access import by_link
from shared.errors import Problem


def router(drafting: Drafting) -> APIRouter:
    look, store, life = drafting.look, drafting.store, drafting.life
    routes = APIRouter(prefix="/request", route_class=look.route_class, include_in_schema=False)

    @by_link
    async def own(draft_id: DraftId, token: Token = None) -> str:
        auth.check(drafting.secret, token, "draft", draft_id)
        return draft_id

    Own = Annotated[str, Depends(own)]

    def page(
        request: Request,
        draft: Draft,
        email: str,
        errors: Errors | None = None,
        status: int = 200,
        trouble: Problem | None = None,
    ) -> HTMLResponse:
        return look.show(
            request,
            "form/save.html",
            status,
            link=drafting.site + drafting.link(draft.id),
            on=drafting.link(draft.id),
            action=drafting.link(draft.id, "/save"),
            until=drafts.last_day(draft, life),
            saved=draft.saved,
            mails=draft.mails,
            mailed=request.query_params.get("mailed") == "1",
            email=email,
            errors=errors or {},
            trouble=trouble,
        )

    @routes.get("/{draft_id}/save")
    async def offer(request: Request, draft_id: Own) -> HTMLResponse:
        try:
            draft = await handlers.draft(store, draft_id, life, now())
        except Gone as gone:
            raise drafting.over(gone) from None
        return page(request, draft, forms.one(draft.entries, "email"))

    @routes.post("/{draft_id}/save")
    async def mail(request: Request, draft_id: Own) -> Response:
        form = await request.form(max_files=0, max_fields=10)
        typed, seen = str(form.get("email", "")), str(form.get("mails", ""))
        draft = drafts.begin(draft_id, "web", life, now())
        try:
            draft = await handlers.draft(store, draft_id, life, now())
            if str(draft.mails) != seen:  # the second click
                return drafting.to(draft_id, "/save", mailed="1")
            drafting.count(request)
            email, wrong = forms.address(typed)
            if wrong:
                return page(request, draft, typed, {"email": wrong}, 422)
            drafting.limits.draft_mails.take(email.casefold())
            language: Correspondence = "en" if web.language(request) == "en" else "de"
            await handlers.mail_draft(store, draft_id, email, language, life, now())
        except Gone as gone:
            raise drafting.over(gone) from None
        except Exception as error:
            said = web.as_problem(error)
            return page(request, draft, typed, status=said.status, trouble=said)
        return drafting.to(draft_id, "/save", mailed="1")

    return routes
