"""A request's way to its advisors: pending → proposed → engaged, and the ways out. Pure: (engagement, events).

early ─▶ pending ─▶ (review ─▶) proposed ─▶ engaged ─▶ closed
           ▲  │                    │           │
           │  ▼                    │ decline,  └─▶ withdrawn   (from every open state)
         parked ◀──────────────────┘ expiry: pending again, who has not refused keeps the seat

In `review` a coordinator looks first (`releasing`). An engagement comes back to `proposed` when a seat is handed over
to somebody else (`handing`).
"""

from dataclasses import replace
from datetime import date, datetime

from services.matching.domain.model import Answer, Audit, Engagement, Parked, Proposal, Reason, Round, Scored, Seat
from services.matching.domain.policy import Decision
from services.matching.domain.requests import too_late
from services.matching.domain.sessions import transfer
from shared.errors import Conflict, NotFound
from shared.events import AdvisorAnswered, AdvisorAssigned, Event, RequestParked
from shared.events.matching import Seat as SeatTold

Outcomes = tuple[Engagement, list[Event]]


def settle(
    engagement: Engagement,
    decision: Decision,
    assignment_id: str,
    respond_by: date,
    look_by: date | None,
    now: datetime,
    basis: str | None = None,
) -> Outcomes:
    """The matcher's decision on a pending or parked request. Still parked for the same reason: as it is.

    `look_by`: until when a coordinator has to look before anybody new is asked; None: released at once.
    """
    if decision.nobody is not None:
        if engagement.state == "parked" and engagement.parked == decision.nobody:
            return engagement, []
        return _park(engagement, decision.nobody, now)
    asked = Round(
        assignment_id,
        len(engagement.rounds) + 1,
        tuple(seated(member, engagement) for member in decision.members),
        decision.runners_up,
        decision.policy_version,
        "policy",
        respond_by,
        now,
        basis,
    )
    if look_by is not None and not asked.complete:
        return replace(engagement, state="review", since=now, parked=None, proposal=Proposal(asked, look_by)), []
    return ask(engagement, asked, now)


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
    if engagement.state not in ("pending", "review", "proposed", "parked"):
        raise too_late(engagement)
    seats = tuple(seated(member, engagement) for member in members)
    number = len(engagement.rounds) + 1
    asked = Round(assignment_id, number, seats, (), policy_version, "coordinator", respond_by, now)
    pins = tuple(one for one in engagement.pins if asked.seat(one))
    return ask(replace(engagement, pins=pins).noted(audit), asked, now)


def answer(
    engagement: Engagement,
    assignment_id: str,
    advisor_id: str,
    said: Answer,
    reason: Reason | None,
    audit: Audit,
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
    if engagement.state not in ("proposed", "pending", "review"):
        raise too_late(engagement)
    answered, events = _answered_round(engagement, asked, seat, said, reason, now)
    return answered.noted(audit), events


def expire(engagement: Engagement, now: datetime) -> Outcomes:
    """The open seats are given up for want of an answer."""
    seats = engagement.current.seats if engagement.current and engagement.state == "proposed" else ()
    return _given_up(engagement, tuple(seat.advisor_id for seat in seats if seat.answer == "open"), now)


def vacate(engagement: Engagement, advisor_id: str, now: datetime, reason: Reason | None = None) -> Outcomes:
    """An advisor is no longer there: proposed, asked or accepted, they are out, and the matcher finds the next.

    With a `reason` it counts as declined, else as not answered in time. Whose consultation has begun stays until a
    coordinator hands it over.
    """
    if engagement.state not in ("pending", "review", "proposed"):
        return engagement, []
    if engagement.proposal is not None and engagement.proposal.asked.seat(advisor_id):
        engagement = replace(engagement, state="pending", since=now, proposal=None)
    seat = engagement.current.seat(advisor_id) if engagement.current else None
    if seat is None or seat.answer not in ("open", "accepted") or (engagement.begun and seat.answer == "accepted"):
        return engagement, []
    return _given_up(engagement, (advisor_id,), now, reason)


def seated(member: Scored, engagement: Engagement) -> Seat:
    """A seat is kept by who has accepted the same role in the round before; everybody else is asked."""
    before = engagement.current.seat(member.advisor_id) if engagement.current else None
    if before is not None and before.answer == "accepted" and before.role == member.role:
        return replace(before, kept=True, points=member.points)
    return Seat(member.advisor_id, member.role, member.points)


def ask(engagement: Engagement, asked: Round, now: datetime) -> Outcomes:
    """`asked` as the newest round; engaged at once when nobody in it has to answer."""
    asking = replace(
        engagement,
        state="engaged" if asked.complete else "proposed",
        since=now,
        parked=None,
        proposal=None,
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
    if not asked.complete:
        return asking, [told]
    asking, moved = transfer(asking, now)
    return asking, [told, *moved]


def _park(engagement: Engagement, reason: Parked, now: datetime) -> Outcomes:
    told = RequestParked(
        request_id=engagement.id,
        municipality_ags=engagement.asked.municipality_ags,
        round=len(engagement.rounds) + 1,
        reason=reason,
        parked_at=now,
    )
    since = engagement.since if engagement.state == "parked" else now
    reserved = engagement.reserved if engagement.begun else None
    parked = replace(engagement, state="parked", since=since, parked=reason, reserved=reserved, informed_at=now)
    return parked, [told]


def _given_up(
    engagement: Engagement, advisor_ids: tuple[str, ...], now: datetime, reason: Reason | None = None
) -> Outcomes:
    said: Answer = "declined" if reason else "expired"
    events: list[Event] = []
    for advisor_id in advisor_ids:
        asked = engagement.current
        assert asked is not None
        seat = asked.seat(advisor_id)
        assert seat is not None
        engagement, told = _answered_round(engagement, asked, seat, said, reason, now)
        events += told
    return engagement, events


def _answered_round(
    engagement: Engagement, asked: Round, seat: Seat, said: Answer, reason: Reason | None, now: datetime
) -> Outcomes:
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
    engagement = replace(
        engagement,
        state=state,
        since=engagement.since if state == engagement.state else now,
        rounds=(*engagement.rounds[:-1], asked),
        proposal=None if state == "pending" else engagement.proposal,
    )
    if not asked.complete:
        return engagement, [told]
    engagement, moved = transfer(engagement, now)
    return engagement, [told, *moved]


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
