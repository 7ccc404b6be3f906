"""The year's report as PDF over 1,000,000 facts, and a workbook of 100,000 claims, asked of one process of reporting.

As in `summary.py` few facts go through ledger and projector; their claims are copied with ids of their own, and the
cells are what so many copies come to. Figures and claims must agree, or the service gives no report.
"""

import io
import time
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx

from services.reporting.documents import CLAIMS
from services.reporting.ledger import Ledger
from services.reporting.store import Store
from shared.auth import token
from shared.commit import Committer, committing
from shared.mongo import Document, Mongo
from tests.bench import summary
from tests.bench.figures import Board
from tests.bench.place import Place, Process

ROWS = 100_000
ROUNDS = 3
PDF_SECONDS, XLSX_SECONDS, XLSX_MB = 5.0, 20.0, 300.0
_YEAR_DAYS = summary.SPREAD_DAYS


async def measure(place: Place, board: Board) -> None:
    place.miglobe("topics", "apply")
    few = Place(place.stack, f"few-{place.prefix}")
    async with few.mongo("reporting") as small, place.mongo("reporting") as large:
        measures = await summary.project(small)
        async with committing(Committer(large, "reporting")) as commits:
            await Ledger(large).prepare()
            store = Store(large, commits)
            await store.prepare()
            await store.hold_rates(summary.RULES.cards)
        await summary.copy_cells(large, measures)
        claims = await _copy_claims(small, large)
        (last,) = await large[CLAIMS].find().sort("held_on", -1).skip(ROWS).limit(1).to_list(None)
        first = date.fromisoformat(last["held_on"]) + timedelta(days=1)
    print(f"  … {summary.FEW * summary.COPIES:,} facts' worth loaded, {claims:,} claims", flush=True)
    today = datetime.now(UTC).date()
    async with place.service("reporting") as process, _client(place, process) as client:
        year = f"from={today - timedelta(days=_YEAR_DAYS - 1)}&to={today}"
        seconds = [await _ask(client, "pdf", year) for _ in range(ROUNDS)]
        board.limit(f"the year's PDF over {summary.FEW * summary.COPIES:,} facts", min(seconds), "s", PDF_SECONDS)
    async with place.service("reporting") as process, _client(place, process) as client:
        part = f"from={first}&to={today}"
        before = _peak_mb(process)
        seconds = [await _ask(client, "xlsx", part) for _ in range(2)]
        board.limit(f"XLSX of {ROWS:,} claims", min(seconds), "s", XLSX_SECONDS)
        board.limit("… the service's peak of memory meanwhile", _peak_mb(process), "MB", XLSX_MB)
        board.limit("… before", before, "MB")


async def _copy_claims(small: Mongo, large: Mongo) -> int:
    rows = await small[CLAIMS].find().to_list(None)
    for copy in range(summary.COPIES):
        tail = f"{copy:04}"
        await large[CLAIMS].insert_many([_renamed(row, tail) for row in rows], ordered=False)
    return len(rows) * summary.COPIES


def _renamed(row: Document, tail: str) -> Document:
    return row | {"_id": row["_id"][:-4] + tail, "request_id": row["request_id"][:-4] + tail}


def _client(place: Place, process: Process) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token(place.env['MIGLOBE_SECRET'], 'skew', 'bench')}"}
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{process.port}", headers=headers, trust_env=False, timeout=300)


async def _ask(client: httpx.AsyncClient, kind: str, span: str) -> float:
    began = time.perf_counter()
    answer = (await client.get(f"/api/reports/export.{kind}?{span}")).raise_for_status()
    seconds = time.perf_counter() - began
    told = f"{len(answer.content) / 1e6:.1f} MB"
    if kind == "xlsx":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
            most = max(book.read(name).count(b"<row ") for name in book.namelist() if "/sheet" in name)
        if most < ROWS * 0.9:
            raise RuntimeError(f"the workbook has {most:,} rows only")
        told += f", {most:,} rows"
    print(f"  … {kind}: {seconds:.1f} s, {told}", flush=True)
    return seconds


def _peak_mb(process: Process) -> float:
    """Resident, since it began."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024
