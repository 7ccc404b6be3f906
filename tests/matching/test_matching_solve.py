"""`miglobe match`: files in, files out, and clear words for what is wrong."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.matching import problem as files
from services.matching.match_cli import match
from tests.matching import checker
from tests.matching.problems import WEIGHTS, problem

RUN = CliRunner()
ADVISOR: dict[str, Any] = {
    "id": "A1",
    "levels": {"fair_week": 2},
    "languages": ["de"],
    "regions": ["08117042"],
    "capacity": 1,
    "paid_minutes": 0,
    "conflicts": [],
}
REQUEST: dict[str, Any] = {
    "id": "R1",
    "ags": "08117042",
    "fields": ["fair_week"],
    "languages": ["de"],
    "tandem": "not_wanted",
    "waiting_days": 0,
}


def given(advisors: list[dict[str, Any]], requests: list[dict[str, Any]], **policy: Any) -> dict[str, Any]:
    return {"policy": {"weights": WEIGHTS, **policy}, "advisors": advisors, "requests": requests}


def decided(instance: dict[str, Any]) -> dict[str, Any]:
    answer = files.read(json.dumps(instance)).decided()
    checker.check(instance, answer)
    return answer


def test_a_file_is_decided_without_a_server(tmp_path: Path) -> None:
    source, target = tmp_path / "in.json", tmp_path / "out.json"
    instance = problem(7, 16, 20)
    source.write_text(json.dumps(instance))
    done = subprocess.run(
        [sys.executable, "-c", "from shared.cli import main; main()", "match", "solve", str(source), str(target)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "the proven optimum" in done.stdout
    answer = json.loads(target.read_text())
    checker.check(instance, answer)
    assert set(answer) == {"assignments", "unassigned", "objective", "optimal", "gap"}
    assert set(answer["assignments"][0]) == {"request_id", "lead", "co", "points", "score"}
    assert set(answer["assignments"][0]["points"]) == {
        *("expertise", "region", "languages", "fairness", "tandem", "waiting")
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is no instance: the file: Invalid JSON"),
        ("[]", "is no instance: the file: Input should be an object"),
        (json.dumps(given([ADVISOR | {"capacity": -1}], [])), "advisors.0.capacity: Input should be greater"),
        (json.dumps(given([ADVISOR | {"capacity": 1.5}], [])), "advisors.0.capacity: Input should be a valid integer"),
        (json.dumps(given([ADVISOR | {"levels": {"cooking": 1}}], [])), "advisors.0.levels.cooking"),
        (json.dumps(given([ADVISOR | {"levels": {"other": 4}}], [])), "advisors.0.levels.other: Input should be less"),
        (json.dumps(given([], [REQUEST | {"ags": "817"}, REQUEST | {"ags": "8"}])), "(and 1 more)"),
        (json.dumps(given([], [REQUEST | {"tandem": "maybe"}])), "requests.0.tandem"),
        (json.dumps(given([ADVISOR, ADVISOR], [])), "there are 2 advisors A1"),
        (json.dumps(given([], [], weights={"batch_step": -1})), "policy.weights.batch_step"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    source = tmp_path / "in.json"
    source.write_text(text)
    done = RUN.invoke(match, ["solve", str(source), str(tmp_path / "out.json")])
    assert (done.exit_code, sentence in done.stderr, done.stderr.count("\n")) == (2, True, 1), done.stderr
    assert not (tmp_path / "out.json").exists()


def test_a_missing_file_is_said_too(tmp_path: Path) -> None:
    done = RUN.invoke(match, ["solve", str(tmp_path / "none.json"), str(tmp_path / "out.json")])
    assert (done.exit_code, "can't be read" in done.stderr) == (2, True)


def test_empty_lists_are_an_instance() -> None:
    assert decided(given([], [])) == {"assignments": [], "unassigned": [], "objective": 0, "optimal": True, "gap": 0.0}
    assert decided(given([ADVISOR], []))["objective"] == 0
    assert decided(given([], [REQUEST]))["unassigned"] == [{"request_id": "R1", "reason": "nobody_suitable"}]


@pytest.mark.parametrize(
    ("advisor", "request_", "reason"),
    [
        ({"capacity": 0}, {}, "nobody_free"),
        ({"conflicts": ["08117042"]}, {}, "nobody_suitable"),
        ({"conflicts": ["08117"]}, {}, "nobody_suitable"),
        ({"conflicts": ["08117042"]}, {"ags": "08117"}, None),
        ({"levels": {"fair_week": 0}}, {}, "nobody_suitable"),
        ({}, {"fields": []}, "nobody_suitable"),
        ({}, {"fields": ["other"]}, "nobody_suitable"),
        ({"levels": {"other": 1}}, {"fields": ["other"]}, None),
        ({"languages": []}, {"languages": []}, None),
        ({"regions": []}, {}, None),
    ],
)
def test_who_is_eligible(advisor: dict[str, Any], request_: dict[str, Any], reason: str | None) -> None:
    answer = decided(given([ADVISOR | advisor], [REQUEST | request_]))
    assert [one["reason"] for one in answer["unassigned"]] == ([reason] if reason else [])


def test_a_rural_district_reaches_160_at_most() -> None:
    answer = decided(given([ADVISOR | {"regions": ["08117", "08117042"]}], [REQUEST | {"ags": "08117"}]))
    assert answer["assignments"][0]["points"]["region"] == 160


def test_either_takes_a_second_one_only_where_that_gains_more_than_it_costs() -> None:
    second = ADVISOR | {"id": "A2", "levels": {"other": 3}}
    alone = decided(given([ADVISOR, second], [REQUEST | {"tandem": "either"}]))["assignments"][0]
    assert (alone["co"], alone["points"]["tandem"]) == (None, 0)
    both = decided(given([ADVISOR, second], [REQUEST | {"tandem": "either", "fields": ["fair_week", "other"]}]))
    assert (both["assignments"][0]["co"], both["assignments"][0]["points"]["tandem"]) == ("A1", -120)


def test_the_lead_knows_more_then_has_had_less_then_comes_first() -> None:
    wanted = REQUEST | {"tandem": "wanted"}
    for change, lead in (({"levels": {"fair_week": 3}}, "A2"), ({"paid_minutes": 60}, "A1"), ({}, "A1")):
        found = decided(given([ADVISOR | {"id": "A2"} | change, ADVISOR], [wanted]))["assignments"][0]
        assert (found["lead"], found["co"]) == (lead, "A1" if lead == "A2" else "A2")


def test_a_request_goes_without_where_the_batch_cost_is_more_than_it_gains() -> None:
    """The third assignment of one advisor would cost 2 × 400 and score 783."""
    weights = WEIGHTS | {"batch_step": 400}
    requests = [REQUEST | {"id": f"R{n}"} for n in range(5)]
    answer = decided(given([ADVISOR | {"capacity": 9}], requests, weights=weights))
    assert [one["request_id"] for one in answer["assignments"]] == ["R0", "R1"]
    assert {one["reason"] for one in answer["unassigned"]} == {"nobody_free"}


def test_without_a_rule_on_starvation_none_applies() -> None:
    """One place, and an old request that scores less."""
    old = REQUEST | {"id": "R2", "ags": "08425", "languages": ["tr"], "waiting_days": 18}
    assert decided(given([ADVISOR], [REQUEST, old]))["assignments"][0]["request_id"] == "R1"
    ruled = decided(given([ADVISOR], [REQUEST, old], rules={"starvation": 15}))
    assert ruled["assignments"][0]["request_id"] == "R2"
