"""Why these advisors, and why not others. Plain data."""

from dataclasses import dataclass

from services.matching.domain.policy import Barrier


@dataclass(frozen=True, slots=True)
class Needed:
    """`advisor_id` serves `request_id`, where the best choice without them has `loss` points less, most of them for
    `criterion`; None: without them nobody could.
    """

    advisor_id: str
    request_id: str
    loss: int
    criterion: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Members, the lead first, with their points; `difference`: how many more than what was chosen. `price`: what its
    members' places were worth to the other requests of the pass, beyond the chosen's. `needed`: who is elsewhere.
    """

    members: tuple[str, ...]
    points: dict[str, int]
    score: int
    difference: int
    price: float
    needed: tuple[Needed, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    chosen: Choice
    alternatives: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class WhyNot:
    """`reason`: what bars them, or `member`, `fewer_points`, `equal_points`, `needed_elsewhere`, `plain_choice`.
    `best`: the best choice with them; `lost`: points that it has less by criterion than what was chosen.
    """

    reason: Barrier | str
    best: Choice | None = None
    lost: dict[str, int] | None = None
