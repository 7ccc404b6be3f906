"""A practice example is public with the municipality's consent to just this text, as long as it likes."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import unescape
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.reporting import examples, handlers
from services.reporting.app import build
from services.reporting.example_records import ExampleRecords
from services.reporting.examples import Example, Status, Text
from services.reporting.frozen import Frozen
from services.reporting.ledger import Ledger
from services.reporting.pages.examples import SHOWN
from services.reporting.publishing import PURPOSE
from services.reporting.records import Records
from services.reporting.settings import Settings
from services.reporting.store import Store
from shared import outbox
from shared.auth import sign
from shared.commit import committing
from shared.errors import Conflict
from shared.events import ExampleDecided
from shared.ids import new_id
from tests.conftest import SECRET
from tests.reporting.journeys import RULES, whole
from tests.reporting.live import as_, ask, post, working
from tests.reporting.test_reporting_pages import Office, csrf
from tests.reporting.test_reporting_periods import last_year

NOW = datetime(2027, 1, 10, 12, tzinfo=UTC)
TEXT = Text("Ein Fest für alle", "Das Fest war klein.", "Wir sprachen.\n\nViel.", "Nun ist es <b>groß</b>.")
FULL = {"title": TEXT.title, "situation": TEXT.situation, "done": TEXT.done, "outcome": TEXT.outcome}


def drafted(text: Text = TEXT) -> Example:
    return examples.draft(Example(new_id(), 0, new_id(), "MG-1", "08117042", ("fair_week",), text), "anna", NOW)


def standing(status: Status) -> Example:
    """An example that has come to `status` as it does."""
    one = drafted()
    if status == "draft":
        return one
    one, _ = examples.ask(one, "anna", NOW)
    if status in ("agreed", "published"):
        one, _ = examples.answer(one, "agreed", one.revision, NOW)
    elif status == "declined":
        one, _ = examples.answer(one, "declined", one.revision, NOW)
    if status == "published":
        one, _ = examples.publish(one, "anna", NOW)
    return examples.take_off(one, "anna", NOW)[0] if status == "withdrawn" else one


MAY: dict[str, set[Status]] = {
    "ask": {"draft"},
    "publish": {"agreed"},
    "take_off": {"asked", "agreed", "published"},
    "agreed": {"asked", "agreed"},
    "declined": {"asked", "declined"},
    "withdrawn": {"asked", "agreed", "published", "withdrawn"},
    "write": {"draft", "asked", "agreed", "declined", "withdrawn"},
}


@pytest.mark.parametrize("status", examples.STATUS_NAMES)
@pytest.mark.parametrize("act", MAY)
def test_what_may_be_done_in_which_state(act: str, status: Status) -> None:
    one = standing(status)

    def do() -> object:
        if act == "write":
            return examples.write(one, Text("x"), "anna", NOW)
        if act in ("ask", "publish", "take_off"):
            return getattr(examples, act)(one, "anna", NOW)
        return examples.answer(one, act, one.revision, NOW)

    if status in MAY[act]:
        do()
    else:
        with pytest.raises(Conflict):
            do()


def test_another_text_needs_another_consent_and_consent_is_to_what_was_read() -> None:
    agreed = standing("agreed")
    assert examples.write(agreed, TEXT, "ben", NOW) is agreed, "the same words"
    changed = examples.write(agreed, Text("Anders", "a", "b", "c"), "ben", NOW)
    assert (changed.status, changed.revision) == ("draft", agreed.revision + 1)
    with pytest.raises(Conflict):
        examples.publish(changed, "ben", NOW)
    asked, _ = examples.ask(changed, "ben", NOW)
    with pytest.raises(Conflict, match="changed meanwhile"):
        examples.answer(asked, "agreed", agreed.revision, NOW)


def test_who_takes_the_consent_back_is_not_asked_again_and_who_declines_only_with_another_text() -> None:
    gone, _ = examples.answer(standing("published"), "withdrawn", 99, NOW)
    assert gone.is_over
    with pytest.raises(Conflict):
        examples.write(gone, Text("x"), "anna", NOW)
    declined = standing("declined")
    with pytest.raises(Conflict):
        examples.ask(declined, "anna", NOW)
    again = examples.write(declined, Text("x", "a", "b", "c"), "anna", NOW)
    assert examples.ask(again, "anna", NOW)[0].status == "asked"
    by_us = examples.write(standing("withdrawn"), TEXT, "anna", NOW)
    assert by_us.status == "draft", "what the office took off it may ask for again"


def test_nobody_is_asked_about_half_a_text_and_facts_hold_ids_and_a_status_only() -> None:
    with pytest.raises(Conflict, match="not complete"):
        examples.ask(drafted(Text("Titel", " ", "b", "c")), "anna", NOW)
    one = drafted()
    after, (event,) = examples.ask(one, "anna", NOW)
    assert event.model_dump() == {
        "example_id": one.id,
        "request_id": one.request_id,
        "status": "asked",
        "revision": 1,
        "decided_by": "office",
        "decided_at": NOW,
    }
    assert [(step.act, step.by) for step in after.history] == [("drafted", "anna"), ("asked", "anna")]


@dataclass
class Place:
    """The pages over twelve engagements of last year, four and two and six in three districts; no consumer, no
    projector."""

    app: FastAPI
    office: Office
    client: httpx.AsyncClient

    async def example(self) -> dict[str, Any]:
        found = await self.app.state.service.mongo["examples"].find_one({})
        assert found is not None
        return dict(found)

    async def told(self) -> list[ExampleDecided]:
        rows = self.app.state.service.mongo[outbox.COLLECTION].find({"topic": ExampleDecided.topic}).sort("_id", 1)
        return [ExampleDecided.model_validate_json(row["body"]) async for row in rows]


@pytest.fixture
async def place(settings: Settings) -> AsyncIterator[Place]:
    app = build(settings)
    service = app.state.service
    async with committing(service.commits) as commits:
        ledger, store = Ledger(service.mongo), Store(service.mongo, commits)
        records, kept = Records(service.mongo, commits), ExampleRecords(service.mongo, commits)
        for one in (ledger, store, records, kept, Frozen(service.mongo, commits)):
            await one.prepare()
        await store.hold_rates(RULES.cards)
        places = ["08117042"] * 4 + ["08115001"] * 2 + ["08111000"] * 6
        journeys = [whole(ags) for ags in places]
        for number, journey in enumerate(journeys):
            mine = f"MG-TEST-{number:04}"
            facts = [fact._replace(data=fact.data.replace("MG-2345-6789", mine)) for fact in journey.facts]
            await ledger.record([last_year(fact) for fact in facts])
        while await handlers.step(ledger, store, RULES):
            pass
        transport = httpx.ASGITransport(app)
        base = "http://127.0.0.1:8004"
        async with httpx.AsyncClient(transport=transport, base_url=base) as client, working(app, "closer"):
            yield Place(app, Office(app), client)
    await service.mongo.close()


async def on(browser: httpx.AsyncClient, path: str, step: str = "", **given: Any) -> httpx.Response:
    """The form of the page, sent with what it shows."""
    page = await browser.get(path)
    version = re.search(r'name="version" value="(\d+)"', page.text)
    data = {"csrf": csrf(page), **({"version": version[1]} if version else {}), **given}
    return await browser.post(f"{path}{step}", data=data)


def article(page: httpx.Response) -> str:
    found = re.search(r"<article.*?</article>", page.text, re.DOTALL)
    assert found
    return found[0]


async def test_from_the_draft_to_the_public_page_and_off_it_at_once(place: Place) -> None:
    async with place.office("skew", "sarah") as sarah, place.office("coordinator", "anna") as anna:
        made = await on(sarah, "/reporting/examples", case=" mg-test-0000 ")
        desk = made.headers["location"]
        twice = await on(anna, "/reporting/examples", case="MG-TEST-0000")
        assert twice.headers["location"] == desk, "of an engagement there is one"
        assert (await on(sarah, desk, **FULL)).status_code == 303
        example_id = desk.rpartition("/")[2]
        public, link = f"/reporting/practice/{example_id}", f"/reporting/practice/{example_id}/consent"
        link += f"?token={sign(SECRET, PURPOSE, example_id)}"

        assert (await on(sarah, desk, "/publish")).status_code == 409, "nobody has agreed"
        assert (await on(sarah, desk, "/ask")).status_code == 303
        assert (await place.client.get(public)).status_code == 404
        read = await place.client.get(link)
        assert "Nun ist es &lt;b&gt;groß&lt;/b&gt;." in read.text
        for _ in range(2):  # a mail scanner follows links, and a second click comes late
            assert (await place.client.get(link)).text.count("Zustimmen") == 1
        yes = {"answer": "agreed", "revision": "2"}
        for _ in range(2):
            assert (await place.client.post(link, data=yes)).status_code == 303
        assert "Sie haben zugestimmt" in (await place.client.get(link)).text
        assert (await place.client.get(public)).status_code == 404, "agreed is not yet published"

        assert (await on(anna, desk, "/publish")).status_code == 303
        shown = await place.client.get(public)
        assert article(shown) == article(read), "word for word what was agreed to"
        assert f'href="{public}"' in (await place.client.get("/reporting/practice")).text
        assert shown.headers["cache-control"] == "no-store"

        assert (await place.client.post(link, data={"answer": "withdrawn"})).status_code == 303
        assert (await place.client.get(public)).status_code == 404
        assert "Ein Fest" not in (await place.client.get("/reporting/practice")).text
        late = await on(sarah, desk, **FULL, version=(await place.example())["version"])
        assert late.status_code == 409, "it is over"

        history = unescape((await anna.get(desk)).text)
        for words in ("Entwurf angelegt, sarah", "um Zustimmung gebeten, sarah", "zugestimmt, die Kommune"):
            assert words in history
        assert "veröffentlicht, anna" in history
        assert "zurückgenommen, die Kommune" in history
    told = [(one.status, one.decided_by) for one in await place.told()]
    assert told == [
        ("asked", "office"),
        ("agreed", "municipality"),
        ("published", "office"),
        ("withdrawn", "municipality"),
    ]


async def test_long_lists_of_examples_have_pages_and_none_is_left_out(place: Place) -> None:
    service = place.app.state.service
    records = ExampleRecords(service.mongo, service.commits)
    made = [replace(standing("published"), version=1) for _ in range(SHOWN + 3)]
    await asyncio.gather(*(records.save(one) for one in made))
    async with place.office("coordinator", "anna") as browser:
        for desk, public in (("/reporting/examples", browser), ("/reporting/practice", place.client)):
            first, second, third = [await public.get(desk, params={"page": number}) for number in (1, 2, 3)]
            listed = [re.findall(rf'href="{desk}/([0-9a-f-]+)"', page.text) for page in (first, second, third)]
            assert [len(ids) for ids in listed] == [SHOWN, 3, 0]
            assert listed[0] + listed[1] == sorted((one.id for one in made), reverse=True)
            assert f'rel="next" href="{desk}?page=2"' in first.text
            assert 'rel="next"' not in second.text
            assert f'href="{desk}"' in second.text
            assert (await public.get(desk, params={"page": 0})).is_client_error


async def test_programs_do_the_same_by_the_api(place: Place) -> None:
    """From the draft to what everybody reads, the municipality by its link, and off it; by roles as at the pages."""
    client, skew = place.client, as_("skew", "sarah")
    made = await post(client, "/api/examples", {"case_number": "MG-TEST-0000"}, status=201)
    one, link = f"/api/examples/{made['id']}", f"/api/practice/{made['id']}/consent"
    token = {"token": sign(SECRET, PURPOSE, made["id"])}
    assert (made["status"], made["next_steps"], made["lacks"]) == ("draft", ["ask"], ["situation", "outcome"])
    await post(client, f"{one}/ask", {"version": made["version"]}, status=409)
    written = (await client.put(one, json=FULL | {"version": made["version"]}, headers=skew)).json()
    assert (await client.put(one, json=FULL | {"version": made["version"]}, headers=skew)).status_code == 409, "stale"
    asked = await post(client, f"{one}/ask", {"version": written["version"]})

    read = (await client.get(link, params=token)).json()
    assert {name: read[name] for name in FULL} == FULL
    for _ in range(2):
        yes = await client.post(link, params=token, json={"answer": "agreed", "revision": read["revision"]})
        assert yes.json()["status"] == "agreed"
    public = f"/api/practice/{made['id']}"
    assert (await client.get(public)).status_code == 404, "agreed is not yet published"
    await post(client, f"{one}/publish", {"version": asked["version"] + 1}, role="skew", who="sarah")
    shown = (await client.get(public)).json()
    assert shown == (await client.get("/api/practice")).json()["items"][0]
    assert {name: shown[name] for name in (*FULL, "municipality", "fields")} == FULL | {
        "municipality": "Salach",
        "fields": made["fields"],
    }
    assert not shown.keys() & {"history", "case_number", "request_id", "version"}, "of the office alone"

    gone = await client.post(link, params=token, json={"answer": "withdrawn", "revision": 0})
    assert gone.json()["status"] == "withdrawn"
    assert (await client.get(public)).status_code == 404
    (kept,) = (await ask(client, "/api/examples", role="skew"))["items"]
    assert [(step["act"], step["by"]) for step in kept["history"]][-2:] == [
        ("published", "sarah"),
        ("withdrawn", "municipality"),
    ]
    assert (kept["next_steps"], kept["may_be_written"]) == ([], False)
    for role in ("advisor", "ops"):
        assert (await client.get(one, headers=as_(role))).status_code == 403


async def test_a_draft_asked_for_again_is_the_first_one_or_refused(place: Place) -> None:
    body = {"case_number": "MG-TEST-0000"}
    keyed = as_("coordinator") | {"Idempotency-Key": "one"}
    answers = [await place.client.post("/api/examples", json=body, headers=keyed) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    other = await place.client.post("/api/examples", json={"case_number": "MG-TEST-0001"}, headers=keyed)
    assert other.status_code == 422
    await post(place.client, "/api/examples", body, status=409)
    await post(place.client, "/api/examples", {"case_number": "MG-0000-0000"}, status=404)
    await post(place.client, "/api/examples", body | {"by": "me"}, status=422)


async def published(place: Place, number: int = 0) -> httpx.Response:
    """The answer to publishing an example of one of the engagements."""
    async with place.office("coordinator", "anna") as anna:
        desk = (await on(anna, "/reporting/examples", case=f"MG-TEST-{number:04}")).headers["location"]
        await on(anna, desk, **FULL)
        await on(anna, desk, "/ask")
        example_id = desk.rpartition("/")[2]
        link = f"/reporting/practice/{example_id}/consent?token={sign(SECRET, PURPOSE, example_id)}"
        await place.client.post(link, data={"answer": "agreed", "revision": "2"})
        return await on(anna, desk, "/publish")


async def test_the_office_takes_one_off_at_once_and_a_stale_page_changes_nothing(place: Place) -> None:
    assert (await published(place)).status_code == 303
    example = await place.example()
    desk, public = f"/reporting/examples/{example['_id']}", f"/reporting/practice/{example['_id']}"
    async with place.office("coordinator", "anna") as anna:
        stale = {"csrf": csrf(await anna.get(desk)), "version": example["version"] - 1}
        assert (await anna.post(f"{desk}/withdraw", data=stale)).status_code == 409
        assert (await place.client.get(public)).status_code == 200
        assert (await on(anna, desk, "/withdraw")).status_code == 303
        assert (await place.client.get(public)).status_code == 404
        kept = await anna.post(desk, data=stale | FULL | {"title": "Getippt"})
        assert (kept.status_code, 'value="Getippt"' in kept.text) == (409, True), "what was typed is not lost"


async def test_an_answer_to_another_text_than_stands_is_no_consent(place: Place) -> None:
    async with place.office("coordinator", "anna") as anna:
        desk = (await on(anna, "/reporting/examples", case="MG-TEST-0000")).headers["location"]
        await on(anna, desk, **FULL)
        await on(anna, desk, "/ask")
        await on(anna, desk, **FULL | {"outcome": "Etwas ganz anderes"})
        example_id = desk.rpartition("/")[2]
        link = f"/reporting/practice/{example_id}/consent?token={sign(SECRET, PURPOSE, example_id)}"
        yes = {"answer": "agreed", "revision": "2"}
        assert (await place.client.post(link, data=yes)).status_code == 409
        await on(anna, desk, "/ask")
        refused = await place.client.post(link, data=yes)
        assert refused.status_code == 409
        assert "Etwas ganz anderes" in refused.text, "to be read now"
        assert (await on(anna, desk, "/publish")).status_code == 409


async def test_the_link_is_of_one_example_and_drafts_need_an_engagement(place: Place) -> None:
    other = new_id()
    for token in ("", f"?token={sign(SECRET, PURPOSE, other)}", f"?token={sign(SECRET, 'status', other)}"):
        answer = await place.client.get(f"/reporting/practice/{new_id()}/consent{token}")
        assert answer.status_code in (401, 403), token
    async with place.office("coordinator", "anna") as anna:
        unknown = await on(anna, "/reporting/examples", case="MG-0000-0000")
        assert (unknown.status_code, 'value="MG-0000-0000"' in unknown.text) == (404, True)
        assert (await anna.get(f"/reporting/examples/{other}")).status_code == 404
    assert (await place.client.get(f"/reporting/practice/{other}")).status_code == 404
    async with place.office("advisor", "A01") as somebody:
        assert (await somebody.get("/reporting/examples")).status_code == 403


async def test_what_a_closed_year_keeps_quiet_about_no_example_tells(place: Place) -> None:
    """Of four engagements in a district a third example would leave too little in doubt."""
    await post(place.client, "/api/periods/2025/close", {})
    before = (await place.client.get("/api/public/2025")).json()
    assert {one["key"]: one["figures"]["requests"] for one in before["groups"] if one["by"] == "district"} == {
        "08111": 6,
        "08115": None,
        "08117": None,
    }
    for number in range(2):
        assert (await published(place, number)).status_code == 303
        assert (await place.client.get("/api/public/2025")).json() == before
    refused = await published(place, 2)
    assert refused.status_code == 409
    assert "ließen sich Zahlen anderer Kommunen im Jahr 2025 errechnen" in refused.text
    assert (await place.client.get("/reporting/practice")).text.count("<article") == 2


async def test_a_year_that_is_closed_later_takes_heed_of_what_examples_have_told(place: Place) -> None:
    for number in range(3):
        assert (await published(place, number)).status_code == 303
    await post(place.client, "/api/periods/2025/close", {})
    told = (await place.client.get("/api/public/2025")).json()
    shown = {one["key"]: one["figures"]["requests"] for one in told["groups"] if one["by"] == "district"}
    assert shown == {"08111": None, "08115": None, "08117": None}
