"""Policies are data: made, kept, activated, compared over a past period."""

import xml.etree.ElementTree as ET
from datetime import timedelta

from services.matching.domain.points import fair_minutes
from services.matching.domain.policy import OPTIMAL, Policy, Weights
from services.matching.domain.trial import Terms
from services.matching.handlers import events
from services.matching.simulation import simulate
from shared.events import AdvisorAssigned
from shared.ids import new_id
from shared.inbox import mark
from tests.matching.play import Play
from tests.matching.samples import FAIR, NOW, PARTNERS, TODAY, advisor, candidate, created, seeker
from tests.matching.world import World

TERMS = Terms(days=30, minutes=600, subdivision="BW")


async def test_a_version_is_made_kept_and_activated(here: World) -> None:
    body = {"version": "near.1", "weights": {"region": [900, 800, 100, 0]}, "reason": "kurze Wege"}
    made = await here.post("/api/policies", body, key="k1")
    assert (made.status_code, made.headers["location"]) == (201, "/api/policies/near.1")
    assert (await here.post("/api/policies", body, key="k1")).json() == made.json()
    assert (await here.post("/api/policies", body)).status_code == 409
    assert (await here.post("/api/policies", body | {"version": "optimal.1"})).status_code == 409
    assert (await here.get("/api/policies/active")).json()["version"] == "optimal.1"
    await here.ask()
    assert (await here.post("/api/policies/near.1/activate", {"reason": "beschlossen"})).status_code == 200
    assert (await here.post("/api/policies/none.9/activate", {"reason": "beschlossen"})).status_code == 404
    found = (await here.get("/api/policies")).json()
    assert [(one["version"], one["active"]) for one in found["items"]] == [("optimal.1", False), ("near.1", True)]
    assert found["items"][1]["weights"] == found["items"][0]["weights"] | {"region": [900, 800, 100, 0]}
    assert [(one["version"], one["by"], one["reason"]) for one in found["activations"]] == [
        ("near.1", "koordination", "beschlossen")
    ]
    await here.ask()
    told = await here.rows(AdvisorAssigned.topic)
    versions = [AdvisorAssigned.model_validate_json(row["body"]).policy_version for row in told]  # type: ignore[arg-type]
    assert versions == ["optimal.1", "near.1"]


async def test_only_coordinators_see_and_change_policies(here: World) -> None:
    for path in ("", "/active", "/optimal.1", "/simulation?from=2026-11-01&to=2026-11-30&b=optimal.1"):
        assert (await here.get(f"/api/policies{path}", by="A01")).status_code == 403
        assert (await here.get(f"/api/policies{path}", by=None)).status_code == 401
    body = {"version": "x.1", "reason": "weil"}
    assert (await here.post("/api/policies", body, by="A01")).status_code == 403


async def test_nonsense_is_refused_with_its_place(here: World) -> None:
    body = {"version": "x.1", "reason": "weil", "weights": {"batch_step": -1, "colour": 3}}
    answer = await here.post("/api/policies", body)
    assert answer.status_code == 422
    assert {one["field"] for one in answer.json()["errors"]} == {"weights.batch_step", "weights.colour"}


async def test_two_versions_are_compared_over_a_past_period(here: World) -> None:
    for _ in range(3):
        await here.ask()
    await here.post("/api/policies", {"version": "x.1", "reason": "probe", "weights": {"tandem_wanted": -900}})
    period = {"from": str(TODAY), "to": str(TODAY + timedelta(days=10)), "b": "x.1"}
    found = (await here.get("/api/policies/simulation", **period)).json()
    assert (found["a"]["policy_version"], found["b"]["policy_version"]) == ("optimal.1", "x.1")
    assert (found["a"]["requests"], found["a"]["tandems"], found["b"]["tandems"]) == (3, 3, 0)
    assert found["a"]["coverage"] > found["b"]["coverage"]
    assert len(found["changed"]) == 3
    assert len(await here.rows(AdvisorAssigned.topic)) == 3, "it has only looked"
    plot = await here.get("/api/policies/simulation.svg", **period)
    assert plot.headers["content-type"] == "image/svg+xml"
    drawn = ET.fromstring(plot.text)
    assert "x.1" in "".join(drawn.itertext())
    backwards = {"from": str(TODAY), "to": str(TODAY - timedelta(days=1)), "b": "x.1"}
    assert (await here.get("/api/policies/simulation", **backwards)).status_code == 422


def test_a_period_is_played_day_by_day_with_places_that_fall_free_again() -> None:
    pool = [candidate("A01", capacity=1, levels={FAIR: 3})]
    wishes = [seeker(f"r{n}", asked_on=TODAY + timedelta(days=n), wanted_from=TODAY) for n in range(3)]
    run = simulate(pool, wishes, TODAY + timedelta(days=40), OPTIMAL, TERMS)
    assert run.members == {"r0": ("A01",), "r1": ("A01",)}
    assert (run.figures.assigned, run.figures.unassigned, run.figures.most_minutes) == (2, 1, 1200)
    assert (run.figures.tandems, run.figures.advisors_asked) == (0, 1)
    assert run.figures.waited_longest > 15
    assert run == simulate(pool[::-1], wishes[::-1], TODAY + timedelta(days=40), OPTIMAL, TERMS)


def test_a_policy_without_fairness_spreads_the_work_less() -> None:
    pool = [candidate(f"A{n:02}", capacity=9, levels={FAIR: 3 if n == 1 else 2}) for n in range(1, 5)]
    wishes = [seeker(f"r{n:02}", asked_on=TODAY + timedelta(days=n), wanted_from=TODAY) for n in range(8)]
    fair = simulate(pool, wishes, TODAY + timedelta(days=20), Policy(weights=Weights(fairness=900)), TERMS).figures
    unfair = simulate(pool, wishes, TODAY + timedelta(days=20), Policy(weights=Weights(fairness=0)), TERMS).figures
    assert fair.gini < unfair.gini
    assert fair.coverage <= unfair.coverage


def test_paid_minutes_are_leave_neutral_and_newcomers_count_with_the_median() -> None:
    there = {"A01": 365, "A02": 182, "A03": 365, "A04": 20, "A05": 0}
    paid = {"A01": 400, "A02": 400, "A03": 1200}
    assert fair_minutes(paid, there, 90) == {"A01": 400, "A02": 400 * 365 // 182, "A03": 1200, "A04": 802, "A05": 802}


async def test_who_has_waited_too_long_goes_first_whatever_it_scores() -> None:
    """One place; the younger request would score more by far."""
    play = Play()
    await play.pool(advisor("A01", levels={FAIR: 3, PARTNERS: 1}, capacity=1))
    late = created(tandem="not_wanted", fields=(PARTNERS,), languages=("tr",), submitted_at=NOW - timedelta(days=60))
    young = created(tandem="not_wanted", fields=(FAIR,))
    for event in (young, late):
        await events.receive(play.store, event, mark("matching", new_id()), NOW)
    await play.matcher.turn()
    assert [(await play.of(one.request_id)).state for one in (late, young)] == ["proposed", "parked"]
