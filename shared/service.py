"""What every service is made of: one FastAPI app with its database, outbox, consumer, health and metrics.

Start: the HTTP door opens at once; database and Kafka are waited for in the background, and `/readyz` says
for which. Stop: requests end, the consumer ends, the last batch is written, the outbox is published as far
as Kafka answers, all within 25 seconds.
"""

import asyncio
import gc
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import structlog
import uvicorn
from aiokafka.errors import KafkaError
from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.routing import APIRoute
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from pymongo.errors import PyMongoError

from shared import (
    access,
    assets,
    asyncapi,
    headers,
    idempotency,
    outbox,
    telemetry,
    topics,
    uvloop_kafka,
    web,
    workdays,
)
from shared.broker import Inlet, Meters, On, Together
from shared.commit import Committer
from shared.errors import Unavailable
from shared.events import EMITTED
from shared.joined import Joining
from shared.login import install
from shared.look import Look
from shared.mongo import Mongo, is_transient
from shared.publisher import Publisher
from shared.reach import Reach
from shared.settings import ServiceName, Settings
from shared.tasks import end

STOP_SECONDS = 25.0
WEDGED_SECONDS = 120.0
"""With messages waiting and none handled for so long, the process should be restarted."""

SHORT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LONG = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0)
"""Upper bounds of a histogram's buckets, in seconds: of answers, and of what may wait for a server that is away."""

_log = structlog.get_logger(__name__)

Job = Callable[[], Awaitable[None]]


class Refusal(Exception):
    """What this service can't work with, however long it waits; str() says what to do."""


