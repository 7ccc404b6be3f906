"""The HTTP door, on the real database."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from services.notifications import domain, handlers
from services.notifications.app import build
from services.notifications.settings import Settings
from services.notifications.store import Store
from shared.auth import token
from shared.commit import Committer, committing
from shared.events.base import moment
from shared.service import Service
from tests.notifications import facts
from tests.notifications.facts import LONG, REQUEST, cause


@dataclass
class Door:
    """The service's routes and its store, without its consumer and sender."""

    http: httpx.AsyncClient
    store: Store
    settings: Settings

    def as_(self, role: Any, **more: str) -> dict[str, str]:
        secret = self.settings.secret.get_secret_value()
        return {"Authorization": f"Bearer {token(secret, role, 'test-account')}", **more}

    async def items(self, query: str = "") -> list[dict[str, Any]]:
        answer = await self.http.get(f"/api/messages{query}", headers=self.as_("coordinator"))
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])


@pytest.fixture
async def door(settings_for: Callable[..., Settings]) -> AsyncIterator[Door]:
    settings = settings_for(Settings)
    app = build(settings)
    service: Service = app.state.service
    async with (
        committing(Committer(service.mongo, "notifications")) as commits,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://notifications") as http,
    ):
        service.commits.commit = commits.commit  # type: ignore[method-assign]
        store = Store(service.mongo, commits)
        await store.prepare()
        yield Door(http, store, settings)
        await service.mongo.client.drop_database(service.mongo.db.name)
        await service.mongo.close()
        await service.publisher.close()


def now() -> datetime:
    return moment(datetime.now(UTC))


async def journey(door: Door, *, dossier: bool = True) -> None:
    if dossier:
        told = facts.request_dossier()
        await handlers.keep_request(door.store, told, cause(told), now())
    for fact in (facts.created(), facts.assigned("A01", "A02")):
        await handlers.note(door.store, fact, cause(fact), now(), LONG * 1000)


async def failed(door: Door) -> str:
    """The receipt, refused by the mail server; its id."""
    [receipt] = [message for message in await door.store.messages(REQUEST) if message.template == "receipt"]
    done, event = domain.failed(receipt, "erika@musterstadt.example", "recipient_refused", "550 no", now())
    await door.store.save(messages=[done], events=(event,))
    return receipt.id


async def test_messages_tell_what_waits_for_what(door: Door) -> None:
    await journey(door)
    found = {(item["template"], item["advisor_id"]): item for item in await door.items()}
    assert found["receipt", None]["state"] == "queued"
    assert found["assignment", "A01"]["state"] == "waiting"
    assert found["assignment", "A01"]["waiting_for"] == ["advisor:A01"]
    assert found["assignment", "A01"]["cause_id"] == facts.event_id(facts.assigned("A01", "A02"))


async def test_messages_are_filtered_and_paged(door: Door) -> None:
    await journey(door)
    assert len(await door.items(f"?request_id={REQUEST}&state=waiting&template=assignment")) == 2
    assert len(await door.items("?advisor_id=A02")) == 1
    assert await door.items(f"?request_id={facts.event_id('other')}") == []
    first = (await door.http.get("/api/messages?limit=2", headers=door.as_("ops"))).json()
    rest = await door.items(f"?after={first['next']}")
    assert len(first["items"]) == 2
    assert len(rest) == 1
    last = (await door.http.get("/api/messages?limit=3", headers=door.as_("ops"))).json()
    assert last["next"] is None


async def test_a_failed_message_says_why_and_can_be_sent_again_once_per_key(door: Door) -> None:
    await journey(door)
    message_id = await failed(door)
    url = f"/api/messages/{message_id}"
    shown = (await door.http.get(url, headers=door.as_("ops"))).json()
    assert (shown["state"], shown["reason"], shown["address"], shown["last_error"]) == (
        "failed",
        "recipient_refused",
        "erika@musterstadt.example",
        "550 no",
    )
    headers = door.as_("coordinator", **{"Idempotency-Key": "again-1"})
    answers = [await door.http.post(f"{url}/resend", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json() == {"id": message_id, "state": "queued", "resends": 1}
    shown = (await door.http.get(url, headers=door.as_("ops"))).json()
    assert [resend["by"] for resend in shown["resends"]] == ["test-account"]
    refused = await door.http.post(f"{url}/resend", headers=door.as_("coordinator"))
    assert refused.status_code == 409


async def test_who_may_do_what(door: Door) -> None:
    await journey(door)
    message_id = await failed(door)
    for path in ("/api/messages", f"/api/messages/{message_id}", "/api/templates", "/api/templates/receipt/preview"):
        assert (await door.http.get(path)).status_code == 401
        assert (await door.http.get(path, headers=door.as_("advisor"))).status_code == 403
        assert (await door.http.get(path, headers=door.as_("skew"))).status_code == 403
        assert (await door.http.get(path, headers=door.as_("ops"))).status_code == 200
    assert (await door.http.post(f"/api/messages/{message_id}/resend", headers=door.as_("ops"))).status_code == 403


async def test_unknown_and_unreadable_ids(door: Door) -> None:
    headers = door.as_("coordinator", **{"Accept-Language": "en"})
    unknown = await door.http.get(f"/api/messages/{facts.event_id('x')}", headers=headers)
    assert (unknown.status_code, unknown.json()["detail"]) == (404, "There is no such message.")
    assert (await door.http.get("/api/messages/x%00y", headers=headers)).status_code == 422
    assert (await door.http.get("/api/messages?limit=201", headers=headers)).status_code == 422
    assert (await door.http.get("/api/messages?state=lost", headers=headers)).status_code == 422
    assert (await door.http.get("/api/templates/nothing/preview", headers=headers)).status_code == 404
    assert (await door.http.get("/api/templates/receipt/preview?to=advisor", headers=headers)).status_code == 404


async def test_every_template_is_listed_and_can_be_looked_at(door: Door) -> None:
    headers = door.as_("coordinator")
    listed = (await door.http.get("/api/templates", headers=headers)).json()["items"]
    assert {item["name"] for item in listed} >= {"receipt", "assignment", "introduction", "session_invite", "thanks"}
    for item in listed:
        for lang in item["languages"]:
            for form, kind in (("text", "text/plain"), ("html", "text/html")):
                url = f"/api/templates/{item['name']}/preview?lang={lang}&format={form}&to={item['audiences'][-1]}"
                shown = await door.http.get(url, headers=headers)
                assert shown.status_code == 200
                assert shown.headers["content-type"].startswith(kind)
                assert shown.headers["content-security-policy"].startswith("default-src 'none'")
                assert "DEMO-0001" in shown.text or item["name"] in ("draft_saved", "barrier", "proof_due")
