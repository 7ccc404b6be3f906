"""What is due by a day: unanswered questions are given up, people are reminded, coordinators and municipalities told.

Each of these changes the engagement, so it is stored once, whichever of several processes is first; what was told
and when stands in the engagement, so a restart changes nothing. Pure: (engagement, events).
"""

from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple

from services.matching.domain import governing, rounds
from services.matching.domain.model import Audit, Engagement, Rung, Seat
from services.matching.domain.rounds import Outcomes
from services.matching.domain.worklist import COORDINATION, Rules, Step, next_step
from shared.errors import Conflict
from shared.events import AdvisorReminded, Event, RequestDelayed, RequestEscalated


class Told(NamedTuple):
    """The days from which an engagement's next notices are reckoned; None: there is none of the kind."""

    due: date | None
    asked_on: date | None
    level: int
    level_on: date | None
    informed_on: date | None


def told(engagement: Engagement, times: Rules) -> Told:
    step = next_step(engagement, times, date.min)
    if step is None:
        return Told(None, None, 0, None, None)
    rung = _rung(engagement, step)
    waits = [_noticed(engagement, seat, times) for seat in _unanswered(engagement)]
    told_at = engagement.informed_at or engagement.asked.submitted_at
    informed = times.day(told_at) if _searching(engagement) else None
    return Told(step.due, min(waits, default=None), rung.level if rung else 0, rung.on if rung else None, informed)


def due(engagement: Engagement, times: Rules, rules: governing.Rules, now: datetime) -> Outcomes:
    """Everything that is due now, each thing once."""
    today, events = times.day(now), list[Event]()
    if engagement.current and engagement.state == "proposed" and engagement.current.respond_by < today:
        engagement, events = rounds.expire(engagement, now)
    for step in (_remind, _escalate, _delay):
        engagement, more = step(engagement, times, rules, now)
        events += more
    return engagement, events


def remind(engagement: Engagement, audit: Audit, times: Rules, rules: governing.Rules, now: datetime) -> Outcomes:
    """A coordinator reminds whoever has not answered, or whose next step is overdue.

    Raises Conflict when nobody has to do anything, or it was just done.
    """
    late, step = _late(engagement, times, rules, now), _overdue(engagement, times, rules, now)
    if late:
        who = tuple(seat.advisor_id for seat in late)
        engagement, events = _reminded(engagement, late, times, now)
    elif step:
        who = (step.owner,)
        rung = _rung(engagement, step)
        engagement = _climbed(engagement, step, max(rung.level if rung else 0, 1), times.day(now))
        events = [_step_reminder(engagement, step, now)]
    else:
        raise Conflict(
            "Niemand ist mit etwas im Verzug, oder die letzte Nachricht ist noch zu frisch.",
            "Nobody is late with anything, or the last mail is too recent.",
        )
    return engagement.noted(replace(audit, who=who)), events


def may_remind(engagement: Engagement, times: Rules, rules: governing.Rules, now: datetime) -> bool:
    """Whether `remind` would write to anybody."""
    return bool(_late(engagement, times, rules, now) or _overdue(engagement, times, rules, now))


def reminded_today(engagement: Engagement, times: Rules, now: datetime) -> bool:
    """By a coordinator, so that a second click is told of what the first has done."""
    return any(one.what == "reminded" and times.day(one.at) == times.day(now) for one in engagement.audit)


def _remind(engagement: Engagement, times: Rules, rules: governing.Rules, now: datetime) -> Outcomes:
    late = _late(engagement, times, rules, now)
    return _reminded(engagement, late, times, now) if late else (engagement, [])


