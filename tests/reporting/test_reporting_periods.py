"""Periods by name, deadlines, closing, corrections in the next period, budgets, statements, public figures."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting import budgets, closing, handlers
from services.reporting.app import build
from services.reporting.closer import Closer
from services.reporting.closing import Office
from services.reporting.figures import Scope
from services.reporting.frozen import FROZEN_CLAIMS, Budget, Frozen
from services.reporting.ledger import Ledger
from services.reporting.periods import (
    correction,
    dues,
    ended,
    kind_of,
    load_deadlines,
    name_of,
    scope_of,
)
from services.reporting.projector import lease
from services.reporting.queries import ClaimFilter
from services.reporting.records import Records
from services.reporting.reports import Reports
from services.reporting.settings import Settings
from services.reporting.store import Store
from shared import register
from shared.commit import Committer, committing
from shared.errors import Conflict
from shared.events import AdvisorDossier
from shared.ids import new_id
from shared.lease import Lease
from shared.mongo import Mongo
from tests.reporting.conftest import Kept
from tests.reporting.journeys import RULES, Journey, changed, whole
from tests.reporting.live import as_, ask, post, working

NOW = datetime(2027, 1, 10, 12, tzinfo=UTC)
TODAY = date(2027, 1, 10)


@pytest.mark.parametrize(
    ("name", "first", "last", "kind"),
    [
        ("2026", "2026-01-01", "2026-12-31", "year"),
        ("2026-Q1", "2026-01-01", "2026-03-31", "quarter"),
        ("2024-02", "2024-02-01", "2024-02-29", "month"),
        ("2026-02-10_2026-03-15", "2026-02-10", "2026-03-15", "free"),
    ],
)
def test_a_period_is_known_by_its_name_and_its_days(name: str, first: str, last: str, kind: str) -> None:
    scope = Scope(date.fromisoformat(first), date.fromisoformat(last))
    assert (scope_of(name), name_of(scope), kind_of(name)) == (scope, name, kind)


@given(start=st.dates(date(2000, 1, 1), date(2100, 1, 1)), days=st.integers(0, 800))
def test_every_span_of_days_has_one_name(start: date, days: int) -> None:
    scope = Scope(start, start + timedelta(days=days))
    assert scope_of(name_of(scope)) == scope


@pytest.mark.parametrize("name", ["2026-13", "2026-Q5", "26", "2026-03-15_2026-02-10", "2026-02-30_2026-03-01"])
def test_other_names_are_none(name: str) -> None:
    with pytest.raises(ValueError, match=r"period|after its last|day is out of range"):
        scope_of(name)


def test_what_has_ended_may_be_closed_the_last_first() -> None:
    found = ended(date(2026, 10, 5), date(2027, 2, 1))
    assert found[0] == "2027-01"
    assert set(found) == {"2026", "2026-Q4", "2026-10", "2026-11", "2026-12", "2027-01"}
    assert ended(date(2026, 10, 5), date(2026, 10, 5)) == []


def test_the_proofs_are_due_as_the_funder_asks_and_remind_before() -> None:
    def states(today: date, *done: tuple[str, str]) -> dict[str, str]:
        found = dues(load_deadlines(), ["2026"], set(done), today, timedelta(days=30))
        assert [(one.code, one.due) for one in found] == [
            ("interim", date(2027, 2, 28)),
            ("final", date(2027, 4, 30)),
        ]
        return {one.code: one.state for one in found}

    assert states(date(2027, 1, 1)) == {"interim": "open", "final": "open"}
    assert states(date(2027, 2, 1)) == {"interim": "soon", "final": "open"}
    assert states(date(2027, 3, 1)) == {"interim": "overdue", "final": "open"}
    assert states(date(2027, 4, 30), ("2026", "interim")) == {"interim": "done", "final": "soon"}


SUMS = st.dictionaries(st.sampled_from(["a", "b"]), st.tuples(st.integers(-9, 9), st.integers(0, 9)))


@given(states=st.lists(SUMS, min_size=1, max_size=5))
def test_corrections_that_were_told_add_up_to_what_has_changed_and_none_is_told_twice(
    states: list[dict[str, tuple[int, int]]],
) -> None:
    frozen = states[0]
    told: list[dict[str, tuple[int, int]]] = []
    for now in states[1:]:
        if found := correction("2026-01", now, frozen, told):
            told.append(found.figures)
        assert correction("2026-01", now, frozen, told) is None
        for code in ("a", "b"):
            for place in (0, 1):
                stood = frozen.get(code, (0, 0))[place] + sum(one.get(code, (0, 0))[place] for one in told)
                assert stood == now.get(code, (0, 0))[place]


@pytest.fixture
async def office(database: Kept) -> AsyncIterator[Office]:
    assert database.mongo is not None
    mongo = database.mongo
    await database.store.hold_rates(RULES.cards)
    async with committing(Committer(mongo, "reporting")) as commits:
        frozen = Frozen(mongo, commits)
        await frozen.prepare()
        reports = Reports(database.ledger, database.store, database.queries, register.load())
        yield Office(reports, frozen, RULES, lambda: lease(mongo, new_id()).held())


async def recorded(office: Office, journey: Journey) -> None:
    await office.reports.ledger.record(journey.facts)
    while await handlers.step(office.reports.ledger, office.reports.store, RULES):
        pass


async def close(office: Office, name: str) -> int:
    """Cents of the closed period."""
    made = await closing.close(office, name, "anna", NOW, TODAY)
    made.vouchers.close()
    return made.vouchers.sums.total_cents


async def test_a_closed_period_stays_as_it_was_and_what_comes_later_is_a_correction_in_the_next(office: Office) -> None:
    journey = whole()
    await recorded(office, journey)
    before = await close(office, "2026-11")
    assert before > 0
    with pytest.raises(Conflict, match="closed already"):
        await close(office, "2026-11")
    with pytest.raises(Conflict, match="not ended"):
        await close(office, "2027-01")

    (held, _) = [fact for fact in journey.facts if fact.topic == "session.completed"]
    journey.facts.append(changed(held, members=[{"advisor_id": "A01", "minutes": 60, "travel_km": 0}], **LATER))
    await recorded(office, journey)
    again = await closing.result(office, scope_of("2026-11"), NOW)
    live = await closing.result(office, scope_of("2026-11"), NOW, live=True)
    assert again.vouchers.sums.total_cents == again.counted.cents() == before
    assert all(row["kind"] == "claim" for row in again.vouchers)
    assert live.vouchers.sums.total_cents == live.counted.cents() != before

    assert await close(office, "2026-12") == 0
    december = await closing.result(office, scope_of("2026-12"), NOW)
    (told,) = december.corrections
    assert (told.period, told.cents) == ("2026-11", live.counted.cents() - before)
    assert december.closing is not None
    assert await closing.corrections(office, "2027-01") == [], "it was told in December"
    for one in (again, live, december):
        one.vouchers.close()


def closer(office: Office) -> Closer:
    """Of a process of its own."""
    mongo = office.frozen._mongo
    return Closer(office, Lease(mongo, "closing", new_id(), 10))


async def test_a_period_is_closed_by_whoever_is_there_also_after_another_process_has_died(office: Office) -> None:
    await recorded(office, whole())
    left = {"_id": "2026-11~0~0", "period": "2026-11", "attempt": "0", "place": 0, "claim": {}}
    await office.frozen._mongo[FROZEN_CLAIMS].insert_one(left)
    for _ in range(2):
        await office.frozen.wish("2026-11", "anna", NOW)
    await office.frozen.wish("2026-Q4", "ben", NOW)
    await asyncio.gather(closer(office).turn(), closer(office).turn())
    assert [(one.closing.period, one.closing.by) for one in await office.frozen.all_closed()] == [
        ("2026-11", "anna"),
        ("2026-Q4", "ben"),
    ]
    assert await office.frozen.wishes() == []
    frozen = office.frozen._mongo[FROZEN_CLAIMS]
    assert await frozen.count_documents({"period": "2026-11"}) == 4, "what was left is gone, and nothing stands twice"
    await office.frozen.wish("2026-11", "anna", NOW)
    await closer(office).turn()
    assert await office.frozen.wishes() == [], "it is closed already"


async def test_how_far_a_closing_is_can_be_watched(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.reporting.frozen._PAGE", 1)
    await recorded(office, whole())
    await office.frozen.wish("2026-11", "anna", NOW)
    working, seen = asyncio.create_task(closer(office).turn()), set()
    while not working.done():
        seen |= {(one.done, one.total) for one in await office.frozen.wishes()}
    await working
    assert seen <= {(0, 0), (1, 4), (2, 4), (3, 4), (4, 4)}
    assert len(seen) > 1


async def test_who_closes_does_not_wait_for_long(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.reporting.closer.WAIT_SECONDS", 0.1)
    await recorded(office, whole())
    one = closer(office)
    assert not await one.close("2026-11", "anna", NOW), "nobody works"
    with pytest.raises(Conflict, match="not ended"):
        await one.close("2027-01", "anna", NOW)
    await one.turn()
    with pytest.raises(Conflict, match="closed already"):
        await one.close("2026-11", "anna", NOW)


LATER: dict[str, Any] = {"completed_at": "2026-12-20T10:00:00Z"}


async def test_a_budget_is_spent_by_claims_and_bound_by_engagements_that_run(office: Office) -> None:
    running = Journey()
    running.created()
    running.assigned("A01", "A02", kept=True)
    await recorded(office, whole())
    await recorded(office, running)
    assert (await closing.spending(office, "2026")).left is None
    claimed = await office.reports.queries.claim_sums(_year())
    cost = await closing.expected(office, 2, TODAY)
    assert cost == 2 * 10 * 7500
    await budgets.set_budget(office, Budget("2026", claimed.total_cents + 2 * cost - 1, "anna", NOW))
    found = await closing.spending(office, "2026")
    assert (found.claimed, found.committed, found.paid) == (claimed.gross_cents, cost, 0)
    assert found.left == cost - 1, "one cent too little for another"


def _year() -> Any:
    return ClaimFilter(date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture
async def client(settings: Settings, mongo: Mongo) -> AsyncIterator[httpx.AsyncClient]:
    """The doors over a year of eight engagements, without consumer and projector."""
    app = build(settings)
    service = app.state.service
    async with committing(service.commits) as commits:
        ledger, store, records = Ledger(service.mongo), Store(service.mongo, commits), Records(service.mongo, commits)
        for one in (ledger, store, records, Frozen(service.mongo, commits)):
            await one.prepare()
        await store.hold_rates(RULES.cards)
        await records.keep_names([AdvisorDossier(advisor_id="A01", name="Amina Beispiel", email="a@b.example")])
        journeys = [whole("08117042" if number else "08115001") for number in range(8)]
        facts = [last_year(fact) for journey in journeys for fact in journey.facts]
        await ledger.record(facts)
        while await handlers.step(ledger, store, RULES):
            pass
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as found, working(app, "closer"):
            yield found
    await service.mongo.close()


def last_year(fact: Any) -> Any:
    """`fact` a year earlier, so that its year has ended on whatever day this is tested."""
    return fact._replace(data=fact.data.replace("2026-", "2025-"), time=fact.time.replace("2026-", "2025-"))


async def test_periods_budgets_and_deadlines_through_their_doors(client: httpx.AsyncClient) -> None:
    assert "2025-11" in (await ask(client, "/api/periods"))["to_close"]
    assert (await client.get("/api/public/2025")).status_code == 404, "nothing is public before it is closed"
    closed = await post(client, "/api/periods/2025/close", {})
    assert closed["total_cents"] == 8 * 58650
    await post(client, "/api/periods/2025/close", {}, status=409)
    await post(client, "/api/periods/2025/close", {}, role="advisor", status=403)
    await post(client, "/api/periods/2025-99/close", {}, status=422)
    assert "2025" not in (await ask(client, "/api/periods"))["to_close"]
    summary = await ask(client, "/api/periods/2025/summary")
    assert next(one["value"] for one in summary["figures"] if one["indicator"] == "honoraria") == 8 * 58650
    exported = json.loads((await client.get("/api/reports/export.json?period=2025", headers=_staff())).text)
    assert exported["closed"]["period"] == "2025"

    for _ in range(2):
        said = {"cents": 8 * 58650 + 100}
        answer = await client.post("/api/budgets/2025", json=said, headers=_staff() | {"Idempotency-Key": "once"})
        assert answer.status_code == 201, answer.text
    left = await ask(client, "/api/budgets/2025")
    assert len(left["history"]) == 1
    assert (left["left_cents"], left["exceeded"]) == (100, False)
    forecast = await ask(client, "/api/budgets/2025/forecast", advisors=1)
    assert (forecast["exceeds"], forecast["expected_cents"]) == (True, 75000)
    assert "Budget" in forecast["warning"]

    due = await ask(client, "/api/deadlines")
    states = {(one["period"], one["code"]): one["state"] for one in due["items"]}
    assert states["2025", "interim"] in ("overdue", "soon", "open")
    await post(client, "/api/deadlines/2025/interim/done", {})
    due = await ask(client, "/api/deadlines")
    assert {(one["period"], one["code"]): one["state"] for one in due["items"]}["2025", "interim"] == "done"
    await post(client, "/api/deadlines/2025/none/done", {}, status=404)


async def test_of_a_closed_year_everybody_sees_no_number_below_five(client: httpx.AsyncClient) -> None:
    await post(client, "/api/periods/2025/close", {})
    found = (await client.get("/api/public/2025")).json()
    assert found["figures"] == {"requests": 8, "accepted": 8, "sessions": 16, "options": 16}
    districts = {one["key"]: one["figures"] for one in found["groups"] if one["by"] == "district"}
    assert districts["08115"]["requests"] is None, "one request"
    assert districts["08117"]["requests"] is None, "seven, which would give it away"


async def test_a_statement_has_all_that_a_payer_needs(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/statements/A01/2025-11.pdf", headers=_staff())
    assert answer.status_code == 200, answer.text
    text = pypdf.PdfReader(io.BytesIO(answer.content)).pages[0].extract_text().replace("\xa0", " ")
    for words in (
        "Honorarabrechnung",
        "H-2025-11-A01",
        "1. November 2025 – 30. November 2025",
        "Amina Beispiel (A01)",
        "Vorschau: noch nicht alles ist freigegeben",
        "Erstgespräch",
        "75,00 €",
        "Beispielsatz ab 2024 (kein amtlicher Satz)",
        "Kleinunternehmen nach § 19 UStG",
        "IBAN",
    ):
        assert words in text, words
    due = sum(line["gross_cents"] for line in (await ask(client, "/api/claims", advisor="A01", limit=200))["items"])
    assert f"{due / 100:,.2f}".replace(",", "x").replace(".", ",").replace("x", ".") in text
    english = {"Accept-Language": "en"} | _staff()
    text = (
        pypdf.PdfReader(io.BytesIO((await client.get("/api/statements/A02/2025-11.pdf", headers=english)).content))
        .pages[0]
        .extract_text()
    )
    assert "Statement of honoraria" in text
    assert "Amina" not in text
    assert (await client.get("/api/statements/A01/2025-10.pdf", headers=_staff())).status_code == 404
    assert (await client.get("/api/statements/A01/2025-11.pdf", headers=_advisor("A02"))).status_code == 403
    assert (await client.get("/api/statements/A01/2025-11.pdf", headers=_advisor("A01"))).status_code == 200


def _staff() -> dict[str, str]:
    return as_("coordinator", "anna")


def _advisor(who: str) -> dict[str, str]:
    return as_("advisor", who)
