"""POST /api/requests: accepted and durable, by one process of intake with its relay at work."""

import asyncio
import json
import sys
from typing import Any

from shared import outbox
from shared.mongo import Mongo
from tests.bench import samples
from tests.bench.figures import Board
from tests.bench.place import ROOT, Place, Process, cpu_seconds
from tests.waiting import until

SECONDS = 3.0
ROUNDS = 3


async def measure(place: Place, board: Board) -> None:
    place.miglobe("topics", "apply")
    place.bodies.write_text("\n".join(map(json.dumps, samples.bodies(256))), encoding="utf-8")
    rates: dict[str, list[float]] = {}
    costs: dict[str, list[float]] = {}
    waits: list[float] = []
    async with (
        place.service("intake") as intake,
        place.baseline("validation_only") as ceiling,
        place.baseline("transaction_per_request") as textbook,
        place.baseline("publish_after_commit") as losing,
        place.mongo("intake") as mongo,
    ):
        sides: list[tuple[str, Process, list[str]]] = [
            ("ceiling", ceiling, []),
            ("intake", intake, ["--keys"]),
            ("checks", ceiling, ["--path=/same-checks"]),
            ("intake without keys", intake, []),
            ("textbook", textbook, []),
            ("publish after commit", losing, []),
        ]
        for _, process, arguments in sides:  # what is compiled, connected or created at first use
            await _load(process, 0.5, [str(place.bodies), *arguments])
        for number in range(ROUNDS):
            for name, process, arguments in sides:
                await _published(mongo)
                used = cpu_seconds(process.pid)
                told = await _load(process, SECONDS, [str(place.bodies), *arguments])
                rates.setdefault(name, []).append(told["rate"])
                if process is intake:
                    await _published(mongo)  # publishing is part of what a request costs
                costs.setdefault(name, []).append(1000 * (cpu_seconds(process.pid) - used) / told["answered"])
                if name == "intake":
                    waits.append(told["p99_ms"])
                print(f"  … round {number + 1}, {name}: {_say(told)}", flush=True)
    ours, plain = rates["intake"], rates["intake without keys"]
    board.compare("POST accepted and durable ÷ validation-only FastAPI", ours, rates["ceiling"], "1/s", 0.6)
    board.compare("POST accepted and durable ÷ transaction per request", ours, rates["textbook"], "1/s", 4)
    losing_rates = rates["publish after commit"]
    board.compare("… ÷ insert, then publish and wait (a crash loses events)", ours, losing_rates, "1/s", None)
    board.compare("… ÷ intake's own checks, nothing stored", ours, rates["checks"], "1/s", None)
    board.compare("… without Idempotency-Key ÷ validation-only FastAPI", plain, rates["ceiling"], "1/s", None)
    board.compare("… CPU of the process ÷ validation-only FastAPI", costs["intake"], costs["ceiling"], "ms", None)
    board.compare("… CPU of the process ÷ transaction per request", costs["intake"], costs["textbook"], "ms", None)
    board.compare("… CPU with ÷ without Idempotency-Key", costs["intake"], costs["intake without keys"], "ms", None)
    board.limit("POST under this load, p99", sorted(waits)[len(waits) // 2], "ms")


async def _load(process: Process, seconds: float, arguments: list[str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.load", str(process.port), str(seconds), *arguments]
    running = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    output, _ = await running.communicate()
    told: dict[str, Any] = json.loads(output)
    if told["wrong"]:
        raise RuntimeError(f"not all were accepted: {told['wrong']}")
    return told


async def _published(mongo: Mongo) -> None:
    """Waits until the relay rests, so that no side is measured beside it but ours."""

    async def done() -> bool:
        return (await outbox.backlog(mongo, ["requests"]))[0] == 0

    await until(done, seconds=120)


def _say(told: dict[str, Any]) -> str:
    return f"{told['rate']:,.0f}/s, p99 {told['p99_ms']:.0f} ms, client busy {told['busy']:.0%}"
