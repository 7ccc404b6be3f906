"""Each fact has brought about its mails, each of them once."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from tests.chaos.case import NEVER
from tests.chaos.clients import Told
from tests.chaos.verdict import Verdict, differing
from tests.chaos.world import Document, World

SESSION = {"scheduled": "session_invite", "rescheduled": "session_update", "cancelled": "session_cancelled"}


def mails(verdict: Verdict, told: Told, world: World) -> None:
    messages = world.rows("notifications", "messages")
    planned = Counter((row["cause_id"], row["advisor_id"] or "municipality", row["template"]) for row in messages)
    dropped = {
        (row["cause_id"], row["advisor_id"] or "municipality", row["template"])
        for row in messages
        if row["state"] == "dropped"
    }
    about = {record.id: record.key for record in world.records}
    wanted = {one for one in _expected(world) if about[one[0]] not in told.erasing}
    missing = wanted - planned.keys() | wanted & dropped
    verdict.hold("mail for each fact and recipient", wanted, map(str, missing))
    verdict.hold("mail planned once", planned, (f"{one}: {n} times" for one, n in planned.items() if n > 1))
    waiting = (f"{row['template']} {row['_id']}: {row['waiting_for']}" for row in messages if row["state"] == "waiting")
    verdict.hold("no mail waits for ever", messages, waiting)
    sent = {row["_id"] for row in messages if row["state"] == "sent"}
    delivered = Counter(name.strip("<>").partition(".")[0] for name in world.mails)
    verdict.hold("mail sent is in the mailbox", sent, sent - delivered.keys())
    verdict.hold("mail in the mailbox was sent", delivered, delivered.keys() - sent - _in_doubt(messages))
    doubled = (f"{one}: {n} Message-IDs" for one, n in delivered.items() if n > 1)
    verdict.hold("mail sent under one Message-ID", delivered, doubled)
    verdict.notes["mails handed over again, same Message-ID"] = sum(n - 1 for n in world.mails.values())
    heard = Counter(record.body["message_id"] for record in world.first("notification.sent").values())
    verdict.hold("notification.sent told once per mail", sent, (one for one in sent if heard[one] != 1))
    _refused(verdict, world, set(told.erasing.values()))


def _in_doubt(messages: Iterable[Document]) -> set[str]:
    """Taken up by a sender that heard or stored no answer, to be tried again, and by then no longer needed: who got it
    may have acted."""
    return {row["_id"] for row in messages if row["state"] == "dropped" and row["attempts"]}


def _refused(verdict: Verdict, world: World, unknown: Collection[str]) -> None:
    """What a mail server has refused for good has failed and was told of, and nothing else has.

    `unknown`: whose addresses are (being) erased.
    """
    failed = {row["_id"]: row["address"] for row in world.rows("notifications", "messages") if row["state"] == "failed"}
    addresses = dict(Counter(one for one in failed.values() if one and not one.endswith(f"@{NEVER}")))
    addresses, refused = (
        {one: count for one, count in found.items() if one.partition("@")[0] not in unknown}
        for found in (addresses, world.refused)
    )
    verdict.hold("mail refused for good has failed, no other", addresses, differing(refused, addresses))
    told = Counter(record.body["message_id"] for record in world.first("notification.failed").values())
    wrong = (f"{one}: {told[one]} times" for one in failed.keys() | told.keys() if told[one] != 1)
    verdict.hold("notification.failed told once per failed mail", failed, wrong)


def _expected(world: World) -> Iterator[tuple[str, str, str]]:
    """(event, recipient, template) that the facts call for and nothing has made pointless."""
    withdrawn = {record.key for record in world.first("request.withdrawn").values()}
    accepted = set()
    for identity, record in world.first("advisor.answered").items():
        body = record.body
        if body["answer"] == "accepted":
            accepted.add((body["assignment_id"], body["advisor_id"]))
        if body["complete"] and record.key not in withdrawn:
            yield identity, "municipality", "introduction"
    for identity in world.first("request.created"):
        yield identity, "municipality", "receipt"
    for identity in world.first("request.withdrawn"):
        yield identity, "municipality", "withdrawn"
    assigned = world.first("advisor.assigned")
    rounds = Counter(record.key for record in assigned.values())
    for identity, record in assigned.items():
        for seat in record.body["members"]:
            asked = (record.body["assignment_id"], seat["advisor_id"])
            last = rounds[record.key] == record.body["round"]
            if asked in accepted and last and not seat["kept"] and record.key not in withdrawn:
                yield identity, seat["advisor_id"], "assignment"
    for identity, record in world.first("session.scheduled").items():
        for one in ("municipality", *record.body["advisor_ids"]):
            yield identity, one, SESSION[record.body["change"]]
    for identity, record in world.first("consultation.closed").items():
        if record.body["outcome"] != "no_longer_possible":
            yield identity, "municipality", "thanks"
