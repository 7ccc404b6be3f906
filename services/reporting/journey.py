"""One request's facts in an order that does not depend on when they arrived."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from services.reporting.facts import Recorded
from services.reporting.rates import RateCard
from shared.events import (
    AdvisorAnswered,
    AdvisorAssigned,
    ClaimDecided,
    ConsultationClosed,
    Event,
    FeedbackGiven,
    RequestCreated,
    RequestWithdrawn,
    SessionCompleted,
    SessionScheduled,
)

E = TypeVar("E", bound=Event)


@dataclass(frozen=True)
class Rules:
    """What the figures depend on besides the facts: rates, public holidays of the state, local days.

    `expected_minutes`: of one advisor in a whole engagement, for what is committed. `sizes`: AGS → size class.
    """

    cards: tuple[RateCard, ...]
    subdivision: str
    zone: ZoneInfo
    expected_minutes: int = 600
    sizes: Mapping[str, str] = field(default_factory=dict)

    def day(self, moment: datetime) -> date:
        """The local day of `moment`."""
        return moment.astimezone(self.zone).date()


@dataclass(slots=True)  # as with measures
class Journey:
    """All that has happened to a request; each kind in the order of its emitter's time.

    `fields`: codes of what was asked for; empty while request.created has not arrived. `sessions`: session → its
    completions; the last one counts, earlier ones were corrected. `current`: the version of each session that counts,
    in the order they were held. `acceptance`: the fact by which the engagement began, and when: every seat was accepted
    (or kept from before).
    """

    request_id: str
    created: tuple[Recorded[RequestCreated], ...]
    withdrawn: tuple[Recorded[RequestWithdrawn], ...]
    assigned: tuple[Recorded[AdvisorAssigned], ...]
    answered: tuple[Recorded[AdvisorAnswered], ...]
    scheduled: tuple[Recorded[SessionScheduled], ...]
    completed: tuple[Recorded[SessionCompleted], ...]
    closed: tuple[Recorded[ConsultationClosed], ...]
    feedback: tuple[Recorded[FeedbackGiven], ...]
    decided: tuple[Recorded[ClaimDecided], ...]
    others: tuple[Recorded[Event], ...]
    fields: tuple[str, ...] = field(init=False)
    sessions: dict[str, list[Recorded[SessionCompleted]]] = field(init=False)
    current: Sequence[Recorded[SessionCompleted]] = field(init=False)
    acceptance: tuple[Recorded[Event], datetime] | None = field(init=False)

    def __post_init__(self) -> None:
        self.fields = tuple(dict.fromkeys(map(str, self.request.fields))) if self.request else ()
        self.sessions = {}
        for fact in self.completed:
            self.sessions.setdefault(fact.event.session_id, []).append(fact)
        last = [versions[-1] for versions in self.sessions.values()]
        self.current = sorted(last, key=lambda fact: (fact.event.held_on, fact.event.completed_at, fact.id))
        self.acceptance = self._begun()

    @property
    def request(self) -> RequestCreated | None:
        return self.created[0].event if self.created else None

    @property
    def case_number(self) -> str | None:
        return self.request.case_number if self.request else None

    @property
    def ags(self) -> str | None:
        """The municipality, by request.created or whichever fact names it."""
        placed = (*self.created, *self.withdrawn, *self.assigned, *self.scheduled, *self.completed)
        for fact in (*placed, *self.closed, *self.feedback, *self.others):
            if found := getattr(fact.event, "municipality_ags", None):
                return str(found)
        return None

    def assignment(self, assignment_id: str) -> Recorded[AdvisorAssigned] | None:
        return next((fact for fact in self.assigned if fact.event.assignment_id == assignment_id), None)

    def _begun(self) -> tuple[Recorded[Event], datetime] | None:
        found: list[tuple[datetime, str, Recorded[Event]]] = [
            (fact.event.answered_at, fact.id, fact) for fact in self.answered if fact.event.complete
        ]
        found += [
            (fact.event.assigned_at, fact.id, fact)
            for fact in self.assigned
            if all(seat.kept for seat in fact.event.members)
        ]
        if not found:
            return None
        moment, _, fact = min(found, key=lambda item: item[:2])
        return fact, moment

    def waiting_since(self) -> datetime | None:
        """When it came in, while nobody has accepted it and it is neither withdrawn nor closed."""
        over = self.withdrawn or self.closed or self.acceptance
        return self.request.submitted_at if self.request and not over else None


def gather(request_id: str, facts: Iterable[Recorded[Event]]) -> Journey:
    """The journey of `request_id`; any order of `facts`, and any repetition, gives the same."""
    ordered = sorted({fact.id: fact for fact in facts}.values(), key=lambda fact: (fact.time, fact.id))
    placed: dict[type[Event], list[Recorded[Event]]] = {}
    for fact in ordered:
        placed.setdefault(type(fact.event), []).append(fact)

    def of(model: type[E]) -> "tuple[Recorded[E], ...]":
        return tuple(placed.pop(model, ()))  # type: ignore[arg-type]

    return Journey(
        request_id=request_id,
        created=of(RequestCreated),
        withdrawn=of(RequestWithdrawn),
        assigned=of(AdvisorAssigned),
        answered=of(AdvisorAnswered),
        scheduled=of(SessionScheduled),
        completed=_by_moment(of(SessionCompleted)),
        closed=of(ConsultationClosed),
        feedback=of(FeedbackGiven),
        decided=of(ClaimDecided),
        others=tuple(fact for rest in placed.values() for fact in rest),
    )


def _by_moment(facts: tuple[Recorded[SessionCompleted], ...]) -> tuple[Recorded[SessionCompleted], ...]:
    return tuple(sorted(facts, key=lambda fact: (fact.event.completed_at, fact.time, fact.id)))