class Service:
    """One service process. The composition roots fill it; uvicorn runs `app`."""

    def __init__(
        self, name: ServiceName, settings: Settings, *, title: str, summary: str, carriers: Sequence[str] = ()
    ) -> None:
        """`carriers`: collections whose documents carry what is told of them (see carried)."""
        self.name = name
        self._carriers = carriers
        self.settings = settings
        self.secret = settings.secret.get_secret_value()
        self.mongo = Mongo(settings.mongo, settings.database(name), settings.mongo_driver)
        self.publisher = Publisher(settings.kafka, f"{settings.prefix}{name}")
        self._reach = Reach(settings.kafka, f"{settings.prefix}{name}-reach")
        self.commits = Committer(self.mongo, name, limit=settings.queue_limit)
        self.relay = outbox.Relay(
            self.mongo,
            self.publisher,
            settings.prefix,
            settings.instance,
            pressed=lambda: self.commits.pressed,
            carriers=carriers,
        )
        self.commits.stored = self.relay.wake
        self.registry = CollectorRegistry()
        self.inlet: Inlet | None = None
        self._prepare: list[Job] = [self._prepare_plumbing]
        self._jobs: dict[str, Job] = {"relay": self.relay.run}
        self._more_checks: dict[str, Callable[[], str | None]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._waits_for: str | None = "start"
        self.fatal: str | None = None
        self.leaving = asyncio.Event()
        """Set when the process was told to stop: whoever keeps an answer open ends it."""
        self.app = FastAPI(
            title=title,
            summary=summary,
            version="1",
            lifespan=self._lifespan,
            docs_url=None,
            redoc_url=None,
            swagger_ui_oauth2_redirect_url=None,
        )
        self.app.state.service = self
        self._express: dict[tuple[str, str], web.Express] = {}
        web.install(self.app)
        self.login = install(self.app, name, settings, self.mongo)
        self.prepares(self.login.sessions.prepare)
        if settings.oidc_issuer:
            self.depends("provider", lambda: self.login.failing)
        how: dict[str, Any] = {
            "body_limit": settings.body_limit,
            "express": self._express,
            "requests": self.counter("miglobe_http_requests", "HTTP requests", "method", "route", "status"),
            "seconds": self.histogram("miglobe_http_seconds", "time to answer", "route"),
        }
        self.app.add_middleware(web.Entrance, **how)
        self.door = web.Front(self.app, self._express, web.Entrance(self.app, **how))
        """What uvicorn serves: `app`, and the hot endpoints without its layers."""
        self._standard_routes()

    def counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def histogram(self, name: str, text: str, *labels: str, buckets: Sequence[float] = SHORT) -> Histogram:
        return Histogram(name, text, labels, registry=self.registry, buckets=buckets)

    def routes(self, router: APIRouter, *, express: Collection[str] = ()) -> None:
        """Serves them. Each must say who may use it: see `shared/access.py`.

        `express`: the names of hot endpoints, open to all, that take the request alone; called past FastAPI's layers.
        """
        if silent := access.unstated(router.routes):
            raise TypeError(f"these routes don't say who may use them (shared/access.py): {'; '.join(silent)}")
        self.app.include_router(router, responses=web.RESPONSES)
        for route in router.routes:
            if isinstance(route, APIRoute) and route.name in express:
                if not access.is_open(route.endpoint):
                    raise TypeError(f"{route.name} is not open to all: only FastAPI's layers check who asks")
                doors = ((method, route.path) for method in route.methods or ())
                self._express.update(dict.fromkeys(doors, web.Express(route.path, route.endpoint)))

    def pages(self, look: Look) -> None:
        """Errors outside its own routes are pages too, for who reads pages: an unknown address, a body too large."""
        self.app.state.pages = look.sorry

    def consumes(self, reactions: Sequence[On] | Together) -> None:
        """What this service does at which event, or with whole batches; `topics.CONSUMED` must agree."""
        self.inlet = Inlet(
            self.name,
            reactions,
            bootstrap=self.settings.kafka,
            prefix=self.settings.prefix,
            mongo=self.mongo,
            publisher=self.publisher,
            meters=Meters(
                self.counter("miglobe_events", "events handled", "topic", "outcome"),
                self.histogram("miglobe_event_seconds", "time to handle an event", "topic"),
                self.histogram("miglobe_publish_seconds", "from an event's commit to Kafka", "topic", buckets=LONG),
                self.histogram(
                    "miglobe_hop_seconds", "from an event's commit to its effect here", "topic", buckets=LONG
                ),
            ),
        )
        self.runs("membership", self.inlet.keep)

    def prepares(self, job: Job) -> None:
        """Run once when the database answers: indexes, imports. Must be repeatable."""
        self._prepare.append(job)

    def runs(self, name: str, job: Job) -> None:
        """A loop that runs until the service stops; if it fails it is logged and begun again."""
        self._jobs[name] = job

    def depends(self, name: str, failing: Callable[[], str | None]) -> None:
        """A dependency that `/readyz` names; `failing` tells what is wrong with it, as far as is known."""
        self._more_checks[name] = failing

    # -- life -------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        committing = asyncio.create_task(self.commits.run())
        beginning = asyncio.create_task(self._begin_or_give_up())
        try:
            yield
        finally:
            deadline = asyncio.get_running_loop().time() + STOP_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    await self._end(beginning, committing)

    async def _begin_or_give_up(self) -> None:
        """A service that can never become ready must not look as if it only took long."""
        try:
            await self._begin()
        except Refusal as error:
            self._give_up(f"{self.name} refuses to start: {error}")
        except Exception as error:
            _log.exception("start_failed")
            self._give_up(f"{self.name} refuses to start: {type(error).__name__}: {error}")

    def _give_up(self, reason: str) -> None:
        self.fatal = reason
        signal.raise_signal(signal.SIGTERM)

    async def _begin(self) -> None:
        await self._when_there("mongo", self._prepare_all, (PyMongoError, Unavailable))
        for name, job in self._jobs.items():
            self._tasks[name] = asyncio.create_task(self._forever(name, job))
        await self._when_there("kafka", self._listen, (KafkaError, OSError))
        if self.fatal is None:
            self._waits_for = None
            _log.info("ready", service=self.name)

    async def _when_there(self, dependency: str, job: Job, errors: Any) -> None:
        pause = 0.2
        while True:
            self._waits_for = dependency
            try:
                return await job()
            except errors as error:
                if isinstance(error, PyMongoError) and not is_transient(error):
                    raise  # waiting would not mend it: wrong password, an index that can't be made
                _log.warning("waiting_for", dependency=dependency, error=str(error)[:300], seconds=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)

    async def _prepare_plumbing(self) -> None:
        await asyncio.gather(outbox.prepare(self.mongo), idempotency.prepare(self.mongo))

    async def _prepare_all(self) -> None:
        await self.mongo.ping()
        if not await self.mongo.has_transactions():
            raise Refusal("MIGLOBE_MONGO names a single server; transactions need a replica set, of one node at least.")
        for job in self._prepare:
            await job()

    async def _listen(self) -> None:
        needed = topics.needed(self.name, EMITTED[self.name], self.settings)
        if absent := await topics.missing(self.settings, needed):
            _log.critical("topics_missing", topics=absent)
            self._give_up(
                f"{self.name} refuses to start: topics are missing on {self.settings.kafka}: "
                f"{', '.join(absent[:5])}{' …' if len(absent) > 5 else ''}. Create them with: miglobe topics apply"
            )
            return
        if self.inlet:
            try:
                await self.inlet.start()
            except BaseException:
                await self.inlet.broker.stop()
                raise

    async def _forever(self, name: str, job: Job) -> None:
        pause = 0.2
        while True:
            started = time.monotonic()
            try:
                await job()
                return
            except Exception:
                _log.exception("job_failed", job=name)
            pause = 0.2 if time.monotonic() - started > 60 else min(pause * 2, 10.0)
            await asyncio.sleep(pause)

    async def _end(self, beginning: "asyncio.Task[None]", committing: "asyncio.Task[None]") -> None:
        await end(beginning)
        if self.inlet:
            if keeping := self._tasks.pop("membership", None):
                await end(keeping)
            await self.inlet.broker.stop()
        relaying = self._tasks.pop("relay", None)
        await end(*self._tasks.values())  # a job may store what it has just done
        self.commits.close()
        await asyncio.gather(committing, return_exceptions=True)
        if relaying:
            await end(relaying)
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await self.relay.close()
        await self.publisher.close()
        await self._reach.close()
        await self.mongo.close()

    # -- health, metrics, documents ---------------------------------------------------------------------

    async def _checks(self) -> dict[str, str]:
        """Dependency → `up`, or what is wrong."""
        found = {"start": "up" if self._waits_for is None else f"waiting for {self._waits_for}"}
        try:
            await self.mongo.ping()
            found["mongo"] = "up"
        except (PyMongoError, TimeoutError) as error:
            found["mongo"] = f"down: {type(error).__name__}"
        found["kafka"] = "up" if self.relay.failing is None else f"down: {self.relay.failing}"
        if self.inlet:
            if self.inlet.stalled:
                found["consumer"] = f"waits: {self.inlet.stalled}"
            elif self._waits_for is None and not await self._reach.answers(1.5):
                found["kafka"] = "down: no answer"
        for name, failing in self._more_checks.items():
            found[name] = f"down: {wrong}" if (wrong := failing()) else "up"
        return found

    async def _alive(self) -> str | None:
        """What only a restart mends, or None."""
        for name, task in self._tasks.items():
            if task.done() and not task.cancelled():
                return f"{name} has ended"
        if self.inlet and self._waits_for is None and (wrong := self.inlet.ended()):
            return wrong
        if self.inlet and self._waits_for is None and not self.inlet.stalled:
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    waiting = sum((await self.inlet.lag()).values())
                    if waiting and time.monotonic() - self.inlet.progress_at > WEDGED_SECONDS:
                        return f"{waiting} messages wait, none handled for {WEDGED_SECONDS:.0f} s"
        return None

    def _standard_routes(self) -> None:
        app = self.app
        pending = self.gauge("miglobe_outbox_pending", "not yet published: events, and changes with theirs")
        oldest = self.gauge("miglobe_outbox_oldest_seconds", "age of the oldest unpublished event")
        published = self.gauge("miglobe_outbox_published", "events published by this process")
        ready = self.gauge("miglobe_ready", "1: started, and nothing that it reads has stalled")
        waiting = self.gauge("miglobe_commit_waiting", "changes waiting for the database")
        lag = self.gauge("miglobe_consumer_lag", "messages waiting", "topic", "partition")

        @app.get("/livez", include_in_schema=False)
        @access.everybody
        async def livez() -> JSONResponse:
            wrong = await self._alive()
            return JSONResponse({"alive": wrong is None, "wrong": wrong}, 503 if wrong else 200)

        @app.get("/readyz", include_in_schema=False)
        @access.everybody
        async def readyz() -> JSONResponse:
            """Ready means that requests can be answered; Kafka may be away then, the outbox holds."""
            checks = await self._checks()
            ready = checks["start"] == "up" and checks["mongo"] == "up"
            return JSONResponse({"ready": ready, "service": self.name, "checks": checks}, 200 if ready else 503)

        @app.get("/metrics", include_in_schema=False)
        @access.everybody
        async def metrics() -> Response:
            ready.set(self._waits_for is None and not (self.inlet and self.inlet.stalled))
            waiting.set(self.commits.waiting)
            published.set(self.relay.published)
            with suppress(PyMongoError):
                count, since = await outbox.backlog(self.mongo, self._carriers)
                pending.set(count)
                oldest.set(time.time() - since.timestamp() if since else 0)
            lag.clear()  # what is another's now is not told of any more
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    for place, count in (await self.inlet.lag() if self.inlet else {}).items():
                        lag.labels(place.topic, str(place.partition)).set(count)
            return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)

        @app.get("/docs", include_in_schema=False)
        @access.everybody
        async def docs() -> HTMLResponse:
            return HTMLResponse(asyncapi.http_page(app.title), headers=headers.PAGE)

        @app.get("/asyncapi.json", include_in_schema=False)
        @access.everybody
        async def asyncapi_json() -> JSONResponse:
            return JSONResponse(asyncapi.document(self.name, self.settings.prefix))

        @app.get("/asyncapi", include_in_schema=False)
        @access.everybody
        async def asyncapi_page() -> HTMLResponse:
            return HTMLResponse(asyncapi.page(app.title), headers=headers.ASYNCAPI)

        app.mount("/static", assets.Static(), name="static")
        describe = app.openapi

        def openapi() -> dict[str, Any]:
            document = describe()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas["Problem"] = web.PROBLEM_SCHEMA
            return document

        app.openapi = openapi  # type: ignore[method-assign]


