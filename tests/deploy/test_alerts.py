"""The alert rules say what they shall, and each has its runbook."""

import os
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from deploy.local.tools import ROOT

FOLDER = ROOT / "deploy" / "prometheus"


def rules() -> list[dict[str, Any]]:
    found = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in found["groups"] for rule in group["rules"]]


def command(name: str) -> str:
    """`name` of Debian's prometheus. `make` installs it where it may; absent although we are root is an error."""
    found = shutil.which(name)
    if found is None and os.geteuid() != 0:
        pytest.skip(f"{name} is not installed and we are not root: sudo apt-get install prometheus")
    assert found, f"{name} is not installed: apt-get install prometheus"
    return found


def test_each_alert_is_set_off_by_what_it_is_for_and_by_nothing_else() -> None:
    for arguments in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]):
        ran = subprocess.run(
            [command("promtool"), *arguments], cwd=FOLDER, capture_output=True, text=True, timeout=60, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_each_alert_is_tested_and_has_a_runbook() -> None:
    cases = yaml.safe_load((FOLDER / "alerts_test.yml").read_text(encoding="utf-8"))["tests"]
    tested = {check["alertname"] for case in cases for check in case["alert_rule_test"] if check["exp_alerts"]}
    assert tested == {rule["alert"] for rule in rules()}
    sections = re.findall(r"^## (\w+)$", (ROOT / "deploy" / "runbooks.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(sections) == tested
    for rule in rules():
        assert rule["annotations"]["runbook_url"] == f"deploy/runbooks.md#{rule['alert'].lower()}"
