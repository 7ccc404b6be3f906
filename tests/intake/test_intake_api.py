"""Intake's JSON routes, on the real database."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.intake import case_numbers
from shared.ids import new_id
from tests.intake import samples
from tests.intake.conftest import Intake

FEEDBACK = {"satisfaction": 5, "would_recommend": True, "options_taken_up": 1, "comment": "Frau Beispiel half uns."}


def errors(answer: Any) -> dict[str, str]:
    return {entry["field"]: entry["code"] for entry in answer.json()["errors"]}


async def test_a_request_is_taken_with_its_number_its_token_and_its_events(intake: Intake) -> None:
    answer = await intake.http.post("/api/requests", json=samples.body())
    assert answer.status_code == 201
    taken = answer.json()
    assert set(taken) == {"request_id", "case_number", "status_token"}
    assert answer.headers["location"] == f"/api/requests/{taken['request_id']}"
    assert case_numbers.parse(taken["case_number"]) == taken["case_number"]
    assert taken["status_token"] == intake.token(taken["request_id"])
    rows = await intake.rows(taken["request_id"])
    assert [row["topic"] for row in rows] == ["request.created", "request.dossier"]
    assert b"+4971616500" in rows[1]["body"]
    assert b"Erika" not in rows[0]["body"]


async def test_the_same_post_ten_times_at_once_is_one_request(intake: Intake) -> None:
    key = {"Idempotency-Key": new_id()}
    before = await intake.mongo["requests"].count_documents({})
    answers = await asyncio.gather(
        *(intake.http.post("/api/requests", json=samples.body(), headers=key) for _ in range(10))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert await intake.mongo["requests"].count_documents({}) == before + 1
    other = await intake.http.post("/api/requests", json=samples.body(mode="online"), headers=key)
    assert (other.status_code, errors(other)) == (422, {"Idempotency-Key": "key_reused"})


async def test_the_token_is_stored_nowhere(intake: Intake) -> None:
    answer = await intake.http.post("/api/requests", json=samples.body(), headers={"Idempotency-Key": new_id()})
    token = answer.json()["status_token"]
    for name in await intake.mongo.db.list_collection_names():
        for document in await intake.mongo[name].find().to_list(None):
            assert token not in str(document)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"municipality_ags": "08999999"}, {"municipality_ags": "unknown"}),
        ({"municipality_ags": "08415971"}, {"municipality_ags": "unincorporated"}),
        ({"municipality_ags": "09162000"}, {"municipality_ags": "other_state"}),
        ({"wanted_from": "2020-02-28"}, {"wanted_from": "past"}),
        ({"fields": [], "need": "kurz"}, {"fields": "too_short", "need": "string_too_short"}),
    ],
)
async def test_what_can_not_be_asked_is_refused_with_the_reason(
    intake: Intake, changes: dict[str, Any], found: dict[str, str]
) -> None:
    answer = await intake.http.post("/api/requests", json=samples.body(**changes))
    assert (answer.status_code, errors(answer)) == (422, found)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_reason_is_german_unless_english_is_preferred(intake: Intake) -> None:
    body = samples.body(municipality_ags="08415971")
    german = await intake.http.post("/api/requests", json=body)
    english = await intake.http.post("/api/requests", json=body, headers={"Accept-Language": "en"})
    assert "gemeindefreies Gebiet" in german.json()["detail"]
    assert "unincorporated area" in english.json()["detail"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"need": "\\ud800"}', b"[" * 50_000])
async def test_broken_bodies_are_the_callers_fault(intake: Intake, body: bytes) -> None:
    answer = await intake.http.post("/api/requests", content=body)
    assert answer.status_code in (400, 422)


async def test_a_rural_district_may_ask(intake: Intake) -> None:
    assert (await intake.post(municipality_ags="08117"))["case_number"]


async def test_the_status_needs_its_own_token(intake: Intake) -> None:
    mine, other = await intake.post(), await intake.post()
    path = f"/api/requests/{mine['request_id']}"
    assert (await intake.http.get(path)).status_code == 401
    assert (await intake.http.get(path, params={"token": other["status_token"]})).status_code == 403
    assert (await intake.http.get(path, params={"token": "ü\x00"})).status_code == 403
    assert (await intake.http.get(path, params={"token": mine["status_token"]})).status_code == 200
    by_header = await intake.http.get(path, headers={"X-Status-Token": mine["status_token"]})
    assert by_header.status_code == 200
    gone = new_id()
    assert (await intake.http.get(intake.path(gone))).status_code == 404
    assert (await intake.http.get("/api/requests/nonsense", params={"token": "x"})).status_code == 422


async def test_the_status_follows_the_engagement(intake: Intake) -> None:
    taken = await intake.post()
    request_id = taken["request_id"]
    now = datetime.now(UTC)

    async def status() -> dict[str, Any]:
        answer = await intake.http.get(intake.path(request_id))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    first = await status()
    assert (first["state"], first["next_step"]["code"], first["next_step"]["owner"]) == ("submitted", "match", "office")
    assert first["municipality_name"] == "Salach"
    assert first["case_number"] == taken["case_number"]
    await intake.hear(samples.assigned(request_id, 1, now, now.date() + timedelta(days=5)))
    assert (await status())["next_step"]["due"] == (now.date() + timedelta(days=5)).isoformat()
    await intake.hear(samples.answered(request_id, 1, now, "accepted"))
    assert (await status())["state"] == "engaged"
    await intake.hear(samples.scheduled(request_id, "talk", now, now + timedelta(days=7)))
    assert (await status())["next_step"]["code"] == "session"
    await intake.hear(samples.completed(request_id, "talk", now), samples.closed(request_id, now))
    last = await status()
    assert (last["state"], last["may_withdraw"], last["may_give_feedback"]) == ("closed", False, True)
    assert last["timeline"][0]["code"] == "submitted"
    assert "Erika" not in str(last)
    english = await intake.http.get(intake.path(request_id), headers={"Accept-Language": "en-GB"})
    assert english.json()["state_text"] == "Closed"


async def test_withdrawing_twice_answers_the_same(intake: Intake) -> None:
    request_id = (await intake.post())["request_id"]
    first, second = await asyncio.gather(
        *(intake.http.post(intake.path(request_id, "/withdraw"), json={"reason": "too_slow"}) for _ in range(2))
    )
    third = await intake.http.post(intake.path(request_id, "/withdraw"), json={})
    assert first.status_code == 200
    assert first.json() == second.json() == third.json()
    assert (first.json()["state"], first.json()["reason"]) == ("withdrawn", "too_slow")
    topics = [row["topic"] for row in await intake.rows(request_id)]
    assert topics == ["request.created", "request.dossier", "request.withdrawn"]


async def test_what_is_closed_can_not_be_withdrawn(intake: Intake) -> None:
    request_id = (await intake.post())["request_id"]
    await intake.hear(samples.closed(request_id, datetime.now(UTC)))
    answer = await intake.http.post(intake.path(request_id, "/withdraw"), json={"reason": "too_slow"})
    assert answer.status_code == 409


async def test_feedback_is_given_once(intake: Intake) -> None:
    request_id = (await intake.post())["request_id"]
    path = intake.path(request_id, "/feedback")
    assert (await intake.http.post(path, json=FEEDBACK)).status_code == 409
    await intake.hear(samples.closed(request_id, datetime.now(UTC)))
    key = {"Idempotency-Key": new_id()}
    answers = await asyncio.gather(*(intake.http.post(path, json=FEEDBACK, headers=key) for _ in range(10)))
    assert {(answer.status_code, answer.text) for answer in answers} == {(201, answers[0].text)}
    assert (await intake.http.post(path, json=FEEDBACK)).status_code == 409
    rows = await intake.rows(request_id)
    assert [row["topic"] for row in rows].count("feedback.given") == 1
    assert b"Beispiel" not in rows[-1]["body"]
    document = await intake.mongo["requests"].find_one({"_id": request_id})
    assert document is not None
    assert document["feedback"]["comment"] == FEEDBACK["comment"]


async def test_municipalities_are_found(intake: Intake) -> None:
    answer = await intake.http.get("/api/municipalities", params={"q": "goeppingen", "limit": 1})
    assert answer.json() == {
        "items": [
            {
                "ags": "08117026",
                "name": "Göppingen",
                "kind": "city",
                "district_ags": "08117",
                "district_name": "Göppingen",
                "eligible": True,
                "population": answer.json()["items"][0]["population"],
            }
        ]
    }
    for wrong in (f"q={'x' * 101}", "q=x&limit=0", f"q=x&limit={10**30}"):
        assert (await intake.http.get(f"/api/municipalities?{wrong}")).status_code == 422


async def test_the_openapi_document_is_whole(intake: Intake) -> None:
    document = (await intake.http.get("/openapi.json")).json()
    assert set(document["paths"]) == {
        "/api/municipalities",
        "/api/requests",
        "/api/requests/{request_id}",
        "/api/requests/{request_id}/withdraw",
        "/api/requests/{request_id}/feedback",
    }
    post = document["paths"]["/api/requests"]["post"]
    assert "need" in post["requestBody"]["content"]["application/json"]["schema"]["required"]
    assert post["responses"]["201"]["content"]["application/json"]["schema"]["$ref"].endswith("SubmittedAnswer")


async def test_one_contact_may_not_flood_the_form(limited: Intake) -> None:
    for _ in range(2):
        await limited.post()
    contact = {**samples.body()["contact"], "email": "ERIKA@rathaus.example"}
    refused = await limited.http.post("/api/requests", json=samples.body(contact=contact))
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    await limited.post(contact={**contact, "email": "other@rathaus.example"})
