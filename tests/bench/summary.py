"""GET /api/reports/summary over few facts and over many, by one process of reporting each, both beside each other.

The few go through ledger and projector. The many are the measures and cells of those cases, as the projector wrote
them, in as many copies with ids of their own, and the cells that the product's own `cells.changes` makes of them; their
facts, cases and claims, which a summary never reads, are left out.
"""

import statistics
import time
from collections.abc import Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

import httpx

from services.reporting import cells, examples, handlers
from services.reporting.definition import definition
from services.reporting.documents import CELLS, COUNTERS, MEASURE, MEASURES, PROJECTED
from services.reporting.example_records import ExampleRecords
from services.reporting.facts import Fact
from services.reporting.ledger import HEAD, Ledger
from services.reporting.measures import Measure
from services.reporting.publishing import PURPOSE
from services.reporting.settings import Settings
from services.reporting.store import Store
from shared import envelope
from shared.auth import Person, sign, token
from shared.commit import Committer, committing
from shared.events import Event
from shared.events.base import moment
from shared.ids import new_id
from shared.login.sessions import Sessions
from shared.mongo import Document, Mongo
from tests.bench import opening, samples
from tests.bench.figures import Board
from tests.bench.place import Place, Process

FEW, COPIES = 10_000, 100
BATCH = 2_000
SPREAD_DAYS = 365
ROUNDS, EACH = 5, 8
RULES = Settings.model_validate({"secret": "x" * 32}).rules()
SLOWEST_MS = 100.0
_PAGES = (("figures", "/reporting?{period}"),)
_LISTS = (
    ("claims", "/reporting/claims"),
    ("claims in draft", "/reporting/claims?status=draft"),
    ("findings", "/reporting/findings"),
    ("periods", "/reporting/periods"),
)
EXAMPLES, PUBLISHED = 500, 300


async def measure(place: Place, board: Board) -> None:
    """A year and a month, ending today: whole months and days at the edge."""
    many = Place(place.stack, f"many-{place.prefix}")
    async with AsyncExitStack() as stack:
        began = time.monotonic()
        async with place.mongo("reporting") as small, many.mongo("reporting") as large:
            measures = await project(small)
            print(f"  … {FEW:,} facts projected, {len(measures):,} measures ({_since(began)})", flush=True)
            await _copy(large, measures)
            count = await large[MEASURES].estimated_document_count()
            print(f"  … {FEW * COPIES:,} facts' worth loaded, {count:,} measures ({_since(began)})", flush=True)
        sides, processes = [], []
        for one in (place, many):
            one.miglobe("topics", "apply")
            processes.append(await stack.enter_async_context(one.service("reporting")))
            sides.append(await stack.enter_async_context(_client(one, processes[-1])))
        today = datetime.now(UTC).date()
        for name, start in (
            ("of a year", today - timedelta(days=SPREAD_DAYS - 1)),
            ("of the last 40 days", today - timedelta(days=39)),
        ):
            few, much = await _ask(sides, f"/api/reports/summary?from={start}&to={today}")
            title = f"summaries {name} over {FEW * COPIES:,} facts ÷ over {FEW:,}"
            board.compare(title, much, few, "1/s", round(1 / 3, 3))
            slowest = await _slowest(sides[1], f"/api/reports/summary?from={start}&to={today}")
            board.limit(f"summary {name} over {FEW * COPIES:,} facts, p95", slowest, "ms", SLOWEST_MS)
        await _pages(place, processes[0], board, f"{FEW:,} facts", (*_PAGES, *_LISTS))
        await _practice(place, processes[0], board)
        await _pages(many, processes[1], board, f"{FEW * COPIES:,} facts", _PAGES)


async def _practice(place: Place, process: Process, board: Board) -> None:
    """Practice examples, those of many years: the office's, the municipality's and everybody's pages."""
    part = "Zwei Beratende öffneten ihre Netzwerke; es gab ein Erstgespräch und drei Sitzungen. " * 12
    now, ids = moment(datetime.now(UTC)), []
    async with place.mongo("reporting") as mongo, committing(Committer(mongo, "reporting")) as commits:
        records = ExampleRecords(mongo, commits)
        for n in range(EXAMPLES):
            text = examples.Text(f"Ein Fest für alle {n}", part, part, part)
            one = examples.draft(
                examples.Example(new_id(), 0, new_id(), f"MG-TEST-{n:04}", "08117042", ("fair_week",), text), "x", now
            )
            if n < PUBLISHED:
                one, _ = examples.ask(one, "koordination", now)
                one, _ = examples.answer(one, "agreed", one.revision, now)
                one, _ = examples.publish(one, "koordination", now)
            await records.save(replace(one, version=1))
            ids.append(one.id)
    token = sign(place.env["MIGLOBE_SECRET"], PURPOSE, ids[0])
    wanted = (
        ("practice examples", "/reporting/examples"),
        ("a practice example", f"/reporting/examples/{ids[-1]}"),
        ("consent to a practice example", f"/reporting/practice/{ids[0]}/consent?token={token}"),
        ("public practice examples", "/reporting/practice"),
        ("a public practice example", f"/reporting/practice/{ids[0]}"),
    )
    await _pages(place, process, board, f"{EXAMPLES} examples", wanted)


