"""A service that takes batches whole: one effect per batch, and one by one when a batch can't be handled."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import pytest
from aiokafka import AIOKafkaConsumer
from prometheus_client import CollectorRegistry, Counter, Histogram
from pymongo.errors import AutoReconnect

from shared import broker, dlq, topics
from shared.broker import Arrival, Inlet, Meters, Together
from shared.errors import Permanent
from shared.events import AdvisorDossier, RequestCreated, RequestWithdrawn
from shared.mongo import Mongo
from shared.publisher import Message, Publisher
from shared.settings import Settings
from tests.conftest import FreshMongo
from tests.shared.kafka import message, send
from tests.shared.samples import created, withdrawn
from tests.waiting import until


@pytest.fixture
async def settings(settings_for: Callable[..., Settings]) -> Settings:
    made = settings_for()
    await topics.apply(made)
    return made


class Kept:
    """Keeps what it is given; refuses batches with a key in `refused`, fails `away` times at first."""

    def __init__(self, refused: Sequence[str] = (), away: int = 0) -> None:
        self.refused = refused
        self.away = away
        self.ids: list[str] = []
        self.sizes: list[int] = []

    async def handle(self, arrivals: Sequence[Arrival]) -> None:
        if self.away:
            self.away -= 1
            raise AutoReconnect("away")
        if any(arrival.event.key in self.refused for arrival in arrivals):
            raise Permanent("refused", "one of them")
        self.sizes.append(len(arrivals))
        self.ids += [arrival.head.id for arrival in arrivals]


@asynccontextmanager
async def listening(
    mongo: Mongo, settings: Settings, kept: Kept, together: Together | None = None
) -> AsyncIterator[None]:
    registry = CollectorRegistry()
    publisher = Publisher(settings.kafka, "test-dlq")
    inlet = Inlet(
        "reporting",
        together or Together((RequestCreated, RequestWithdrawn), kept.handle),
        bootstrap=settings.kafka,
        prefix=settings.prefix,
        mongo=mongo,
        publisher=publisher,
        meters=Meters(
            Counter("h", "h", ("topic", "outcome"), registry=registry),
            *(Histogram(name, name, ("topic",), registry=registry) for name in "spt"),
        ),
    )
    await inlet.broker.start()
    try:
        yield
    finally:
        await inlet.broker.stop()
        await publisher.close()


async def test_what_has_gathered_is_handled_at_once_and_survives_an_absent_database(
    fresh_mongo: FreshMongo, settings: Settings
) -> None:
    events = [created() for _ in range(40)]
    sent = [message(event, settings.prefix) for event in events]
    await send(settings.kafka, sent)
    kept = Kept(away=3)
    async with listening(fresh_mongo("broker"), settings, kept):
        await until(lambda: len(kept.ids) >= 40)
    assert sorted(kept.ids) == sorted(dict(one.headers)["ce_id"].decode() for one in sent)  # type: ignore[union-attr]
    assert max(kept.sizes) > 1


class Abreast(Kept):
    """The first batch waits for the next one to have been kept, and then fails until it is given back."""

    def __init__(self) -> None:
        super().__init__()
        self.first: set[str] = set()
        self.next = asyncio.Event()
        self.given_back = 0

    async def handle(self, arrivals: Sequence[Arrival]) -> None:
        ids = {arrival.head.id for arrival in arrivals}
        self.first = self.first or ids
        if ids & self.first:
            await self.next.wait()
            if not self.given_back:
                raise AutoReconnect("away")
        await super().handle(arrivals)
        self.next.set()


async def test_a_batch_that_fails_is_taken_anew_though_the_next_one_was_kept_meanwhile(
    fresh_mongo: FreshMongo, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two are under way at a time; offsets pass the first one only when it has its effect."""
    kept, rewind = Abreast(), broker._rewind

    def giving_back(consumer: AIOKafkaConsumer, batch: Sequence[broker.Record]) -> None:
        kept.given_back += 1
        rewind(consumer, batch)

    monkeypatch.setattr(broker, "STALL_SECONDS", 1.0)
    monkeypatch.setattr(broker, "WHOLE", 10)
    monkeypatch.setattr(broker, "_rewind", giving_back)
    sent = [message(created(), settings.prefix) for _ in range(40)]
    await send(settings.kafka, sent)
    everything = {dict(one.headers)["ce_id"].decode() for one in sent}  # type: ignore[union-attr]
    async with listening(fresh_mongo("broker"), settings, kept):
        await until(lambda: set(kept.ids) == everything)
    assert kept.given_back
    monkeypatch.setattr(broker, "STALL_SECONDS", 60.0)
    again = Kept()
    async with listening(fresh_mongo("broker"), settings, again):
        await send(settings.kafka, [message(created(), settings.prefix)])
        await until(lambda: again.ids)
    assert not everything & set(again.ids), "the offsets of all were committed"


class Slow(Kept):
    """Keeps dossiers, but only once something was erased, or after a second."""

    def __init__(self) -> None:
        super().__init__()
        self.happened: list[str] = []
        self.erasing = asyncio.Event()

    async def handle(self, arrivals: Sequence[Arrival]) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.erasing.wait(), 1.0)
        self.happened += ["kept"] * len(arrivals)

    async def erased(self, _: str) -> None:
        self.erasing.set()
        self.happened.append("erased")


async def test_a_tombstone_in_the_next_batch_waits_for_the_dossier_before_it(
    fresh_mongo: FreshMongo, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what comes after it waits for it: nothing that was erased is kept by a batch that is slow."""
    monkeypatch.setattr(broker, "WHOLE", 10)
    kept = Slow()
    dossier = message(AdvisorDossier(advisor_id="A05", name="Mia Muster", email="mia@example.org"), settings.prefix)
    tombstone = Message(dossier.topic, b"A05", None, [])
    await send(settings.kafka, [*[dossier] * 11, tombstone, dossier])
    together = Together((AdvisorDossier,), kept.handle, kept.erased)
    async with listening(fresh_mongo("broker"), settings, kept, together):
        await until(lambda: len(kept.happened) >= 13)
    assert kept.happened == ["kept"] * 11 + ["erased", "kept"]


async def test_only_what_fails_alone_becomes_a_dead_letter(fresh_mongo: FreshMongo, settings: Settings) -> None:
    bad = created()
    events = [created(), bad, created(), withdrawn(bad.request_id), created()]
    await send(settings.kafka, [message(event, settings.prefix) for event in events])
    kept = Kept(refused=[bad.request_id])
    async with listening(fresh_mongo("broker"), settings, kept):
        await until(lambda: len(kept.ids) >= 3)

        async def letters() -> list[dlq.Letter]:
            names = dlq.names(settings, "reporting")
            found = [letter async for letter in dlq.letters(settings, names)]
            return found if len(found) == 2 else []

        found = await until(letters)
    assert {(letter.topic, letter.reason) for letter in found} == {
        ("request.created", "refused"),
        ("request.withdrawn", "refused"),
    }
    assert len(kept.ids) == 3
