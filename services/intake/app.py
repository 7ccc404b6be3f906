"""Composition root of intake."""

from fastapi import FastAPI

from services.intake import api, barrier_pages, consumer, handlers, legal_pages, pages
from services.intake.barriers import Barriers
from services.intake.settings import Settings
from services.intake.store import REQUESTS, Store
from shared import web
from shared.idempotency import Carried
from shared.look import Look
from shared.service import Service
from shared.settings import load

TIDY_SECONDS = 600.0


def build(settings: Settings | None = None) -> FastAPI:
    settings = settings or load(Settings)
    seconds = settings.register_seconds
    service = Service(
        "intake",
        settings,
        title="MiGlobe intake",
        summary="Requests of municipalities, and their status.",
        carriers=[REQUESTS],
    )
    look = Look(settings, "services.intake", None, legal_pages.texts(settings), **legal_pages.words(settings))
    store = Store(service.mongo, service.commits, settings.register_file)
    barriers = Barriers(service.mongo, service.commits)
    service.prepares(store.prepare)
    service.prepares(barriers.prepare)
    limits = settings.limits()
    once = web.once(service.mongo, Carried(service.mongo, REQUESTS, "POST /api/requests"))
    service.routes(api.router(store, once, settings, limits), express=["submit"])
    service.pages(look)
    service.routes(pages.router(look, store, settings, limits))
    service.routes(legal_pages.router(look, settings))
    service.routes(barrier_pages.router(look, barriers, settings))
    service.consumes(consumer.reactions(store))
    service.runs("register", lambda: store.follow_register(seconds))
    service.runs("drafts", lambda: handlers.keep_tidy(store, TIDY_SECONDS))
    return service.app
