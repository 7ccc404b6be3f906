"""The main job, end to end: four processes, real Kafka and MongoDB, mails, the command line."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from deploy.local.demo import EXPECTED, figures
from deploy.local.journey import REQUEST, Journey
from deploy.local.stack import Stack
from services.reporting.indicators import INDICATORS
from shared.events import BY_TOPIC
from shared.publisher import Message
from tests.shared.kafka import everything, send

Command = Callable[..., str]

SPAN = {"from": "2026-01-01", "to": "2045-01-01"}
MAILS = {
    "receipt": 1,
    "assignment": 2,
    "introduction": 1,
    "engagement_started": 2,
    "session_invite": 6,
    "thanks": 1,
}
"""Template → mails of one journey: a municipality, two advisors, two sessions."""


def messages(journey: Journey) -> list[dict[str, Any]]:
    params = {"request_id": journey.request_id, "limit": "200"}
    found: list[dict[str, Any]] = journey.get("notifications", "/api/messages", params=params)["items"]
    return found


def claims(journey: Journey) -> list[dict[str, Any]]:
    params = {"from": SPAN["from"], "to": SPAN["to"], "request": journey.request_id}
    found: list[dict[str, Any]] = journey.get("reporting", "/api/reports/honoraria", params=params)["items"]
    return found


def gained(journey: Journey, before: dict[str, int]) -> dict[str, int] | None:
    now = figures(journey)
    difference = {name: now[name] - before[name] for name in EXPECTED}
    return difference if difference == EXPECTED else None


def all_sent(journey: Journey) -> bool:
    """Every message of the journey was handed to the mail server, none waits."""
    found = messages(journey)
    return len(found) == sum(MAILS.values()) and {message["state"] for message in found} == {"sent"}


def holds(journey: Journey, before: dict[str, int]) -> None:
    """What must be true after a journey, whatever happened on the way."""
    assert journey.until("exactly the journey's figures", lambda: gained(journey, before)) == EXPECTED
    journey.until("all mails", lambda: all_sent(journey))
    assert Counter(message["template"] for message in messages(journey)) == MAILS
    assert len({mail["message-id"] for mail in journey.mails()}) == sum(MAILS.values())
    owed = claims(journey)
    assert len(owed) == 4
    for claim in owed:
        if claim["session_kind"] == "first_talk":
            assert (claim["fee_cents"], claim["travel_cents"], claim["total_cents"]) == (7_500, 0, 7_500)
        else:
            assert (claim["fee_cents"], claim["travel_cents"], claim["total_cents"]) == (18_750, 2_520, 21_270)
    rounds = journey.get("matching", "/api/assignments", params={"request": journey.request_id})["items"]
    assert len(rounds) == 1
    assert len({member["advisor_id"] for member in rounds[0]["members"]}) == 2
    assert journey.status()["state"] == "closed"


def test_one_engagement_goes_from_request_to_report(journey: Journey) -> None:
    before = figures(journey)
    journey.play()
    holds(journey, before)
    to = Counter(str(mail["to"]) for mail in journey.mails())
    assert len(to) == 3


def test_every_figure_opens_into_its_facts(journey: Journey) -> None:
    before = figures(journey)
    journey.play()
    holds(journey, before)
    summary = journey.get("reporting", "/api/reports/summary", role="skew", params=SPAN)
    for figure in summary["figures"]:
        lineage = journey.get("reporting", figure["facts"], role="skew", params={"limit": "200"})
        total = sum(item["value"] for item in lineage["items"])
        assert len(lineage["items"]) == figure["n"]
        kind = INDICATORS[figure["indicator"]].kind
        if kind == "sum":
            assert total == figure["value"], figure["id"]
        if kind == "heads":
            assert len({item["advisor_id"] for item in lineage["items"]}) == figure["value"], figure["id"]
        assert all(item["facts"] for item in lineage["items"])


@pytest.mark.timeout(900)
def test_each_service_killed_once_and_the_journey_ends_the_same(journey: Journey, services: Stack) -> None:
    """kill -9 right after a step, while its events are on their way; then started again."""
    before = figures(journey)
    victims = {
        "submit": "intake",
        "await_assignment": "notifications",
        "accept": "matching",
        "consultation": "reporting",
        "close": "matching",
    }

    def strike(step: str) -> None:
        if victim := victims.get(step):
            services.kill(victim)
            services.start_one(victim)

    journey.play(between=strike)
    holds(journey, before)


def test_the_same_post_ten_times_at_once_makes_one_request(services: Stack, journey: Journey) -> None:
    body = REQUEST | {"wanted_from": "2026-12-01"}
    url = f"{services.urls['intake']}/api/requests"

    def post(_: int) -> httpx.Response:
        return httpx.post(url, json=body, headers={"Idempotency-Key": "ten-at-once"}, timeout=30)

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(post, range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    other = httpx.post(url, json=body | {"mode": "online"}, headers={"Idempotency-Key": "ten-at-once"})
    assert other.status_code == 422
    journey.request_id = answers[0].json()["request_id"]
    journey.await_assignment()
    facts = journey.until("its facts", lambda: _facts(journey, "request.created"))
    assert len(facts) == 1
    journey.until("it to be free again", lambda: _withdraw(services, answers[0].json()))


def _withdraw(services: Stack, answer: dict[str, str]) -> bool:
    path = f"/api/requests/{answer['request_id']}/withdraw"
    given = httpx.post(services.urls["intake"] + path, json={}, params={"token": answer["status_token"]})
    return given.status_code == 200


def _facts(journey: Journey, topic: str | None = None) -> list[dict[str, Any]]:
    """All facts of the journey's request, from the feed."""
    found, after = [], ""
    while True:
        params = {"limit": "200"} | ({"after": after} if after else {}) | ({"topic": topic} if topic else {})
        page = journey.get("reporting", "/api/facts", role="skew", params=params)
        found += [item for item in page["items"] if item["data"].get("request_id") == journey.request_id]
        if not page["items"] or page["next"] is None:
            return found
        after = page["next"]


