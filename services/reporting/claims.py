"""Honorarium claims: one per advisor and completed session, derived from the facts, in integer cents."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.reporting.facts import Recorded
from services.reporting.journey import Journey, Rules
from services.reporting.rates import RateCard, card_on
from shared.events import ReportingEntry, SessionCompleted
from shared.events.base import Role, SessionKind
from shared.ids import derived_id


@dataclass(frozen=True, slots=True)
class Claim:
    """What one advisor is owed for one session, with every factor. Amounts in integer cents, travel in km.

    `revision` counts the versions of the session. `waits_for`: facts without which no line goes to SKEW.
    """

    id: str
    revision: int
    status: str
    request_id: str
    case_number: str | None
    ags: str
    district: str
    session_id: str
    session_kind: SessionKind
    held_on: date
    advisor_id: str
    role: Role | None
    minutes: int
    team_minutes: int
    travel_km: int
    rate_card: str
    hour_cents: int
    km_cents: int
    travel_cap_cents: int
    session_fee_cents: int
    fee_cents: int
    travel_cents: int
    total_cents: int
    completed_at: datetime
    waits_for: tuple[str, ...]
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """One advisor's part in a session."""

    minutes: int
    travel_km: int


def half_up(numerator: int, denominator: int) -> int:
    """`numerator` / `denominator` (neither negative) as a whole number, halves rounded up."""
    return (2 * numerator + denominator) // (2 * denominator)


def split(amount: int, weights: Mapping[str, int]) -> dict[str, int]:
    """`amount` in whole parts by `weights`, adding up exactly: largest remainders first, ties by key."""
    total = sum(weights.values())
    if total == 0:
        return dict.fromkeys(weights, 0)
    parts = {key: amount * weight // total for key, weight in weights.items()}
    by_remainder = sorted(weights, key=lambda key: (-(amount * weights[key] % total), key))
    for key in by_remainder[: amount - sum(parts.values())]:
        parts[key] += 1
    return parts


def shares(session: SessionCompleted) -> dict[str, Share]:
    """Each advisor's part; somebody named twice has one part, the sum."""
    found: dict[str, Share] = {}
    for member in session.members:
        before = found.get(member.advisor_id, Share(0, 0))
        found[member.advisor_id] = Share(before.minutes + member.minutes, before.travel_km + member.travel_km)
    return found


def travel_cents(card: RateCard, km: int) -> int:
    return min(card.km_cents * km, card.travel_cap_cents)


def claim_id(session_id: str, advisor_id: str) -> str:
    """The same for ever, for a session and an advisor; a code of at most 53 characters."""
    return f"{session_id.replace('-', '')}.{advisor_id.lower().replace('-', '_')}"


def claims(journey: Journey, rules: Rules) -> Iterator[Claim]:
    """The claims of all sessions for which a rate card holds (`findings` tells of the others)."""
    for versions in journey.sessions().values():
        card = card_on(rules.cards, versions[-1].event.held_on)
        if card is not None:
            yield from _of_session(journey, versions, card)


def _of_session(journey: Journey, versions: Sequence[Recorded[SessionCompleted]], card: RateCard) -> Iterator[Claim]:
    fact = versions[-1]
    session, parts = fact.event, shares(fact.event)
    # whoever stood in an earlier version keeps a claim, of nothing: what was reported must be taken back
    everybody = {advisor_id for version in versions for advisor_id in shares(version.event)}
    parts = {advisor_id: parts.get(advisor_id, Share(0, 0)) for advisor_id in sorted(everybody)}
    team_minutes = sum(part.minutes for part in parts.values())
    session_fee = half_up(card.hour_cents * team_minutes, 60)
    fees = split(session_fee, {advisor_id: part.minutes for advisor_id, part in parts.items()})
    assigned = journey.assignment(session.assignment_id)
    roles = {seat.advisor_id: seat.role for seat in assigned.event.members} if assigned else {}
    known = [*journey.created[:1], *([assigned] if assigned else ()), *versions]
    missing = [("request.created", not journey.created), ("advisor.assigned", assigned is None)]
    present = shares(session)
    for advisor_id, part in parts.items():
        travel = travel_cents(card, part.travel_km)
        yield Claim(
            id=claim_id(session.session_id, advisor_id),
            revision=len(versions),
            status="draft" if advisor_id in present else "reversed",
            request_id=journey.request_id,
            case_number=journey.case_number,
            ags=session.municipality_ags,
            district=session.municipality_ags[:5],
            session_id=session.session_id,
            session_kind=session.kind,
            held_on=session.held_on,
            advisor_id=advisor_id,
            role=roles.get(advisor_id),
            minutes=part.minutes,
            team_minutes=team_minutes,
            travel_km=part.travel_km,
            rate_card=card.code,
            hour_cents=card.hour_cents,
            km_cents=card.km_cents,
            travel_cap_cents=card.travel_cap_cents,
            session_fee_cents=session_fee,
            fee_cents=fees[advisor_id],
            travel_cents=travel,
            total_cents=fees[advisor_id] + travel,
            completed_at=session.completed_at,
            waits_for=tuple(topic for topic, absent in missing if absent),
            facts=tuple(item.id for item in known),
        )


def entry(claim: Claim) -> ReportingEntry | None:
    """The claim's line for SKEW; None while a fact is missing that it would have to make up.

    Everything in it follows from the facts, so a rebuild makes the same line with the same id.
    """
    if claim.waits_for or claim.case_number is None:
        return None
    return ReportingEntry.model_validate(
        {
            "entry_id": derived_id(claim.completed_at, claim.id, str(claim.revision)),
            "claim_id": claim.id,
            "revision": claim.revision,
            "request_id": claim.request_id,
            "case_number": claim.case_number,
            "municipality_ags": claim.ags,
            "session_id": claim.session_id,
            "session_kind": claim.session_kind,
            "held_on": claim.held_on,
            "advisor_id": claim.advisor_id,
            "role": claim.role,
            "minutes": claim.minutes,
            "travel_km": claim.travel_km,
            "fee_cents": claim.fee_cents,
            "travel_cents": claim.travel_cents,
            "total_cents": claim.total_cents,
            "rate_card": claim.rate_card,
            "status": claim.status,
            "recorded_at": claim.completed_at,
        }
    )
