"""In which waves the relay publishes, without servers: the topics of a change at once, changes in order."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from shared import outbox
from shared.errors import Permanent
from shared.mongo import Document
from shared.publisher import Message


class Rows:
    """The outbox in memory, as far as the relay asks it."""

    def __init__(self, *rows: tuple[str, str, int]) -> None:
        self.pending = {
            f"{n:03}": {
                "_id": f"{n:03}",
                "key": key,
                "topic": topic,
                "order": order << 16 | n,
                "body": b"",
                "headers": {},
                "created_at": datetime.now(UTC),
            }
            for n, (key, topic, order) in enumerate(rows)
        }

    def __getitem__(self, _: str) -> "Rows":
        return self

    def settled(self, _: str) -> "Rows":
        return self

    def find(self, _: Document) -> "Rows":
        return self

    def sort(self, *_: object) -> "Rows":
        return self

    def limit(self, _: int) -> "Rows":
        return self

    async def to_list(self, _: object) -> list[Document]:
        return list(self.pending.values())

    async def update_many(self, wanted: Document, _: Document) -> SimpleNamespace:
        for row in wanted["_id"]["$in"]:
            del self.pending[row]
        return SimpleNamespace(matched_count=len(wanted["_id"]["$in"]))


class Sent:
    """Takes what is published; refuses `too_large`, what stands before it goes out as with Kafka."""

    def __init__(self, too_large: str = "") -> None:
        self.too_large = too_large
        self.waves: list[list[str]] = []

    async def publish(self, messages: Sequence[Message]) -> None:
        self.waves.append([])
        for message in messages:
            told = f"{(message.key or b'').decode()} {message.topic}"
            if told == self.too_large:
                raise Permanent("too_large", told)
            self.waves[-1].append(told)


@pytest.fixture
def leading(monkeypatch: pytest.MonkeyPatch) -> None:
    async def yes(_: outbox.Relay) -> bool:
        return True

    monkeypatch.setattr(outbox.Relay, "_leading", yes)


def relay(rows: Rows, sent: Sent) -> outbox.Relay:
    mongo: Any = rows
    publisher: Any = sent
    return outbox.Relay(mongo, publisher, "", "here")


@pytest.mark.usefixtures("leading")
async def test_what_a_change_tells_on_several_topics_goes_out_at_once() -> None:
    """Whoever joins them would wait otherwise. Two of one topic go out one after the other."""
    rows = Rows(("r1", "created", 1), ("r1", "dossier", 1), ("r2", "created", 1), ("r2", "created", 1))
    sent = Sent()
    await relay(rows, sent)._drain()
    assert sent.waves == [["r1 created", "r1 dossier", "r2 created"], ["r2 created"]]
    assert rows.pending == {}


@pytest.mark.usefixtures("leading")
async def test_an_effect_never_goes_out_with_its_cause() -> None:
    """One of both might fail: changes of a key go out one after the other, by their versions, on all topics."""
    rows = Rows(("r1", "b", 3), ("r1", "a", 2), ("r1", "a", 1))
    sent = Sent()
    await relay(rows, sent)._drain()
    assert sent.waves == [["r1 a"], ["r1 a"], ["r1 b"]]


@pytest.mark.usefixtures("leading")
async def test_a_row_that_kafka_never_takes_stops_what_comes_after_it_and_nothing_else() -> None:
    rows = Rows(("r1", "created", 1), ("r1", "dossier", 1), ("r1", "moved", 2), ("r2", "created", 1))
    sent = Sent("r1 dossier")
    made = relay(rows, sent)
    await made._drain()
    assert [row["topic"] for row in rows.pending.values()] == ["dossier", "moved"]
    assert set(made.blocked) == {"r1"}
    assert not any("moved" in told for wave in sent.waves for told in wave)
    sent.waves.clear()
    await made._drain()
    assert [told for wave in sent.waves for told in wave] == [], "what went out is not sent again"


async def test_publishing_gives_way_to_callers_and_never_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "GIVE_WAY_SECONDS", 0.001)
    rows: Any = Rows()
    sent: Any = Sent()
    answers = [True, True, False]
    asked = iter(answers)
    async with asyncio.timeout(10):
        await outbox.Relay(rows, sent, "", "here", pressed=lambda: next(asked))._give_way()
        await outbox.Relay(rows, sent, "", "here", pressed=lambda: True)._give_way()
    assert next(asked, None) is None