async def test_each_event_delivered_three_times_changes_nothing(services: Stack, journey: Journey) -> None:
    before = figures(journey)
    journey.play()
    holds(journey, before)
    prefix, key = "e2e-", journey.request_id.encode()
    again: list[Message] = []
    for topic in BY_TOPIC:
        for message_key, value, headers in await everything(services.kafka, prefix + topic):
            if message_key == key:
                again.append(Message(prefix + topic, key, value, list(headers.items())))
    assert len(again) > 20
    ids = Counter(message["state"] for message in messages(journey))
    facts = len(_facts(journey))
    await send(services.kafka, again + again)
    marker = Journey(services.urls, journey.secret, seconds=150)
    marker.submit()
    marker.await_assignment()
    marker.await_mails()
    journey.until("the marker's fact", lambda: _facts(marker, "advisor.assigned"))
    assert Counter(message["state"] for message in messages(journey)) == ids
    assert len(_facts(journey)) == facts
    assert len(claims(journey)) == 4
    holds_again = figures(journey)
    assert {name: holds_again[name] - before[name] for name in EXPECTED if name != "requests"} == {
        name: value for name, value in EXPECTED.items() if name != "requests"
    }
    marker.get("matching", f"/api/requests/{marker.request_id}")
    _withdraw(services, {"request_id": marker.request_id, "status_token": marker.status_token})


def lines(services: Stack, journey: Journey) -> list[dict[str, Any]]:
    """What stands on SKEW's topic for the journey."""
    found = asyncio.run(everything(services.kafka, "e2e-reporting.entry"))
    return [json.loads(value) for key, value, _ in found if key == journey.request_id.encode() and value]


def test_rebuilding_the_report_gives_the_same(services: Stack, journey: Journey, miglobe: Command) -> None:
    """Equal figures and claims, and nothing is told to SKEW a second time."""
    before = figures(journey)
    journey.play()
    holds(journey, before)
    standing = (figures(journey), claims(journey), lines(services, journey))
    for arguments in (["rebuild", "reporting"], ["rebuild", "reporting", "--from-kafka"]):
        miglobe(*arguments)
        assert journey.until("the same figures", lambda: figures(journey) == standing[0])
        assert (claims(journey), lines(services, journey)) == standing[1:]


def test_skews_topic_has_one_line_per_claim_and_no_name(services: Stack, journey: Journey) -> None:
    before = figures(journey)
    journey.play()
    holds(journey, before)
    told = journey.until("the lines", lambda: lines(services, journey))
    assert len(told) == len({line["entry_id"] for line in told}) == 4
    assert sum(line["total_cents"] for line in told) == EXPECTED["honoraria"]
    assert "beispiel" not in json.dumps(told).lower().replace("beispiel_20", "")
