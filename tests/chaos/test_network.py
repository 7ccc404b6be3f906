"""The ways that can be broken and the mail server of moods by themselves, then a short round with them."""

import asyncio
import smtplib
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pymongo.errors import PyMongoError

from deploy.local import ports
from deploy.local.stack import Stack
from shared.mongo import Mongo
from tests.chaos.elsewhere import tidy
from tests.chaos.faults import Fault
from tests.chaos.harness import SETTINGS, arena, rounds
from tests.chaos.mailserver import MailServer, Mood, refusals
from tests.chaos.network import NETWORK
from tests.chaos.proxy import DELAY, Way
from tests.chaos.remote import Remote
from tests.waiting import until

PREFIX = "ways-"
SLACK = 4.0
SHORT = (Fault("cut", "mongo", seconds=3.0), Fault("smtp", "5xx", seconds=4.0))

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def way() -> AsyncIterator[Way]:
    """To a server that sends back what it gets."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            writer.write(data)
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        made = Way(lambda: port)
        made.open()
        try:
            yield made
        finally:
            await asyncio.to_thread(made.close)


async def said(streams: Streams, text: bytes, seconds: float = 60.0) -> bytes:
    """What comes back."""
    reader, writer = streams
    writer.write(text)
    async with asyncio.timeout(seconds):
        return await reader.read(1000)


async def test_a_way_lets_through_and_tells_of_the_end(way: Way) -> None:
    streams = await asyncio.open_connection("127.0.0.1", way.port)
    assert await said(streams, b"one") == b"one"
    streams[1].write_eof()
    assert await streams[0].read() == b""


async def test_a_slow_way_delays_each_chunk_both_ways(way: Way) -> None:
    streams = await asyncio.open_connection("127.0.0.1", way.port)
    way.turn("slow")
    began = time.monotonic()
    assert await said(streams, b"one") == b"one"
    assert time.monotonic() - began >= 2 * DELAY[0]


async def test_a_cut_resets_what_is_open_and_lets_new_ones_through(way: Way) -> None:
    old = await asyncio.open_connection("127.0.0.1", way.port)
    assert await said(old, b"one") == b"one"
    way.cut()
    with pytest.raises(ConnectionResetError):
        await said(old, b"two")
    new = await asyncio.open_connection("127.0.0.1", way.port)
    assert await said(new, b"three") == b"three"


async def test_what_is_swallowed_never_comes_back_and_nobody_is_told(way: Way) -> None:
    used, idle = [await asyncio.open_connection("127.0.0.1", way.port) for _ in range(2)]
    assert await said(used, b"one") == await said(idle, b"one") == b"one"
    way.turn("swallowing")
    new = await asyncio.open_connection("127.0.0.1", way.port)
    for streams in (used, new):
        with pytest.raises(TimeoutError):
            await said(streams, b"two", 0.3)
    way.turn("fair")
    for streams in (used, new):
        with pytest.raises(TimeoutError):
            await said(streams, b"three", 0.3)
    assert await said(idle, b"four") == b"four"


@pytest.fixture
def post(tmp_path: Path) -> Iterator[MailServer]:
    chosen = ports.free(["post"], {})
    server = MailServer(tmp_path, chosen["post"])
    server.open()
    yield server
    server.close()
    chosen.release()


def hand_over(post: MailServer, recipient: str) -> int:
    """The answer's code; 0 when there is none."""
    mail = EmailMessage()
    mail["Message-ID"] = "<1@miglobe.example>"
    mail.set_content("Guten Tag")
    try:
        with smtplib.SMTP("127.0.0.1", post.port, timeout=60) as client:
            client.send_message(mail, "beratung@miglobe.example", [recipient])
    except smtplib.SMTPRecipientsRefused as error:
        return next(iter(error.recipients.values()))[0]
    except smtplib.SMTPResponseException as error:
        return error.smtp_code
    except (smtplib.SMTPServerDisconnected, ConnectionError):
        return 0
    return 250


