"""A request's way to its advisors: pending → proposed → engaged, and the ways out. Pure: (engagement, events).

early ─▶ pending ─▶ proposed ─▶ engaged ─▶ closed
           ▲  │        │           │
           │  ▼        │ decline,  └─▶ withdrawn   (from every open state)
         parked ◀──────┘ expiry: pending again, who has not refused keeps the seat
"""

from dataclasses import replace
from datetime import date, datetime

from services.matching.domain.model import Answer, Audit, Engagement, Parked, Reason, Round, Scored, Seat
from services.matching.domain.policy import Decision
from services.matching.domain.requests import too_late
from shared.errors import Conflict, NotFound
from shared.events import AdvisorAnswered, AdvisorAssigned, Event, RequestParked
from shared.events.matching import Seat as SeatTold

Outcomes = tuple[Engagement, list[Event]]


def settle(
    engagement: Engagement,
    decision: Decision,
    assignment_id: str,
    respond_by: date,
    now: datetime,
    basis: str | None = None,
) -> Outcomes:
    """The matcher's decision on a pending or parked request. A parked one that stays so is returned as it is."""
    if decision.nobody is not None:
        if engagement.state == "parked":
            return engagement, []
        return _park(engagement, decision.nobody, now)
    asked = Round(
        assignment_id,
        len(engagement.rounds) + 1,
        tuple(_seat(member, engagement) for member in decision.members),
        decision.runners_up,
        decision.policy_version,
        "policy",
        respond_by,
        now,
        basis,
    )
    return _ask(engagement, asked, now)


def override(
    engagement: Engagement,
    members: tuple[Scored, ...],
    audit: Audit,
    policy_version: str,
    assignment_id: str,
    respond_by: date,
    now: datetime,
) -> Outcomes:
    """A coordinator's choice in place of the policy's. Who has accepted already stays so in the same role."""
    if engagement.state not in ("pending", "proposed", "parked"):
        raise too_late(engagement)
    seats = tuple(_seat(member, engagement) for member in members)
    number = len(engagement.rounds) + 1
    asked = Round(assignment_id, number, seats, (), policy_version, "coordinator", respond_by, now)
    return _ask(replace(engagement, audit=(*engagement.audit, audit)), asked, now)


def answer(
    engagement: Engagement,
    assignment_id: str,
    advisor_id: str,
    said: Answer,
    reason: Reason | None,
    audit: Audit | None,
    now: datetime,
) -> Outcomes:
    """Accept or decline. The same answer again changes nothing; another one is a Conflict, as is an old round."""
    asked = engagement.round(assignment_id)
    seat = asked.seat(advisor_id) if asked else None
    if asked is None or seat is None:
        raise NotFound(
            "Diese Anfrage ist nicht an diese Person gerichtet.", "This assignment does not ask this advisor."
        )
    if seat.answer == said:
        return engagement, []
    if seat.answer != "open":
        raise _answered(seat)
    if asked is not engagement.current:
        raise _outdated()
    if engagement.state not in ("proposed", "pending"):
        raise too_late(engagement)
    answered, event = _answered_round(engagement, asked, seat, said, reason, now)
    if audit is not None:
        answered = replace(answered, audit=(*answered.audit, audit))
    return answered, [event]


def expire(engagement: Engagement, advisor_ids: frozenset[str] | None, now: datetime) -> Outcomes:
    """The open seats, or those of `advisor_ids` only, are given up for want of an answer."""
    events: list[Event] = []
    for seat in engagement.current.seats if engagement.current else ():
        unanswered = seat.answer == "open" and engagement.state in ("proposed", "pending")
        if unanswered and (advisor_ids is None or seat.advisor_id in advisor_ids):
            assert engagement.current is not None
            engagement, event = _answered_round(engagement, engagement.current, seat, "expired", None, now)
            events.append(event)
    return engagement, events


def _seat(member: Scored, engagement: Engagement) -> Seat:
    """A seat is kept by who has accepted the same role in the round before; everybody else is asked."""
    before = engagement.current.seat(member.advisor_id) if engagement.current else None
    if before is not None and before.answer == "accepted" and before.role == member.role:
        return replace(before, kept=True, points=member.points)
    return Seat(member.advisor_id, member.role, member.points)


def _ask(engagement: Engagement, asked: Round, now: datetime) -> Outcomes:
    asking = replace(
        engagement,
        state="engaged" if asked.complete else "proposed",
        since=now,
        parked=None,
        rounds=(*engagement.rounds, asked),
    )
    told = AdvisorAssigned(
        assignment_id=asked.assignment_id,
        request_id=engagement.id,
        municipality_ags=engagement.asked.municipality_ags,
        round=asked.number,
        members=tuple(
            SeatTold(
                advisor_id=seat.advisor_id,
                role=seat.role,
                score=sum(seat.points.values()),
                points=seat.points,
                kept=seat.kept,
            )
            for seat in asked.seats
        ),
        policy_version=asked.policy_version,
        released_by=asked.released_by,
        respond_by=asked.respond_by,
        assigned_at=now,
    )
    return asking, [told]


def _park(engagement: Engagement, reason: Parked, now: datetime) -> Outcomes:
    told = RequestParked(
        request_id=engagement.id,
        municipality_ags=engagement.asked.municipality_ags,
        round=len(engagement.rounds) + 1,
        reason=reason,
        parked_at=now,
    )
    return replace(engagement, state="parked", since=now, parked=reason), [told]


def _answered_round(
    engagement: Engagement, asked: Round, seat: Seat, said: Answer, reason: Reason | None, now: datetime
) -> tuple[Engagement, Event]:
    """`engagement` with `seat` answered: engaged when all have accepted, pending when a seat has fallen free."""
    assert said != "open"
    answered = replace(seat, answer=said, reason=reason, answered_at=now)
    seats = tuple(answered if one is seat else one for one in asked.seats)
    asked = replace(asked, seats=seats)
    state = "engaged" if asked.complete else engagement.state if said == "accepted" else "pending"
    told = AdvisorAnswered(
        assignment_id=asked.assignment_id,
        request_id=engagement.id,
        advisor_id=seat.advisor_id,
        answer=said,
        reason=reason,
        complete=asked.complete,
        answered_at=now,
    )
    since = engagement.since if state == engagement.state else now
    return replace(engagement, state=state, since=since, rounds=(*engagement.rounds[:-1], asked)), told


def _answered(seat: Seat) -> Conflict:
    german = {"accepted": "zugesagt", "declined": "abgesagt", "expired": "nicht rechtzeitig geantwortet"}
    english = {"accepted": "accepted", "declined": "declined", "expired": "not answered in time"}
    return Conflict(
        f"Hier wurde bereits {german[seat.answer]}; die Antwort lässt sich nicht mehr ändern. "
        "Bitte wenden Sie sich an die Koordination.",
        f"This was already {english[seat.answer]}; the answer can't be changed. Please ask the coordinators.",
    )


def _outdated() -> Conflict:
    return Conflict(
        "Diese Anfrage ist überholt: Inzwischen gibt es eine neue Zusammenstellung.",
        "This assignment is outdated: there is a newer round.",
    )
