"""Reporting's pages as each role gets them, from the running service."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html import unescape

import httpx
import pytest
from fastapi import FastAPI

from services.reporting.app import build
from services.reporting.frozen import CLOSINGS
from services.reporting.pages.periods import in_cents
from services.reporting.settings import Settings
from shared.access import Role
from shared.auth import Person
from shared.lease import Lease
from tests.reporting.journeys import whole
from tests.reporting.live import tell
from tests.waiting import until

SITE = "http://127.0.0.1:8004"


class Office:
    """Browsers of people who are signed in."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.login = app.state.login

    @asynccontextmanager
    async def __call__(self, role: Role, account: str) -> AsyncIterator[httpx.AsyncClient]:
        person = Person(account, "Erika Beispiel", (role,), account if role == "advisor" else None)
        session = await self.login.sessions.begin(person, "")
        cookies = {self.login.cookies.name("session"): session}
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=SITE, cookies=cookies) as browser:
            yield browser


def csrf(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found
    return found[1]


@pytest.fixture
async def office(settings: Settings) -> AsyncIterator[Office]:
    """With the facts of one whole journey: four claims of two advisors."""
    app = build(settings)
    async with app.router.lifespan_context(app):
        here = Office(app)
        await tell(settings, whole().facts)
        async with here("coordinator", "anna") as anna:

            async def there() -> bool:
                return (await anna.get("/reporting/claims")).text.count("/reporting/claims/") >= 4

            await until(there, seconds=60)
        yield here


async def test_figures_open_into_their_facts_and_files_come_by_session(office: Office) -> None:
    async with office("skew", "sarah") as sarah:
        page = await sarah.get("/reporting", params={"from": "2026-01-01", "to": "2026-12-31", "show": "honoraria"})
        assert page.status_code == 200
        assert 'aria-labelledby="map-title map-desc"' in page.text
        link = re.search(r'href="(/reporting/figures/sessions~[^"]+)"', page.text)
        assert link
        opened = await sarah.get(unescape(link[1]))
        assert "session.completed" in opened.text
        for kind, begins in (
            ("csv", b"\xef\xbb\xbf"),
            ("pdf", b"%PDF"),
            ("xlsx", b"PK"),
            ("zip", b"PK"),
            ("json", b"{"),
        ):
            file = await sarah.get(f"/reporting/export.{kind}", params={"from": "2026-01-01", "to": "2026-12-31"})
            assert file.status_code == 200, kind
            assert file.content.startswith(begins), kind
        assert (await sarah.get("/reporting/figures/nonsense")).status_code == 404
        assert (await sarah.get("/reporting", params={"show": "nonsense"})).status_code == 404
        assert (await sarah.get("/reporting/findings")).status_code == 200


async def test_claims_go_on_in_bulk_and_by_four_eyes(office: Office) -> None:
    async with office("coordinator", "anna") as anna, office("skew", "sarah") as sarah:
        page = await anna.get("/reporting/claims", params={"status": "draft"})
        ids = re.findall(r'name="claims" value="([^"]+)"', page.text)
        assert len(ids) == 4
        sent = {"csrf": csrf(page), "step": "checked", "claims": ids}
        done = await anna.post("/reporting/claims?status=draft", data=sent)
        assert "4 Ansprüche sind einen Schritt weiter" in done.text
        refused = await anna.post("/reporting/claims?status=checked", data=sent | {"step": "approved"})
        assert "4 Ansprüche bleiben, wie sie sind" in refused.text
        assert "jemand anderes" in refused.text
        own = {"csrf": csrf(await sarah.get(f"/reporting/claims/{ids[0]}"))}
        path = f"/reporting/claims/{ids[0]}"
        wrong = await sarah.post(path, data=own | {"step": "rejected", "note": "Bitte <b>prüfen</b>"})
        assert wrong.status_code == 409
        assert "Bitte &lt;b&gt;prüfen&lt;/b&gt;" in wrong.text, "what was typed is kept, and runs nowhere"
        right = await sarah.post(path, data=own | {"step": "rejected", "reason": "not_held", "note": "Anruf"})
        assert (right.status_code, right.headers["location"]) == (303, path)
        shown = await anna.get(path)
        assert "Termin hat nicht stattgefunden" in shown.text
        assert "Anruf" in shown.text
        assert (await anna.post(path, data={"step": "draft"})).status_code == 403, "without the form's token"


async def test_advisors_see_their_own_and_operations_the_flow(office: Office) -> None:
    async with office("advisor", "A02") as advisor, office("ops", "otto") as otto:
        mine = await advisor.get("/reporting/mine")
        assert mine.text.count('<li class="panel">') == 2
        for path in ("/reporting", "/reporting/claims", "/operations"):
            assert (await advisor.get(path)).status_code == 403, path
        page = await otto.get("/operations")
        assert "session.completed" in page.text


async def test_the_stream_tells_the_middle_of_the_page_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.reporting.pages.operations.EVERY_SECONDS", 0.05)
    monkeypatch.setattr("services.reporting.pages.operations.STREAM_SECONDS", 0.5)
    async with office("ops", "otto") as otto:
        told = await otto.get("/operations/stream")
    assert told.headers["content-type"].startswith("text/event-stream")
    events = [part for part in told.text.split("\n\n") if part.startswith("data: ")]
    assert events
    assert all(line.startswith("data: ") for line in events[0].splitlines())
    assert "session.completed" in events[0]
    assert "<main" not in events[0]


async def test_a_period_is_closed_by_a_click_and_a_budget_is_typed_as_people_type(office: Office) -> None:
    async with office("coordinator", "anna") as anna:
        page = await anna.get("/reporting/periods")
        form = {"csrf": csrf(page)}
        wrong = await anna.post("/reporting/budgets/2026", data=form | {"euros": "viel"})
        assert wrong.status_code == 422
        assert 'value="viel"' in wrong.text
        assert (await anna.post("/reporting/budgets/2026", data=form | {"euros": "12.500,50 €"})).status_code == 303
        assert (await anna.post("/reporting/periods/2026-10/close", data=form)).status_code == 303
        due = re.search(r'action="(/reporting/deadlines/[^"]+)"', page.text)
        assert due
        assert (await anna.post(due[1], data=form)).status_code == 303
        shown = await anna.get("/reporting/periods")
        assert "12.500,50" in shown.text
        assert 'href="/reporting/export.pdf?period=2026-10"' in shown.text
        assert "erledigt" in shown.text
        overview = await anna.get("/reporting", params={"from": "2026-10-01", "to": "2026-10-31"})
        assert "Abgeschlossen am" in overview.text
        assert (await anna.get("/reporting/public/2026")).status_code == 404
        assert (await anna.post("/reporting/periods/2026-99/close", data=form)).status_code == 400


async def test_a_closing_under_way_says_how_far_it_is_instead_of_its_button(office: Office) -> None:
    """Also of a free period, which nobody has to close."""
    mongo = office.app.state.service.mongo
    await until(Lease(mongo, "closing", "tests", 600).take, what="the lease of whoever closes")
    for name in ("2026-10", "2026-10-02_2026-10-09"):
        at = datetime(2026, 11, 20, tzinfo=UTC)
        await mongo[CLOSINGS].insert_one({"_id": name, "by": "anna", "at": at, "done": 1200, "total": 3456})
    async with office("coordinator", "anna") as anna:
        page = await anna.get("/reporting/periods")
    assert page.text.count("Wird abgeschlossen: 1.200 von 3.456 Ansprüchen.") == 2
    assert page.text.count('<progress value="1200" max="3456"') == 2
    assert 'action="/reporting/periods/2026-10/close"' not in page.text


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("12.500,50 €", 1_250_050),
        ("12500", 1_250_000),
        ("12.500", 1_250_000),
        ("12.50", 1_250),
        ("1.000.000", 100_000_000),
        ("0", 0),
        ("-5", None),
        ("", None),
        ("NaN", None),
        ("viel", None),
    ],
)
def test_amounts_are_read_as_people_type_them(typed: str, cents: int | None) -> None:
    assert in_cents(typed) == cents
