"""The routes of governing: who may, what they answer, and that an advisor sees nothing of a proposal."""

from datetime import UTC, date, datetime, timedelta

from services.matching.handlers import events
from services.matching.matcher import Matcher
from shared.events.base import FieldCode
from shared.ids import new_id
from shared.inbox import mark
from tests.matching.samples import TODAY
from tests.matching.world import World


async def request_of(here: World) -> str:
    return await here.ask()


async def test_a_coordinator_notes_pins_and_finds_it_in_the_trail(here: World) -> None:
    request_id = await request_of(here)
    noted = await here.post(f"/api/requests/{request_id}/notes", {"text": "Rückruf am Montag"})
    assert (noted.status_code, noted.json()["audit"][-1]["why"]) == (200, "Rückruf am Montag")
    assert (await here.post(f"/api/requests/{request_id}/notes", {"text": "x" * 9}, by="A01")).status_code == 403
    trail = (await here.get("/api/audit", about=request_id)).json()["items"]
    assert [(one["what"], one["by"]) for one in trail] == [("noted", "koordination")]


async def test_an_erased_request_keeps_who_decided_what_and_none_of_their_words(here: World) -> None:
    request_id = await request_of(here)
    await here.says(request_id, "A01", "declined", "no_time")
    await here.post(f"/api/requests/{request_id}/notes", {"text": "Frau Muster ist montags da"})
    body = {"lead": "A03", "reason": "Frau Muster kennt sie"}
    await here.post(f"/api/requests/{request_id}/assign", body)
    before = (await here.get("/api/audit", about=request_id)).json()["items"]
    for _ in range(2):
        await events.erase(here.store, request_id, mark("matching", new_id()))
    after = (await here.get("/api/audit", about=request_id)).json()["items"]
    assert [one | {"why": ""} for one in before] == [one | {"why": ""} for one in after]
    assert [(one["what"], one["why"]) for one in after] == [("assigned", ""), ("noted", ""), ("declined", "no_time")]
    documents = [await here.mongo[name].find().to_list(None) for name in ("engagements", "dossiers")]
    assert "Muster" not in str(documents)


async def test_what_was_set_stands_beside_why(here: World) -> None:
    budget = {"start": "2026-01-01", "end": "2026-12-31", "minutes": 6000, "reason": "Bescheid vom 1. Januar"}
    await here.put("/api/budgets/2026", budget)
    await here.post("/api/advisors/A03/leave", {"last_day": "2026-12-31", "reason": "zieht weg"})
    await here.post("/api/policies", {"version": "near.1", "weights": {"fairness": 0}, "reason": "kurze Wege"})
    await here.post("/api/policies/near.1/activate", {"reason": "beschlossen"})
    found = (await here.get("/api/audit")).json()["items"]
    assert {(one["kind"], one["about"], one["what"], one["why"], one["to"]) for one in found} == {
        ("budget", "2026", "budget_set", "Bescheid vom 1. Januar", "2026-01-01..2026-12-31 6000"),
        ("advisor", "A03", "advisor_leaves", "zieht weg", "2026-12-31"),
        ("policy", "near.1", "policy_made", "kurze Wege", "optimal.1"),
        ("policy", "near.1", "policy_activated", "beschlossen", ""),
    }


async def test_a_budget_is_set_shown_and_does_not_overlap(here: World) -> None:
    body = {"start": "2026-01-01", "end": "2026-12-31", "minutes": 6000, "reason": "Bescheid vom 1. Januar"}
    assert (await here.put("/api/budgets/2026", body)).json()["left"] == 6000
    await request_of(here)
    [shown] = (await here.get("/api/budgets")).json()["items"]
    assert (shown["committed"], shown["left"]) == (1200, 4800)
    assert (await here.put("/api/budgets/2027", body)).status_code == 409
    assert (await here.put("/api/budgets/2026", body, by="A01")).status_code == 403


async def test_who_leaves_is_on_the_hand_over_list_until_it_is_settled(here: World) -> None:
    request_id = await here.engaged()
    left = await here.post("/api/advisors/A01/leave", {"last_day": TODAY.isoformat(), "reason": "zieht weg"})
    assert left.json()["leaves_on"] == TODAY.isoformat()
    [vacancy] = (await here.get("/api/hand-overs")).json()["items"]
    assert (vacancy["request"]["request_id"], vacancy["hand_over"]["advisor_id"]) == (request_id, "A01")
    assert vacancy["request"]["next_step"] == "hand_over"
    best = vacancy["replacements"][0]["advisor_id"]
    body = {"advisor": "A01", "to": best, "reason": "übernimmt"}
    handed = await here.post(f"/api/requests/{request_id}/hand-over", body)
    assert (handed.status_code, handed.json()["state"]) == (200, "proposed")
    assert (await here.get("/api/hand-overs")).json()["items"] == []


async def test_the_age_of_the_oldest_open_request_is_measured_at_each_look(here: World) -> None:
    ages: list[float] = []
    matcher = Matcher(here.store, here.rules, lambda: here.now, scan_seconds=0.0, measured=ages.append)
    await matcher.turn()
    first, second = await here.ask(), await here.ask(submitted_at=here.now + timedelta(hours=2))
    here.now += timedelta(days=3)
    await matcher.turn()
    for request_id in (first, second):
        await here.post(f"/api/requests/{request_id}/close", {"outcome": "no_longer_possible"})
        await matcher.turn()
    assert ages == [0.0, 3 * 86_400.0, 3 * 86_400.0 - 7_200.0, 0.0]


async def test_what_is_late_is_listed_with_who_has_to_do_what(here: World) -> None:
    """Every open request has an owner, a next step and a due date; the overdue ones are a list of their own."""
    asked_, engaged = await here.ask(), await here.engaged(case_number="BW-AAAA-1")
    parked = await here.ask(case_number="BW-BBBB-2", fields=(FieldCode.CAUSES_OF_FLIGHT,))
    everything = (await here.get("/api/requests")).json()["items"]
    assert {one["request_id"] for one in everything} == {asked_, engaged, parked}
    assert all(one["owner"] and one["next_step"] and one["due"] and not one["overdue"] for one in everything)
    assert (await here.get("/api/requests", overdue=True)).json()["items"] == []
    here.now += timedelta(days=9)
    late = (await here.get("/api/requests", overdue=True)).json()["items"]
    assert [(one["request_id"], one["owner"], one["next_step"], one["overdue"]) for one in late] == [
        (asked_, "A01", "answer", True),
        (parked, "coordination", "find_advisor", True),
    ]
    assert (await here.get("/api/requests", overdue=True, state="parked")).json()["items"][0]["request_id"] == parked
    assert (await here.get("/api/requests", overdue=True, by="A01")).status_code == 403


async def test_the_policy_says_how_many_working_days_of_the_state_there_are_to_answer(here: World) -> None:
    """Epiphany, on Wednesday, is a holiday in Baden-Württemberg."""
    await here.post("/api/policies", {"version": "quick.1", "rules": {"respond": 3}, "reason": "schneller"})
    await here.post("/api/policies/quick.1/activate", {"reason": "beschlossen"})
    here.now = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)
    request_id = await here.ask(submitted_at=here.now, wanted_from=here.now.date())
    assert (await here.current(request_id)).respond_by == date(2027, 1, 8)