def _escalate(engagement: Engagement, times: Rules, rules: governing.Rules, now: datetime) -> Outcomes:
    """One step up the ladder, however many are due: after a long silence nobody is told twice at once."""
    today, step = times.day(now), next_step(engagement, times, date.min)
    if step is None or step.due >= today:
        return engagement, []
    ladder, rung = rules.escalate, _rung(engagement, step)
    before = rung.level if rung else 0
    reached = sum(times.after(step.due, days) <= today for days in ladder)
    spaced = rung is None or times.after(rung.on, rules.remind_every) <= today
    repeats = rung is not None and before >= len(ladder) and times.after(rung.on, ladder[-1]) <= today
    if not (repeats or (reached > before and spaced)):
        return engagement, []
    level = before + 1 if repeats else reached
    climbed = _climbed(engagement, step, level, today)
    events: list[Event] = []
    if step.owner != COORDINATION:
        events.append(_step_reminder(engagement, step, now))
    if step.owner == COORDINATION or level > 1:
        events.append(
            RequestEscalated(
                request_id=engagement.id,
                municipality_ags=engagement.asked.municipality_ags,
                level=level,
                step=step.code,
                advisor_id=None if step.owner == COORDINATION else step.owner,
                due=step.due,
                escalated_at=now,
            )
        )
    return climbed, events


def _delay(engagement: Engagement, times: Rules, rules: governing.Rules, now: datetime) -> Outcomes:
    """Without an advisor for so long since the request, or since this was last told."""
    today, since = times.day(now), told(engagement, times).informed_on
    if since is None or times.after(since, rules.delay_after) > today:
        return engagement, []
    event = RequestDelayed(
        request_id=engagement.id,
        municipality_ags=engagement.asked.municipality_ags,
        submitted_at=engagement.asked.submitted_at,
        delayed_at=now,
    )
    return replace(engagement, informed_at=now), [event]


def _reminded(engagement: Engagement, late: list[Seat], times: Rules, now: datetime) -> Outcomes:
    current = engagement.current
    assert current is not None
    seats = tuple(replace(one, reminded_on=times.day(now)) if one in late else one for one in current.seats)
    events: list[Event] = [
        AdvisorReminded(
            request_id=engagement.id,
            assignment_id=current.assignment_id,
            municipality_ags=engagement.asked.municipality_ags,
            advisor_id=seat.advisor_id,
            step="answer",
            due=current.respond_by,
            reminded_at=now,
        )
        for seat in late
    ]
    return replace(engagement, rounds=(*engagement.rounds[:-1], replace(current, seats=seats))), events


def _climbed(engagement: Engagement, step: Step, level: int, today: date) -> Engagement:
    others = tuple(one for one in engagement.rungs if (one.step, one.due) != (step.code, step.due))
    return replace(engagement, rungs=(*others, Rung(step.code, step.due, level, today)))


def _step_reminder(engagement: Engagement, step: Step, now: datetime) -> AdvisorReminded:
    assert engagement.current is not None
    return AdvisorReminded(
        request_id=engagement.id,
        assignment_id=engagement.current.assignment_id,
        municipality_ags=engagement.asked.municipality_ags,
        advisor_id=step.owner,
        step=step.code,
        due=step.due,
        reminded_at=now,
    )


def _overdue(engagement: Engagement, times: Rules, rules: governing.Rules, now: datetime) -> Step | None:
    """The step that an advisor is late with, and was not reminded of only just."""
    today, step = times.day(now), next_step(engagement, times, date.min)
    if step is None or engagement.state != "engaged" or step.owner == COORDINATION or step.due >= today:
        return None
    rung = _rung(engagement, step)
    return step if rung is None or times.after(rung.on, rules.remind_every) <= today else None


def _unanswered(engagement: Engagement) -> tuple[Seat, ...]:
    if engagement.state != "proposed" or engagement.current is None:
        return ()
    return tuple(seat for seat in engagement.current.seats if seat.answer == "open")


def _late(engagement: Engagement, times: Rules, rules: governing.Rules, now: datetime) -> list[Seat]:
    """Who has not answered although they were asked or reminded long enough ago."""
    return [
        seat
        for seat in _unanswered(engagement)
        if times.after(_noticed(engagement, seat, times), rules.remind_every) <= times.day(now)
    ]


def _noticed(engagement: Engagement, seat: Seat, times: Rules) -> date:
    assert engagement.current is not None
    return seat.reminded_on or times.day(engagement.current.assigned_at)


def _rung(engagement: Engagement, step: Step) -> Rung | None:
    """Of this step: of another one it begins anew, and goes on where it was when this one is next again."""
    return next((one for one in engagement.rungs if (one.step, one.due) == (step.code, step.due)), None)


def _searching(engagement: Engagement) -> bool:
    """No advisor has begun yet."""
    return engagement.state in ("pending", "review", "proposed", "parked") and engagement.begun is None
