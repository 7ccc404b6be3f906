"""The HTTP door on the real database."""

import asyncio
from typing import Any

from shared.ids import new_id
from shared.inbox import mark
from tests.matching.samples import AGS, dossier
from tests.matching.world import World

ENTRY: dict[str, Any] = {
    "name": "Beispiel Neu",
    "email": "neu@beratung.example",
    "levels": {"fair_week": 2},
    "languages": ["de", "fr"],
    "regions": ["08117"],
    "certified_on": "2025-01-01",
    "certified_until": "2035-01-01",
    "capacity": 2,
}
SESSION = {"kind": "first_talk", "mode": "on_site", "starts_at": "2026-12-01T14:00:00+01:00", "minutes": 90}
RECORD: dict[str, Any] = {
    "held_on": "2026-11-24",
    "minutes": 90,
    "mode": "on_site",
    "participants": 12,
    "members": [{"advisor_id": "A01", "minutes": 90, "travel_km": 40}, {"advisor_id": "A02", "minutes": 60}],
    "options": [{"field": "fair_week", "text": "Vereine persönlich einladen"}],
}


# -- advisors -----------------------------------------------------------------------------------------------------


async def test_an_advisor_is_added_changed_and_erased(here: World) -> None:
    added = await here.post("/api/advisors", {"id": "A07", **ENTRY})
    assert (added.status_code, added.headers["location"]) == (201, "/api/advisors/A07")
    changed = await here.put("/api/advisors/A07", {**ENTRY, "name": "Beispiel Sieben"})
    assert changed.json()["name"] == "Beispiel Sieben"
    for _ in range(2):
        gone = await here.client.delete("/api/advisors/A07", headers=here.bearer("coordinator"))
        assert (gone.status_code, gone.content) == (204, b"")
    left = (await here.get("/api/advisors/A07")).json()
    assert (left["name"], left["email"], left["levels"]) == ("", "", {})
    assert left["erased_at"]
    rows = await here.rows("advisor.dossier")
    assert {(row["key"], row["body"]) for row in rows} == {("A07", None)}
    emptied = [bool(row.get("forgotten")) for row in rows]
    assert emptied == [True] * 2 + [False] * 3, (
        "two dossiers; tombstones of the first erasure, of its end, of the second"
    )


async def test_the_same_post_again_adds_one_advisor_and_another_body_is_refused(here: World) -> None:
    first, second = [await here.post("/api/advisors", {"id": "A07", **ENTRY}, key="eins") for _ in range(2)]
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    other = await here.post("/api/advisors", {"id": "A08", **ENTRY}, key="eins")
    assert other.status_code == 422
    assert (await here.post("/api/advisors", {"id": "A07", **ENTRY})).status_code == 409


WRONG_ENTRIES: list[tuple[dict[str, object], str]] = [
    ({"email": "keine"}, "email"),
    ({"regions": ["99999999"]}, "regions.0"),
    ({"regions": []}, "regions"),
    ({"regions": ["08117", "08111", "08115", "08116", "08118"]}, "regions"),
    ({"levels": {"fair_week": 4}}, "levels.fair_week"),
    ({"levels": {"fair_week": 0}}, "levels"),
    ({"levels": {"kochen": 1}}, "levels.kochen.[key]"),
    ({"certified_until": "2024-01-01"}, "body"),
    ({"phone": "abc"}, "phone"),
    ({"origin": "irgendwo"}, "origin"),
    ({"absences": [{"start": "2026-12-02", "end": "2026-12-01"}]}, "absences.0"),
    ({"absences": [{"start": 0, "end": "2026-12-01"}]}, "absences.0.start"),
    ({"capacity": 10**30}, "capacity"),
]


async def test_a_wrong_entry_names_the_field(here: World) -> None:
    """Origin is not an entry that is left out, it is one that is refused."""
    for change, field in WRONG_ENTRIES:
        answer = await here.post("/api/advisors", {"id": "A07", **ENTRY, **change})
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])


