"""A trial of two policies over a past period: what it is asked for, what comes of it. Plain data."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from services.matching.domain.policy import Policy

Nearness = Literal["same_municipality", "same_district", "same_region", "same_state", "further"]
NEARNESS: tuple[Nearness, ...] = ("same_municipality", "same_district", "same_region", "same_state", "further")


@dataclass(frozen=True, slots=True)
class Terms:
    """Days that an engagement takes a place, minutes that it pays each of its advisors, the state's calendar."""

    days: int
    minutes: int
    subdivision: str


@dataclass(frozen=True, slots=True)
class Figures:
    """`coverage`: per cent of the expertise that could be had in the fields asked for; `distance`: how near the nearest
    member works; `gini`: of the paid minutes of all advisors, 0 is even; `waited`: working days until somebody's turn.
    """

    policy_version: str
    requests: int
    assigned: int
    unassigned: int
    tandems: int
    coverage: float
    distance: dict[Nearness, int]
    gini: float
    most_minutes: int
    advisors_asked: int
    waited: float
    waited_longest: int


@dataclass(frozen=True, slots=True)
class Run:
    """`members`: request → who was asked, the lead first."""

    figures: Figures
    members: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Changed:
    """A request for which the two ask others; empty: nobody."""

    request_id: str
    case_number: str
    a: tuple[str, ...]
    b: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    a: Figures
    b: Figures
    changed: tuple[Changed, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """Asked for by a person, played by whichever process gets to it, kept for a while for anybody to read.

    `first`, `last`: days on which requests were submitted. `draft`: `b` is not kept yet, it is the preview of a change
    to `a`. `share`: how much has been played, 0 to 1. `failed`: it can't be played.
    """

    id: str
    by: str
    at: datetime
    first: date
    last: date
    a: Policy
    b: Policy
    days: int = 120
    minutes: int = 600
    draft: bool = False
    share: float = 0.0
    failed: bool = False
    outcome: Outcome | None = None

    @property
    def ended(self) -> bool:
        return self.failed or self.outcome is not None
