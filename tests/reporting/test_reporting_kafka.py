"""Reporting on the real broker: batches into the ledger, dead letters, and both rebuilt by the command line."""

import asyncio
import csv
import io
import json
from pathlib import Path

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from prometheus_client import CollectorRegistry, Gauge
from typer.testing import CliRunner

from services.reporting.cli import rebuild, report
from services.reporting.ledger import Ledger
from services.reporting.settings import Settings
from services.reporting.witness import Witness
from shared import dlq, topics
from shared.events import AdvisorDossier
from shared.ids import new_id
from shared.mongo import Mongo
from shared.publisher import Message
from tests.conftest import SECRET
from tests.reporting.journeys import whole
from tests.reporting.live import on_the_wire, running
from tests.shared.kafka import committed, everything, send
from tests.waiting import until


async def sessions(client: httpx.AsyncClient) -> int:
    answer = await client.get("/api/reports/summary?from=2026-01-01&to=2026-12-31&by=district")
    if answer.status_code != 200:
        return -1
    return next(int(f["value"]) for f in answer.json()["figures"] if f["indicator"] == "sessions")


async def run(command: str, *arguments: str) -> str:
    """A command of ours in a thread of its own, as it has a loop of its own. Returns what it printed."""
    group = {"rebuild": rebuild, "report": report}[command]
    result = await asyncio.to_thread(CliRunner().invoke, group, arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


async def test_from_the_topics_to_the_figures_and_back_again(settings: Settings, mongo: Mongo, tmp_path: Path) -> None:
    """Each fact three times, a broken one among them; then everything is lost but Kafka, and comes back equal."""
    journeys = [whole() for _ in range(5)]
    sent = [on_the_wire(fact, settings.prefix) for journey in journeys for fact in journey.facts]
    broken = Message(
        sent[0].topic, b"k", b'{"request_id": 1', [*sent[0].headers[:1], *sent[0].headers[2:], ("ce_id", b"x")]
    )
    async with running(settings) as client:
        await send(settings.kafka, [*sent[:20], broken, *sent, *sent[::-1]])
        await until(lambda: _is(client, 10), seconds=60)
        lines = f"{settings.prefix}reporting.entry"
        await until(lambda: _count(settings, lines, 20))
        (letter,) = [one async for one in dlq.letters(settings, dlq.names(settings, "reporting"))]
        assert (letter.reason, letter.topic) == ("bad_json", "request.created")
        assert "equal" in await run("rebuild", "reporting")
    before = await _digests(mongo)

    for collection in ("facts", "counters", "entries", "cases", "measures", "claims", "findings"):
        await mongo[collection].drop()
    said = await run("rebuild", "reporting", "--from-kafka")
    assert "Kafka has 45 facts; 1 messages are unreadable" in said
    assert "The ledger missed 45" in said
    assert "Lines sent that it did not know: 20" in said
    assert "equal" in said
    assert await _digests(mongo) == before
    assert "The ledger missed 0" in await run("rebuild", "reporting", "--from-kafka")
    async with running(settings) as client:
        await until(lambda: _is(client, 10))
    assert await _count(settings, lines, 20), "no line was sent twice"

    assert "0 days with 0 facts are as sealed; 45 facts are not sealed yet" in await run("report", "verify")
    with pytest.raises(AssertionError, match="no day has the digest"):
        await run("report", "verify", "--expect", "0" * 63)
    printed = await run("report", "summary", "--from", "2026-01-01", "--to", "2026-12-31")
    assert "2932,50  €  (n=20)" in printed
    await run("report", "export", "--from", "2026-01-01", "--to", "2026-12-31", str(tmp_path / "out"))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *("summary.csv", "honoraria.csv", "sums.csv", "corrections.csv", "facts.csv"),
        *("report.json", "report.pdf", "report.xlsx", "report.zip"),
    }
    rows = csv.DictReader(
        io.StringIO((tmp_path / "out" / "honoraria.csv").read_text(encoding="utf-8-sig")), delimiter=";"
    )
    found = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert found["honoraria"]["totals"]["total_cents"] == sum(int(row["Summe €"].replace(",", "")) for row in rows)


async def test_a_topic_wiped_and_refilled_is_noticed_and_told_until_it_is_accepted(
    settings: Settings, mongo: Mongo
) -> None:
    """Refilled with more than lay there before, and read before anybody looks: the consumer alone would not notice."""
    old, new = whole(), [whole() for _ in range(4)]
    replaced = Gauge("replaced", "replaced", ("topic",), registry=CollectorRegistry())
    witness = Witness(settings, mongo, Ledger(mongo), replaced)
    async with running(settings) as client:
        await send(settings.kafka, [on_the_wire(fact, settings.prefix) for fact in old.facts])
        await until(lambda: _is(client, 2))
        assert await witness.look() == {}
        assert await witness.look() == {}
    await wipe(settings, "session.completed")
    await send(settings.kafka, [on_the_wire(fact, settings.prefix) for one in new for fact in one.facts])
    async with running(settings) as client:
        await until(lambda: _named(witness, "session.completed"))
        await until(lambda: _metric(client, 'miglobe_topic_replaced{topic="session.completed"} 1.0'))
        assert 'miglobe_topic_replaced{topic="request.created"} 0.0' in (await client.get("/metrics")).text
        assert "The ledger missed" in await run("rebuild", "reporting", "--from-kafka")
        assert await witness.look() == {}


