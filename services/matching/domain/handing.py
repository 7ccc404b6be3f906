"""An advisor can't go on: their running consultations are handed over, by a coordinator. Pure: (engagement, events)."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from services.matching.domain import governing
from services.matching.domain.model import Advisor, Audit, Engagement, HandOver, Round, Scored, Seat, Why
from services.matching.domain.policy import Seeker, seeker
from services.matching.domain.requests import too_late
from services.matching.domain.rounds import Outcomes, ask, vacate
from services.matching.domain.worklist import Rules
from shared import workdays
from shared.errors import Conflict
from shared.events import Event, HandoverOpened
from shared.events.base import Role, Tandem


def needed(engagement: Engagement, advisor_id: str, why: Why, due: date, now: datetime) -> Outcomes:
    """Puts a running consultation of theirs on the list, until `due`; once for each advisor."""
    current = engagement.current
    seat = current.seat(advisor_id) if current else None
    if engagement.begun is None or seat is None or seat.answer != "accepted" or _open(engagement, advisor_id):
        return engagement, []
    if engagement.state not in ("pending", "review", "proposed", "engaged"):
        return engagement, []
    entry = HandOver(advisor_id, why, due, now)
    told = HandoverOpened(
        request_id=engagement.id,
        assignment_id=engagement.begun.assignment_id,
        municipality_ags=engagement.asked.municipality_ags,
        advisor_id=advisor_id,
        reason=why,
        due=due,
        opened_at=now,
    )
    return replace(engagement, handovers=(*engagement.handovers, entry)), [told]


def concerned(
    engagement: Engagement, advisor: Advisor, times: Rules, rules: governing.Rules, now: datetime
) -> Outcomes:
    """What becomes of an engagement of `advisor`, who has told or taken back that they are away, or leave.

    Before it has begun the seat falls free; after, it stands on the hand-over list until it is settled.
    """
    cause = _cause(engagement, advisor, times, rules, times.day(now))
    if cause is None:
        gone = [one for one in engagement.leaving if one.advisor_id == advisor.id and one.why != "conflict"]
        return (_settled(engagement, advisor.id, now), []) if gone else (engagement, [])
    why, start = cause
    begins = max(times.day(now), engagement.asked.wanted_from)
    events: list[Event] = []
    if why == "leaving" or any(
        absence.covers(times.day(now)) or absence.covers(begins) for absence in advisor.absences
    ):
        engagement, events = vacate(engagement, advisor.id, now)
    due = max(times.after(times.day(now), rules.hand_over), start)
    engagement, more = needed(engagement, advisor.id, why, due, now)
    return engagement, [*events, *more]


def stays(engagement: Engagement, advisor_id: str, audit: Audit, now: datetime) -> Engagement:
    """Settled: they go on after all."""
    if not _open(engagement, advisor_id):
        return engagement
    return _settled(engagement, advisor_id, now).noted(audit)


def hand_over(
    engagement: Engagement,
    advisor_id: str,
    to: Scored | None,
    audit: Audit,
    policy_version: str,
    assignment_id: str,
    respond_by: date,
    now: datetime,
) -> Outcomes:
    """Asks `to` to take `advisor_id`'s seat; without `to` the other of the tandem goes on alone, as lead.

    What is arranged goes over when everybody has accepted. Raises Conflict where there is nothing to hand over.
    """
    current = engagement.current
    seat = current.seat(advisor_id) if current else None
    if engagement.state != "engaged" or current is None:
        raise too_late(engagement)
    if seat is None:
        raise Conflict(f"{advisor_id} berät hier nicht.", f"{advisor_id} does not advise here.")
    others = tuple(replace(one, kept=True) for one in current.seats if one is not seat)
    if to is None and not others:
        raise Conflict("Es bliebe niemand übrig.", "Nobody would be left.")
    if to is None:
        seats: tuple[Seat, ...] = tuple(replace(one, role=Role.LEAD) for one in others)
    else:
        seats = (*others, Seat(to.advisor_id, seat.role, to.points))
    ordered = tuple(sorted(seats, key=lambda one: one.role != Role.LEAD))
    asked = Round(
        assignment_id, len(engagement.rounds) + 1, ordered, (), policy_version, "coordinator", respond_by, now
    )
    engagement = _settled(engagement, advisor_id, now).noted(audit)
    pins = tuple(one for one in engagement.pins if one != advisor_id)
    excluded = tuple(dict.fromkeys((*engagement.excluded, advisor_id)))
    return ask(replace(engagement, pins=pins, excluded=excluded), asked, now)


def successor(engagement: Engagement, advisor_id: str) -> Seeker:
    """What the choice needs to find somebody for the seat of `advisor_id`; the others stay."""
    current = engagement.current
    assert current is not None
    wish = seeker(engagement)
    held = tuple(Scored(one.advisor_id, one.role, one.points) for one in current.held if one.advisor_id != advisor_id)
    return replace(
        wish,
        tandem=Tandem.WANTED if held else Tandem.NOT_WANTED,
        held=held,
        refused=wish.refused | {advisor_id},
        pinned=(),
    )


def _cause(
    engagement: Engagement, advisor: Advisor, times: Rules, rules: governing.Rules, today: date
) -> tuple[Why, date] | None:
    """Why they can't go on, and from when: they leave, are away for long, or at a session that is arranged."""
    if advisor.leaves_on is not None:
        return "leaving", advisor.leaves_on
    for absence in advisor.absences:
        if absence.end < today:
            continue
        days = workdays.workdays_between(absence.start - timedelta(days=1), absence.end, times.subdivision)
        missed = any(
            session.state == "scheduled"
            and advisor.id in session.advisor_ids
            and absence.covers(times.day(session.starts_at))
            for session in engagement.sessions
        )
        if days >= rules.absence or missed:
            return "absent", absence.start
    return None


def _open(engagement: Engagement, advisor_id: str) -> bool:
    return any(one.advisor_id == advisor_id for one in engagement.leaving)


def _settled(engagement: Engagement, advisor_id: str, now: datetime) -> Engagement:
    return replace(
        engagement,
        handovers=tuple(
            replace(one, settled_at=now) if one.advisor_id == advisor_id and one.settled_at is None else one
            for one in engagement.handovers
        ),
    )
