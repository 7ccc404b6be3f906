"""What services have confirmed to somebody is stored, and no wish was fulfilled twice."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.chaos.case import number_in
from tests.chaos.clients import Told
from tests.chaos.verdict import Verdict, differing
from tests.chaos.world import World


def confirmed(verdict: Verdict, told: Told, world: World) -> None:
    requests = {row["_id"]: row for row in world.rows("intake", "requests")}
    engagements = {row["_id"]: row for row in world.rows("matching", "engagements")}
    ledger = {(row["topic"], row["key"]) for row in world.rows("reporting", "facts")}
    accepted = told.requests.values()
    verdict.hold("request answered 201 is in intake", accepted, (one for one in accepted if one not in requests))
    verdict.hold("request answered 201 is in matching", accepted, (one for one in accepted if one not in engagements))
    missing = (one for one in accepted if ("request.created", one) not in ledger)
    verdict.hold("request answered 201 is in the ledger", accepted, missing)
    made: dict[str, list[str]] = defaultdict(list)
    for identity, row in requests.items():
        if row["dossier"]:
            made[number_in(row["dossier"]["need"])].append(identity)
    twice = (f"{number}: {', '.join(ids)}" for number, ids in made.items() if len(ids) > 1)
    verdict.hold("one request per wish", told.intended, twice)

    def kept(request_id: str, topic: str, row: bool) -> bool:
        return row and (topic, request_id) in ledger

    def lost(ids: Iterable[str], topic: str, service: str, member: str) -> Iterator[str]:
        rows = requests if service == "intake" else engagements
        return (one for one in ids if not kept(one, topic, bool(rows.get(one, {}).get(member))))

    verdict.hold(
        "withdrawal confirmed", told.withdrawn, lost(told.withdrawn, "request.withdrawn", "intake", "withdrawal")
    )
    verdict.hold("closing confirmed", told.closed, lost(told.closed, "consultation.closed", "matching", "closing"))
    verdict.hold("feedback confirmed", told.rated, lost(told.rated, "feedback.given", "intake", "feedback"))
    verdict.hold("feedback reached matching", told.rated, lost(told.rated, "feedback.given", "matching", "feedback"))
    seats = {
        (asked["assignment_id"], seat["advisor_id"]): seat.get("answer", "open")
        for row in engagements.values()
        for asked in row.get("rounds", ())
        for seat in asked["seats"]
    }
    stored = {place: seats.get(place) for place in told.answers}
    verdict.hold("answer confirmed", told.answers, differing(told.answers, stored))
    sessions = {one["id"]: one for row in engagements.values() for one in row.get("sessions", ())}
    verdict.hold("session confirmed", told.sessions, (one for one in told.sessions if one not in sessions))
    recorded = (one for one in told.records if not sessions.get(one, {}).get("record"))
    verdict.hold("record confirmed", told.records, recorded)
    verdict.notes["wishes never answered"] = len(told.intended) - len(told.requests)
