"""What each fact contributes to which indicator: the rows that all figures are sums or averages of."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from services.reporting.claims import Claim
from services.reporting.facts import Recorded
from services.reporting.journey import Journey, Rules
from services.reporting.rates import card_on
from services.reporting.terms import shares
from shared.events import Event, SessionCompleted
from shared.events.base import SessionKind
from shared.workdays import workdays_between

UNKNOWN = "unknown"
"""District or field of what came before its request.created."""

_OF_KIND = {
    SessionKind.FIRST_TALK: "first_talks",
    SessionKind.DIALOGUE_FORUM: "dialogue_forums",
    SessionKind.CONSULTATION: "consultations",
    SessionKind.KEYNOTE: "keynotes",
}


@dataclass(slots=True)  # frozen ones take five times as long to make, and a rebuild makes millions
class Measure:
    """One contribution: `value` to `indicator` on the local day `on`, from `facts` (the deciding one first).

    `district` has 5 digits or is "unknown", `ags` is empty where unknown; `fields` are what a grouping by
    field counts it under. `member`: the advisor whose part it is, of what is counted by heads.
    """

    id: str
    indicator: str
    value: int
    on: date
    request_id: str
    ags: str
    district: str
    fields: tuple[str, ...]
    facts: tuple[str, ...]
    size: str = UNKNOWN
    member: str | None = None


def measures(journey: Journey, rules: Rules, claims: Iterable[Claim]) -> Iterator[Measure]:
    """Everything that `journey` contributes."""
    request, ags, fields = journey.request_id, journey.ags or "", journey.fields or (UNKNOWN,)
    district, size = ags[:5] or UNKNOWN, rules.sizes.get(ags, UNKNOWN)

    def one(
        indicator: str,
        source: str,
        value: int,
        on: date,
        *facts: str,
        of: tuple[str, ...] = fields,
        member: str | None = None,
    ) -> Measure:
        identity = f"{indicator}:{source}"
        return Measure(identity, indicator, value, on, request, ags, district, of, facts, size, member)

    for created in journey.created[:1]:
        yield one("requests", request, 1, rules.day(created.event.submitted_at), created.id)
    for withdrawn in journey.withdrawn[:1]:
        yield one("withdrawn", request, 1, rules.day(withdrawn.event.withdrawn_at), withdrawn.id)
    for closed in journey.closed[:1]:
        day = rules.day(closed.event.closed_at)
        yield one("closed", request, 1, day, closed.id)
        if closed.event.outcome == "completed":
            yield one("completed", request, 1, day, closed.id)
    for given in journey.feedback[:1]:
        yield one("satisfaction", request, given.event.satisfaction, rules.day(given.event.given_at), given.id)
        yield one("options_taken_up", request, given.event.options_taken_up, rules.day(given.event.given_at), given.id)
    if begun := journey.acceptance:
        yield one("accepted", request, 1, rules.day(begun[1]), begun[0].id)
    agreed: set[str] = set()
    for fact in journey.current:
        session = fact.event
        for indicator, value in (
            ("sessions", 1),
            (_OF_KIND[session.kind], 1),
            ("minutes", session.minutes),
            ("participants", session.participants),
        ):
            yield one(indicator, session.session_id, value, session.held_on, fact.id)
        for advisor, part in shares(session).items():
            if part.minutes:
                source = f"{session.session_id}.{advisor}"
                yield one("advisor_minutes", source, part.minutes, session.held_on, fact.id, member=advisor)
        for option in session.options_agreed:
            if option.option_id not in agreed:
                agreed.add(option.option_id)
                yield one("options", option.option_id, 1, session.held_on, fact.id, of=(str(option.field),))
    for talk, later in _conversion(journey.current):
        yield one("conversion", request, 100 if later else 0, talk.event.held_on, *(f.id for f in (talk, *later)))
    for indicator, last, on in _waits(journey, rules):
        first = journey.created[0]
        days = workdays_between(rules.day(first.event.submitted_at), on, rules.subdivision)
        yield one(indicator, request, days, on, last.id, first.id)
    if begun and not journey.closed and not journey.withdrawn:
        left = _left(journey, rules)
        card = card_on(rules.cards, rules.day(begun[1]))
        if card is not None and left:
            cents = sum(card.expected_cents(minutes) for minutes in left)
            yield one("committed", request, cents, rules.day(begun[1]), begun[0].id)
    for claim in claims:
        owed = one("honoraria", claim.id, claim.total_cents, claim.held_on, *reversed(claim.facts))
        if claim.ags != ags:  # the facts contradict each other
            owed.ags, owed.district = claim.ags, claim.ags[:5] or UNKNOWN
            owed.size = rules.sizes.get(claim.ags, UNKNOWN)
        yield owed


def _left(journey: Journey, rules: Rules) -> list[int]:
    """The minutes that each advisor of the last assignment is still expected to give."""
    given: dict[str, int] = {}
    for fact in journey.current:
        for advisor_id, part in shares(fact.event).items():
            given[advisor_id] = given.get(advisor_id, 0) + part.minutes
    seats = journey.assigned[-1].event.members if journey.assigned else ()
    return [left for seat in seats if (left := rules.expected_minutes - given.get(seat.advisor_id, 0)) > 0]


def _conversion(
    sessions: Sequence[Recorded[SessionCompleted]],
) -> Iterator[tuple[Recorded[SessionCompleted], tuple[Recorded[SessionCompleted], ...]]]:
    """The first talk of a request, and the first consultation on its day or later, if there is one."""
    talk = next((fact for fact in sessions if fact.event.kind is SessionKind.FIRST_TALK), None)
    if talk is not None:
        rest = (fact for fact in sessions if fact.event.kind is SessionKind.CONSULTATION)
        yield talk, tuple(fact for fact in rest if fact.event.held_on >= talk.event.held_on)[:1]


def _waits(journey: Journey, rules: Rules) -> Iterator[tuple[str, Recorded[Event], date]]:
    if not journey.created:
        return
    if begun := journey.acceptance:
        yield "days_to_acceptance", begun[0], rules.day(begun[1])
    talks = [fact for fact in journey.current if fact.event.kind is SessionKind.FIRST_TALK]
    if talks:
        yield "days_to_first_talk", talks[0], talks[0].event.held_on
