"""The four services as processes, on the run's Kafka, MongoDB and mail sink under a prefix of their own."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.journey import Journey
from deploy.local.stack import Stack
from tests.e2e.spans import Collector, collecting

Command = Callable[..., str]


@pytest.fixture(scope="session")
def spans() -> Iterator[Collector]:
    """What the services tell of their work."""
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="session")
def services(stack: Stack, spans: Collector) -> Iterator[Stack]:
    """All four, with the sample advisors imported."""
    servers = {
        "MIGLOBE_KAFKA": stack.kafka,
        "MIGLOBE_MONGO": stack.mongo,
        "MIGLOBE_SMTP": stack.smtp,
        "MIGLOBE_PREFIX": "e2e-",
        "MIGLOBE_OTLP": spans.url,
        "OTEL_BSP_SCHEDULE_DELAY": "300",
        "MIGLOBE_PARTITIONS": "2",
        "MIGLOBE_LIMIT_ADDRESS_MINUTE": "0",
        "MIGLOBE_LIMIT_EMAIL_DAY": "0",
    }
    with tempfile.TemporaryDirectory(prefix="miglobe-e2e-") as home, Stack(Path(home), env=servers) as running:
        running.urls["mail"] = stack.urls["mail"]
        _miglobe(running, "advisors", "import")
        yield running


def _miglobe(stack: Stack, *arguments: str) -> str:
    command = [str(Path(sys.executable).with_name("miglobe")), *arguments]
    done = subprocess.run(command, env=stack.env(), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.fixture(scope="session")
def miglobe(services: Stack) -> Command:
    """Runs the operator's command line against the services' servers; its standard output."""
    return lambda *arguments: _miglobe(services, *arguments)


@pytest.fixture
def journey(services: Stack) -> Journey:
    return Journey(services.urls, services.env()["MIGLOBE_SECRET"], seconds=150)
