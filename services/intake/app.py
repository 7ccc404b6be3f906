"""Composition root of intake."""

from fastapi import FastAPI

from services.intake import api, barrier_pages, consumer, handlers, legal_pages, pages
from services.intake.barriers import Barriers
from services.intake.settings import Settings
from services.intake.store import Store
from shared import web
from shared.look import Look
from shared.service import Service
from shared.settings import load

TIDY_SECONDS = 600.0


def build(settings: Settings | None = None) -> FastAPI:
    settings = settings or load(Settings)
    seconds = settings.register_seconds
    service = Service(
        "intake", settings, title="MiGlobe intake", summary="Requests of municipalities, and their status."
    )
    look = Look(settings, "services.intake", None, legal_pages.texts(settings), **legal_pages.words(settings))
    store = Store(service.mongo, service.commits, settings.register_file)
    barriers = Barriers(service.mongo, service.commits)
    service.prepares(store.prepare)
    service.prepares(barriers.prepare)
    limits = settings.limits()
    service.routes(api.router(store, web.once(service.mongo), settings, limits), express=["submit"])
    service.pages(look)
    service.routes(pages.router(look, store, settings, limits))
    service.routes(legal_pages.router(look, settings))
    service.routes(barrier_pages.router(look, barriers, settings))
    service.consumes(consumer.reactions(store))
    service.runs("register", lambda: store.follow_register(seconds))
    service.runs("drafts", lambda: handlers.keep_tidy(store, TIDY_SECONDS))
    return service.app
