"""What the policy says, written once more from its table alone: points, rules and optimum of an instance as JSON.

It knows nothing of the product's code. `best` tries every choice there is; `best_of_columns` gives every single and
pair to the solver, without leaving any out.
"""

from functools import cache
from itertools import combinations
from typing import Any

import highspy

Json = dict[str, Any]


def points(problem: Json, request: Json, members: list[Json]) -> Json:
    """Per criterion, for one or two advisors."""
    weights, fields = problem["policy"]["weights"], request["fields"]
    longest = max(one["paid_minutes"] for one in problem["advisors"]) + 60
    best = sum(max(one["levels"].get(code, 0) for one in members) for code in fields)
    spoken = [code for code in request["languages"] if any(code in one["languages"] for one in members)]
    fair = sum(weights["fairness"] * (longest - one["paid_minutes"]) // longest for one in members)
    pair = {"wanted": weights["tandem_wanted"], "either": weights["tandem_either"]}.get(request["tandem"], 0)
    return {
        "expertise": weights["expertise"] * best // (3 * len(fields)) if fields else 0,
        "region": max((near(weights, request["ags"], place) for one in members for place in one["regions"]), default=0),
        "languages": weights["languages"] * len(spoken) // len(request["languages"]) if request["languages"] else 0,
        "fairness": fair // len(members),
        "tandem": pair if len(members) == 2 else 0,
        "waiting": min(weights["waiting_max"], weights["waiting_per_day"] * request["waiting_days"]),
    }


def near(weights: Json, ags: str, place: str) -> int:
    municipality, district, region, state = weights["region"]
    if len(ags) == 8 and place == ags:
        return int(municipality)
    found = [(5, district), (3, region), (2, state)]
    return int(next((worth for digits, worth in found if ags[:digits] == place[:digits]), 0))


def able(request: Json, one: Json) -> bool:
    conflict = any(key in (request["ags"], request["ags"][:5]) for key in one["conflicts"])
    return one["capacity"] > 0 and not conflict and any(one["levels"].get(code, 0) >= 1 for code in request["fields"])


def sets(problem: Json, request: Json) -> list[list[Json]]:
    """Everybody who could be asked together."""
    fit = [one for one in problem["advisors"] if able(request, one)]
    pairs = combinations(fit, 2) if request["tandem"] != "not_wanted" else ()
    return [*([one] for one in fit), *(list(pair) for pair in pairs)]


def overdue(problem: Json) -> list[Json]:
    limit = problem["policy"].get("rules", {}).get("starvation")
    late = [one for one in problem["requests"] if limit is not None and one["waiting_days"] > limit]
    return sorted(late, key=lambda one: (-one["waiting_days"], one["id"]))


def check(problem: Json, answer: Json) -> None:
    """Every rule and every point; AssertionError says what is wrong."""
    people, asked = ({one["id"]: one for one in problem[what]} for what in ("advisors", "requests"))
    told = [one["request_id"] for part in ("assignments", "unassigned") for one in answer[part]]
    assert sorted(told) == sorted(asked), "each request once"
    uses: Json = dict.fromkeys(people, 0)
    for one in answer["assignments"]:
        request, ids = asked[one["request_id"]], [one["lead"], *([one["co"]] if one["co"] else [])]
        members = [people[number] for number in ids]
        assert len(set(ids)) == len(ids)
        assert len(ids) == 1 or request["tandem"] != "not_wanted"
        assert all(able(request, member) for member in members)
        assert one["points"] == points(problem, request, members), one
        assert one["score"] == sum(one["points"].values())
        order = [(-sum(m["levels"].get(c, 0) for c in request["fields"]), m["paid_minutes"], m["id"]) for m in members]
        assert order == sorted(order), "the lead knows more"
        for number in ids:
            uses[number] += 1
    assert all(uses[number] <= one["capacity"] for number, one in people.items())
    step = problem["policy"]["weights"]["batch_step"]
    cost = sum(step * k for n in uses.values() for k in range(n))
    assert answer["objective"] == sum(one["score"] for one in answer["assignments"]) - cost


def best(problem: Json) -> tuple[tuple[int, ...], int]:
    """Whether each overdue request is served, the longest first, and the most that all then come to."""
    requests = [*overdue(problem), *(one for one in problem["requests"] if one not in overdue(problem))]
    late, step = len(overdue(problem)), problem["policy"]["weights"]["batch_step"]
    place = {one["id"]: n for n, one in enumerate(problem["advisors"])}
    options = [
        [([place[m["id"]] for m in some], sum(points(problem, one, some).values())) for some in sets(problem, one)]
        for one in requests
    ]

    @cache
    def rest(n: int, used: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
        if n == len(requests):
            return (), 0
        served, most = rest(n + 1, used)
        found = ((0, *served) if n < late else served, most)
        for ids, score in options[n]:
            if all(used[i] < problem["advisors"][i]["capacity"] for i in ids):
                served, most = rest(n + 1, tuple(k + (i in ids) for i, k in enumerate(used)))
                net = most + score - step * sum(used[i] for i in ids)
                found = max(found, ((1, *served) if n < late else served, net))
        return found

    return rest(0, (0,) * len(place))


def best_of_columns(problem: Json) -> int:
    """The optimum by the solver, over all columns; for instances where nobody is overdue."""
    model, step = highspy.Highs(), problem["policy"]["weights"]["batch_step"]  # type: ignore[no-untyped-call]
    model.silent()
    model.setOptionValue("mip_rel_gap", 0.0)
    model.setOptionValue("threads", 1)  # as the engine: a process keeps the number that it begins with
    users: dict[str, list[Any]] = {one["id"]: [] for one in problem["advisors"]}
    for request in problem["requests"]:
        taken = []
        for some in sets(problem, request):
            x = model.addBinary(obj=-sum(points(problem, request, some).values()))
            taken.append(x)
            for one in some:
                users[one["id"]].append(x)
        if taken:
            model.addConstr(sum(taken) <= 1)
    for one in problem["advisors"]:
        if users[one["id"]]:
            most = min(one["capacity"], len(problem["requests"]))
            model.addConstr(sum(users[one["id"]]) <= sum(model.addBinary(obj=step * k) for k in range(most)))
    model.minimize()
    return round(-model.getObjectiveValue())