async def wipe(settings: Settings, topic: str) -> None:
    """Deletes the topic and makes it again, empty."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    await admin.delete_topics([settings.prefix + topic])
    await admin.close()

    async def gone() -> bool:
        return settings.prefix + topic in await topics.missing(settings, [settings.prefix + topic])

    await until(gone)
    await topics.apply(settings)


async def _named(witness: Witness, topic: str) -> bool:
    return topic in await witness.look()


async def _metric(client: httpx.AsyncClient, line: str) -> bool:
    return line in (await client.get("/metrics")).text


async def _is(client: httpx.AsyncClient, count: int) -> bool:
    return await sessions(client) == count


async def _count(settings: Settings, topic: str, count: int) -> bool:
    found = await everything(settings.kafka, topic)
    ids = {headers["ce_id"] for _, _, headers in found}
    return len(found) == len(ids) == count


async def _digests(mongo: Mongo) -> list[object]:
    """All rows of all read models, and the facts without the place where they were found."""
    rows = ("measures", "claims", "findings")
    found: list[object] = [await mongo[name].find().sort("_id", 1).to_list(None) for name in rows]
    hidden = {"seq": 0, "recorded_at": 0, "partition": 0, "offset": 0}
    found.append(await mongo["facts"].find({}, hidden).sort("_id", 1).to_list(None))
    return found


async def test_an_advisors_name_is_kept_until_it_is_erased(settings: Settings, mongo: Mongo) -> None:
    """For good: what is told of them behind the tombstone was held up on its way."""

    def dossier(advisor_id: str, name: str | None) -> Message:
        event = AdvisorDossier(advisor_id=advisor_id, name=name or "", email="a@beratung.example")
        head = {"ce_specversion": "1.0", "ce_id": new_id(), "ce_type": event.type(), "ce_source": "/test"}
        head |= {"ce_time": "2026-11-02T09:00:00Z", "ce_subject": advisor_id}
        headers = [(key, value.encode()) for key, value in head.items()]
        body = event.model_dump_json().encode() if name else None
        return Message(f"{settings.prefix}{AdvisorDossier.topic}", advisor_id.encode(), body, headers)

    async def names() -> dict[str, str | None]:
        return {one["_id"]: one.get("name") async for one in mongo["advisor_names"].find()}

    async with running(settings):
        await send(
            settings.kafka, [dossier("A01", "Amina Beispiel"), dossier("A01", None), dossier("A02", "Bo Muster")]
        )
        await send(settings.kafka, [dossier("A03", None), dossier("A03", "Cem Probe")])

        async def all_read() -> bool:
            group = f"{settings.prefix}reporting"
            return (await committed(settings.kafka, group)).get(f"{settings.prefix}{AdvisorDossier.topic}") == 5

        await until(names, seconds=60)  # so the group has its coordinator
        await until(all_read, seconds=60)
        assert await names() == {"A01": None, "A02": "Bo Muster", "A03": None}
        assert await mongo["facts"].count_documents({}) == 0, "the ledger holds facts only"


async def test_the_service_refuses_rates_that_contradict_what_was_sent(
    settings: Settings, mongo: Mongo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journey = whole()
    async with running(settings):
        await send(settings.kafka, [on_the_wire(fact, settings.prefix) for fact in journey.facts])
        await until(lambda: mongo["entries"].find_one({}), seconds=60)
    other = tmp_path / "rates.json"
    card = {"code": "neu", "label": "x", "valid_from": "2026-01-01", "per_hour": "9.00", "per_km": "0.10"}
    other.write_text(json.dumps({"cards": [card | {"travel_cap": "1.00"}]}), encoding="utf-8")
    monkeypatch.setenv("MIGLOBE_RATES_FILE", str(other))
    result = await asyncio.to_thread(CliRunner().invoke, rebuild, ["reporting"])
    assert "Nothing was rebuilt: the rate card beispiel_2024 was used" in str(result.exception)


def test_wrong_rates_refuse_to_start(tmp_path: Path) -> None:
    from shared.settings import load

    wrong = tmp_path / "rates.json"
    wrong.write_text('{"cards": []}', encoding="utf-8")
    for path, said in ((wrong, "no list or empty"), (tmp_path / "none.json", "can't be read")):
        with pytest.raises(SystemExit, match=said):
            load(Settings, secret=SECRET, rates_file=str(path))
