"""Which messages the facts of a case call for. Pure, and blind to the order in which the facts arrived."""

from collections.abc import Iterator
from typing import Any

from services.notifications.case import Case, Noted, members, rank
from services.notifications.domain import BARRIER, PROOF, RESUME, Audience, Message, draft
from shared.events import (
    AdvisorAnswered,
    AdvisorAssigned,
    AdvisorReminded,
    ConsultationClosed,
    ExampleDecided,
    HandoverOpened,
    RequestCreated,
    RequestDelayed,
    RequestEscalated,
    RequestParked,
    RequestWithdrawn,
    SessionScheduled,
)

TEMPLATES: dict[str, tuple[Audience, ...]] = {
    RESUME: ("municipality",),
    "receipt": ("municipality",),
    "assignment": ("advisor",),
    "reminder": ("advisor",),
    "step_reminder": ("advisor",),
    "introduction": ("municipality",),
    "engagement_started": ("advisor",),
    "session_invite": ("municipality", "advisor"),
    "session_update": ("municipality", "advisor"),
    "session_cancelled": ("municipality", "advisor"),
    "parked": ("municipality",),
    "delayed": ("municipality",),
    "escalation": ("coordinators",),
    "hand_over": ("coordinators",),
    "handed_over": ("advisor",),
    "withdrawn": ("municipality",),
    "withdrawn_advisor": ("advisor",),
    "superseded": ("advisor",),
    "thanks": ("municipality",),
    "example_consent": ("municipality",),
    "example_published": ("municipality",),
    "example_answered": ("coordinators",),
    BARRIER: ("coordinators",),
    PROOF: ("coordinators",),
}
"""Every template, and who gets it."""

_SESSION = {"scheduled": "session_invite", "rescheduled": "session_update", "cancelled": "session_cancelled"}


def calls_for(case: Case) -> Iterator[Message]:
    """A draft of each message that the facts call for."""
    for noted in case.facts:
        fact = noted.fact
        if isinstance(fact, RequestCreated):
            yield draft(case.request_id, noted, "receipt")
        elif isinstance(fact, RequestWithdrawn):
            yield draft(case.request_id, noted, "withdrawn")
            for advisor_id in _everybody(case):
                yield draft(case.request_id, noted, "withdrawn_advisor", advisor_id)
        elif isinstance(fact, AdvisorAssigned):
            yield from _on_assigned(case, noted, fact)
        elif isinstance(fact, AdvisorAnswered):
            if fact.complete:
                yield from _beginning(case, noted, fact.assignment_id)
        elif isinstance(fact, RequestParked):
            if noted is next(n for n, other in case.of(RequestParked) if other.round == fact.round):
                yield draft(case.request_id, noted, "parked")
        elif isinstance(fact, RequestDelayed):
            context = {"submitted_at": fact.submitted_at.isoformat()}
            yield draft(case.request_id, noted, "delayed", None, context)
        elif isinstance(fact, AdvisorReminded):
            yield _on_reminded(case, noted, fact)
        elif isinstance(fact, RequestEscalated):
            late: dict[str, Any] = {"step": fact.step, "due": fact.due.isoformat(), "level": fact.level}
            asked = {"advisor_ids": [fact.advisor_id]} if fact.advisor_id else {}
            yield draft(case.request_id, noted, "escalation", None, late | asked, office=True)
        elif isinstance(fact, HandoverOpened):
            about = {"advisor_ids": [fact.advisor_id], "reason": fact.reason, "due": fact.due.isoformat()}
            yield draft(case.request_id, noted, "hand_over", None, about, office=True)
        elif isinstance(fact, SessionScheduled):
            yield from _on_session(case, noted, fact)
        elif isinstance(fact, ExampleDecided):
            yield from _on_example(case, noted, fact)
        else:
            yield from _on_closed(case, noted, fact)