async def test_an_advisor_sees_and_absents_nobody_but_themselves(here: World) -> None:
    assert (await here.get("/api/advisors/A01", by="A01")).status_code == 200
    assert (await here.get("/api/advisors/A02", by="A01")).status_code == 403
    assert (await here.get("/api/advisors", by="A01")).status_code == 403
    away = {"absences": [{"start": "2026-12-01", "end": "2026-12-24"}]}
    assert (await here.put("/api/advisors/A01/absences", away, by="A01")).json()["absences"] == away["absences"]
    assert (await here.put("/api/advisors/A02/absences", away, by="A01")).status_code == 403
    assert (await here.put("/api/advisors/A01", ENTRY, by="A01")).status_code == 403


async def test_lists_come_in_pages(here: World) -> None:
    first = (await here.get("/api/advisors", limit=2)).json()
    assert ([one["id"] for one in first["items"]], first["next"]) == (["A01", "A02"], "A02")
    last = (await here.get("/api/advisors", limit=2, after=first["next"])).json()
    assert ([one["id"] for one in last["items"]], last["next"]) == (["A03"], None)


async def test_nobody_comes_in_without_a_role(here: World) -> None:
    request_id = await here.ask()
    for path in ("/api/advisors", "/api/requests", "/api/assignments", f"/api/requests/{request_id}"):
        assert (await here.get(path, by=None)).status_code == 401
        skew = await here.client.get(path, headers=here.bearer("skew"))
        assert skew.status_code == 403


# -- answers --------------------------------------------------------------------------------------------------------


async def test_each_accepts_in_their_own_way(here: World) -> None:
    """Signed in, or by the link of the mail."""
    request_id = await here.ask()
    asked = (await here.current(request_id)).assignment_id
    first = await here.post(f"/api/assignments/{asked}/accept", by="A01")
    assert first.json() == {
        "assignment_id": asked,
        "request_id": request_id,
        "advisor_id": "A01",
        "answer": "accepted",
        "reason": None,
        "complete": False,
        "state": "proposed",
    }
    second = await here.post(f"/api/assignments/{asked}/accept", by=None, **here.link(asked, "A02"))
    assert (second.json()["complete"], second.json()["state"]) == (True, "engaged")
    assert (await here.post(f"/api/assignments/{asked}/accept", by="A01")).status_code == 200
    assert len(await here.rows("advisor.answered")) == 2


async def test_a_coordinator_answers_for_somebody_by_name(here: World) -> None:
    asked = (await here.current(await here.ask())).assignment_id
    path = f"/api/assignments/{asked}/decline"
    assert (await here.post(path, {"reason": "no_time"})).status_code == 422
    done = await here.post(path, {"reason": "no_time"}, advisor="A01")
    assert (done.status_code, done.json()["reason"]) == (200, "no_time")


async def test_wrong_answers_are_refused_with_words(here: World) -> None:
    request_id = await here.ask()
    asked = (await here.current(request_id)).assignment_id
    accept = f"/api/assignments/{asked}/accept"
    forged = here.link(asked, "A01") | {"advisor": "A02"}
    assert (await here.post(accept, by=None, **forged)).status_code == 403
    assert (await here.post(accept, by=None)).status_code == 401
    assert (await here.post(accept, by="A01", advisor="A02")).status_code == 403
    assert (await here.post(accept, by="A09")).status_code == 404
    assert (await here.post(f"/api/assignments/{new_id()}/accept", by="A01")).status_code == 404
    await here.post(f"/api/assignments/{asked}/decline", {"reason": "no_time"}, by="A02")
    await here.matcher.turn()
    late = await here.post(accept, by="A01")
    assert (late.status_code, late.json()["detail"]) == (
        409,
        "Diese Anfrage ist überholt: Inzwischen gibt es eine neue Zusammenstellung.",
    )


# -- worklist and explanation -----------------------------------------------------------------------------------------


async def test_the_worklist_says_who_has_to_do_what_by_when(here: World) -> None:
    request_id = await here.ask()
    [item] = (await here.get("/api/requests")).json()["items"]
    assert item == {
        "request_id": request_id,
        "case_number": "BW-7F3K-2",
        "municipality_ags": AGS,
        "municipality_name": "Salach",
        "state": "proposed",
        "since": "2026-11-24T09:00:00Z",
        "owner": "A01",
        "next_step": "answer",
        "due": "2026-12-01",
        "overdue": False,
        "days_waiting": 0,
        "round": 1,
        "parked": None,
    }