async def _pages(place: Place, process: Process, board: Board, size: str, wanted: Iterable[tuple[str, str]]) -> None:
    """What the funder opens, signed in."""
    async with place.mongo("reporting") as mongo:
        cookie = await Sessions(mongo, 3600, 3600).begin(Person("skew", "Beispiel", ("skew",)), "")
    today = datetime.now(UTC).date()
    period = f"from={today - timedelta(days=SPREAD_DAYS - 1)}&to={today}"
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{process.port}",
        cookies={"reporting-session": cookie},
        headers={"accept": "text/html"},
        trust_env=False,
        timeout=60,
    ) as client:
        for name, path in wanted:
            await opening.page(board, client, process, f"{name} of {size}", path.format(period=period))


def _since(began: float) -> str:
    return f"{time.monotonic() - began:.0f} s"


async def project(mongo: Mongo) -> list[Measure]:
    ledger = Ledger(mongo)
    async with committing(Committer(mongo, "reporting")) as commits:
        store = Store(mongo, commits)
        await ledger.prepare()
        await store.prepare()
        made = facts(samples.journeys(FEW, SPREAD_DAYS), FEW)
        while some := list(islice(made, 1_000)):
            await ledger.record(some)
        await store.define(definition(RULES))
        while await handlers.step(ledger, store, RULES):
            pass
    rows = await mongo[MEASURES].find().to_list(None)
    return [MEASURE.validate_python({"id": row["_id"], **row}) for row in rows]


def facts(events: Iterable[Event], count: int) -> Iterator[Fact]:
    """The first `count` of `events` as they come from Kafka."""
    for number, event in enumerate(islice(events, count)):
        message = samples.message(event, "")
        head = envelope.read(message.headers, event.topic, 0, number)
        body = (message.value or b"").decode()
        yield Fact(
            *(head.id, event.topic, 0, number, event.key),
            *(head.type, head.source, head.time.isoformat(timespec="microseconds"), head.correlation_id, body),
        )


async def _copy(mongo: Mongo, measures: list[Measure]) -> None:
    async with committing(Committer(mongo, "reporting")) as commits:
        await Ledger(mongo).prepare()
        await Store(mongo, commits).prepare()
    for start in range(0, len(measures), BATCH):
        some = [MEASURE.dump_python(row, mode="json") for row in measures[start : start + BATCH]]
        for copy in range(COPIES):
            await mongo[MEASURES].insert_many([_renamed(row, copy) for row in some], ordered=False)
    await copy_cells(mongo, measures)


async def copy_cells(mongo: Mongo, measures: list[Measure]) -> None:
    """The cells of as many copies of `measures`; ledger and projector are set as if there were so many facts."""
    copies = [replace(row, value=row.value * COPIES) for row in measures]
    made = cells.changes(copies, [])
    documents: list[Document] = []
    for cell, amounts in made.items():
        document: Document = {"_id": f"0~{cell.period}~{cell.district}", "epoch": 0, **cell._asdict()}
        for path, amount in amounts.items():
            *parents, last = path.split(".")
            inner = document
            for name in parents:
                inner = inner.setdefault(name, {})
            inner[last] = amount * COPIES if last == "n" else amount
        documents.append(document)
    await mongo[CELLS].insert_many(documents)
    for counter in (HEAD, PROJECTED):
        await mongo[COUNTERS].update_one({"_id": counter}, {"$set": {"seq": FEW * COPIES}})
    # these are the service's own figures, or it would make them anew
    await mongo[COUNTERS].update_one({"_id": PROJECTED}, {"$set": {"definition": definition(RULES)}})


def _renamed(row: Document, copy: int) -> Document:
    tail = f"{copy:04}"
    rest = {name: value for name, value in row.items() if name != "id"}
    return {"_id": f"{row['id']}-{tail}", **rest, "request_id": row["request_id"][:-4] + tail}


def _client(place: Place, process: Process) -> httpx.AsyncClient:
    role = token(place.env["MIGLOBE_SECRET"], "skew", "bench")
    headers = {"Authorization": f"Bearer {role}"}
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{process.port}", headers=headers, trust_env=False, timeout=60)


async def _slowest(side: httpx.AsyncClient, path: str) -> float:
    """Milliseconds within which 19 of 20 answers came, one after the other."""
    taken = []
    for _ in range(100):
        began = time.perf_counter()
        (await side.get(path)).raise_for_status()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.quantiles(taken, n=20)[-1]


async def _ask(sides: list[httpx.AsyncClient], path: str) -> tuple[list[float], list[float]]:
    """Summaries per second of each side, turn by turn; both must count, the one as many times as there are copies."""
    rates: tuple[list[float], list[float]] = ([], [])
    counted = []
    for number in range(ROUNDS + 1):
        for side, found in zip(sides, rates, strict=True):
            began = time.perf_counter()
            for _ in range(EACH):
                answer = (await side.get(path)).raise_for_status()
            if number:
                found.append(EACH / (time.perf_counter() - began))
            else:
                counted.append(next(f["n"] for f in answer.json()["figures"] if f["indicator"] == "sessions"))
    if counted[0] == 0 or counted[1] != counted[0] * COPIES:
        raise RuntimeError(f"the two sides don't count the same: {counted}")
    few, many = (f"{1000 / min(found):.0f} ms" for found in rates)
    print(f"  … {counted[0]:,} and {counted[1]:,} sessions counted; the slowest {few} and {many}", flush=True)
    return rates
