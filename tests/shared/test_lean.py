"""A service at rest holds in memory only what it has a use for."""

import subprocess
import sys

import pytest

_LOADED = """
import sys
from datetime import date
from importlib import import_module
from shared import cli, service, workdays
import_module("services.{}.app").build()
workdays.is_workday(date(2026, 11, 24), "BW")
print(*sys.modules)
"""
HEAVY = {"cryptography", "highspy", "holidays.countries.france", "jwt", "numpy", "typst"}
"""Some megabytes each: loaded when a token is shown, a match is made, a file is written, or never."""


@pytest.mark.parametrize("name", ["intake", "matching", "notifications", "reporting"])
def test_what_is_not_needed_yet_is_not_loaded(name: str) -> None:
    command = [sys.executable, "-c", _LOADED.format(name)]
    loaded = subprocess.run(
        command, env={"MIGLOBE_SECRET": "x" * 40}, capture_output=True, text=True, check=True, timeout=120
    )
    assert HEAVY.isdisjoint(loaded.stdout.split())
