"""What each advisor's part in each session is worth, by the sessions as they stand at one moment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from services.reporting.facts import Recorded
from services.reporting.money import half_up, split
from services.reporting.rates import RateCard, card_on
from shared.events import SessionCompleted
from shared.events.base import SessionKind

Place = tuple[str, str]
"""Session and advisor."""


@dataclass(frozen=True, slots=True)
class Share:
    """One advisor's part in a session."""

    minutes: int
    travel_km: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What a claim rests on; amounts in cents. `session_fee_cents` and `team_minutes` are of all advisors."""

    ags: str
    session_kind: SessionKind
    held_on: date
    minutes: int
    travel_km: int
    card: RateCard
    fee_cents: int
    travel_cents: int
    team_minutes: int
    session_fee_cents: int

    def same(self, other: "Terms | None") -> bool:
        """Whether a claim that rests on `other` still says what is owed and for what."""
        return other is not None and self._owed() == other._owed()

    def _owed(self) -> tuple[object, ...]:
        what = (self.ags, self.session_kind, self.held_on, self.minutes, self.travel_km)
        return (*what, self.card.code, self.fee_cents, self.travel_cents)


def shares(session: SessionCompleted) -> dict[str, Share]:
    """Each advisor's part; somebody named twice has one part, the sum."""
    found: dict[str, Share] = {}
    for member in session.members:
        before = found.get(member.advisor_id, Share(0, 0))
        found[member.advisor_id] = Share(before.minutes + member.minutes, before.travel_km + member.travel_km)
    return found


def terms(sessions: Iterable[Recorded[SessionCompleted]], cards: Sequence[RateCard]) -> dict[Place, Terms]:
    """Of each advisor in each of one request's `sessions` for which a card holds.

    By the hour the fee of a session is rounded once and split by minutes. A day is paid once to an advisor, however
    many sessions of the request were held on it: with the first one.
    """
    found: dict[Place, Terms] = {}
    paid: set[tuple[str, date]] = set()
    for fact in sorted(sessions, key=lambda one: (one.event.held_on, one.event.completed_at, one.event.session_id)):
        session, card = fact.event, card_on(cards, fact.event.held_on)
        if card is None:
            continue
        parts = dict(sorted(shares(session).items()))
        fees = _fees(card, {advisor: part.minutes for advisor, part in parts.items()}, session.held_on, paid)
        for advisor, part in parts.items():
            found[session.session_id, advisor] = Terms(
                ags=session.municipality_ags,
                session_kind=session.kind,
                held_on=session.held_on,
                minutes=part.minutes,
                travel_km=part.travel_km,
                card=card,
                fee_cents=fees[advisor],
                travel_cents=min(card.km_cents * part.travel_km, card.travel_cap_cents),
                team_minutes=sum(one.minutes for one in parts.values()),
                session_fee_cents=sum(fees.values()),
            )
    return found


def _fees(card: RateCard, minutes: dict[str, int], day: date, paid: set[tuple[str, date]]) -> dict[str, int]:
    if card.basis == "hour":
        return split(half_up(card.rates[0] * sum(minutes.values()), 60), minutes)
    fees = {advisor: card.rate(given) if given else 0 for advisor, given in minutes.items()}
    if card.basis == "day":
        fees = {advisor: 0 if (advisor, day) in paid else fee for advisor, fee in fees.items()}
        paid |= {(advisor, day) for advisor, fee in fees.items() if fee}
    return fees
