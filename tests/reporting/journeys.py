"""Facts of whole engagements, for the tests of reporting."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.reporting import rates
from services.reporting.claims import Claim
from services.reporting.facts import Fact, Recorded, read
from services.reporting.journey import Rules
from shared.broker import Arrival
from shared.envelope import Envelope
from shared.events import BY_TOPIC, Event
from shared.ids import new_id

RULES = Rules(rates.load(), "BW", ZoneInfo("Europe/Berlin"))
AGS = "08117042"
START = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
"""A Monday, at 10:30 in Berlin."""


class Journey:
    """One request's facts, written down as they happen; `time` is the emitter's of the next one."""

    def __init__(self, ags: str = AGS, fields: tuple[str, ...] = ("fair_week", "partnerships")) -> None:
        self.request_id, self.assignment_id, self.ags = new_id(), new_id(), ags
        self.fields = fields
        self.facts: list[Fact] = []
        self.time = START

    def add(self, topic: str, **values: Any) -> Fact:
        """The next fact of `topic`, an hour later; ids and municipality are filled in."""
        self.time += timedelta(hours=1)
        model = BY_TOPIC[topic]
        mine = {"request_id": self.request_id, "assignment_id": self.assignment_id, "municipality_ags": self.ags}
        given = {name: value for name, value in mine.items() if name in model.model_fields} | values
        event = model.model_validate(given)
        fact = Fact(
            id=new_id(),
            topic=topic,
            partition=0,
            offset=len(self.facts),
            key=event.key,
            type=model.type(),
            source="/miglobe/test",
            time=self.time.isoformat(timespec="microseconds"),
            correlation_id=None,
            data=event.model_dump_json(),
        )
        self.facts.append(fact)
        return fact

    def created(self, at: datetime = START) -> Fact:
        return self.add(
            "request.created",
            case_number="MG-2345-6789",
            fields=self.fields,
            languages=["de"],
            mode="on_site",
            wanted_from=date(2026, 12, 1),
            tandem="wanted",
            submitted_at=at,
            channel="web",
        )

    def assigned(self, *advisors: str, kept: bool = False, at: datetime = START) -> Fact:
        seats = [
            {"advisor_id": advisor, "role": role, "score": 10, "points": {"field": 10}, "kept": kept}
            for advisor, role in zip(advisors, ("lead", "co"), strict=False)
        ]
        return self.add(
            "advisor.assigned",
            round=1,
            members=seats,
            policy_version="p1",
            released_by="policy",
            respond_by=date(2026, 11, 9),
            assigned_at=at,
        )

    def answered(self, advisor: str, complete: bool, at: datetime = START) -> Fact:
        return self.add("advisor.answered", advisor_id=advisor, answer="accepted", complete=complete, answered_at=at)

    def session(
        self,
        kind: str = "consultation",
        held_on: date = date(2026, 11, 10),
        members: Iterable[tuple[str, int, int]] = (("A01", 90, 40), ("A02", 90, 0)),
        **values: Any,
    ) -> Fact:
        """A completed session; `members` are advisor, minutes and km."""
        parts = [{"advisor_id": a, "minutes": minutes, "travel_km": km} for a, minutes, km in members]
        given: dict[str, Any] = {
            "session_id": new_id(),
            "minutes": 90,
            "mode": "on_site",
            "participants": 12,
            "completed_at": datetime(held_on.year, held_on.month, held_on.day, 18, tzinfo=UTC),
        }
        return self.add("session.completed", kind=kind, held_on=held_on, members=parts, **(given | values))

    def closed(self, outcome: str = "completed", at: datetime = datetime(2026, 11, 30, 12, tzinfo=UTC)) -> Fact:
        return self.add("consultation.closed", outcome=outcome, closed_at=at)

    def feedback(self, satisfaction: int = 4, at: datetime = datetime(2026, 12, 1, 12, tzinfo=UTC)) -> Fact:
        return self.add(
            "feedback.given", satisfaction=satisfaction, would_recommend=True, options_taken_up=1, given_at=at
        )

    def decided(self, claim: Claim, status: str, by: str = "anna", vat: int | None = None, **values: Any) -> Fact:
        """Somebody's decision about `claim`, an hour later."""
        reason = "mistake" if status in ("rejected", "draft") else None
        given: dict[str, Any] = {
            "decision_id": new_id(),
            "claim_id": claim.id,
            "session_id": claim.session_id,
            "status": status,
        }
        given |= {"advisor_id": claim.advisor_id, "reason": reason, "vat_percent": vat, "decided_by": by}
        return self.add("claim.decided", decided_at=self.time, **(given | values))

    def mailed(self) -> Fact:
        return self.add(
            "notification.sent",
            message_id=new_id(),
            template="receipt",
            recipient="municipality",
            cause_id=new_id(),
            sent_at=self.time,
        )


def whole(ags: str = AGS, fields: tuple[str, ...] = ("fair_week", "partnerships")) -> Journey:
    """Request, tandem, first talk, one consultation with two options, closing, feedback."""
    journey = Journey(ags, fields)
    journey.created()
    journey.mailed()
    journey.assigned("A01", "A02")
    journey.answered("A01", complete=False, at=START + timedelta(days=1))
    journey.answered("A02", complete=True, at=START + timedelta(days=2))
    journey.session("first_talk", date(2026, 11, 9), participants=3, minutes=60)
    options = [{"option_id": new_id(), "field": "fair_week"}, {"option_id": new_id(), "field": "partnerships"}]
    journey.session("consultation", date(2026, 11, 16), [("A01", 100, 40), ("A02", 50, 600)], options_agreed=options)
    journey.closed()
    journey.feedback()
    return journey


def recorded(facts: Iterable[Fact]) -> list[Recorded[Event]]:
    """`facts` as the ledger would give them, in this order of arrival."""
    placed = []
    for seq, fact in enumerate(facts, 1):
        found = read(fact)
        placed.append(Recorded(found.id, seq, found.time, found.event))
    return placed


def arrival(fact: Fact) -> Arrival:
    """`fact` as it comes from Kafka."""
    head = Envelope(
        id=fact.id,
        type=fact.type,
        source=fact.source,
        time=datetime.fromisoformat(fact.time),
        subject=fact.key,
        correlation_id=None,
        traceparent=None,
        topic=fact.topic,
        partition=fact.partition,
        offset=fact.offset,
    )
    return Arrival(BY_TOPIC[fact.topic].model_validate_json(fact.data), head, fact.data.encode())


def changed(fact: Fact, **values: Any) -> Fact:
    """`fact` with another body and id, as a later one of the same kind."""
    return fact._replace(id=new_id(), data=json.dumps(json.loads(fact.data) | values, default=str))
