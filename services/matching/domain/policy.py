"""What a choice is made from: the policy's weights, and advisors and requests without what must not count.

Name, origin, gender and address are no inputs (mission, rule 8): `Candidate` has no place for them.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from services.matching.domain.governing import USUAL, Rules
from services.matching.domain.model import Absence, Advisor, Engagement, Parked, Scored
from shared.events.base import Tandem

Barrier = Literal["seated", "not_certified", "conflict", "no_expertise", "refused", "absent", "full"]


@dataclass(frozen=True, slots=True)
class Weights:
    """Points, integers; what they mean stands in `points`, the batch cost in `services.matching.engine`."""

    expertise: int = 500
    region: tuple[int, int, int, int] = (200, 160, 100, 40)
    languages: int = 100
    fairness: int = 150
    tandem_wanted: int = 100
    tandem_either: int = -120
    waiting_per_day: int = 5
    waiting_max: int = 100
    batch_step: int = 40


@dataclass(frozen=True, slots=True)
class Limits:
    """`newcomer_days`: who was there for fewer of the last 365 days counts with the others' median of paid minutes.
    `optimum_up_to`: so many pending requests are weighed against each other; when there are more at once, each has the
    best that is left, the oldest first. None: however many.
    """

    newcomer_days: int = 90
    optimum_up_to: int | None = 100


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of what a choice is made by. `rules`: how what is decided is governed."""

    version: str = "optimal.1"
    weights: Weights = Weights()
    limits: Limits = Limits()
    rules: Rules = USUAL


OPTIMAL = Policy()


@dataclass(frozen=True, slots=True)
class Edition:
    """A policy as it is kept: by whom, when and why. It is never changed. `based_on`: the version it was made from."""

    policy: Policy
    by: str
    at: datetime
    why: str
    based_on: str = ""


@dataclass(frozen=True, slots=True)
class Activation:
    """From `at` on decisions are made by this version."""

    id: str
    version: str
    by: str
    at: datetime
    why: str


FIRST = Edition(OPTIMAL, "", datetime(2026, 11, 1, tzinfo=UTC), "")
"""What is there before anybody has edited anything."""


@dataclass(frozen=True, slots=True)
class PlainPolicy:
    """The weights of the plain choice; what they mean stands in `choice`."""

    version: str = "plain.1"
    expertise: int = 500
    region: tuple[int, int, int, int] = (200, 160, 100, 40)
    languages: int = 100
    fairness: int = 150
    load: int = 50
    tandem: int = 100


PLAIN = PlainPolicy()


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the choice may know of an advisor. `levels` by plain code; `open`: engagements that use capacity now."""

    id: str
    levels: dict[str, int]
    languages: frozenset[str]
    regions: tuple[str, ...]
    certified_on: date
    certified_until: date
    capacity: int
    absences: tuple[Absence, ...] = ()
    conflicts: tuple[str, ...] = ()
    open: int = 0
    paid_minutes: int = 0

    def certified(self, day: date) -> bool:
        return self.certified_on <= day <= self.certified_until

    def away(self, day: date) -> bool:
        return any(absence.covers(day) for absence in self.absences)

    def conflicted(self, ags: str) -> bool:
        """With the municipality itself, or with its district as a whole."""
        return any(ags == key or (len(key) == 5 and ags.startswith(key)) for key in self.conflicts)


@dataclass(frozen=True, slots=True)
class Seeker:
    """What the choice may know of a request. `held`: seats that stay, from the round before.

    `pinned`: whom a coordinator wants in it, at most two with those held. They are chosen or, while one of them can't
    be asked, nobody is. `waiting_days`: working days since it was asked.
    """

    id: str
    ags: str
    fields: tuple[str, ...]
    languages: tuple[str, ...]
    tandem: Tandem
    wanted_from: date
    asked_on: date
    held: tuple[Scored, ...] = ()
    refused: frozenset[str] = frozenset()
    pinned: tuple[str, ...] = ()
    waiting_days: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """Whom to ask for `request_id`, the lead first; without members: why nobody. The points of the members add up to
    those of their set. `policy_version`: that of the plain choice where the engine has failed.
    """

    request_id: str
    members: tuple[Scored, ...] = ()
    runners_up: tuple[Scored, ...] = ()
    nobody: Parked | None = None
    policy_version: str = ""


def candidate(advisor: Advisor, open_engagements: int, paid_minutes: int) -> Candidate:
    """`advisor` without what must not count."""
    return Candidate(
        advisor.id,
        {code.value: level for code, level in advisor.levels.items()},  # an enum's hash is a slow one
        frozenset(advisor.languages),
        advisor.regions,
        advisor.certified_on,
        advisor.certified_until,
        0 if advisor.erased_at or advisor.leaves_on else advisor.capacity,
        advisor.absences,
        advisor.conflicts,
        open_engagements,
        0 if advisor.erased_at else paid_minutes,
    )


def seeker(engagement: Engagement, waiting_days: int = 0) -> Seeker:
    """`engagement` as the choice sees it."""
    facts, current = engagement.asked, engagement.current
    held = current.held if current and engagement.state == "pending" else ()
    return Seeker(
        engagement.id,
        facts.municipality_ags,
        tuple(code.value for code in facts.fields),
        facts.languages,
        facts.tandem,
        facts.wanted_from,
        facts.submitted_at.date(),
        tuple(Scored(seat.advisor_id, seat.role, seat.points) for seat in held),
        engagement.refused,
        tuple(one for one in engagement.pins if one not in engagement.refused),
        waiting_days,
    )


def barrier(one: Candidate, wish: Seeker, today: date, open_now: int) -> Barrier | None:
    """Why `one` can't be asked, the lasting reasons first; None: eligible."""
    start = max(today, wish.wanted_from)
    if wish.held and any(seat.advisor_id == one.id for seat in wish.held):
        return "seated"
    if not (one.certified(today) and one.certified(start)):
        return "not_certified"
    if one.conflicted(wish.ags):
        return "conflict"
    if not any(one.levels.get(code, 0) for code in wish.fields):
        return "no_expertise"
    if one.id in wish.refused:
        return "refused"
    if one.away(today) or one.away(start):
        return "absent"
    return None if open_now < one.capacity else "full"


def nobody(barriers: set[Barrier]) -> Parked:
    """The reason that is nearest to being mended."""
    if barriers & {"absent", "full"}:
        return "nobody_free"
    if "refused" in barriers:
        return "all_declined"
    return "nobody_suitable" if barriers & {"conflict", "no_expertise"} else "nobody_certified"
