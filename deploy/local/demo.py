"""`make demo`: the stack, sample advisors, one engagement from request to SKEW's report, each event as it passes."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer

from deploy.local import people
from deploy.local.errors import StackError
from deploy.local.journey import Journey, Stuck
from deploy.local.signals import interrupt_on_signals
from deploy.local.stack import SERVICES, Stack
from deploy.local.tools import ROOT
from shared.auth import ROLES, token
from shared.events import BY_TOPIC

OUT = ROOT / "out"
EXPECTED = {
    "requests": 1,
    "accepted": 1,
    "first_talks": 1,
    "consultations": 1,
    "sessions": 2,
    "minutes": 210,
    "participants": 15,
    "options": 2,
    "completed": 1,
    "honoraria": 57_540,
}
"""What one journey adds to the report: 2 advisors × (60 + 150) min at 75.00 €/h, 2 × 84 km at 0.30 €."""


def main() -> None:
    """Exit code 0 only if all of it happened. `ONESHOT=1` ends after the journey."""
    oneshot = os.environ.get("ONESHOT", "") not in ("", "0")
    home = ROOT / ".local" / ("oneshot" if oneshot else "")
    if oneshot:
        shutil.rmtree(home, ignore_errors=True)
    print("MiGlobe: eine Beratung von der Anfrage bis zum Bericht. | One engagement from request to report.\n")
    interrupt_on_signals()
    offset = int(os.environ.get("PORT_OFFSET") or 0)
    try:
        # always with our own inbox: the journey reads it, and nobody else's server shall get mails to nobody; and with
        # our own provider, beside which the journey's tokens count
        own = {"MIGLOBE_SMTP": "", "MIGLOBE_OIDC_ISSUER": "", "MIGLOBE_LOCAL_TOKENS": ""}
        with Stack(home, site=True, free_ports=oneshot, port_offset=offset, env=own, report=_say) as stack:
            _play(stack)
            if not oneshot:
                _addresses(stack)
                stack.watch()
    except (StackError, Stuck) as error:
        sys.exit(f"\nThe demo did not come to its end: {error}")
    except KeyboardInterrupt:
        print("\nstopped")


def _say(line: str) -> None:
    print(line, flush=True)


def _play(stack: Stack) -> None:
    secret = stack.env()["MIGLOBE_SECRET"]
    _command(stack, "advisors", "import")
    journey = Journey(stack.urls, secret, say=lambda line: _say(f"\n▶ {line}"))
    before = figures(journey)
    with Onlooker(stack.kafka, stack.env().get("MIGLOBE_PREFIX", "")):
        journey.play()
        _say("\n▶ Der Bericht für SKEW wird abgewartet")
        gained = journey.until("the journey's figures in the report", lambda: _settled(before, figures(journey)))
        journey.until("the thanks to the municipality", lambda: len(journey.mails()) >= 7)
    for name, value in gained.items():
        _say(f"    {name:<14} +{value}")
    today = datetime.now(UTC).date()
    shutil.rmtree(OUT / "report", ignore_errors=True)
    span = ("--from", f"{today.year}-01-01", "--to", (today + timedelta(days=1)).isoformat())
    _command(stack, "report", "export", *span, str(OUT / "report"))
    files = sorted(path for path in (OUT / "report").iterdir() if path.stat().st_size)
    if not {"report.pdf", "report.xlsx", "report.zip"} <= {path.name for path in files}:
        raise Stuck(f"the report's files are missing in {OUT / 'report'}")
    _say("\n▶ Geschrieben: " + ", ".join(str(path.relative_to(ROOT)) for path in files))
    _say(f"▶ {len(journey.mails())} E-Mails, Vorgang {journey.case_number}: alles angekommen.")


def figures(journey: Journey) -> dict[str, int]:
    """The report's totals of this year, as far as the journey adds to them."""
    now = datetime.now(UTC).date()
    span = {"from": f"{now.year}-01-01", "to": (now + timedelta(days=1)).isoformat()}
    summary: dict[str, Any] = journey.get("reporting", "/api/reports/summary", role="skew", params=span)
    return {item["indicator"]: item["value"] for item in summary["figures"] if item["indicator"] in EXPECTED}


def _settled(before: dict[str, int], now: dict[str, int]) -> dict[str, int] | None:
    gained = {name: now[name] - before[name] for name in EXPECTED}
    return gained if gained == EXPECTED else None


def _command(stack: Stack, *arguments: str) -> None:
    miglobe = str(Path(sys.executable).with_name("miglobe"))
    done = subprocess.run([miglobe, *arguments], env=stack.env(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Stuck(f"miglobe {' '.join(arguments)}: {(done.stderr or done.stdout).strip()[-400:]}")
    _say(f"\n▶ miglobe {' '.join(arguments[:2])}: {(done.stdout.strip().splitlines() or ['done'])[-1]}")


def _addresses(stack: Stack) -> None:
    secret = stack.env()["MIGLOBE_SECRET"]
    _say("\nEs läuft weiter, Strg-C beendet alles. | It keeps serving, Ctrl-C stops all.\n")
    for name, url in stack.urls.items():
        _say(f"  {name:<14} {url}{'/docs   ' + url + '/asyncapi' if name in SERVICES else ''}")
    _say(f"\nAnmelden auf den Seiten, ohne Kennwort | Log in to the pages, without a password: {people.told()}")
    _say("\nTokens für die API (Authorization: Bearer …), 12 Stunden gültig:\n")
    for role in ROLES:
        subject = "A01" if role == "advisor" else "demo"
        _say(f"  {role:<12} {token(secret, role, subject)}")


class Onlooker:
    """Prints every event that passes on Kafka meanwhile, read as any foreign consumer would."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._started = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._watch()), daemon=True)

    def __enter__(self) -> None:
        self._thread.start()
        self._started.wait(30)

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    async def _watch(self) -> None:
        consumer = AIOKafkaConsumer(
            *(self._prefix + topic for topic in BY_TOPIC), bootstrap_servers=self._bootstrap, auto_offset_reset="latest"
        )
        await consumer.start()
        try:
            for place in consumer.assignment():
                await consumer.position(place)
            self._started.set()
            while not self._stop.is_set():
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    for record in records:
                        _say(self._line(record.topic.removeprefix(self._prefix), record.value, record.headers))
        finally:
            self._started.set()
            await consumer.stop()

    @staticmethod
    def _line(topic: str, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> str:
        """One line: when, which event, its telling fields; nothing of a dossier's content."""
        at = dict(headers).get("ce_time", b"").decode()[11:23]
        body = json.loads(value) if value and not topic.endswith(".dossier") else {}
        told = (
            "kind",
            "answer",
            "outcome",
            "template",
            "recipient",
            "advisor_id",
            "minutes",
            "total_cents",
            "case_number",
        )
        rest = "  ".join(f"{name}={body[name]}" for name in told if body.get(name) is not None)
        return f"    {at}  {topic:<22} {rest}"


if __name__ == "__main__":
    main()
