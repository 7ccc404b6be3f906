"""The form in the hands of the office or of an advisor, who file a request for a municipality."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from services.intake import handlers
from services.intake.domain import Channel
from services.intake.pages.drafting import Drafting, now
from shared.ids import new_id
from shared.login import Viewer, signed_in


def router(drafting: Drafting) -> APIRouter:
    look = drafting.look
    routes = APIRouter(prefix="/request/office", route_class=look.route_class, include_in_schema=False)
    Filing = Annotated[Viewer, Depends(signed_in("coordinator", "advisor"))]

    @routes.get("")
    async def ask(request: Request, viewer: Filing) -> HTMLResponse:
        return look.show(request, "office.html", csrf=viewer.csrf)

    @routes.post("")
    async def begin(viewer: Filing) -> RedirectResponse:
        """The draft bears who made it; from here on its link opens it, as for everybody."""
        channel: Channel = "advisor" if viewer.role == "advisor" else "staff"
        draft = await handlers.begin_draft(drafting.store, new_id(), channel, drafting.life, now())
        return drafting.to(draft.id, "/who")

    return routes
