"""Nobody is asked twice for one seat, and nobody beyond their capacity."""

from collections import Counter

from tests.chaos.verdict import Verdict
from tests.chaos.world import World


def assignments(verdict: Verdict, world: World) -> None:
    engagements = world.rows("matching", "engagements")
    rounds = [(row, asked) for row in engagements for asked in row.get("rounds", ())]
    wrong: list[str] = []
    for row in engagements:
        if not row.get("rounds"):
            continue
        if [asked["number"] for asked in row["rounds"]] != list(range(1, len(row["rounds"]) + 1)):
            wrong.append(f"{row['_id']}: rounds {[asked['number'] for asked in row['rounds']]}")
        held = [seat for seat in row["rounds"][-1]["seats"] if seat.get("answer", "open") in ("open", "accepted")]
        wrong += [
            f"{row['_id']}: two seats of the same {member}"
            for member in ("role", "advisor_id")
            if len({seat[member] for seat in held}) < len(held)
        ]
    verdict.hold("one advisor per seat", rounds, wrong)
    told = world.first("advisor.assigned").values()
    per_round = Counter((record.key, record.body["round"]) for record in told)
    verdict.hold("one assignment told per round", told, (f"{name}" for name, n in per_round.items() if n > 1))
    stored = {asked["assignment_id"] for _, asked in rounds}
    heard = {record.body["assignment_id"] for record in told}
    verdict.hold("assignments told are those stored", stored | heard, stored ^ heard)
    capacity = {row["_id"]: row["capacity"] for row in world.rows("matching", "advisors")}
    loads = Counter(one for row in engagements for one in row.get("holders", ()))
    over = (f"{one}: {load} of {capacity.get(one)}" for one, load in loads.items() if load > capacity.get(one, 0))
    verdict.hold("nobody beyond their capacity", capacity, over)
