"""Contradictions and gaps among the facts of a request: shown, never a silent zero."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.reporting.claims import Claim
from services.reporting.decisions import stand
from services.reporting.facts import Recorded
from services.reporting.journey import Journey, Rules
from services.reporting.rates import card_on
from services.reporting.terms import shares
from shared.events import (
    BY_TOPIC,
    BarrierReported,
    BudgetSet,
    ClaimDecided,
    Event,
    NotificationFailed,
    NotificationSent,
    ProofReminded,
    SessionCompleted,
)
from shared.events.base import Mode

_OF_NO_REQUEST = (BarrierReported, BudgetSet, ProofReminded, NotificationSent, NotificationFailed)
"""Barriers, budgets and proofs are none, and a mail may be about one, or about a form that was never sent."""

_PLACED = frozenset(event for event in BY_TOPIC.values() if "municipality_ags" in event.model_fields)
"""Facts that say where they belong."""

WORDS: dict[str, tuple[str, str]] = {
    "not_understood": (
        "Die Ereignisse dieser Anfrage enthalten unmögliche Werte; sie fehlt in allen Auswertungen.",
        "The facts of this request have impossible values; it is missing from all reports.",
    ),
    "request_missing": (
        "Zu dieser Anfrage gibt es Ereignisse, aber noch keinen Eingang (request.created). Ansprüche warten darauf.",
        "There are facts of this request but no request.created yet. Claims wait for it.",
    ),
    "request_twice": (
        "Der Eingang der Anfrage ist zweimal verzeichnet; der erste zählt.",
        "request.created is recorded twice; the first one counts.",
    ),
    "municipality_differs": (
        "Die Ereignisse nennen verschiedene Kommunen.",
        "The facts name different municipalities.",
    ),
    "answer_without_assignment": (
        "Eine Antwort gehört zu keiner bekannten Zuweisung.",
        "An answer belongs to no known assignment.",
    ),
    "answer_not_asked": (
        "Geantwortet hat jemand, der in dieser Zuweisung nicht gefragt war.",
        "Somebody answered who was not asked in this assignment.",
    ),
    "session_without_assignment": (
        "Der Termin gehört zu keiner bekannten Zuweisung. Seine Ansprüche warten darauf.",
        "The session belongs to no known assignment. Its claims wait for it.",
    ),
    "session_without_acceptance": (
        "Der Termin gehört zu einer Zuweisung, die nicht vollständig angenommen wurde.",
        "The session belongs to an assignment that was not accepted by everybody.",
    ),
    "not_in_tandem": (
        "Der Termin nennt Minuten von jemandem, der nicht im Tandem ist.",
        "The session has minutes of somebody who is not in the tandem.",
    ),
    "advisor_twice": (
        "Der Termin nennt dieselbe Person zweimal; ihre Minuten sind zusammengezählt.",
        "The session names the same advisor twice; their minutes were added.",
    ),
    "session_corrected": (
        "Der Termin wurde mehrmals abgeschlossen; die letzte Fassung zählt.",
        "The session was completed more than once; the last version counts.",
    ),
    "decision_without_claim": (
        "Eine Entscheidung gehört zu keinem bekannten Anspruch.",
        "A decision belongs to no known claim.",
    ),
    "decision_not_allowed": (
        "Eine Entscheidung über einen Anspruch war so nicht zulässig und zählt nicht.",
        "A decision about a claim was not allowed as it was and does not count.",
    ),
    "session_cancelled": (
        "Der Termin war abgesagt und wurde doch abgeschlossen.",
        "The session was cancelled and completed nevertheless.",
    ),
    "session_before_request": (
        "Der Termin liegt vor dem Eingang der Anfrage.",
        "The session was held before the request came in.",
    ),
    "session_in_future": (
        "Der Termin wurde als durchgeführt gemeldet, bevor er stattfand.",
        "The session was reported as held before its day.",
    ),
    "session_after_closing": (
        "Der Termin wurde nach dem Abschluss der Beratung gemeldet.",
        "The session was reported after the engagement was closed.",
    ),
    "session_after_withdrawal": (
        "Der Termin wurde nach der Rücknahme der Anfrage gemeldet.",
        "The session was reported after the request was withdrawn.",
    ),
    "travel_online": (
        "Für einen Online-Termin sind gefahrene Kilometer angegeben.",
        "There are kilometres travelled for an online session.",
    ),
    "no_rate": (
        "Für den Tag des Termins gilt keine Satzkarte; es entsteht kein Anspruch.",
        "No rate card holds on the day of the session; there is no claim.",
    ),
    "closed_twice": (
        "Die Beratung wurde zweimal abgeschlossen; der erste Abschluss zählt.",
        "The engagement was closed twice; the first closing counts.",
    ),
    "feedback_twice": (
        "Es gibt zwei Rückmeldungen; die erste zählt.",
        "There are two answers to the feedback; the first one counts.",
    ),
    "feedback_before_closing": (
        "Es gibt eine Rückmeldung, aber keinen Abschluss.",
        "There is feedback but no closing.",
    ),
}
"""Code → what is wrong, in German and English."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong: `subject` is the request's or session's id, `facts` show it."""

    id: str
    code: str
    request_id: str
    case_number: str | None
    subject: str
    facts: tuple[str, ...]


