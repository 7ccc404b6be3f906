"""Composition root of notifications: reads like a table of contents."""

from datetime import timedelta

from fastapi import FastAPI

from services.notifications import api, consumer, handlers, pages
from services.notifications.letters import Letters
from services.notifications.sender import Meters, Sender
from services.notifications.settings import Settings
from services.notifications.smtp import Connections, Server
from services.notifications.store import Store
from shared.look import Look
from shared.service import LONG, Service
from shared.settings import load


def build(settings: Settings | None = None) -> FastAPI:
    settings = settings or load(Settings)
    service = Service(
        "notifications",
        settings,
        title="MiGlobe notifications",
        summary="What was written to whom, when, and with which outcome.",
    )
    store = Store(service.mongo, service.commits)
    letters = Letters(settings)
    meters = Meters(
        service.counter("miglobe_mails", "mails by outcome", "template", "outcome"),
        service.histogram("miglobe_mail_seconds", "from the event to the mail server", buckets=LONG),
    )
    connections = Connections(Server.parse(settings.smtp.get_secret_value()))
    sender = Sender(store, letters, connections, settings, meters)
    service.prepares(store.prepare)
    service.prepares(lambda: handlers.keep_coordinators(store, settings))
    service.routes(api.router(store, letters, service.secret, service.mongo))
    look = Look(settings, "services.notifications")
    service.pages(look)
    service.routes(pages.router(look, store, letters, service.mongo))
    service.consumes(consumer.reactions(store, timedelta(days=settings.mail_silent_after_days)))
    service.depends("mail", lambda: connections.failing)
    service.runs("sender", sender.run)
    return service.app
