"""What a campaign day and a backlog need, out of what one process was measured to do and to cost.

Processes: the CPU of all requests of a second, on cores that are busy for no more than `BUSY`. Partitions: twice as
many as the most processes of a service. Hours: the backlog ÷ what one process was measured to do.
"""

import json
import math
from pathlib import Path

from deploy.local.stack import SERVICES
from tests.bench.place import PARTITIONS
from tests.bench.recording import INGESTED, REPORTED
from tests.bench.through import MESSAGES, cost_of

PER_SECOND = 50
BACKLOG = 5_000_000
BUSY = 0.6
COPIES = 3
MESSAGE_BYTES = 1_500
DAY = 86_400


def tell(directory: Path) -> None:
    """Prints the table, by the figures of the last run, which are in `directory`."""
    results = directory / "results.json"
    items = json.loads(results.read_text(encoding="utf-8")) if results.exists() else []
    values = {item["name"]: item["value"] for item in items}
    needed = [*map(cost_of, SERVICES), MESSAGES, INGESTED, REPORTED]
    if missing := [name for name in needed if name not in values]:
        print(f"  scale needs figures that were not measured: {'; '.join(missing)}")
        return
    for line in table(values):
        print(f"  {line}")


def table(values: dict[str, float]) -> list[str]:
    """Lines of Markdown."""
    lines = [f"| at {PER_SECOND} requests/s | CPU per request | cores | processes |", "| --- | --- | --- | --- |"]
    processes = {}
    for name in SERVICES:
        cores = PER_SECOND * values[cost_of(name)] / 1000
        processes[name] = max(2, math.ceil(cores / BUSY))
        lines.append(f"| {name} | {values[cost_of(name)]:.1f} ms | {cores:.2f} | {processes[name]} |")
    messages = PER_SECOND * values[MESSAGES]
    day = messages * DAY
    partitions = max(PARTITIONS, 2 * max(processes.values()))
    recorded, reported = (BACKLOG / values[name] / 3600 for name in (INGESTED, REPORTED))
    return [
        *lines,
        "",
        "| what | needs |",
        "| --- | --- |",
        f"| partitions of each topic | {partitions} |",
        f"| messages | {messages:,.0f}/s, {day / 1e6:,.0f} million a day |",
        f"| brokers | {COPIES}, each {messages * MESSAGE_BYTES / 1e6:.1f} MB/s and "
        f"{day * MESSAGE_BYTES / 1e9:,.0f} GB a day (every message on {COPIES}) |",
        f"| MongoDB | one replica set of {COPIES} for each service |",
        f"| backlog of {BACKLOG / 1e6:.0f} million facts | {recorded:.1f} h into the ledger, "
        f"{reported:.1f} h until the reports have it, by one process of reporting |",
    ]
