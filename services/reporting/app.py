"""Composition root of reporting."""

import signal
from datetime import timedelta

from fastapi import FastAPI

from services.reporting import (
    api,
    api_claims,
    api_examples,
    api_exports,
    api_feeds,
    api_operations,
    api_periods,
    api_statements,
    api_webhooks,
    consumer,
    handlers,
    pages,
    reminding,
)
from services.reporting.closer import Closer
from services.reporting.closing import Office
from services.reporting.deciding import Desk
from services.reporting.deliverer import Deliverer, Delivering, Meters
from services.reporting.digests import Digests, sealing
from services.reporting.entries import Entries
from services.reporting.example_records import ExampleRecords
from services.reporting.frozen import Frozen
from services.reporting.journey import Rules
from services.reporting.ledger import Ledger
from services.reporting.operations import Gauges, Watch
from services.reporting.projector import Projector, lease
from services.reporting.publishing import Showcase
from services.reporting.pulse import Pulse
from services.reporting.queries import Queries
from services.reporting.records import Records
from services.reporting.reports import Reports
from services.reporting.settings import Settings
from services.reporting.store import Store
from services.reporting.webhooks import Allowed, Webhooks
from services.reporting.witness import Witness
from shared import register
from shared.auth import require
from shared.ids import new_id
from shared.lease import Lease
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
    frozen = Frozen(service.mongo, service.commits)
    office = Office(reports, frozen, rules, lambda: lease(service.mongo, new_id()).held())
    waiting = service.gauge("miglobe_ledger_unprojected", "facts of the ledger that are not yet in the reports")
    projector = Projector(service.mongo, ledger, store, rules, waiting, settings.instance)

    service.prepares(ledger.prepare)
    service.prepares(store.prepare)
    service.prepares(records.prepare)
    service.prepares(office.frozen.prepare)
    service.prepares(lambda: _hold_rates(service, store, settings))
    service.routes(api.router(reports, rules.zone, service.secret))
    service.routes(api_claims.router(desk, reports, service.mongo, service.secret))
    payees = require(service.secret, "coordinator", "skew", "advisor")
    service.routes(api_statements.router(desk, reports, settings.payer, payees, "/api"))
    service.routes(
        api_exports.router(office, rules.zone, require(service.secret, "skew", "coordinator"), "/api/reports")
    )
    closer = Closer(office, Lease(service.mongo, "closing", settings.instance, 10))
    proofs = settings.proofs()
    showcase = Showcase(office, ExampleRecords(service.mongo, service.commits), service.secret)
    service.prepares(showcase.records.prepare)
    service.routes(api_periods.router(office, closer, proofs, showcase.records, service.mongo, service.secret))
    service.routes(api_examples.router(showcase, service.mongo))
    service.consumes(consumer.reactions(ledger, projector, records))
    service.runs("projector", projector.run)
    service.runs("closer", closer.run)
    service.runs("reminders", lambda: reminding.run(office, proofs))
    _feeds(service, settings, ledger, rules)
    watch = _watching(service, settings, reports)
    look = pages.look_of(settings)
    service.pages(look)
    service.routes(
        pages.router(pages.Pages(look, office, closer, desk, watch, proofs, showcase, settings.payer, service.leaving))
    )
    return service.app


def _feeds(service: Service, settings: Settings, ledger: Ledger, rules: Rules) -> None:
    """What SKEW's systems follow: feeds with cursors, webhooks, sealed days."""
    entries, webhooks = Entries(service.mongo), Webhooks(service.mongo)
    pulse, digests = Pulse(service.mongo, service.leaving), Digests(service.mongo, rules.zone)
    hosts = frozenset(filter(None, settings.webhook_hosts.split(",")))
    allowed = Allowed(hosts, settings.webhook_loopback)
    how = Delivering(allowed, service.secret, settings.instance, timedelta(days=settings.webhook_give_up_days))
    meters = Meters(
        service.counter("miglobe_webhook_deliveries", "messages to webhooks by outcome", "outcome"),
        service.gauge("miglobe_webhooks_failing", "webhooks whose receiver takes nothing, or that were disabled"),
    )
    deliverer = Deliverer(service.mongo, webhooks, ledger, entries, how, meters)
    sealed = service.gauge("miglobe_ledger_sealed_timestamp_seconds", "up to when the ledger is sealed")

    service.prepares(entries.prepare)
    service.prepares(webhooks.prepare)
    service.routes(api_feeds.router(ledger, entries, digests, pulse, service.secret))
    service.routes(
        api_webhooks.router(service.mongo, service.commits, webhooks, ledger, entries, allowed, service.secret)
    )
    service.runs("entries", entries.run)
    service.runs("pulse", pulse.run)
    service.runs("webhooks", lambda: deliverer.run(pulse))
    service.runs("seal", lambda: sealing(digests, sealed))


def _watching(service: Service, settings: Settings, reports: Reports) -> Watch:
    """What operations see of the whole flow."""
    ledger, store, queries = reports.ledger, reports.store, reports.queries
    watch = Watch(settings, service.mongo, ledger, store, queries, reports.register, _gauges(service))
    replaced = service.gauge("miglobe_topic_replaced", "1: it was wiped or refilled, the ledger knows of more", "topic")
    witness = Witness(settings, service.mongo, ledger, replaced)

    service.prepares(watch.prepare)
    service.routes(api_operations.router(watch, service.secret, service.leaving))
    service.runs("watch", watch.run)
    service.runs("witness", witness.run)
    return watch


def _gauges(service: Service) -> Gauges:
    of_topic = ("service", "topic")
    return Gauges(
        service.gauge("miglobe_group_lag", "messages that a service has not read, also while it is down", *of_topic),
        service.gauge("miglobe_dead_letters", "dead letters that were not brought back", *of_topic),
        service.gauge("miglobe_requests_waiting", "requests that nobody has accepted yet"),
        service.gauge("miglobe_requests_waiting_oldest_seconds", "how long the oldest of them has waited"),
        service.gauge("miglobe_figure_sum", "what the contributions of this year come to", "indicator"),
        service.gauge("miglobe_figure_contributions", "how many contributions of this year there are", "indicator"),
    )


async def _hold_rates(service: Service, store: Store, settings: Settings) -> None:
    """Stops the service before it computes anything, when its rates contradict claims that were sent."""
    try:
        await handlers.hold_rates(store, settings.rules(), named=settings.rates_file is not None)
    except ValueError as error:
        service.fatal = f"reporting refuses to start: {error}. See MIGLOBE_RATES_FILE."
        signal.raise_signal(signal.SIGTERM)
        raise
