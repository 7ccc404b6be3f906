"""The HTTP door over the real database: figures, claims, lineage, exports, feed, roles."""

import csv
import io
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from deploy.local.stack import Stack
from services.reporting import handlers
from services.reporting.app import build
from services.reporting.indicators import INDICATORS
from services.reporting.ledger import Ledger
from services.reporting.settings import Settings
from services.reporting.store import Store
from shared.auth import Role, token
from shared.commit import Committer, committing
from shared.mongo import Mongo
from tests.conftest import SECRET
from tests.reporting.journeys import RULES, Journey, whole

YEAR: dict[str, Any] = {"from": "2026-01-01", "to": "2026-12-31"}


@dataclass(frozen=True)
class Api:
    client: httpx.AsyncClient
    journeys: list[Journey]

    async def get(self, path: str, role: Role | None = "skew", subject: str = "x", **query: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token(SECRET, role, subject)}"} if role else {}
        language = query.pop("language", "de")
        return await self.client.get(path, params=query, headers=headers | {"Accept-Language": language})

    async def json(self, path: str, role: Role = "skew", subject: str = "x", **query: Any) -> dict[str, Any]:
        answer = await self.get(path, role, subject, **query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def pages(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """All items, page by page."""
        page = await self.json(path, **query)
        items = page["items"]
        while page["next"]:
            page = await self.json(path, **query, after=page["next"])
            items += page["items"]
        return list(items)


@pytest.fixture(scope="module")
def journeys() -> list[Journey]:
    """Three engagements in two districts, and one with a session that nobody was assigned to."""
    lost = Journey("08115001", ("other",))
    lost.created()
    lost.session(members=[("A03", 45, 3)])
    return [whole(), whole(), whole("08115001", ("other",)), lost]


@pytest.fixture(scope="module")
async def api(stack: Stack, journeys: list[Journey]) -> AsyncIterator[Api]:
    given = {"mongo": stack.mongo, "secret": SECRET, "prefix": f"t{secrets.token_hex(4)}-"}
    settings = Settings.model_validate(given)
    mongo = Mongo(settings.mongo, settings.database("reporting"))
    async with committing(Committer(mongo, "reporting")) as commits:
        ledger, store = Ledger(mongo), Store(mongo, commits)
        await ledger.prepare()
        await store.prepare()
        await ledger.record([fact for journey in journeys for fact in journey.facts])
        while await handlers.step(ledger, store, RULES):
            pass
    app = build(settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield Api(client, journeys)
    await app.state.service.mongo.close()
    await mongo.client.drop_database(mongo.db.name)
    await mongo.close()


def values(figures: list[dict[str, Any]]) -> dict[str, Any]:
    return {figure["indicator"]: figure["value"] for figure in figures}


async def test_the_summary_has_each_figure_with_its_meaning(api: Api) -> None:
    summary = await api.json("/api/reports/summary", **YEAR)
    assert values(summary["figures"]) | {"honoraria": 0} == {
        "requests": 4,
        "withdrawn": 0,
        "accepted": 3,
        "sessions": 7,
        "first_talks": 3,
        "dialogue_forums": 0,
        "consultations": 4,
        "keynotes": 0,
        "minutes": 540,
        "participants": 57,
        "options": 6,
        "options_taken_up": 3,
        "conversion": 100.0,
        "advisors_active": 3,
        "load_spread": 28.99,
        "closed": 3,
        "completed": 3,
        "satisfaction": 4.0,
        "days_to_acceptance": 2.0,
        "days_to_first_talk": 5.0,
        "committed": 0,
        "honoraria": 0,
    }
    assert all(figure["definition"] and figure["unit"] and figure["name"] for figure in summary["figures"])
    english = await api.json("/api/reports/summary", **YEAR, language="en")
    assert english["figures"][0]["name"] == "Requests"


async def test_groups_add_up_and_name_their_districts(api: Api) -> None:
    summary = await api.json("/api/reports/summary", **YEAR, granularity="quarter")
    groups = {(group["by"], group["key"]): group for group in summary["groups"]}
    assert groups["district", "08117"]["name"] == "Göppingen"
    assert [key for by, key in groups if by == "period"] == ["2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4"]
    for by in ("period", "district"):
        for indicator in ("sessions", "minutes", "honoraria", "satisfaction"):
            n = sum(
                f["n"] for g in groups.values() if g["by"] == by for f in g["figures"] if f["indicator"] == indicator
            )
            assert n == next(f["n"] for f in summary["figures"] if f["indicator"] == indicator)
    only = await api.json("/api/reports/summary", **YEAR, by="field")
    assert {group["by"] for group in only["groups"]} == {"field"}
    assert values(groups["field", "partnerships"]["figures"])["options"] == 3


async def test_every_figure_opens_into_as_many_contributions_as_it_counts(api: Api) -> None:
    summary = await api.json("/api/reports/summary", **YEAR)
    figures = summary["figures"] + [figure for group in summary["groups"] for figure in group["figures"] if figure["n"]]
    for figure in figures:
        items = await api.pages(figure["facts"], limit=3)
        assert len(items) == figure["n"], figure["id"]
        assert all(item["facts"] for item in items)
        total = sum(item["value"] for item in items)
        kind = INDICATORS[figure["indicator"]].kind
        if kind == "mean":
            assert figure["value"] == (pytest.approx(total / figure["n"], abs=0.005) if items else None)
        elif kind == "heads":
            assert len({item["advisor_id"] for item in items}) == figure["value"]
        elif kind == "sum":
            assert total == figure["value"]


async def test_a_figure_is_named_by_what_it_counts(api: Api) -> None:
    name = "sessions~2026-01-01~2026-12-31~district=08117~field=fair_week"
    assert len(await api.pages(f"/api/figures/{name}/facts")) == 4
    for wrong in ("guests~2026-01-01~2026-12-31", "sessions~2026-02-30~2026-12-31", "sessions~2026-02-01~2026-01-31"):
        assert (await api.get(f"/api/figures/{wrong}/facts")).status_code == 404
    assert (await api.get("/api/figures/Sessions/facts")).status_code == 422


async def test_claims_show_every_factor_and_open_into_their_facts(api: Api) -> None:
    journey = api.journeys[0]
    found = await api.json("/api/reports/honoraria", **YEAR, request=journey.request_id)
    assert [
        (c["held_on"], c["advisor_id"], c["minutes"], c["fee_cents"], c["travel_cents"], c["total_cents"])
        for c in found["items"]
    ] == [
        ("2026-11-09", "A01", 90, 11250, 1200, 12450),
        ("2026-11-09", "A02", 90, 11250, 0, 11250),
        ("2026-11-16", "A01", 100, 12500, 1200, 13700),
        ("2026-11-16", "A02", 50, 6250, 15000, 21250),
    ]
    first = found["items"][0]
    assert (first["rate_cents"], first["km_cents"], first["session_fee_cents"]) == (7500, 30, 22500)
    assert (first["rate_card"], first["case_number"], first["role"]) == ("beispiel_2024", "MG-2345-6789", "lead")
    assert found["totals"]["total_cents"] == 58650
    (opened,) = await api.pages(first["facts"])
    assert opened["value"] == 12450
    assert {fact["topic"] for fact in opened["facts"]} == {"session.completed", "request.created", "advisor.assigned"}


async def test_an_advisor_sees_only_their_own(api: Api) -> None:
    mine = await api.json("/api/reports/honoraria", "advisor", "A02", **YEAR)
    assert {claim["advisor_id"] for claim in mine["items"]} == {"A02"}
    assert (await api.get("/api/reports/honoraria", "advisor", "A02", **YEAR, advisor="A01")).status_code == 403
    other = (await api.json("/api/reports/honoraria", **YEAR, advisor="A01"))["items"][0]
    assert (await api.get(other["facts"], "advisor", "A02")).status_code == 404
    assert (await api.get(mine["items"][0]["facts"], "advisor", "A02")).status_code == 200
    assert (await api.get("/api/figures/sessions~2026-01-01~2026-12-31/facts", "advisor", "A02")).status_code == 403


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/reports/summary", {"skew", "coordinator"}),
        ("/api/reports/honoraria", {"skew", "coordinator", "advisor"}),
        ("/api/reports/export.csv", {"skew", "coordinator"}),
        ("/api/reports/export.json", {"skew", "coordinator"}),
        ("/api/findings", {"skew", "coordinator", "ops"}),
        ("/api/facts", {"skew", "coordinator", "ops"}),
    ],
)
async def test_each_route_is_for_its_roles(api: Api, path: str, allowed: set[str]) -> None:
    roles: tuple[Role, ...] = ("advisor", "coordinator", "skew", "ops")
    assert {role for role in roles if (await api.get(path, role, "A01")).status_code == 200} == allowed
    assert (await api.get(path, None)).status_code == 401


@pytest.mark.parametrize("part", ["summary", "honoraria", "facts"])
async def test_csv_is_what_a_german_spreadsheet_reads(api: Api, part: str) -> None:
    answer = await api.get("/api/reports/export.csv", **YEAR, part=part)
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["content-disposition"] == f'attachment; filename="miglobe-{part}-2026-01-01-2026-12-31.csv"'
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert len(rows) > 5
    assert {len(row) for row in rows} == {len(rows[0])}


def cents(text: str) -> int:
    """A German amount."""
    return int(text.replace(",", ""))


async def test_the_totals_are_the_same_to_the_cent_in_api_csv_and_json(api: Api) -> None:
    honoraria = await api.json("/api/reports/honoraria", **YEAR)
    summary = await api.json("/api/reports/summary", **YEAR)
    whole_json = await api.json("/api/reports/export.json", **YEAR)
    texts = {
        part: (await api.get("/api/reports/export.csv", **YEAR, part=part)).content.decode("utf-8-sig")
        for part in ("summary", "honoraria", "facts")
    }
    tables = {part: list(csv.DictReader(io.StringIO(text), delimiter=";")) for part, text in texts.items()}
    total = honoraria["totals"]["total_cents"]
    assert total == 3 * 58650 + 5625 + 90
    assert total == values(summary["figures"])["honoraria"] == whole_json["honoraria"]["totals"]["total_cents"]
    assert total == sum(claim["total_cents"] for claim in whole_json["honoraria"]["items"])
    assert total == sum(cents(row["Summe €"]) for row in tables["honoraria"])
    assert whole_json["summary"] == summary
    for figure in summary["figures"]:
        (row,) = [r for r in tables["summary"] if r["Kennung"] == figure["id"] and r["Gliederung"] == "gesamt"]
        money = figure["indicator"] == "honoraria"
        shown = cents(row["Wert"]) if money else float(row["Wert"].replace(",", ".") or "nan")
        assert shown == (pytest.approx(float("nan"), nan_ok=True) if figure["value"] is None else figure["value"])
        facts = [r for r in tables["facts"] if r["Kennzahl"] == figure["indicator"] and r["Beitrag"]]
        given = [i for i in whole_json["contributions"] if i["indicator"] == figure["indicator"]]
        assert len(facts) == len(given) == figure["n"]
        assert [cents(r["Beitrag"]) for r in facts] == [item["value"] for item in given]
    named = {fact for item in whole_json["contributions"] for fact in item["facts"]}
    assert {fact["id"] for fact in whole_json["facts"]} == named


async def test_the_feed_gives_every_fact_once_as_a_cloudevent(api: Api) -> None:
    facts = {fact.id: fact for journey in api.journeys for fact in journey.facts}
    items = await api.pages("/api/facts", limit=7)
    assert [item["id"] for item in items] == list(facts)
    assert [int(item["cursor"]) for item in items] == list(range(1, len(facts) + 1))
    for item in items:
        assert item["data"] == json.loads(facts[item["id"]].data)
        assert (item["specversion"], item["type"]) == ("1.0", f"de.miglobe.{item['topic']}.v1")
    end = await api.json("/api/facts", after=items[-1]["cursor"])
    assert end == {"items": [], "next": None, "position": items[-1]["cursor"], "feed": end["feed"]}
    assert {i["topic"] for i in await api.pages("/api/facts", topic="feedback.given")} == {"feedback.given"}


async def test_findings_say_what_is_wrong_in_the_readers_language(api: Api) -> None:
    (found,) = await api.pages("/api/findings", limit=1)
    assert (found["code"], found["request_id"]) == ("session_without_assignment", api.journeys[3].request_id)
    assert "Zuweisung" in found["text"]
    (english,) = (await api.json("/api/findings", language="en", code=found["code"]))["items"]
    assert "assignment" in english["text"]


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/api/reports/summary", {"from": "2026-02-01", "to": "2026-01-31"}, "from"),
        ("/api/reports/summary", {"from": "31.01.2026"}, "from"),
        ("/api/reports/summary", {"from": "2026-02-30"}, "from"),
        ("/api/reports/summary", {"from": "0001-01-01", "to": "9999-12-31"}, "to"),
        ("/api/reports/summary", {"by": "moon"}, "by"),
        ("/api/reports/honoraria", {"advisor": "nobody"}, "advisor"),
        ("/api/reports/honoraria", {"after": "yesterday"}, "after"),
        ("/api/reports/export.csv", {"part": "pdf"}, "part"),
        ("/api/facts", {"after": "-1"}, "after"),
        ("/api/facts", {"after": "9" * 30}, "after"),
        ("/api/facts", {"topic": "request.dossier"}, "topic"),
        ("/api/facts", {"limit": "201"}, "limit"),
        ("/api/findings", {"code": "none"}, "code"),
    ],
)
async def test_wrong_questions_are_answered_with_the_field(
    api: Api, path: str, query: dict[str, Any], field: str
) -> None:
    answer = await api.get(path, **query)
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_an_empty_year_has_zeros_and_no_averages(api: Api) -> None:
    query: dict[str, Any] = {"from": "2020-01-01", "to": "2020-12-31"}
    summary = await api.json("/api/reports/summary", **query)
    found = values(summary["figures"])
    assert (found["requests"], found["honoraria"], found["satisfaction"]) == (0, 0, None)
    assert [group["by"] for group in summary["groups"]] == ["period"] * 12 + ["field"] * 7 + ["size"] * 6


async def test_years_at_the_edge_of_the_calendar_are_answered(api: Api) -> None:
    for first, last in (("0001-01-01", "0002-12-31"), ("9998-01-01", "9999-12-31")):
        query: dict[str, Any] = {"from": first, "to": last, "granularity": "year"}
        assert (await api.get("/api/reports/summary", **query)).status_code == 200


async def test_the_report_is_downloaded_in_every_form_by_those_who_may(api: Api) -> None:
    for name, begin in (("pdf", b"%PDF-"), ("xlsx", b"PK"), ("zip", b"PK")):
        answer = await api.get(f"/api/reports/export.{name}", **YEAR)
        assert answer.status_code == 200
        assert answer.content.startswith(begin)
        assert answer.headers["content-disposition"].endswith(f'miglobe-2026-01-01-2026-12-31.{name}"')
        assert (await api.get(f"/api/reports/export.{name}", "advisor")).status_code == 403