def _on_assigned(case: Case, noted: Noted, fact: AdvisorAssigned) -> Iterator[Message]:
    context = {"assignment_id": fact.assignment_id, "respond_by": fact.respond_by.isoformat()}
    for seat in fact.members:
        if not seat.kept:
            yield draft(case.request_id, noted, "assignment", seat.advisor_id, {**context, "role": seat.role.value})
    if all(seat.kept for seat in fact.members):
        yield from _beginning(case, noted, fact.assignment_id)
    if fact.released_by == "coordinator":
        earlier = [other for _, other in case.of(AdvisorAssigned) if rank(other) < rank(fact)]
        before = max(earlier, key=rank, default=None)
        for advisor_id in sorted(members(before) - members(fact)):
            assert before is not None
            template = "handed_over" if case.has_begun(before.assignment_id) else "superseded"
            yield draft(case.request_id, noted, template, advisor_id, {"assignment_id": before.assignment_id})


def _on_reminded(case: Case, noted: Noted, fact: AdvisorReminded) -> Message:
    if fact.step == "answer":
        context = {"assignment_id": fact.assignment_id, "respond_by": fact.due.isoformat()}
        return draft(case.request_id, noted, "reminder", fact.advisor_id, context)
    step = {"step": fact.step, "due": fact.due.isoformat()}
    return draft(case.request_id, noted, "step_reminder", fact.advisor_id, step)


def _beginning(case: Case, cause: Noted, assignment_id: str) -> Iterator[Message]:
    context = {"assignment_id": assignment_id}
    yield draft(case.request_id, cause, "introduction", None, context)
    for advisor_id in sorted(members(case.assignment(assignment_id))):
        yield draft(case.request_id, cause, "engagement_started", advisor_id, context)


def _on_session(case: Case, noted: Noted, fact: SessionScheduled) -> Iterator[Message]:
    context: dict[str, Any] = {
        "session_id": fact.session_id,
        "sequence": fact.sequence,
        "kind": fact.kind.value,
        "mode": fact.mode.value,
        "starts_at": fact.starts_at.isoformat(),
        "minutes": fact.minutes,
        "advisor_ids": list(fact.advisor_ids),
    }
    template = _SESSION[fact.change]
    yield draft(case.request_id, noted, template, None, context)
    for advisor_id in fact.advisor_ids:
        yield draft(case.request_id, noted, template, advisor_id, context)
    before = [
        other
        for _, other in case.of(SessionScheduled)
        if other.session_id == fact.session_id and other.sequence < fact.sequence
    ]
    last = max(before, key=lambda other: other.sequence, default=None)
    if last is not None and last.change != "cancelled":  # who no longer takes part gets the entry cancelled
        for advisor_id in sorted(set(last.advisor_ids) - set(fact.advisor_ids)):
            alone = {**context, "advisor_ids": [advisor_id], "left": True}
            yield draft(case.request_id, noted, "session_cancelled", advisor_id, alone)


def _on_closed(case: Case, noted: Noted, fact: ConsultationClosed) -> Iterator[Message]:
    if fact.outcome != "no_longer_possible":
        yield draft(case.request_id, noted, "thanks")
    current = case.current
    if fact.assignment_id is None and current is not None:  # closed while the question was still open
        for advisor_id in sorted(members(current)):
            context = {"assignment_id": current.assignment_id}
            yield draft(case.request_id, noted, "superseded", advisor_id, context)


def _everybody(case: Case) -> list[str]:
    return sorted({advisor_id for _, fact in case.of(AdvisorAssigned) for advisor_id in members(fact)})


def _on_example(case: Case, noted: Noted, fact: ExampleDecided) -> Iterator[Message]:
    context = {"example_id": fact.example_id, "status": fact.status}
    if fact.decided_by == "municipality":
        yield draft(case.request_id, noted, "example_answered", None, context, office=True)
    elif fact.status == "asked":
        yield draft(case.request_id, noted, "example_consent", None, context)
    elif fact.status == "published":
        yield draft(case.request_id, noted, "example_published", None, context)