def findings(journey: Journey, rules: Rules, claims: Iterable[Claim]) -> Iterator[Finding]:
    """Whatever is contradictory or missing in `journey`."""
    found = (*_of_request(journey), *_of_answers(journey), *_of_sessions(journey, rules))
    for code, subject, facts in (*found, *_of_decisions(journey, {claim.id for claim in claims})):
        identity = f"{code}:{subject}"
        yield Finding(
            identity, code, journey.request_id, journey.case_number, subject, tuple(fact.id for fact in facts)
        )


_Found = tuple[str, str, "tuple[Recorded[Event], ...]"]
"""Code, subject, facts."""
_Against = tuple[str, "Recorded[Event] | None"]
"""Code, and the fact that a session contradicts, if there is one."""


def _of_request(journey: Journey) -> Iterator[_Found]:
    every: tuple[Recorded[Event], ...] = (
        *journey.created,
        *journey.withdrawn,
        *journey.assigned,
        *journey.answered,
        *journey.scheduled,
        *journey.completed,
        *journey.closed,
        *journey.feedback,
        *journey.decided,
        *journey.others,
    )
    subject = journey.request_id
    if not journey.created:
        known = tuple(fact for fact in every if not isinstance(fact.event, _OF_NO_REQUEST))
        if known:
            yield "request_missing", subject, known[:1]
    for code, facts in (
        ("request_twice", journey.created),
        ("closed_twice", journey.closed),
        ("feedback_twice", journey.feedback),
    ):
        if len(facts) > 1:
            yield code, subject, facts
    if journey.feedback and not journey.closed:
        yield "feedback_before_closing", subject, journey.feedback
    placed = {fact.event.municipality_ags: fact for fact in reversed(every) if type(fact.event) in _PLACED}  # type: ignore[attr-defined]
    if len(placed) > 1:
        yield "municipality_differs", subject, tuple(reversed(placed.values()))


def _of_answers(journey: Journey) -> Iterator[_Found]:
    for fact in journey.answered:
        assigned = journey.assignment(fact.event.assignment_id)
        if assigned is None:
            yield "answer_without_assignment", fact.id, (fact,)
        elif fact.event.advisor_id not in {seat.advisor_id for seat in assigned.event.members}:
            yield "answer_not_asked", fact.id, (fact, assigned)


def _of_decisions(journey: Journey, claims: set[str]) -> Iterator[_Found]:
    decided: dict[str, list[Recorded[ClaimDecided]]] = {}
    for fact in journey.decided:
        decided.setdefault(fact.event.claim_id, []).append(fact)
    for claim_id, facts in decided.items():
        if claim_id not in claims:
            yield "decision_without_claim", facts[0].id, tuple(facts)
        for fact in stand(facts)[1]:
            yield "decision_not_allowed", fact.id, (fact,)


def _of_sessions(journey: Journey, rules: Rules) -> Iterator[_Found]:
    for session_id, versions in journey.sessions.items():
        if len(versions) > 1:
            yield "session_corrected", session_id, tuple(versions)
        fact = versions[-1]
        for code, other in (*_of_team(journey, fact), *_of_time(journey, fact, rules)):
            yield code, session_id, (fact,) if other is None else (fact, other)


def _of_team(journey: Journey, fact: Recorded[SessionCompleted]) -> Iterator[_Against]:
    session, parts = fact.event, shares(fact.event)
    assigned = journey.assignment(session.assignment_id)
    if assigned is None:
        yield "session_without_assignment", None
    else:
        seats = assigned.event.members
        accepted = any(
            answer.event.complete and answer.event.assignment_id == session.assignment_id for answer in journey.answered
        )
        if not accepted and not all(seat.kept for seat in seats):
            yield "session_without_acceptance", assigned
        if parts.keys() - {seat.advisor_id for seat in seats}:
            yield "not_in_tandem", assigned
    if len(parts) < len(session.members):
        yield "advisor_twice", None
    if session.mode is Mode.ONLINE and any(member.travel_km for member in session.members):
        yield "travel_online", None


def _of_time(journey: Journey, fact: Recorded[SessionCompleted], rules: Rules) -> Iterator[_Against]:
    session = fact.event
    changes = [change for change in journey.scheduled if change.event.session_id == session.session_id]
    if changes:
        last = max(changes, key=lambda change: (change.event.sequence, change.id))
        if last.event.change == "cancelled":
            yield "session_cancelled", last
    for created in journey.created[:1]:
        if session.held_on < rules.day(created.event.submitted_at):
            yield "session_before_request", created
    if session.held_on > rules.day(session.completed_at):
        yield "session_in_future", None
    for closed in journey.closed[:1]:
        if session.completed_at > closed.event.closed_at:
            yield "session_after_closing", closed
    for withdrawn in journey.withdrawn[:1]:
        if session.completed_at > withdrawn.event.withdrawn_at:
            yield "session_after_withdrawal", withdrawn
    if card_on(rules.cards, session.held_on) is None:
        yield "no_rate", None
