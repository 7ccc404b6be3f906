"""The composition root of matching."""

from datetime import UTC, datetime

from fastapi import FastAPI

from services.matching import api, consumer, pages
from services.matching.api.door import Door
from services.matching.finding import Finder
from services.matching.matcher import Matcher
from services.matching.settings import Settings
from services.matching.simulator import Simulator
from services.matching.store import Store
from shared import register
from shared.events.base import moment
from shared.login import signed_in
from shared.service import Service
from shared.settings import load


def clock() -> datetime:
    return moment(datetime.now(UTC))


def build(settings: Settings | None = None) -> FastAPI:
    settings = settings or load(Settings)
    service = Service(
        "matching",
        settings,
        title="MiGlobe matching",
        summary="Who advises whom: advisors, assignments, sessions, closings.",
    )
    look = pages.look_of(settings)
    rules = settings.rules()
    rules.respond_by(clock())  # loads the calendar, most of a second, before requests come
    store = Store(service.mongo, service.commits, rules)
    oldest = service.gauge("miglobe_requests_open_oldest_seconds", "age of the oldest open request")
    matcher = Matcher(
        store,
        rules,
        clock,
        batch=settings.matching_batch,
        scan_seconds=settings.matching_scan_seconds,
        measured=oldest.set,
    )
    store.woken = matcher.wake
    simulator = Simulator(store, rules)
    door = Door(store, service.mongo, rules, register.load(settings.register_file), service.secret, clock)
    service.prepares(store.prepare)
    service.prepares(Finder(service.mongo).prepare)
    service.routes(api.router(door))
    service.pages(look)
    service.routes(pages.router(look, door, signed_in, simulator))
    service.consumes(consumer.reactions(store, matcher, clock))
    service.runs("matcher", matcher.run)
    service.runs("simulator", simulator.run)
    return service.app
