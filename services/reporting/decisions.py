"""What people may decide about a claim, and what a claim has come to by it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from services.reporting.facts import Recorded
from shared.events import ClaimDecided
from shared.events.reporting import ClaimStatus

Decided = Literal["draft", "checked", "approved", "submitted", "paid", "rejected"]
Reason = Literal["wrong_minutes", "wrong_travel", "not_held", "duplicate", "not_eligible", "mistake", "other"]

STEPS: dict[ClaimStatus, tuple[Decided, ...]] = {
    "draft": ("checked", "rejected"),
    "checked": ("approved", "rejected", "draft"),
    "approved": ("submitted", "rejected", "draft"),
    "submitted": ("paid", "rejected"),
    "paid": (),
    "rejected": ("draft",),
    "reversed": (),
}
"""Status → what may follow. Back to draft: reopened. What was paid is changed by a counter-entry only."""
WITH_REASON = ("rejected", "draft")
OUT: tuple[Decided, ...] = ("submitted", "paid")
"""With the payer: what is there is taken back by a counter-entry that goes the same way."""

REASONS: dict[Reason, tuple[str, str]] = {
    "wrong_minutes": ("Zeiten stimmen nicht", "Wrong times"),
    "wrong_travel": ("Fahrtkosten stimmen nicht", "Wrong travel"),
    "not_held": ("Termin hat nicht stattgefunden", "The session was not held"),
    "duplicate": ("Schon abgerechnet", "Claimed already"),
    "not_eligible": ("Nicht erstattungsfähig", "Not eligible"),
    "mistake": ("Versehen bei der Bearbeitung", "Decided by mistake"),
    "other": ("Anderer Grund", "Another reason"),
}
STATUS_NAMES: dict[ClaimStatus, tuple[str, str]] = {
    "draft": ("Entwurf", "draft"),
    "checked": ("geprüft", "checked"),
    "approved": ("freigegeben", "approved"),
    "submitted": ("eingereicht", "submitted"),
    "paid": ("bezahlt", "paid"),
    "rejected": ("abgelehnt", "rejected"),
    "reversed": ("zurückgenommen", "reversed"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What decisions have made of a claim. `at`, `facts`: of the decisions that counted."""

    status: ClaimStatus = "draft"
    checked_by: str | None = None
    vat_percent: int | None = None
    at: datetime | None = None
    facts: tuple[str, ...] = ()


def refusal(standing: Standing, status: Decided, reason: str | None, by: str) -> str | None:
    """Why the step to `status` may not be taken: step, reason or four_eyes; None when it may."""
    if status not in STEPS[standing.status]:
        return "step"
    if (reason is None) is (status in WITH_REASON):
        return "reason"
    if status == "approved" and by == standing.checked_by:
        return "four_eyes"
    return None


def stand(facts: Iterable[Recorded[ClaimDecided]]) -> tuple[Standing, Sequence[Recorded[ClaimDecided]]]:
    """What the decisions about one claim come to, and those that were not allowed and count for nothing."""
    standing, wrong = Standing(), []
    for fact in sorted(facts, key=lambda one: (one.event.decided_at, one.time, one.id)):
        event = fact.event
        if refusal(standing, event.status, event.reason, event.decided_by):
            wrong.append(fact)
            continue
        standing = replace(standing, status=event.status, at=event.decided_at, facts=(*standing.facts, fact.id))
        if event.status == "checked":
            standing = replace(standing, checked_by=event.decided_by, vat_percent=event.vat_percent)
        elif event.status == "draft":
            standing = replace(standing, checked_by=None, vat_percent=None)
    return standing, wrong
