"""Pages for the municipality; every one works without JavaScript. GET shows, POST acts."""

from fastapi import APIRouter, Depends

from services.intake.limits import Limits
from services.intake.pages import form, office, requests, saving
from services.intake.pages.drafting import Drafting
from services.intake.settings import Settings
from services.intake.store import Store
from shared.login import noticed
from shared.look import Look


def router(look: Look, store: Store, settings: Settings, limits: Limits) -> APIRouter:
    drafting = Drafting(look, store, settings, limits)
    routes = APIRouter(dependencies=[Depends(noticed)])
    for part in (office, saving, form):
        routes.include_router(part.router(drafting))
    routes.include_router(requests.router(look, store, settings))
    return routes
