"""Never stuck: of every open request who has to do what by when. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from services.matching.domain.model import OPEN, Engagement
from shared import workdays
from shared.events.base import Role

Code = Literal[
    "match",
    "release",
    "answer",
    "find_advisor",
    "schedule_first_talk",
    "hold_session",
    "record_session",
    "continue_or_close",
    "hand_over",
]
BERLIN = ZoneInfo("Europe/Berlin")
COORDINATION = "coordination"
"""The owner where no advisor is."""


_after = lru_cache(maxsize=10_000)(workdays.add_workdays)
_before = lru_cache(maxsize=10_000)(workdays.subtract_workdays)


@dataclass(frozen=True, slots=True)
class Rules:
    """The programme's times, in working days of `subdivision`; days are days of `zone`."""

    respond: int = 5
    park: int = 5
    first_talk: int = 10
    record: int = 3
    next_session: int = 20
    subdivision: str = "BW"
    zone: ZoneInfo = BERLIN

    def day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def after(self, day: date, count: int) -> date:
        return _after(day, count, self.subdivision)

    def respond_by(self, now: datetime, days: int | None = None) -> date:
        """`days`: what the policy gives, in place of the settings."""
        return self.after(self.day(now), days or self.respond)

    def before(self, day: date, count: int) -> date:
        """The latest day whose `count`-th working day has come by `day`."""
        return _before(day, count, self.subdivision)


@dataclass(frozen=True, slots=True)
class Step:
    """`owner`: an advisor's number, or `COORDINATION`."""

    owner: str
    code: Code
    due: date


def next_step(engagement: Engagement, rules: Rules, today: date) -> Step | None:
    """None when the request isn't open. Owner and due date don't depend on `today`."""
    if engagement.state not in OPEN:
        return None
    if engagement.state == "pending":
        return Step(COORDINATION, "match", rules.after(rules.day(engagement.since), 1))
    if engagement.state == "parked":
        return Step(COORDINATION, "find_advisor", rules.after(rules.day(engagement.since), rules.park))
    if engagement.proposal is not None:
        return Step(COORDINATION, "release", engagement.proposal.look_by)
    if engagement.leaving and engagement.state == "engaged":
        return Step(COORDINATION, "hand_over", min(one.due for one in engagement.leaving))
    current = engagement.current
    assert current is not None
    if engagement.state == "proposed":
        asked = next((seat.advisor_id for seat in current.seats if seat.answer == "open"), COORDINATION)
        return Step(asked, "answer", current.respond_by)
    lead = next((seat.advisor_id for seat in current.seats if seat.role == Role.LEAD), COORDINATION)
    arranged = [rules.day(session.starts_at) for session in engagement.sessions if session.state == "scheduled"]
    if arranged:
        day = min(arranged)
        return Step(lead, "record_session" if day < today else "hold_session", rules.after(day, rules.record))
    since = rules.day(engagement.since)
    held = [session.record.held_on for session in engagement.sessions if session.record is not None]
    if not held:
        return Step(lead, "schedule_first_talk", rules.after(since, rules.first_talk))
    return Step(lead, "continue_or_close", rules.after(max([since, *held]), rules.next_session))
