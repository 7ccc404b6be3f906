"""The budget: minutes of advice in a period, reserved before anybody is asked. Pure.

What an assignment is expected to take is set aside in the budget of the day on which it is decided. As sessions are
recorded they use it up; what they take beyond it counts too. When the request ends, is taken back or waits for an
advisor, the rest is free again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.matching.domain.model import Audit, Engagement, Reserved
from services.matching.domain.policy import Candidate, Decision
from shared.errors import Conflict

ID = r"^[a-z0-9][a-z0-9-]{0,39}$"
"""What a budget is named by, such as 2027 or 2027-h1."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`minutes` from `start` to `end`, both included. Of no two budgets the periods overlap, but that what the payer's
    money affords (`told_at`: when reporting said so) goes before any that was set here earlier.
    """

    id: str
    start: date
    end: date
    minutes: int
    audit: tuple[Audit, ...] = ()
    version: int = 0
    told_at: datetime | None = None

    def covers(self, day: date) -> bool:
        return self.start <= day <= self.end


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of the budget of today; less than 0 when sessions took longer than expected."""

    budget: str
    minutes: int


def used(engagement: Engagement) -> int:
    """Minutes that its advisors have given so far."""
    records = (session.record for session in engagement.sessions if session.record is not None)
    return sum(member.minutes for record in records for member in record.members)


def committed(engagement: Engagement) -> int:
    """What it takes of its budget now: used, or expected while it runs."""
    if engagement.reserved is None:
        return 0
    ended = engagement.state in ("closed", "withdrawn", "parked")
    return used(engagement) if ended else max(used(engagement), engagement.reserved.minutes)


def reserve(engagement: Engagement, seats: int, each: int, left: Left | None) -> Reserved | None:
    """The reservation for `seats` advisors of `each` minutes; what it has for as many, or uses already, stays.

    None where there is no budget.

    Raises `Beyond` when the budget doesn't allow it.
    """
    known = engagement.reserved
    if known is not None and (used(engagement) or (known.seats >= seats and engagement.state != "parked")):
        return known
    if left is None:
        return known
    now_wanted = Reserved(left.budget, seats * each, seats)
    before = committed(engagement) if known is not None and known.budget == left.budget else 0
    if committed(replace(engagement, state="pending", reserved=now_wanted)) - before > left.minutes:
        raise Beyond
    return now_wanted


def affords(engagement: Engagement, each: int, left: Left | None) -> bool:
    """At least one advisor could be asked, or is seated already."""
    if engagement.holders:
        return True
    try:
        reserve(engagement, 1, each, left)
    except Beyond:
        return False
    return True


def allot(
    waiting: Sequence[Engagement],
    decisions: Iterable[Decision],
    candidates: Iterable[Candidate],
    each: int,
    left: Left | None,
) -> tuple[list[Decision], dict[str, Reserved | None], Left | None]:
    """The decisions as far as places and budget go, the oldest requests first; what is reserved; what is left.

    The choice keeps to the places itself, but for pins: of two requests that are pinned to somebody's last place one
    has to wait. Who is seated already is not sent away.
    """
    by_request = {decision.request_id: decision for decision in decisions}
    free = {one.id: one.capacity - one.open for one in candidates}
    reserved: dict[str, Reserved | None] = {}
    for one in sorted(waiting, key=lambda one: (one.asked.submitted_at, one.id)):
        decision = by_request[one.id]
        new = [member.advisor_id for member in decision.members if member.advisor_id not in one.holders]
        if decision.nobody is not None:
            continue
        if any(free[advisor_id] < 1 for advisor_id in new):
            by_request[one.id] = Decision(one.id, nobody="nobody_free")
            continue
        try:
            reserved[one.id] = reserve(one, len(decision.members), each, left)
        except Beyond:
            if not one.holders:
                by_request[one.id] = Decision(one.id, nobody="budget")
                continue
            reserved[one.id] = one.reserved
        for advisor_id in new:
            free[advisor_id] -= 1
        if left is not None:
            after = replace(one, state="pending", reserved=reserved[one.id])
            left = replace(left, minutes=left.minutes - _taken(after, left) + _taken(one, left))
    return list(by_request.values()), reserved, left


def check(wanted: Budget, known: Iterable[Budget]) -> None:
    """Raises Conflict when another budget covers one of the days, or reporting says what this one is."""
    if wanted.told_at is not None:
        raise Conflict(
            f"Das Budget {wanted.id} wird im Berichtswesen festgelegt.",
            f"The budget {wanted.id} is set in reporting.",
        )
    for one in known:
        if one.id != wanted.id and one.start <= wanted.end and wanted.start <= one.end:
            raise Conflict(
                f"Der Zeitraum überschneidet sich mit dem Budget {one.id}.",
                f"The period overlaps with the budget {one.id}.",
            )


def holding(budgets: Iterable[Budget], day: date) -> Budget | None:
    """The one that holds on `day`."""
    covering = [one for one in budgets if one.covers(day)]
    return max(covering, key=lambda one: one.told_at is not None, default=None)


class Beyond(Exception):
    """The budget doesn't allow it."""


def _taken(engagement: Engagement, left: Left) -> int:
    mine = engagement.reserved is not None and engagement.reserved.budget == left.budget
    return committed(engagement) if mine else 0
