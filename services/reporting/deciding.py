"""People's decisions about claims: load, decide, save. Who may take which, and that no two people are one."""

import asyncio
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.reporting.claims import Claim
from services.reporting.decisions import OUT, STATUS_NAMES, STEPS, Decided, Reason, Standing, refusal
from services.reporting.queries import Queries
from services.reporting.records import Decision, Guard, Records, tax_on
from services.reporting.store import Store
from shared.auth import Caller, Role
from shared.commit import again
from shared.errors import Conflict, Forbidden, NotFound, Problem
from shared.events import ClaimDecided
from shared.ids import new_id

MAY: dict[Decided, tuple[Role, ...]] = {
    "checked": ("coordinator",),
    "approved": ("coordinator", "skew"),
    "submitted": ("coordinator",),
    "paid": ("skew",),
    "rejected": ("coordinator", "skew"),
    "draft": ("coordinator",),
}
"""The programme's office checks and submits, the payer says what was paid, either approves what another has checked."""
SHOWN_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody decides; `note` in their words, which no fact holds."""

    status: Decided
    reason: Reason | None = None
    note: str = ""


@dataclass(frozen=True)
class Desk:
    """What deciding needs; `secret` keys the digest by which facts name who decided."""

    store: Store
    queries: Queries
    records: Records
    secret: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one claim: its decisions so far, or why it stays as it is."""

    claim_id: str
    decisions: int
    refused: Problem | None = None


async def decide(desk: Desk, claim_ids: Sequence[str], step: Step, caller: Caller, now: datetime) -> list[Outcome]:
    """Takes `step` for each claim by itself; returns when the claims show it, or after a few seconds.

    Raises Forbidden when the role may not at all.
    """
    if caller.role not in MAY[step.status]:
        raise Forbidden(
            "Ihre Rolle darf das nicht.", f"The role {caller.role} may not; it needs {' or '.join(MAY[step.status])}."
        )
    outcomes = await asyncio.gather(*(_outcome(desk, one, step, caller, now) for one in dict.fromkeys(claim_ids)))
    await _shown(desk.queries, {one.claim_id: one.decisions for one in outcomes if one.refused is None})
    return list(outcomes)


async def _outcome(desk: Desk, claim_id: str, step: Step, caller: Caller, now: datetime) -> Outcome:
    try:
        return Outcome(claim_id, await again(lambda: _decide(desk, claim_id, step, caller, now)))
    except (NotFound, Conflict) as problem:
        return Outcome(claim_id, 0, problem)


async def _decide(desk: Desk, claim_id: str, step: Step, caller: Caller, now: datetime) -> int:
    guard, claim = await desk.records.guard(claim_id), await desk.queries.claim(claim_id)
    if claim is None:
        raise NotFound("Diesen Anspruch gibt es nicht.", "There is no such claim.")
    was, standing = _standing(claim, guard)
    if standing.status == step.status:
        return was  # twice is once
    by = digest(desk.secret, caller)
    _allowed(claim, standing, step, by)
    percent = await _vat_percent(desk, claim) if step.status == "checked" else None
    event = ClaimDecided(
        decision_id=new_id(),
        claim_id=claim.id,
        request_id=claim.request_id,
        session_id=claim.session_id,
        advisor_id=claim.advisor_id,
        status=step.status,
        reason=step.reason,
        vat_percent=percent,
        decided_by=by,
        decided_at=now,
    )
    reached = replace(standing, status=step.status, at=now)
    if step.status in ("checked", "draft"):
        reached = replace(reached, checked_by=by if step.status == "checked" else None, vat_percent=percent)
    kept = Decision(event.decision_id, claim.id, step.status, step.reason, step.note, caller.subject, caller.role, now)
    await desk.records.decide(event, reached, guard.version if guard else 0, was + 1, kept)
    return was + 1


def _standing(claim: Claim, guard: Guard | None) -> tuple[int, Standing]:
    """How many decisions there are and what they come to, the last ones not yet in the read models."""
    known = len(claim.decisions)
    if guard is not None and guard.version >= known:
        return guard.version, guard.standing
    return known, Standing(claim.status, claim.checked_by, claim.vat_percent, claim.changed_at, claim.decisions)


def _allowed(claim: Claim, standing: Standing, step: Step, by: str) -> None:
    """Raises Conflict with the reason why not."""
    if claim.waits_for:
        missing = ", ".join(claim.waits_for)
        raise Conflict(f"Der Anspruch wartet noch auf {missing}.", f"The claim still waits for {missing}.")
    void = claim.kind == "counter" and claim.status == "rejected" and not claim.decisions
    if void or claim.status == "reversed" or (claim.corrected_by and standing.status not in OUT):
        raise Conflict(
            "Der Termin wurde korrigiert; dieser Anspruch ist zurückgenommen.",
            "The session was corrected; this claim was taken back.",
        )
    match refusal(standing, step.status, step.reason, by):
        case "step":
            german, english = (STATUS_NAMES[standing.status][english] for english in (False, True))
            following = [STATUS_NAMES[status] for status in STEPS[standing.status]]
            may = ", ".join(name[0] for name in following) or "nichts"
            might = ", ".join(name[1] for name in following) or "nothing"
            raise Conflict(
                f"Der Anspruch ist {german}; darauf kann folgen: {may}.",
                f"The claim is {english}; what may follow: {might}.",
            )
        case "reason":
            raise Conflict(
                "Einen Grund braucht, wer ablehnt oder zurückholt, und nur dann.",
                "A reason is needed to reject or reopen, and only then.",
            )
        case "four_eyes":
            raise Conflict(
                "Freigeben muss jemand anderes als wer geprüft hat.",
                "Somebody else than who has checked it has to approve it.",
            )


async def _vat_percent(desk: Desk, claim: Claim) -> int:
    """By the advisor's tax status on the day of the session and the card that held then."""
    if tax_on(await desk.records.payees(claim.advisor_id), claim.held_on) != "standard":
        return 0
    cards = {card.code: card for card in await desk.store.cards()}
    return cards[claim.rate_card].vat_percent


async def _shown(queries: Queries, decided: dict[str, int]) -> None:
    """Waits until the read models have the decisions, so that whoever looks next sees them."""
    end = asyncio.get_running_loop().time() + SHOWN_SECONDS
    while decided and asyncio.get_running_loop().time() < end:
        shown = await queries.decided(list(decided))
        decided = {claim_id: number for claim_id, number in decided.items() if shown.get(claim_id, 0) < number}
        if decided:
            await asyncio.sleep(0.03)


def digest(secret: str, caller: Caller) -> str:
    """Who `caller` is, for facts: the same for the same account, and nobody's name."""
    return hmac.new(b"decider:" + secret.encode(), caller.subject.encode(), hashlib.sha256).hexdigest()[:16]
