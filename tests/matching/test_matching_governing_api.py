"""The routes of governing: who may, what they answer, and that an advisor sees nothing of a proposal."""

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
