"""Outboxes, Kafka, the ledger and the copies of other services hold the same facts, each once."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator

from shared.events import BY_TOPIC, EMITTED
from shared.topics import CONSUMED, FACTS
from tests.chaos.verdict import Verdict, differing
from tests.chaos.world import Document, Record, World, is_poison

EMITTER = {event.topic: service for service, events in EMITTED.items() for event in events}


def published(verdict: Verdict, world: World) -> None:
    """Each row of an outbox is in Kafka, and nothing else is."""
    published = {_name(record) for record in world.records}
    for service in EMITTED:
        rows = {_row_name(row): row for row in world.rows(service, "outbox")}
        kept = {name: row for name, row in rows.items() if not row.get("forgotten")}
        wrong = (f"{row['topic']} {name}" for name, row in kept.items() if name not in published)
        verdict.hold(f"event stored by {service} is in Kafka", kept, wrong)
        told = {_name(record): record for record in world.records if EMITTER[record.topic] == service}
        invented = (f"{record.topic} {name}" for name, record in told.items() if name not in rows)
        verdict.hold(f"event in Kafka was stored by {service}", told, invented)
    copies = Counter(record.id for record in world.records if record.value is not None)
    verdict.notes["events that lie in Kafka more than once"] = sum(1 for count in copies.values() if count > 1)


def _name(record: Record) -> str:
    """Tombstones have no ids: what they erase tells them apart."""
    return record.id if record.value is not None else f"{record.topic} {record.key} erased"


def _row_name(row: Document) -> str:
    erases = "ce_erased" in row.get("headers", ())
    return f"{row['topic']} {row['key']} erased" if erases else str(row["_id"])


def ledger(verdict: Verdict, world: World) -> None:
    facts = world.rows("reporting", "facts")
    told = world.first(*FACTS)
    ids = Counter(row["_id"] for row in facts)
    verdict.hold("fact in Kafka is in the ledger", told, (f"{told[one].topic} {one}" for one in told if one not in ids))
    verdict.hold("fact in the ledger is in Kafka", ids, (one for one in ids if one not in told))
    bodies = Counter((row["topic"], row["key"], row["data"]) for row in facts)
    verdict.hold("fact counted once", facts, (f"{name[0]} {name[1]}" for name, count in bodies.items() if count > 1))
    places = sorted(row["seq"] for row in facts)
    gaps = [] if places == list(range(1, len(facts) + 1)) else [f"{len(facts)} facts, last place {places[-1:]}"]
    verdict.hold("the ledger's order has no gaps", facts, gaps)


def copies(verdict: Verdict, world: World) -> None:
    """What the other services have taken from the facts: each one, once."""
    wanted = [topic for topic in CONSUMED["notifications"] if not topic.endswith(".dossier")]
    told = world.first(*wanted)
    noted = Counter(fact["event_id"] for case in world.rows("notifications", "cases") for fact in case["facts"])
    absent = (f"{told[one].topic} {one}" for one in told if one not in noted)
    verdict.hold("fact reached notifications", told, absent)
    doubled = (f"{one}: {count} times" for one, count in noted.items() if count > 1)
    verdict.hold("fact noted once by notifications", noted, doubled)
    of_intake = world.first(*(topic for topic in CONSUMED["intake"] if not topic.endswith(".dossier")))
    told_of = dict(Counter(record.key for record in of_intake.values()))
    stepped = {row["_id"]: len(row["steps"]) for row in world.rows("intake", "progress")}
    verdict.hold("each fact is one step of the status page", of_intake, differing(told_of, stepped))


def order(verdict: Verdict, world: World) -> None:
    """Per key and topic by the aggregate's version; across topics, cause before effect."""
    order = {row["_id"]: row["order"] for service in EMITTED for row in world.rows(service, "outbox")}
    lanes: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in world.first(*BY_TOPIC).values():
        lanes[record.topic, record.key].append(record)
    wrong = []
    for (topic, key), records in lanes.items():
        versions = [order[one.id] for one in sorted(records, key=lambda one: one.offset) if one.id in order]
        if topic.partition(".")[0] not in ("notification", "reporting") and versions != sorted(versions):
            wrong.append(f"{topic} {key}: {versions}")
        if len({one.partition for one in records}) > 1:
            wrong.append(f"{topic} {key}: on several partitions")
    verdict.hold("order per key and topic", lanes, wrong)
    pairs = list(_causes(world))
    late = (f"{two.topic} {two.id} lies before its cause {one.id}" for one, two in pairs if one.at > two.at)
    verdict.hold("cause before effect", pairs, late)


def _causes(world: World) -> Iterator[tuple[Record, Record]]:
    """Facts of one emitter of which the first had to happen before the second."""
    assigned = {one.body["assignment_id"]: one for one in world.first("advisor.assigned").values()}
    for answered in world.first("advisor.answered").values():
        if cause := assigned.get(answered.body["assignment_id"]):
            yield cause, answered
    scheduled = {
        one.body["session_id"]: one
        for one in world.first("session.scheduled").values()
        if one.body["change"] == "scheduled"
    }
    completed = {one.body["session_id"]: one for one in world.first("session.completed").values()}
    for session_id, held in completed.items():
        if cause := scheduled.get(session_id):
            yield cause, held
    closed = {one.key: one for one in world.first("consultation.closed").values()}
    for held in completed.values():
        if end := closed.get(held.key):
            yield held, end
    created = {one.key: one for one in world.first("request.created").values()}
    for withdrawn in world.first("request.withdrawn").values():
        if cause := created.get(withdrawn.key):
            yield cause, withdrawn


def letters(verdict: Verdict, world: World, poison: Collection[tuple[str, str]]) -> None:
    strange = [letter for letter in world.letters if letter.value is not None and not is_poison(letter)]
    words = (f"{letter.topic}@{letter.offset} {letter.key} {letter.id}" for letter in strange)
    verdict.hold("no dead letter without poison", world.letters, words)
    found = {(letter.topic, marker) for letter in world.letters for marker in (letter.key, letter.id)}
    verdict.hold("each poison became a dead letter", poison, (str(one) for one in poison if one not in found))
