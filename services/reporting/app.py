"""Composition root of reporting."""

import signal

from fastapi import FastAPI

from services.reporting import api, api_claims, api_operations, consumer, handlers
from services.reporting.deciding import Desk
from services.reporting.ledger import Ledger
from services.reporting.operations import Gauges, Watch
from services.reporting.projector import Projector
from services.reporting.queries import Queries
from services.reporting.records import Records
from services.reporting.reports import Reports
from services.reporting.settings import Settings
from services.reporting.store import Store
from shared import register
from shared.service import Service
from shared.settings import load


def build(settings: Settings | None = None) -> FastAPI:
    settings = settings or load(Settings)
    rules = settings.rules()
    service = Service("reporting", settings, title="MiGlobe reporting", summary="Ledger, figures, honoraria, feed")
    ledger, store = Ledger(service.mongo), Store(service.mongo, service.commits)
    reports = Reports(ledger, store, Queries(service.mongo), register.load(settings.register_file))
    records = Records(service.mongo, service.commits)
    desk = Desk(store, reports.queries, records, service.secret)
    waiting = service.gauge("miglobe_ledger_unprojected", "facts of the ledger that are not yet in the reports")
    projector = Projector(service.mongo, ledger, store, rules, waiting, settings.instance)

    watch = Watch(settings, service.mongo, ledger, store, reports.queries, reports.register, _gauges(service))

    service.prepares(ledger.prepare)
    service.prepares(store.prepare)
    service.prepares(records.prepare)
    service.prepares(lambda: _hold_rates(service, store, settings))
    service.prepares(watch.prepare)
    service.routes(api.router(reports, rules.zone, service.secret))
    service.routes(api_claims.router(desk, reports, service.secret))
    service.routes(api_operations.router(watch, service.secret, service.leaving))
    service.consumes(consumer.reactions(ledger, projector, records))
    service.runs("projector", projector.run)
    service.runs("watch", watch.run)
    return service.app


def _gauges(service: Service) -> Gauges:
    of_topic = ("service", "topic")
    return Gauges(
        service.gauge("miglobe_group_lag", "messages that a service has not read, also while it is down", *of_topic),
        service.gauge("miglobe_dead_letters", "dead letters that were not brought back", *of_topic),
        service.gauge("miglobe_requests_waiting", "requests that nobody has accepted yet"),
        service.gauge("miglobe_requests_waiting_oldest_seconds", "how long the oldest of them has waited"),
    )


async def _hold_rates(service: Service, store: Store, settings: Settings) -> None:
    """Stops the service before it computes anything, when its rates contradict claims that were sent."""
    try:
        await handlers.hold_rates(store, settings.rules(), named=settings.rates_file is not None)
    except ValueError as error:
        service.fatal = f"reporting refuses to start: {error}. See MIGLOBE_RATES_FILE."
        signal.raise_signal(signal.SIGTERM)
        raise