async def test_the_worklist_filters_by_state_and_lateness(here: World) -> None:
    request_id = await here.ask()

    async def listed(**params: Any) -> list[str]:
        found = (await here.get("/api/requests", **params)).json()["items"]
        return [item["request_id"] for item in found]

    assert await listed(state="proposed") == [request_id]
    assert await listed(state="parked") == []
    assert await listed(overdue=True) == []
    here.now = here.now.replace(month=12, day=10)
    assert await listed(overdue=True) == [request_id]
    assert (await here.get("/api/requests", state="early")).status_code == 422
    assert (await here.get("/api/requests", by="A01")).status_code == 403


async def test_an_advisor_sees_the_contact_once_they_have_accepted(here: World) -> None:
    request_id = await here.ask()
    await here.store.keep_dossier(dossier(request_id), mark("matching", new_id()))

    async def seen(by: str) -> tuple[object, object]:
        found = (await here.get(f"/api/requests/{request_id}", by=by)).json()
        return found["need"] and "Fest der Nationen" in found["need"], found["contact"] and found["contact"]["email"]

    assert await seen("") == (True, "kontakt@example.org")
    assert await seen("A01") == (True, None)
    await here.says(request_id, "A01", "accepted")
    assert await seen("A01") == (True, "kontakt@example.org")
    assert (await here.get(f"/api/requests/{request_id}", by="A03")).status_code == 403
    await here.store.drop_dossier(request_id, None, mark("matching", new_id()))
    assert await seen("") == (None, None)


async def test_who_has_declined_no_longer_reads_the_need(here: World) -> None:
    request_id = await here.ask()
    await here.store.keep_dossier(dossier(request_id), mark("matching", new_id()))
    asked = (await here.current(request_id)).assignment_id

    async def need(by: str) -> object:
        return (await here.get(f"/api/assignments/{asked}", by=by)).json()["need"]

    assert await need("A01")
    await here.says(request_id, "A01", "declined")
    assert await need("A01") is None
    assert await need("")


async def test_an_assignment_is_explained(here: World) -> None:
    request_id = await here.ask()
    asked = (await here.current(request_id)).assignment_id
    found = (await here.get(f"/api/assignments/{asked}")).json()
    lead, co = found["members"]
    assert lead["points"] == {"expertise": 250, "region": 160, "languages": 100, "fairness": 75, "waiting": 0}
    assert co["points"]["tandem"] == 100
    assert (lead["score"], co["score"]) == (585, 425)
    assert [(one["advisor_id"], one["role"]) for one in found["runners_up"]] == [
        ("A03", "lead"),
        ("A03", "co"),
    ]
    assert found["policy_version"] == "optimal.1"
    own = (await here.get(f"/api/assignments/{asked}", by="A01")).json()
    assert (own["members"], own["runners_up"]) == (found["members"], [])
    assert (await here.get(f"/api/assignments/{asked}", by="A03")).status_code == 403


async def test_an_advisor_lists_their_own_assignments(here: World) -> None:
    request_id = await here.ask()
    assert [one["request_id"] for one in (await here.get("/api/assignments", by="A01")).json()["items"]] == [request_id]
    assert (await here.get("/api/assignments", by="A03")).json() == {"items": [], "next": None}
    assert (await here.get("/api/assignments", by="A01", advisor="A02")).status_code == 403
    assert len((await here.get("/api/assignments", request=request_id)).json()["items"]) == 1


async def test_an_override_is_made_once_per_key(here: World) -> None:
    request_id = await here.ask()
    path, body = f"/api/requests/{request_id}/assign", {"lead": "A03", "reason": "kennt den Ort"}
    first, second = [await here.post(path, body, key="k") for _ in range(2)]
    assert first.json() == second.json()
    assert first.json() == {
        "request_id": request_id,
        "assignment_id": (await here.current(request_id)).assignment_id,
        "round": 2,
        "state": "proposed",
    }
    detail = (await here.get(f"/api/requests/{request_id}")).json()
    assert [(one["by"], one["why"]) for one in detail["audit"]] == [("koordination", "kennt den Ort")]
    assert (await here.post(path, {"lead": "A03"})).status_code == 422
    assert (await here.post(path, {"lead": "A03", "co": "A03", "reason": "doppelt"})).status_code == 422
    assert (await here.post(path, {"lead": "A99", "reason": "wer?"})).json()["errors"][0]["field"] == "lead"
    assert (await here.post(path, body, by="A01")).status_code == 403


