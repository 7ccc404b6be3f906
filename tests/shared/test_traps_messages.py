"""Traps 1 to 5: what a consumer commits, and what it does with messages that can't be read."""

from importlib import import_module

import pytest
from faststream import AckPolicy

from shared.errors import Permanent
from shared.mongo import Mongo
from shared.publisher import Message, Publisher
from shared.service import Service
from shared.settings import Settings
from tests.shared.consuming import buried, count, dead, listening
from tests.shared.kafka import committed, message, send
from tests.shared.samples import created
from tests.waiting import until

SERVICES = ("intake", "matching", "notifications", "reporting")


@pytest.mark.parametrize("name", SERVICES)
async def test_trap_01_no_subscriber_of_a_service_commits_on_its_own(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it was declared, each says its policy itself: the broker's is ignored by some."""
    monkeypatch.setenv("MIGLOBE_SECRET", "only-for-tests-0123456789-0123456789")
    service: Service = import_module(f"services.{name}.app").build().state.service
    assert service.inlet is not None
    assert [subscriber.ack_policy for subscriber in service.inlet.broker.subscribers] == [AckPolicy.MANUAL]
    await service.mongo.close()


async def test_trap_01_the_consumer_itself_commits_nothing_by_timer(mongo: Mongo, settings: Settings) -> None:
    async with listening(mongo, settings) as effects:
        assert effects.inlet.subscriber.consumer is not None
        assert effects.inlet.subscriber.consumer._enable_auto_commit is False


async def test_trap_02_a_batch_that_did_not_settle_commits_no_offset(
    mongo: Mongo, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dead letter can't be published: nothing is skipped, the message comes again."""

    async def refusing(self: Publisher, messages: object) -> None:
        raise TimeoutError("Kafka is away")

    sent = message(created(), settings.prefix)
    async with listening(mongo, settings, Permanent("test", "first time")) as effects:
        with monkeypatch.context() as away:
            away.setattr(Publisher, "publish", refusing)
            await send(settings.kafka, [sent])
            await until(lambda: effects.inlet.stalled)
            assert (await committed(settings.kafka, effects.inlet.group)).get(sent.topic, 0) == 0
            assert effects.calls == 1
        await until(lambda: count(mongo, 1))
        assert effects.calls == 2

        async def past() -> bool:
            return (await committed(settings.kafka, effects.inlet.group)).get(sent.topic) == 1

        await until(past)


async def test_trap_03_bad_json_is_one_dead_letter_and_the_next_goes_on(mongo: Mongo, settings: Settings) -> None:
    good = message(created(), settings.prefix)
    bad = Message(good.topic, good.key, b'{"request_id": ', good.headers)
    async with listening(mongo, settings) as effects:
        await send(settings.kafka, [bad, good])
        await until(lambda: count(mongo, 1))
        [letter] = await until(lambda: buried(settings, 1))
        assert effects.calls == 1
    assert (letter.reason, letter.value) == ("bad_json", bad.value)
    assert (await committed(settings.kafka, f"{settings.prefix}matching"))[good.topic] == 2


async def test_trap_04_null_and_odd_headers_are_dead_letters_and_the_next_goes_on(
    mongo: Mongo, settings: Settings
) -> None:
    """And so is whatever else is not what the topic carries."""
    good = message(created(), settings.prefix)
    headers = dict(good.headers)

    def poison(value: bytes | None = good.value, key: bytes | None = good.key, **changed: bytes | None) -> Message:
        return Message(good.topic, key, value, list((headers | {"ce_id": b"p", **changed}).items()))

    poisons = {
        "bad_header": poison(ce_source=None),
        "bad_header ": poison(ce_source=b"\xff"),
        "bad_content": poison(b'{"request_id": "x"}'),
        "unknown_version": poison(ce_type=b"de.miglobe.request.created.v9"),
        "missing_header": Message(good.topic, good.key, good.value, []),
        "null_value": poison(None),
        "wrong_key": poison(key=b"another"),
    }
    async with listening(mongo, settings) as effects:
        await send(settings.kafka, [*poisons.values(), good])
        await until(lambda: count(mongo, 1))
        letters = await until(lambda: buried(settings, len(poisons)))
        assert effects.calls == 1
    assert sorted(letter.reason for letter in letters) == sorted(reason.strip() for reason in poisons)
    assert {header for letter in letters for header in letter.headers} >= {("ce_source", None), ("ce_source", b"\xff")}
    assert (await committed(settings.kafka, f"{settings.prefix}matching"))[good.topic] == len(poisons) + 1


async def test_trap_05_a_tombstone_with_a_json_content_type_erases(mongo: Mongo, settings: Settings) -> None:
    """As one without any headers does."""
    first, second = created().request_id, created().request_id
    topic = f"{settings.prefix}request.dossier"
    async with listening(mongo, settings):
        await send(
            settings.kafka,
            [
                Message(topic, first.encode(), None, [("content-type", b"application/json")]),
                Message(topic, second.encode(), None, []),
            ],
        )
        await until(lambda: count(mongo, 2))
    assert {row["_id"] for row in await mongo["effects"].find().to_list(None)} == {
        f"erased {first}",
        f"erased {second}",
    }
    assert await dead(settings) == []
