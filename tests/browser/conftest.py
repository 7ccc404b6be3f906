"""The four services behind one address, as processes, and one Chromium for the whole run."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright, expect

from deploy.local.stack import Stack
from tests.browser.window import ARGUMENTS, CHROMIUM
from tests.browser.world import World


@pytest.fixture(scope="session")
def world(stack: Stack) -> Iterator[World]:
    """On the run's Kafka, MongoDB and mail sink under a prefix of their own, with the sample advisors."""
    servers = {
        "MIGLOBE_KAFKA": stack.kafka,
        "MIGLOBE_MONGO": stack.mongo,
        "MIGLOBE_SMTP": stack.smtp,
        "MIGLOBE_PREFIX": "browser-",
        "MIGLOBE_PARTITIONS": "2",
        "MIGLOBE_LIMIT_ADDRESS_MINUTE": "0",
        "MIGLOBE_LIMIT_EMAIL_DAY": "0",
    }
    with (
        tempfile.TemporaryDirectory(prefix="miglobe-browser-") as home,
        Stack(Path(home), site=True, env=servers) as running,
    ):
        running.urls["mail"] = stack.urls["mail"]
        command = [str(Path(sys.executable).with_name("miglobe")), "advisors", "import"]
        subprocess.run(command, env=running.env(), check=True, capture_output=True, timeout=120)
        yield World(running)


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    if not shutil.which(CHROMIUM):
        pytest.skip(f"{CHROMIUM} is missing: `make test` installs it")
    expect.set_options(timeout=30_000)  # milliseconds; a busy machine shows later, not otherwise
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()
