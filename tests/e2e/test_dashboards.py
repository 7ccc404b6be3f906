"""Each panel of each dashboard shows something: its queries, asked of a real Prometheus scraping the four services."""

import json
import math
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from deploy.local import ports
from deploy.local.journey import Journey
from deploy.local.stack import SERVICES, Stack
from deploy.local.tools import ROOT
from tests.deploy.test_alerts import command, rules
from tests.waiting import until

QUERIES = [
    pytest.param(target["expr"], id=f"{file.stem}: {panel['title']} {target['refId']}")
    for file in sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
    for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]
    for target in panel["targets"]
]
QUIET = {"MailsRefused", "HttpErrors"}
"""Alerts by rates of what must not happen in a good run: their series need not be there."""


@pytest.fixture(scope="session")
def prometheus(services: Stack) -> Iterator[httpx.Client]:
    """Scrapes them each second by the configuration that is shipped, with their addresses."""
    config = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    assert [job["job_name"] for job in config["scrape_configs"]] == list(SERVICES)
    for job in config["scrape_configs"]:
        job["static_configs"] = [{"targets": [services.urls[job["job_name"]].removeprefix("http://")]}]
    config["global"] = {"scrape_interval": "1s"}
    config["rule_files"] = [str(ROOT / "deploy" / "prometheus" / "alerts.yml")]
    with tempfile.TemporaryDirectory(prefix="miglobe-prometheus-") as home:
        file = Path(home) / "prometheus.yml"
        file.write_text(yaml.safe_dump(config), encoding="utf-8")
        port = ports.free(["prometheus"], {})["prometheus"]
        address = f"127.0.0.1:{port}"
        process = subprocess.Popen(
            [
                command("prometheus"),
                f"--config.file={file}",
                f"--storage.tsdb.path={home}/data",
                f"--web.listen-address={address}",
                "--log.level=error",
            ]
        )
        try:
            with httpx.Client(base_url=f"http://{address}", trust_env=False, timeout=30) as client:
                yield client
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="session")
def played(services: Stack, prometheus: httpx.Client) -> httpx.Client:
    """After an engagement, and the beginning of another: rates are of what has grown since it was first seen."""
    first, second = (Journey(services.urls, services.env()["MIGLOBE_SECRET"], seconds=150) for _ in range(2))
    first.play()
    first.until("it was scraped", lambda: ask(prometheus, "miglobe_mail_seconds_count > 5") or None)
    second.submit()
    second.await_assignment()
    return prometheus


def ask(client: httpx.Client, query: str) -> list[float]:
    """The values that `query` gives now, without those that are no number."""
    try:
        answer = client.get("/api/v1/query", params={"query": query})
    except httpx.TransportError:
        return []
    found = answer.json()
    assert found["status"] == "success", found
    values = [float(item["value"][1]) for item in found["data"]["result"]]
    return [value for value in values if not math.isnan(value)]


@pytest.mark.parametrize("query", QUERIES)
async def test_each_query_of_a_dashboard_returns_data(played: httpx.Client, query: str) -> None:
    await until(lambda: ask(played, query), seconds=75, what=query)


@pytest.mark.parametrize(
    "rule", [rule for rule in rules() if rule["alert"] not in QUIET], ids=lambda rule: rule["alert"]
)
async def test_each_alert_looks_at_something_that_is_there(played: httpx.Client, rule: dict[str, str]) -> None:
    """An alert on a name that nobody tells is never set off: without its bound the expression gives data."""
    value = rule["expr"].rpartition(" > " if " > " in rule["expr"] else " == ")[0]
    await until(lambda: ask(played, value), seconds=75, what=value)
