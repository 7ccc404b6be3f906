"""The Kafka door against the real broker: effects, dead letters, repetition."""

from pymongo.errors import AutoReconnect

from shared import dlq
from shared.mongo import Mongo
from shared.publisher import Message, Publisher
from shared.settings import Settings
from tests.shared.consuming import buried, count, dead, listening
from tests.shared.kafka import committed, everything, message, send
from tests.shared.samples import created, dossier, withdrawn
from tests.waiting import until


async def test_each_event_has_one_effect_however_often_it_comes(mongo: Mongo, settings: Settings) -> None:
    """Three deliveries, one of them after a restart."""
    sent = [message(created(), settings.prefix) for _ in range(30)]
    async with listening(mongo, settings):
        await send(settings.kafka, sent + sent)
        await until(lambda: count(mongo, 30))
    async with listening(mongo, settings):
        last = created()
        await send(settings.kafka, [*sent, message(last, settings.prefix)])
        await until(lambda: mongo["effects"].find_one({"key": last.key}))
        assert await count(mongo, 31)
    offsets = await committed(settings.kafka, f"{settings.prefix}matching")
    assert offsets[f"{settings.prefix}request.created"] == 91


async def test_of_several_servers_one_that_answers_is_enough(mongo: Mongo, settings: Settings) -> None:
    several = settings.model_copy(update={"kafka": f"127.0.0.1:1,{settings.kafka}"})
    async with listening(mongo, several):
        await send(settings.kafka, [message(created(), settings.prefix)])
        await until(lambda: count(mongo, 1))


async def test_events_of_a_key_are_handled_in_order(mongo: Mongo, settings: Settings) -> None:
    request_id = created().request_id
    sent = [message(withdrawn(request_id), settings.prefix) for _ in range(25)]
    others = [message(created(), settings.prefix) for _ in range(25)]
    await send(settings.kafka, [one for pair in zip(sent, others, strict=True) for one in pair])
    async with listening(mongo, settings):
        await until(lambda: count(mongo, 50))
    rows = await mongo["effects"].find({"key": request_id}).sort("n", 1).to_list(None)
    assert [row["event"] for row in rows] == [dict(one.headers)["ce_id"].decode() for one in sent]  # type: ignore[union-attr]


async def test_a_dead_letter_names_no_content_of_the_body(mongo: Mongo, settings: Settings) -> None:
    """A broken dossier must not leak into headers or logs."""
    told = dossier(created().request_id)
    broken = message(told, settings.prefix)
    broken = Message(broken.topic, broken.key, (broken.value or b"").replace(b'"need"', b'"nee"'), broken.headers)
    async with listening(mongo, settings):
        await send(settings.kafka, [broken])
        [letter] = await until(lambda: buried(settings, 1))
    assert (letter.reason, letter.value) == ("bad_content", broken.value)
    assert "erika" not in letter.detail


async def test_a_transient_error_is_tried_again_until_it_works(mongo: Mongo, settings: Settings) -> None:
    async with listening(mongo, settings, AutoReconnect("primary stepped down"), AutoReconnect("again")) as effects:
        await send(settings.kafka, [message(created(), settings.prefix)])
        await until(lambda: count(mongo, 1))
        assert effects.calls == 3
    assert await dead(settings) == []


async def test_a_lock_that_pymongo_has_let_go_makes_no_dead_letter(mongo: Mongo, settings: Settings) -> None:
    async with listening(mongo, settings, *[RuntimeError("Lock is not acquired")] * 4) as effects:
        await send(settings.kafka, [message(created(), settings.prefix)])
        await until(lambda: count(mongo, 1))
        assert effects.calls == 5
    assert await dead(settings) == []


async def test_a_bug_is_tried_three_times_and_then_a_dead_letter(mongo: Mongo, settings: Settings) -> None:
    async with listening(mongo, settings, KeyError("a"), KeyError("a"), KeyError("a")) as effects:
        await send(settings.kafka, [message(created(), settings.prefix)])
        [letter] = await until(lambda: buried(settings, 1))
        assert (letter.reason, effects.calls) == ("handler_failed", 3)


async def test_redrive_brings_a_mended_letter_back_once(mongo: Mongo, settings: Settings) -> None:
    good = message(created(), settings.prefix)
    publisher = Publisher(settings.kafka, "test-redrive")
    async with listening(mongo, settings):
        await send(settings.kafka, [Message(good.topic, good.key, b"{", good.headers)])
        [letter] = await until(lambda: buried(settings, 1))
        assert not letter.redriven
        await publisher.publish(dlq.back(letter, settings.prefix, good.value, {}))
        await until(lambda: count(mongo, 1))
    await publisher.close()
    [letter] = await dead(settings)
    assert letter.redriven
    sent = await everything(settings.kafka, good.topic)
    assert [value for _, value, _ in sent] == [b"{", good.value]
    assert not [name for _, _, headers in sent for name in headers if name.startswith("dlq_")]


async def test_an_erasure_reaches_the_dead_letters_of_the_dossier(mongo: Mongo, settings: Settings) -> None:
    """They hold what the person told us; another person's letter stays."""
    told = [message(dossier(created().request_id), settings.prefix) for _ in range(2)]
    broken = [Message(one.topic, one.key, (one.value or b"") + b"}", one.headers) for one in told]
    async with listening(mongo, settings):
        await send(settings.kafka, broken)
        await until(lambda: buried(settings, 2))
        await send(settings.kafka, [Message(told[0].topic, told[0].key, None, [])])
        await until(lambda: count(mongo, 1))
    assert [letter.key for letter in await dead(settings)] == [told[1].key]
