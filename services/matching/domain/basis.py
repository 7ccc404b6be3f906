"""What a pass was decided from and what came of it: kept, so that a decision can be explained and made again. Pure."""

from dataclasses import dataclass
from datetime import date, datetime

from services.matching.domain.policy import Candidate, Decision, Policy, Seeker


@dataclass(frozen=True, slots=True)
class Basis:
    """`outcome`: request → its members, the lead first; who was not served is missing. `decided_by`: the version of the
    policy, or of the plain choice where the engine had failed. `prices`: what one more place of an advisor would have
    been worth. `oldest_first`: more were pending than the policy's `optimum_up_to`. Of advisors there is the number
    only, never a name.
    """

    id: str
    decided_at: datetime
    today: date
    policy: Policy
    decided_by: str
    candidates: tuple[Candidate, ...]
    seekers: tuple[Seeker, ...]
    outcome: dict[str, tuple[str, ...]]
    prices: dict[str, float]
    objective: int
    optimal: bool
    gap: float
    oldest_first: bool = False

    def seeker(self, request_id: str) -> Seeker | None:
        return next((one for one in self.seekers if one.id == request_id), None)


def members(decisions: tuple[Decision, ...]) -> dict[str, tuple[str, ...]]:
    return {one.request_id: tuple(m.advisor_id for m in one.members) for one in decisions if one.members}