# -- sessions and closing --------------------------------------------------------------------------------------------


async def test_a_session_from_arrangement_to_record_and_closing(here: World) -> None:
    request_id = await here.engaged()
    asked = (await here.current(request_id)).assignment_id
    path = f"/api/assignments/{asked}/sessions"
    first, second = [await here.post(path, SESSION, by="A01", key="k") for _ in range(2)]
    assert first.json() == second.json()
    session = first.json()
    assert (first.status_code, session["starts_at"]) == (201, "2026-12-01T13:00:00Z")
    assert first.headers["location"] == f"/api/sessions/{session['id']}"
    moved = await here.post(
        f"/api/sessions/{session['id']}/reschedule",
        {"starts_at": "2026-12-02T14:00:00+01:00", "minutes": 60},
        by="A02",
    )
    assert moved.json()["sequence"] == 1
    done = [await here.post(f"/api/sessions/{session['id']}/complete", RECORD, by="A01") for _ in range(2)]
    assert done[0].json() == done[1].json()
    assert done[0].json()["record"]["options"][0]["text"] == "Vereine persönlich einladen"
    assert [one["state"] for one in (await here.get(path, by="A02")).json()["items"]] == ["completed"]
    assert (await here.post(f"/api/sessions/{session['id']}/correct", RECORD, by="A01")).status_code == 403
    assert (await here.get(path, by="A03")).status_code == 403
    closed = await here.post(f"/api/requests/{request_id}/close", {"outcome": "completed"}, by="A01")
    assert (closed.json()["state"], closed.json()["outcome"]) == ("closed", "completed")
    topics = [
        row["topic"] for row in await here.mongo["outbox"].find({"key": request_id}).sort("order", 1).to_list(None)
    ]
    assert topics == [
        "advisor.assigned",
        "advisor.answered",
        "advisor.answered",
        "session.scheduled",
        "session.scheduled",
        "session.completed",
        "consultation.closed",
    ]


WRONG_RECORDS: list[tuple[dict[str, object], str]] = [
    ({"members": [{"advisor_id": "A01", "minutes": 1}, {"advisor_id": "A01", "minutes": 1}]}, "body"),
    ({"members": []}, "members"),
    ({"participants": -1}, "participants"),
    ({"mode": "either"}, "mode"),
    ({"held_on": "morgen"}, "held_on"),
    ({"held_on": "2026-11-25"}, "held_on"),
    ({"options": [{"field": "fair_week", "text": "  "}]}, "options.0.text"),
]


async def test_a_wrong_record_names_the_field(here: World) -> None:
    session_id = await here.arranged(await here.engaged())
    for change, field in WRONG_RECORDS:
        answer = await here.post(f"/api/sessions/{session_id}/complete", {**RECORD, **change}, by="A01")
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])


async def test_a_session_is_called_off(here: World) -> None:
    session_id = await here.arranged(await here.engaged())
    assert (await here.post(f"/api/sessions/{session_id}/cancel", by="A02")).json()["state"] == "cancelled"
    assert (await here.get(f"/api/sessions/{session_id}", by="A01")).json()["state"] == "cancelled"
    again = await here.post(f"/api/sessions/{session_id}/complete", RECORD, by="A01")
    assert (again.status_code, again.json()["detail"]) == (409, "Diese Sitzung ist abgesagt.")


async def test_an_impossible_time_is_refused(here: World) -> None:
    asked = (await here.current(await here.engaged())).assignment_id
    for starts_at in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-12-01T10:00:00", 0):
        answer = await here.post(f"/api/assignments/{asked}/sessions", {**SESSION, "starts_at": starts_at})
        assert answer.status_code == 422


async def test_ten_answers_at_once_are_one(here: World) -> None:
    asked = (await here.current(await here.ask())).assignment_id
    answers = await asyncio.gather(*(here.post(f"/api/assignments/{asked}/accept", by="A01") for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await here.rows("advisor.answered")) == 1


async def test_words_are_german_unless_english_is_preferred(here: World) -> None:
    path = f"/api/requests/{new_id()}"
    german = await here.get(path)
    english = await here.client.get(path, headers=here.bearer("coordinator") | {"accept-language": "en"})
    assert german.json()["detail"] == "Diese Anfrage ist hier nicht bekannt."
    assert english.json()["detail"] == "This request is not known here."
