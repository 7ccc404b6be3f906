"""Webhooks: signed, each item until it is taken, by one process, where the operator allows; secrets change in peace."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge
from standardwebhooks import Webhook as Receiver

from services.reporting import handlers, webhooks
from services.reporting.deliverer import Deliverer, Delivering, Meters
from services.reporting.entries import Entries
from services.reporting.settings import Settings
from services.reporting.webhooks import WEBHOOKS, Allowed, Webhook, Webhooks
from shared.errors import NotFound
from shared.ids import new_id
from tests.conftest import SECRET
from tests.reporting.conftest import Kept
from tests.reporting.journeys import RULES, whole
from tests.reporting.test_reporting_feeds import page, running, settings
from tests.waiting import until

__all__ = ["settings"]


@dataclass
class Sink:
    """A receiver on this machine: what it got, and what it answers to the next ones (200 when nothing is said)."""

    url: str = ""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                lines = request.decode().split("\r\n")[1:]
                headers = {name.lower(): value for name, value in (one.split(": ", 1) for one in lines if one)}
                body = await reader.readexactly(int(headers["content-length"]))
                self.got.append((headers, body))
                status = self.answers.pop(0) if self.answers else 200
                more = f"Location: {self.url}/elsewhere\r\n" if status == 302 else ""
                writer.write(f"HTTP/1.1 {status} x\r\n{more}Content-Length: 0\r\n\r\n".encode())
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    made = Sink()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()


@dataclass
class World:
    """Lines with places, a webhook on the sink, and deliverers as in as many processes."""

    kept: Kept
    hooks: Webhooks
    entries: Entries
    sink: Sink
    hook: Webhook

    def deliverer(self, **how: Any) -> Deliverer:
        assert self.kept.mongo is not None
        given = Delivering(Allowed(frozenset(), True), SECRET, new_id(), timedelta(days=5), first_pause=0.0)
        registry = CollectorRegistry()
        meters = Meters(Counter("d", "d", ("outcome",), registry=registry), Gauge("f", "f", registry=registry))
        return Deliverer(self.kept.mongo, self.hooks, self.kept.ledger, self.entries, replace(given, **how), meters)

    async def more(self, requests: int = 1) -> None:
        """Four lines each."""
        await self.kept.ledger.record([fact for _ in range(requests) for fact in whole().facts])
        while await handlers.step(self.kept.ledger, self.kept.store, RULES):
            pass
        while await self.entries.place():
            pass

    async def current(self) -> Webhook:
        return await self.hooks.get(self.hook.id)


@pytest.fixture
async def world(database: Kept, sink: Sink) -> World:
    assert database.mongo is not None
    hooks, entries = Webhooks(database.mongo), Entries(database.mongo)
    await hooks.prepare()
    await entries.prepare()
    document = await hooks.new(sink.url, "entries", 0, "x")
    await database.mongo[WEBHOOKS].insert_one(document)
    return World(database, hooks, entries, sink, await hooks.get(document["_id"]))


@asynccontextmanager
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=10) as made:
        yield made


async def test_lines_arrive_in_order_signed_and_once_although_several_processes_deliver(world: World) -> None:
    await world.more(6)
    async with client() as http:
        await asyncio.gather(*(world.deliverer().turn(http) for _ in range(4)))
        await world.more(2)
        await asyncio.gather(*(world.deliverer().turn(http) for _ in range(4)))
    lines = await world.entries.after(0, 100)
    assert world.sink.ids == [line.id for line in lines]
    receiver = Receiver(webhooks.secret(SECRET, world.hook.id, 1))
    for (headers, body), line in zip(world.sink.got, lines, strict=True):
        content = receiver.verify(body, headers)
        assert (content["id"], content["data"]) == (line.id, json.loads(line.data))
    with pytest.raises(Exception, match="signature"):
        receiver.verify(world.sink.got[0][1] + b" ", world.sink.got[0][0])


async def test_what_is_refused_comes_again_and_nothing_overtakes_it(world: World) -> None:
    """503, a redirect (not followed), a connection refused: all are failures; the place is kept in the database."""
    await world.more()
    world.sink.answers = [200, 503, 302, 200]
    async with client() as http:
        for _ in range(4):
            await world.deliverer().turn(http)  # another process each time, which knows only what is stored
    first, second, third, fourth = [line.id for line in await world.entries.after(0, 100)]
    assert world.sink.ids == [first, second, second, second, third, fourth]
    log = await world.hooks.deliveries(world.hook.id, None, 100)
    assert [(one["status"], one["attempt"]) for one in reversed(log)] == [
        *((200, 1), (503, 1), (302, 2), (200, 3), (200, 1), (200, 1)),
    ]
    hook = await world.current()
    assert (hook.position, hook.attempts, hook.failing_since, hook.last_error) == (4, 0, None, None)


async def test_after_a_failure_it_waits_longer_each_time(world: World) -> None:
    await world.more()
    world.sink.answers = [500] * 3
    pauses = []
    assert world.kept.mongo is not None
    async with client() as http:
        for _ in range(3):
            await world.deliverer(first_pause=5.0).turn(http)
            await world.deliverer(first_pause=5.0).turn(http)  # not due yet
            hook = await world.current()
            assert hook.next_at is not None
            pauses.append((hook.next_at - datetime.now(UTC)).total_seconds())
            await world.kept.mongo[WEBHOOKS].update_one({}, {"$set": {"next_at": datetime.now(UTC)}})
    assert len(world.sink.got) == 3
    assert [round(pause / 5) for pause in pauses] == [1, 2, 4]


async def test_who_takes_nothing_for_days_is_disabled_keeps_the_place_and_goes_on_when_enabled(world: World) -> None:
    await world.more()
    world.sink.answers = [200, 500, 500]
    assert world.kept.mongo is not None
    async with client() as http:
        await world.deliverer().turn(http)
        assert (await world.current()).state == "active"
        longer_ago = datetime.now(UTC) - timedelta(days=6)
        await world.kept.mongo[WEBHOOKS].update_one({}, {"$set": {"failing_since": longer_ago}})
        await world.deliverer().turn(http)
        hook = await world.current()
        assert (hook.state, hook.position) == ("disabled", 1)
        assert await world.hooks.failing() == 1
        await world.deliverer().turn(http)
        assert len(world.sink.got) == 3
        await world.hooks.enable(world.hook.id)
        await world.deliverer().turn(http)
    assert (await world.current()).position == 4
    assert await world.hooks.failing() == 0


async def test_a_receiver_that_says_gone_is_not_asked_again(world: World) -> None:
    await world.more()
    world.sink.answers = [410]
    async with client() as http:
        await world.deliverer().turn(http)
        await world.deliverer().turn(http)
    assert (await world.current()).state == "disabled"
    assert len(world.sink.got) == 1


async def test_for_a_day_after_a_rotation_both_secrets_sign(world: World) -> None:
    old, new = (Receiver(webhooks.secret(SECRET, world.hook.id, generation)) for generation in (1, 2))
    await world.hooks.rotate(world.hook.id)
    await world.more()
    assert world.kept.mongo is not None
    async with client() as http:
        await world.deliverer().turn(http)
        headers, body = world.sink.got[-1]
        assert old.verify(body, headers) == new.verify(body, headers)
        yesterday = datetime.now(UTC) - timedelta(hours=25)
        await world.kept.mongo[WEBHOOKS].update_one({}, {"$set": {"rotated_at": yesterday}})
        await world.more()
        await world.deliverer().turn(http)
    headers, body = world.sink.got[-1]
    new.verify(body, headers)
    with pytest.raises(Exception, match="signature"):
        old.verify(body, headers)


async def test_facts_can_be_followed_too(world: World) -> None:
    assert world.kept.mongo is not None
    await world.kept.mongo[WEBHOOKS].update_one({}, {"$set": {"of": "facts"}})
    await world.more()
    async with client() as http:
        await world.deliverer().turn(http)
    assert world.sink.ids == [fact.id for fact in await world.kept.ledger.after(0, 100)]


async def test_an_address_that_is_not_allowed_any_more_gets_nothing(world: World) -> None:
    await world.more()
    async with client() as http:
        await world.deliverer(allowed=Allowed(frozenset({"skew.example"}), False)).turn(http)
    assert world.sink.got == []
    assert "does not allow" in str((await world.current()).last_error)


@pytest.mark.parametrize(
    ("url", "hosts", "loopback", "allowed"),
    [
        ("https://skew.example/hook?x=1", "skew.example", False, True),
        ("https://skew.example:443/hook", "skew.example", False, True),
        ("https://skew.example:8443/hook", "skew.example:8443", False, True),
        ("https://skew.example:8443/hook", "skew.example", False, False),
        ("http://skew.example/hook", "skew.example", False, False),
        ("https://skew.example@10.0.0.1/hook", "skew.example", False, False),
        ("https://skew.example.attacker.example/", "skew.example", False, False),
        ("https://169.254.169.254/latest", "skew.example", True, False),
        ("http://127.0.0.1:9000/", "", True, True),
        ("http://[::1]:9000/", "", True, True),
        ("http://127.0.0.1:9000/", "", False, False),
        ("http://localhost.attacker.example/", "", True, False),
        ("ftp://127.0.0.1/", "", True, False),
        ("https://skew.example:99999/", "skew.example", False, False),
        ("//skew.example/", "skew.example", False, False),
    ],
)
def test_webhooks_go_only_where_the_operator_allows(url: str, hosts: str, loopback: bool, allowed: bool) -> None:
    assert Allowed(frozenset(filter(None, [hosts])), loopback).permits(url) is allowed


async def test_a_webhook_over_http_from_its_first_line_to_its_end(settings: Settings, sink: Sink) -> None:
    async with running(settings) as (http, kept):
        await kept.ledger.record(whole().facts)
        await page(http, "/api/entries", wait=30)
        wrong = await http.post("/api/webhooks", json={"url": "https://10.0.0.1/x"})
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "url")
        key = {"Idempotency-Key": "k1"}
        made = await http.post("/api/webhooks", json={"url": sink.url, "after": 0}, headers=key)
        again = await http.post("/api/webhooks", json={"url": sink.url, "after": 0}, headers=key)
        assert (made.status_code, again.json()["id"]) == (201, made.json()["id"])
        path = made.headers["location"]
        await until(lambda: len(sink.got) == 4)
        Receiver(made.json()["secret"]).verify(sink.got[0][1], sink.got[0][0])
        await until(lambda: _logged(http, path, 4))
        listed = (await page(http, "/api/webhooks"))["items"]
        assert [(one["position"], one["state"]) for one in listed] == [(4, "active")]
        assert "secret" not in listed[0]
        rotated = (await http.post(f"{path}/rotate")).json()
        assert rotated["secret"] != made.json()["secret"]
        assert (await http.post(f"{path}/enable")).json()["state"] == "active"
        only_new = (await http.post("/api/webhooks", json={"url": sink.url, "of": "facts"})).json()
        assert only_new["position"] == 9
        assert (await http.delete(path)).status_code == 204
        assert (await http.get(f"{path}/deliveries")).status_code == 404
        assert kept.mongo is not None
        with pytest.raises(NotFound):
            await Webhooks(kept.mongo).get(made.json()["id"])


async def _logged(http: httpx.AsyncClient, path: str, count: int) -> bool:
    found = await page(http, f"{path}/deliveries", limit=3)
    rest = await page(http, f"{path}/deliveries", after=found["next"]) if found["next"] else {"items": []}
    return len(found["items"]) + len(rest["items"]) == count
