"""Claims from hand to hand, through the doors of the running service."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from services.reporting.cli import rebuild
from services.reporting.settings import Settings
from shared.auth import Role
from shared.events import ClaimDecided
from shared.mongo import Mongo
from tests.reporting.journeys import Journey, changed, whole
from tests.reporting.live import as_, ask, post, running, tell
from tests.shared.kafka import everything
from tests.waiting import until


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with running(settings) as found:
        yield found


async def told(client: httpx.AsyncClient, settings: Settings, journey: Journey, count: int) -> list[dict[str, Any]]:
    """The claims of `journey` once all `count` are there."""
    await tell(settings, journey.facts)
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        found[:] = (await ask(client, "/api/claims", request=journey.request_id))["items"]
        return len(found) == count

    await until(there, seconds=60)
    return found


async def _paid(client: httpx.AsyncClient, settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """A claim on its whole way, and how it stands then."""
    claim = (await told(client, settings, whole(), 4))[0]
    path = f"/api/claims/{claim['claim_id']}/decisions"
    await post(
        client, f"/api/payees/{claim['advisor_id']}", {"valid_from": "2026-01-01", "tax": "standard"}, status=201
    )
    seen = await post(client, path, {"status": "checked", "note": "Telefonisch geklärt."})
    assert seen["claim"]["status"] == "checked", "whoever has decided sees it at once"
    assert seen["claim"]["vat_percent"] == 19
    await post(client, path, {"status": "checked"})  # twice is once
    assert (
        "Somebody else"
        in (await client.post(path, json={"status": "approved"}, headers=_english("coordinator", "anna"))).json()[
            "detail"
        ]
    )
    await post(client, path, {"status": "paid"}, role="skew", status=409)
    await post(client, path, {"status": "approved"}, role="skew", who="sarah")
    await post(client, path, {"status": "submitted"}, role="skew", who="sarah", status=403)
    await post(client, path, {"status": "submitted"})
    await post(client, path, {"status": "paid"}, status=403)
    seen = await post(client, path, {"status": "paid"}, role="skew", who="sarah")
    assert [(one["status"], one["by"], one["note"]) for one in seen["history"]] == [
        ("checked", "anna", "Telefonisch geklärt."),
        ("approved", "sarah", ""),
        ("submitted", "anna", ""),
        ("paid", "sarah", ""),
    ]
    assert seen["next_steps"] == []
    lines = f"{settings.prefix}reporting.entry"

    async def statuses() -> bool:
        found = [json.loads(body or b"") for _, body, _ in await everything(settings.kafka, lines)]
        mine = [line["status"] for line in found if line["claim_id"] == claim["claim_id"]]
        return mine == ["draft", "checked", "approved", "submitted", "paid"]

    await until(statuses)
    facts = [body for _, body, _ in await everything(settings.kafka, f"{settings.prefix}{ClaimDecided.topic}")]
    assert "anna" not in str(facts), "who it was stands in no fact"
    assert "Telefonisch" not in str(facts)
    return claim, seen


async def test_a_claim_is_checked_approved_by_another_submitted_and_paid_and_skew_is_told_each_step(
    settings: Settings, mongo: Mongo
) -> None:
    async with running(settings) as client:
        claim, seen = await _paid(client, settings)
    models = ("cases", "measures", "claims", "findings", "cells")
    for name in ("facts", "counters", "entries", "claim_guards", *models):
        await mongo[name].drop()
    result = await asyncio.to_thread(CliRunner().invoke, rebuild, ["reporting", "--from-kafka"])
    assert result.exit_code == 0, result.output
    again = await mongo["claims"].find_one({"_id": claim["claim_id"]})
    assert again is not None
    assert (again["status"], again["vat_percent"], again["gross_cents"]) == ("paid", 19, seen["claim"]["gross_cents"])


async def test_many_claims_are_decided_at_once_and_each_that_may_not_says_why(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    waiting = Journey()
    waiting.created()
    waiting.session(members=[("A03", 45, 3)])
    ids = [claim["claim_id"] for claim in await told(client, settings, whole(), 4)]
    (held,) = await told(client, settings, waiting, 1)
    done = await post(client, "/api/claims/decisions", {"status": "checked", "claims": [*ids, held["claim_id"], "c.x"]})
    assert done["done"] == 4
    refused = {item["claim_id"]: item["refused"] for item in done["items"] if item["refused"]}
    assert refused == {
        held["claim_id"]: "Der Anspruch wartet noch auf advisor.assigned.",
        "c.x": "Diesen Anspruch gibt es nicht.",
    }
    assert len((await ask(client, "/api/claims", status="checked"))["items"]) == 4
    assert len((await ask(client, "/api/claims", role="advisor", who="A01"))["items"]) == 2
    await post(client, "/api/claims/decisions", {"status": "rejected", "claims": ids[:1]}, status=200)
    assert (await ask(client, f"/api/claims/{ids[0]}"))["claim"]["status"] == "checked", (
        "without a reason nothing happens"
    )


async def test_two_who_decide_at_the_same_time_do_not_both(client: httpx.AsyncClient, settings: Settings) -> None:
    claim = (await told(client, settings, whole(), 4))[0]["claim_id"]
    path = f"/api/claims/{claim}/decisions"
    await post(client, path, {"status": "checked"})
    answers = await asyncio.gather(
        *(
            client.post(path, json=body, headers=_english("coordinator", who))
            for who, body in (("bernd", {"status": "approved"}), ("carla", {"status": "draft", "reason": "mistake"}))
        )
    )
    history = (await ask(client, f"/api/claims/{claim}"))["history"]
    assert sorted(answer.status_code for answer in answers) in ([200, 200], [200, 409])
    assert len(history) == 1 + sum(answer.status_code == 200 for answer in answers)
    assert [one["status"] for one in history] in (["checked", "approved", "draft"], ["checked", "draft"])


async def test_after_a_late_correction_only_the_counter_entry_and_the_new_claim_go_on(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    journey = Journey()
    journey.created()
    journey.assigned("A01", kept=True)
    first = journey.session(members=[("A01", 90, 0)])
    claim = (await told(client, settings, journey, 1))[0]["claim_id"]
    for status, who in (("checked", "anna"), ("approved", "bernd"), ("submitted", "anna")):
        await post(client, f"/api/claims/{claim}/decisions", {"status": status}, who=who)
    members = [{"advisor_id": "A01", "minutes": 60, "travel_km": 0}]
    journey.facts = [changed(first, members=members, completed_at="2026-12-01T10:00:00Z")]
    rows = await told(client, settings, journey, 3)
    by_kind = {(row["kind"], row["status"]): row for row in rows}
    assert set(by_kind) == {("claim", "submitted"), ("counter", "draft"), ("claim", "draft")}
    counter = by_kind["counter", "draft"]
    assert counter["corrects"] == claim
    await post(client, f"/api/claims/{counter['claim_id']}/decisions", {"status": "checked"})
    await post(client, f"/api/claims/{claim}/decisions", {"status": "paid"}, role="skew")
    assert sum(row["total_cents"] for row in rows) == 7500


def _english(role: Role, who: str) -> dict[str, str]:
    return as_(role, who) | {"Accept-Language": "en"}
