"""The sender against a mail server: what it takes, what it refuses, when it is away."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram
from pymongo.errors import AutoReconnect

from services.notifications import handlers, sender, smtp
from services.notifications.domain import Message
from services.notifications.letters import Letters
from services.notifications.sender import LEASE, Meters, Sender
from services.notifications.settings import Settings
from services.notifications.smtp import Connections, NotNow, Server
from services.notifications.store import Store
from shared.commit import Committer, committing
from shared.errors import Stale, Unavailable
from shared.events import NotificationFailed, NotificationSent
from shared.events.base import moment
from shared.ids import new_id
from shared.mongo import Mongo
from shared.tasks import end
from tests.notifications import facts
from tests.notifications.facts import LONG, REQUEST, cause
from tests.notifications.fake_store import FakeStore
from tests.notifications.postoffice import PostOffice, opened
from tests.waiting import until

SECRET = "only-for-tests-0123456789-0123456789"
RECEIPT = facts.created()


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with opened(PostOffice()) as listening:
        yield listening


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


def sender_for(store: Store, url: str, **changed: object) -> Sender:
    given = {
        "secret": SECRET,
        "instance": new_id(),
        "smtp": url,
        "mail_retry_seconds": 0.02,
        "mail_retry_cap_seconds": 0.05,
    }
    settings = Settings.model_validate(given | changed)
    registry = CollectorRegistry()
    meters = Meters(
        Counter("mails", "", ("template", "outcome"), registry=registry), Histogram("seconds", "", registry=registry)
    )
    return Sender(store, Letters(settings), Connections(Server.parse(url)), settings, meters)


@asynccontextmanager
async def running(*senders: Sender) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(sender.run()) for sender in senders]
    try:
        yield
    finally:
        await end(*tasks)


def now() -> datetime:
    return moment(datetime.now(UTC))


async def queue(store: Store, count: int = 1, email: str = "erika@musterstadt.example") -> None:
    """A receipt for each of `count` requests, told just now."""
    for number in range(count):
        fact = facts.created(facts.event_id(f"request {number}") if number else REQUEST)
        dossier = facts.request_dossier(email=email, request_id=fact.request_id)
        await handlers.keep_request(store, dossier, cause(dossier), now())
        await handlers.note(store, fact, cause(fact), now(), LONG * 1000)


async def the_one(store: FakeStore) -> Message:
    [message] = store.all_messages.values()
    return message


def in_state(store: FakeStore, state: str) -> Callable[[], bool]:
    return lambda: bool(store.all_messages) and all(m.state == state for m in store.all_messages.values())


async def test_a_queued_message_is_sent_at_once_and_told(
    store: FakeStore, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "SCAN_SECONDS", 3600.0)
    async with running(sender_for(store, office.url)):
        await queue(store)
        await until(in_state(store, "sent"))
    [mail] = office.mails
    assert mail["To"] == "Erika Musterfrau <erika@musterstadt.example>"
    assert office.recipients == ["erika@musterstadt.example"]
    [event] = store.events
    assert isinstance(event, NotificationSent)
    message = await the_one(store)
    assert (event.message_id, event.template, event.recipient) == (message.id, "receipt", "municipality")
    assert event.cause_id == facts.event_id(RECEIPT)
    assert (message.address, message.attempts) == ("erika@musterstadt.example", 1)


@pytest.mark.parametrize("door", ["at_rcpt", "at_data"])
async def test_a_temporary_error_is_tried_again_until_it_works(store: FakeStore, office: PostOffice, door: str) -> None:
    setattr(office, door, ["451 4.3.2 later", "421 4.3.2 not now"])
    async with running(sender_for(store, office.url)):
        await queue(store)
        await until(in_state(store, "sent"))
    assert len(office.mails) == 1
    message = await the_one(store)
    assert (message.attempts, message.last_error) == (3, None)
    assert [type(event) for event in store.events] == [NotificationSent]


@pytest.mark.parametrize(
    ("door", "answer", "reason"),
    [
        ("at_rcpt", "550 5.1.1 no such mailbox", "recipient_refused"),
        ("at_data", "554 5.6.0 not this content", "content_refused"),
    ],
)
async def test_a_permanent_refusal_is_failed_and_told(
    store: FakeStore, office: PostOffice, door: str, answer: str, reason: str
) -> None:
    setattr(office, door, [answer])
    async with running(sender_for(store, office.url)):
        await queue(store)
        await until(in_state(store, "failed"))
        message = await the_one(store)
        assert (message.reason, message.last_error) == (reason, answer)
        [event] = store.events
        assert isinstance(event, NotificationFailed)
        assert (event.message_id, event.reason) == (message.id, reason)
        await handlers.resend(store, message, "operator", now(), None)
        await until(in_state(store, "sent"))
    assert office.mails[0]["Message-ID"] == f"<{message.id}.1@miglobe.example>"


async def test_an_impossible_address_is_failed_without_asking_anybody(store: FakeStore, office: PostOffice) -> None:
    async with running(sender_for(store, office.url)):
        await queue(store, email="nobody")
        await until(in_state(store, "failed"))
    assert (await the_one(store)).reason == "bad_address"


async def test_a_server_that_is_away_is_tried_again_until_it_is_back(store: FakeStore) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with running(sender_for(store, f"smtp://127.0.0.1:{port}")):
        await queue(store, 3)
        await until(lambda: all(m.attempts >= 2 for m in store.all_messages.values()))
        assert in_state(store, "queued")()
        async with opened(PostOffice(), port) as office:
            await until(in_state(store, "sent"))
    assert sorted(office.times().values()) == [1, 1, 1]


async def test_after_some_days_it_has_failed(store: FakeStore) -> None:
    await queue(store)
    message = await the_one(store)
    store.all_messages[message.id] = replace(message, queued_at=now() - timedelta(days=3, seconds=1))
    async with running(sender_for(store, "smtp://127.0.0.1:1")):
        await until(in_state(store, "failed"))
    assert (await the_one(store)).reason == "gave_up"


async def test_two_senders_at_once_send_each_mail_once(fresh_mongo: Callable[..., Mongo], office: PostOffice) -> None:
    mongo = fresh_mongo("notifications")
    async with committing(Committer(mongo, "notifications")) as commits:
        one, two = Store(mongo, commits), Store(mongo, commits)
        await one.prepare()
        await queue(one, 20)
        two.queued.set()
        async with running(sender_for(one, office.url), sender_for(two, office.url)):
            await until(lambda: _count(mongo, "sent", 20))
        assert await mongo["outbox"].count_documents({"topic": "notification.sent"}) == 20
    assert set(office.times().values()) == {1}
    assert len(office.mails) == 20


async def _count(mongo: Mongo, state: str, count: int) -> bool:
    return await mongo["messages"].count_documents({"state": state}) == count


async def test_connections_are_few_and_used_again(store: FakeStore, office: PostOffice) -> None:
    async with running(sender_for(store, office.url, mail_connections=2)):
        await queue(store, 12)
        await until(in_state(store, "sent"))
    assert len(office.mails) == 12
    assert office.connections <= 2


async def test_a_connection_that_the_server_closed_costs_no_attempt(store: FakeStore, office: PostOffice) -> None:
    async with running(sender_for(store, office.url)):
        await queue(store)
        await until(in_state(store, "sent"))
        office.hang_up()
        await queue_another(store)
        await until(in_state(store, "sent"))
    assert {message.attempts for message in store.all_messages.values()} == {1}
    assert len(office.mails) == 2


async def queue_another(store: FakeStore) -> None:
    fact = facts.closed()
    await handlers.note(store, fact, cause(fact), now(), LONG * 1000)


async def test_a_crash_after_the_server_took_it_repeats_it_with_the_same_message_id(
    store: FakeStore, office: PostOffice
) -> None:
    """The one gap that SMTP leaves; who receives knows it by the Message-ID."""
    await queue(store)
    office.meanwhile = _never
    crashed = asyncio.create_task(sender_for(store, office.url)._deliver(await _claimed(store)))
    await until(lambda: office.connections)
    crashed.cancel()
    with suppress(asyncio.CancelledError):
        await crashed
    office.meanwhile = None
    office.mails.clear()
    first = await the_one(store)
    assert first.state == "queued"
    store.all_messages[first.id] = replace(first, sending_until=now() - timedelta(seconds=1))
    async with running(sender_for(store, office.url)):
        await until(in_state(store, "sent"))
    assert office.mails[-1]["Message-ID"] == f"<{first.id}.0@miglobe.example>"


async def test_a_restarted_sender_takes_up_what_it_had_claimed_at_once(store: FakeStore, office: PostOffice) -> None:
    """Others have to wait until the lease is over."""
    await queue(store, 2)
    await store.claim("the same", now(), LEASE, LONG)
    await store.claim("another", now(), LEASE, LONG)
    async with running(sender_for(store, office.url, instance="the same")):
        await until(lambda: len(office.mails) == 1)
    assert sorted(message.state for message in store.all_messages.values()) == ["queued", "sent"]


async def test_who_was_too_slow_does_not_tell_a_second_time(store: FakeStore, office: PostOffice) -> None:
    """A sender that stood still for longer than its lease: another has sent the mail meanwhile."""
    await queue(store)
    slow, quick = sender_for(store, office.url), sender_for(store, office.url)
    stood_still = await _claimed(store)
    store.all_messages[stood_still.id] = replace(stood_still, sending_until=now())
    await quick._deliver(await _claimed(store))
    await slow._deliver(stood_still)
    assert (await the_one(store)).state == "sent"
    assert len(office.mails) == 2
    assert [type(event) for event in store.events] == [NotificationSent]


async def _never() -> None:
    await asyncio.Event().wait()


async def _claimed(store: FakeStore) -> Message:
    message = await store.claim("crashed", now(), LEASE, LONG)
    assert message is not None
    return message


async def test_stopping_lets_arrive_what_is_on_its_way_and_gives_back_the_rest(
    store: FakeStore, office: PostOffice
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        begun.set()
        await go_on.wait()

    office.meanwhile = slowly
    await queue(store, 3)
    task = asyncio.create_task(sender_for(store, office.url, mail_connections=1).run())
    await begun.wait()
    task.cancel()
    go_on.set()
    with suppress(asyncio.CancelledError):
        await task
    states = sorted(message.state for message in store.all_messages.values())
    assert states.count("sent") == len(office.mails)
    assert not any(message.sending_until for message in store.all_messages.values())


async def test_who_is_erased_while_the_mail_is_on_its_way_is_not_written_down_again(
    store: FakeStore, office: PostOffice
) -> None:
    async def erase() -> None:
        await handlers.erase(store, f"request:{REQUEST}", facts.cause("tombstone"), now())

    office.meanwhile = erase
    async with running(sender_for(store, office.url)):
        await queue(store)
        await until(in_state(store, "sent"))
    assert (await the_one(store)).address is None


async def test_what_has_become_pointless_is_not_sent(store: FakeStore, office: PostOffice) -> None:
    dossier, advisor = facts.request_dossier(), facts.advisor_dossier()
    await handlers.keep_request(store, dossier, cause(dossier), now())
    await handlers.keep_advisor(store, advisor, cause(advisor), now())
    for fact in (facts.created(), facts.assigned("A01")):
        await handlers.note(store, fact, cause(fact), now(), LONG * 1000)
    store.all_cases[REQUEST] = facts.case(facts.created(), facts.assigned("A01"), facts.withdrawn())
    async with running(sender_for(store, office.url)):
        await until(lambda: all(not message.is_open() for message in store.all_messages.values()))
    assert {m.template: m.state for m in store.all_messages.values()} == {"receipt": "sent", "assignment": "dropped"}


async def test_a_database_that_is_away_delays_but_loses_nothing(store: FakeStore, office: PostOffice) -> None:
    class Away(FakeStore):
        claims = 2
        saves = 3

        async def claim(self, holder: str, now: datetime, lease: timedelta, longest: timedelta) -> Message | None:
            if self.claims:
                self.claims -= 1
                raise AutoReconnect("away")
            return await super().claim(holder, now, lease, longest)

        async def save(self, **what: Any) -> None:
            if what.get("events") and self.saves:
                self.saves -= 1
                raise Unavailable("weg", "away")
            await super().save(**what)

    away = Away()
    await queue(away)
    async with running(sender_for(away, office.url)):
        await until(in_state(away, "sent"))
    assert len(office.mails) == 1
    assert len(away.events) == 1


async def test_a_claim_whose_answer_was_lost_waits_for_no_lease(office: PostOffice) -> None:
    class Lossy(FakeStore):
        losses = 1

        async def claim(self, holder: str, now: datetime, lease: timedelta, longest: timedelta) -> Message | None:
            message = await super().claim(holder, now, lease, longest)
            if message and self.losses:
                self.losses -= 1
                raise AutoReconnect("the primary is gone")
            return message

    store = Lossy()
    await queue(store)
    async with running(sender_for(store, office.url)):
        await until(in_state(store, "sent"), seconds=LEASE.total_seconds() / 2)
    assert len(office.mails) == 1


async def test_what_was_sent_is_stored_though_the_lease_ends_and_the_database_fails_at_each_step(
    office: PostOffice,
) -> None:
    class Failing(FakeStore):
        def __init__(self) -> None:
            super().__init__()
            self.steps = ["save", "claim", "stale", "reload", "save"]

        def fails(self, step: str) -> bool:
            return self.steps[:1] == [step] and self.steps.pop(0) == step

        async def save(self, **what: Any) -> None:
            if what.get("events"):
                if self.fails("save"):
                    (message,) = self.all_messages.values()
                    self._put(message, sending_until=None)
                    self.queued.set()
                    raise Unavailable("weg", "away")
                if self.steps[:1] == ["claim"]:
                    raise Unavailable("weg", "away")
                if self.fails("stale"):
                    raise Stale
            await super().save(**what)

        async def claim(self, holder: str, now: datetime, lease: timedelta, longest: timedelta) -> Message | None:
            message = await super().claim(holder, now, lease, longest)
            if message and office.mails:
                self.fails("claim")
            return message

        async def message(self, message_id: str) -> Message | None:
            if self.fails("reload"):
                raise AutoReconnect("away")
            return await super().message(message_id)

    store = Failing()
    await queue(store)
    async with running(sender_for(store, office.url)):
        await until(in_state(store, "sent"))
    assert store.steps == []
    assert len(office.mails) == 1
    assert len(store.events) == 1


async def test_a_letter_that_cannot_be_written_is_tried_again_not_lost(
    store: FakeStore, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake in a template is mended by the next release; the message waits for it."""
    sender = sender_for(store, office.url)
    write, broken = sender._letters.write, [True, True]

    def at_first_broken(*given: object) -> object:
        if broken:
            broken.pop()
            raise RuntimeError("template")
        return write(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(sender._letters, "write", at_first_broken)
    async with running(sender):
        await queue(store)
        await until(in_state(store, "sent"))
    assert (await the_one(store)).attempts == 3


async def test_a_server_that_does_not_greet_is_left_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time for an answer to a mail is not spent on being let in."""
    monkeypatch.setattr(smtp, "GREETING_SECONDS", 0.1)
    mail = EmailMessage()
    mail.set_content("x")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = Server.parse(f"smtp://127.0.0.1:{silent.getsockname()[1]}")
        async with asyncio.timeout(smtp.COMMAND_SECONDS / 2):
            with pytest.raises(NotNow, match="Timed out"):
                await Connections(server).send(mail, "a@example.org", "b@example.org")


async def test_a_server_that_is_away_is_named_until_it_answers() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    connections = Connections(Server.parse(f"smtp://127.0.0.1:{port}"))
    mail = EmailMessage()
    mail["From"], mail["To"] = "a@example.org", "b@example.org"
    mail.set_content("x")
    with pytest.raises(NotNow):
        await connections.send(mail, "a@example.org", "b@example.org")
    assert connections.failing
    async with opened(PostOffice(), port):
        await connections.send(mail, "a@example.org", "b@example.org")
        assert connections.failing is None
        await connections.close()


async def test_a_password_is_never_sent_in_the_clear(office: PostOffice) -> None:
    server = Server.parse(f"smtp://user:secret@127.0.0.1:{office.port}")
    plain = EmailMessage()
    plain["From"], plain["To"] = "a@example.org", "b@example.org"
    plain.set_content("x")
    with pytest.raises(NotNow, match="STARTTLS"):
        await Connections(server).send(plain, "a@example.org", "b@example.org")
    assert office.mails == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://localhost", ("localhost", 25, False, None, None)),
        ("smtp://127.0.0.1:1025", ("127.0.0.1", 1025, False, None, None)),
        ("smtp://relay:25?starttls=never", ("relay", 25, False, False, None)),
        ("smtp://relay?starttls=always", ("relay", 25, False, True, None)),
        ("smtp://me%40x.de:p%3Aw@relay", ("relay", 587, False, True, "me@x.de")),
        ("smtps://me:pw@relay", ("relay", 465, True, False, "me")),
        ("smtp://[::1]:2525/", ("::1", 2525, False, None, None)),
    ],
)
def test_a_server_is_read_from_its_url(url: str, expected: tuple[object, ...]) -> None:
    server = Server.parse(url)
    assert (server.host, server.port, server.tls, server.starttls, server.user) == expected
    assert "pw" not in repr(server)


@pytest.mark.parametrize(
    "url",
    ["", "http://relay", "smtp://", "smtp://relay:99999", "smtp://u:p@relay?starttls=never", "smtp://relay?starttls=x"],
)
def test_a_wrong_url_refuses_to_start(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Settings.model_validate({"secret": SECRET, "smtp": url})


@pytest.mark.parametrize("sender", ["", "nobody", "A <a@b@c>", "A <a@b>\r\nBcc: c@d.example", "Ä <ä@example.org>"])
def test_a_wrong_sender_refuses_to_start(sender: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Settings.model_validate({"secret": SECRET, "mail_from": sender})