@pytest.mark.parametrize(
    ("mood", "answers", "kept"),
    [("kind", {250}, 6), ("4xx", {421, 450, 451}, 0), ("cut", {0}, 0), ("taken", {0}, 6)],
)
def test_the_mail_server_answers_by_its_mood(
    post: MailServer, tmp_path: Path, mood: Mood, answers: set[int], kept: int
) -> None:
    post.mood = mood
    assert {hand_over(post, "stadt-1@rathaus.example") for _ in range(6)} == answers
    assert len(list(tmp_path.glob("*.eml"))) == kept


def test_refusals_for_good_are_written_down_and_reach_no_advisor(post: MailServer, tmp_path: Path) -> None:
    post.mood = "5xx"
    places = [f"stadt-{number}@rathaus.example" for number in range(30)]
    answers = {place: hand_over(post, place) for place in places}
    assert set(answers.values()) == {550, 554, 250}
    assert refusals(tmp_path) == {place: 1 for place in places if answers[place] != 250}
    assert hand_over(post, "c001@beratung.example") == 250


async def test_a_mute_mail_server_takes_the_connection_and_says_no_more(post: MailServer) -> None:
    post.mood = "mute"
    reader, writer = await asyncio.open_connection("127.0.0.1", post.port)
    assert (await reader.readline()).startswith(b"220")
    writer.write(b"EHLO me\r\n")
    assert b"250-SMTPUTF8" in await reader.readuntil(b"250 HELP\r\n")
    with pytest.raises(TimeoutError):
        await said((reader, writer), b"MAIL FROM:<me@miglobe.example>\r\n", 0.3)


async def test_what_a_vanished_connection_has_locked_is_free_again_soon(
    stack: Stack, fresh_mongo: Callable[..., Mongo]
) -> None:
    """mongod keeps its transaction for as long as its parameter says; meanwhile nobody can store the same key."""
    direct = fresh_mongo("matching")
    way = Way(lambda: urlsplit(stack.mongo).port or 0)
    way.open()
    vanished = Mongo(f"mongodb://127.0.0.1:{way.port}/?directConnection=true", direct.db.name)
    try:
        await direct["things"].insert_one({"_id": "there"})
        async with vanished.client.start_session() as session:
            await session.start_transaction()
            await vanished["things"].insert_one({"_id": "taken"}, session=session)
            way.turn("swallowing")
            with pytest.raises(PyMongoError):
                await _insert(direct, "taken")
            assert await until(lambda: _stored(direct, "taken"))
            way.turn("fair")
            way.cut()
    finally:
        await vanished.close()
        await asyncio.to_thread(way.close)


async def _insert(mongo: Mongo, key: str) -> None:
    """A transaction of its own, which sees the conflict and does not wait for its end."""
    async with mongo.client.start_session() as session, await session.start_transaction():
        await mongo["things"].insert_one({"_id": key}, session=session)


async def _stored(mongo: Mongo, key: str) -> bool:
    try:
        await _insert(mongo, key)
    except PyMongoError:
        return False
    return True


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_a_cut_way_and_refused_mails_lose_nothing(stack: Stack) -> None:
    """On the run's own Kafka and MongoDB; what a mail server refuses for good shows among the failed messages."""
    servers = {"MIGLOBE_KAFKA": stack.kafka, "MIGLOBE_MONGO": stack.mongo, "MIGLOBE_SMTP": "", "MIGLOBE_PREFIX": PREFIX}
    with tempfile.TemporaryDirectory(prefix="miglobe-chaos-") as home, Remote(Path(home), SETTINGS | servers) as remote:
        async with arena(NETWORK, remote, remote.mail_dir, PREFIX, "ways", 2.0, SLACK, hasty=True) as one:
            played = await rounds(one, SHORT)
            found = (await one.client.get("notifications", "/api/messages", state="failed", limit="200"))["items"]
        refused = refusals(remote.mail_dir)
        left = await tidy(stack, PREFIX)
    assert [result.line() for result in played if not result.verdict.sound] == []
    assert refused
    assert refused.keys() <= {message["address"] for message in found}
    assert left == ""