class _Server(uvicorn.Server):
    """Looks once a second for what it has to do, and at once when it shall end; uvicorn's own looks ten times."""

    def __init__(self, config: uvicorn.Config, leaving: asyncio.Event) -> None:
        super().__init__(config)
        self._leaving = leaving

    async def main_loop(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._ended.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if hasattr(self, "_ended"):
            self._loop.call_soon_threadsafe(self._ended.set)
            self._loop.call_soon_threadsafe(self._leaving.set)


def serve(build: Callable[[], FastAPI], host: str, port: int) -> None:
    """Runs one service until SIGTERM or SIGINT; exits with its reason when it had to give up."""
    door = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:  # before anything starts: a second process at one address would share the first one's lease
        door.bind((host, port))
    except OSError as error:
        sys.exit(f"{host}:{port} could not be opened ({error.strerror}). Choose another with --host and --port.")
    uvloop_kafka.mend()
    app = build()
    service: Service = app.state.service
    workdays.is_workday(datetime.now(UTC).date(), service.settings.subdivision)  # loads the calendars, 0.3 s
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    config = uvicorn.Config(
        service.door,
        log_config=None,
        access_log=False,
        loop="uvloop",
        http=Joining,
        timeout_graceful_shutdown=10,
        server_header=False,
        backlog=4096,
    )
    server = _Server(config, service.leaving)
    last_spans = telemetry.export(service.name, str(service.settings.otlp) if service.settings.otlp else None)
    # uvicorn raises the signal that stopped it once more; by then everything has ended in order
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    server.run(sockets=[door])
    last_spans()
    if service.fatal:
        sys.exit(service.fatal)
