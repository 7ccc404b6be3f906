"""Honorarium claims: one per advisor and completed session, derived from the facts, in integer cents.

A correction of a session overwrites nothing: the claim stays, a counter-entry takes it back, and a new claim says what
is owed now. The sum over all of them is what it would have been.
"""

import hashlib
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from services.reporting.decisions import OUT, Standing, stand
from services.reporting.facts import Recorded
from services.reporting.journey import Journey, Rules
from services.reporting.money import vat
from services.reporting.rates import Basis
from services.reporting.terms import Place, Terms, terms
from shared.events import ClaimDecided, ReportingEntry, SessionCompleted
from shared.events.base import Role, SessionKind
from shared.events.reporting import ClaimStatus
from shared.ids import derived_id


@dataclass(slots=True)  # as with measures
class Claim:
    """What one advisor is owed for one session, with every factor. Amounts in integer cents, travel in km.

    A counter-entry has minutes, km and amounts below zero; it `corrects` a claim, which is `corrected_by` it.
    `revision` rises with the claim's status. `vat_percent` is fixed when the claim is checked, `vat_cents` are
    on top of `total_cents`. `waits_for`: facts without which no line goes to SKEW. `decisions`: those of its
    status.
    """

    id: str
    kind: Literal["claim", "counter"]
    corrects: str | None
    corrected_by: str | None
    revision: int
    status: ClaimStatus
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
    basis: Basis
    rate_cents: int
    km_cents: int
    travel_cap_cents: int
    session_fee_cents: int
    fee_cents: int
    travel_cents: int
    total_cents: int
    vat_percent: int | None
    vat_cents: int
    gross_cents: int
    completed_at: datetime
    changed_at: datetime
    checked_by: str | None
    waits_for: tuple[str, ...]
    facts: tuple[str, ...]
    decisions: tuple[str, ...]


def claim_id(session_id: str, advisor_id: str, fact_id: str) -> str:
    """The same for ever, for a session, an advisor and the record it follows from; a code of at most 59 characters."""
    version = hashlib.blake2b(fact_id.encode(), digest_size=8).hexdigest()[:5]
    return f"{session_id.replace('-', '')}.{advisor_id.lower().replace('-', '_')}.{version}"


def counter_id(claim: str) -> str:
    return f"{claim}c"


def claims(journey: Journey, rules: Rules) -> Iterator[Claim]:
    """The claims and counter-entries of all sessions for which a rate card holds (`findings` tells of the others)."""
    decided: dict[str, list[Recorded[ClaimDecided]]] = {}
    for fact in journey.decided:
        decided.setdefault(fact.event.claim_id, []).append(fact)
    made = tuple(_made(journey, rules))
    counters = {claim.corrects: claim for claim in made if claim.kind == "counter"}
    for claim in made:
        if claim.kind == "claim":
            standing, _ = stand(decided.get(claim.id, ()))
            counter = counters.get(claim.id)
            yield _standing(claim, standing, counter)
            if counter is not None:
                yield _countering(counter, standing, stand(decided.get(counter.id, ()))[0])


def _made(journey: Journey, rules: Rules) -> Iterator[Claim]:
    """What each record of a session, the first or a corrected one, adds to what was claimed before it."""
    current: dict[str, Recorded[SessionCompleted]] = {}
    live: dict[Place, tuple[Claim, Terms]] = {}
    for fact in journey.completed:
        current[fact.event.session_id] = fact
        now = terms(current.values(), rules.cards)
        for place in sorted({*live, *now}):
            claim, before = live.get(place, (None, None))
            after = now.get(place)
            if after is not None and after.same(before):
                continue
            if claim is not None:
                del live[place]
                yield _counter(claim, fact)
            if after is not None:
                made = _claim(journey, place, after, current[place[0]], fact)
                live[place] = made, after
                yield made


def _claim(
    journey: Journey, place: Place, given: Terms, record: Recorded[SessionCompleted], cause: Recorded[SessionCompleted]
) -> Claim:
    """`cause` is `record`, or another session of the day by whose correction this one is paid otherwise."""
    session_id, advisor_id = place
    assigned = journey.assignment(record.event.assignment_id)
    roles = {seat.advisor_id: seat.role for seat in assigned.event.members} if assigned else {}
    missing = [("request.created", not journey.created), ("advisor.assigned", assigned is None)]
    known = [*journey.created[:1], *([assigned] if assigned else ()), *({cause.id: cause, record.id: record}.values())]
    total = given.fee_cents + given.travel_cents
    return Claim(
        id=claim_id(session_id, advisor_id, cause.id),
        kind="claim",
        corrects=None,
        corrected_by=None,
        revision=1,
        status="draft",
        request_id=journey.request_id,
        case_number=journey.case_number,
        ags=given.ags,
        district=given.ags[:5],
        session_id=session_id,
        session_kind=given.session_kind,
        held_on=given.held_on,
        advisor_id=advisor_id,
        role=roles.get(advisor_id),
        minutes=given.minutes,
        team_minutes=given.team_minutes,
        travel_km=given.travel_km,
        rate_card=given.card.code,
        basis=given.card.basis,
        rate_cents=given.card.rate(given.minutes),
        km_cents=given.card.km_cents,
        travel_cap_cents=given.card.travel_cap_cents,
        session_fee_cents=given.session_fee_cents,
        fee_cents=given.fee_cents,
        travel_cents=given.travel_cents,
        total_cents=total,
        vat_percent=None,
        vat_cents=0,
        gross_cents=total,
        completed_at=cause.event.completed_at,
        changed_at=cause.event.completed_at,
        checked_by=None,
        waits_for=tuple(topic for topic, absent in missing if absent),
        facts=tuple(fact.id for fact in known),
        decisions=(),
    )


def _counter(claim: Claim, cause: Recorded[SessionCompleted]) -> Claim:
    return replace(
        claim,
        id=counter_id(claim.id),
        kind="counter",
        corrects=claim.id,
        minutes=-claim.minutes,
        travel_km=-claim.travel_km,
        fee_cents=-claim.fee_cents,
        travel_cents=-claim.travel_cents,
        total_cents=-claim.total_cents,
        gross_cents=-claim.gross_cents,
        completed_at=cause.event.completed_at,
        changed_at=cause.event.completed_at,
        facts=(*claim.facts, cause.id),
    )


def _standing(claim: Claim, standing: Standing, counter: Claim | None) -> Claim:
    found = _decided(claim, standing, standing.vat_percent)
    if counter is None:
        return found
    found = replace(found, corrected_by=counter.id)
    if standing.status in (*OUT, "rejected"):
        return found
    moment = max(found.changed_at, counter.completed_at)
    return replace(found, status="reversed", revision=found.revision + 1, changed_at=moment)


def _countering(counter: Claim, of: Standing, own: Standing) -> Claim:
    """It goes its own way only when the claim has reached the payer; else both are void."""
    found = _decided(counter, own, of.vat_percent)
    moment = max(found.changed_at, of.at or found.changed_at)
    found = replace(found, revision=found.revision + len(of.facts), changed_at=moment)
    if of.status in OUT:
        return found
    return replace(found, status="rejected" if of.status == "rejected" else "reversed")


def _decided(claim: Claim, standing: Standing, vat_percent: int | None) -> Claim:
    if not standing.facts and vat_percent is None:
        return claim  # as it was made
    tax = vat(claim.total_cents, vat_percent or 0)
    return replace(
        claim,
        status=standing.status,
        revision=1 + len(standing.facts),
        vat_percent=vat_percent,
        vat_cents=tax,
        gross_cents=claim.total_cents + tax,
        changed_at=max(standing.at or claim.changed_at, claim.changed_at),
        checked_by=standing.checked_by,
        decisions=standing.facts,
    )


def entry(claim: Claim, sent: Container[str] = ()) -> ReportingEntry | None:
    """The claim's line for SKEW; None when it was `sent`, or while a fact is missing that it would have to make up.

    Everything in it follows from the facts, so a rebuild makes the same line with the same id.
    """
    if claim.waits_for or claim.case_number is None:
        return None
    identity = derived_id(claim.completed_at, claim.id, str(claim.revision), claim.status)
    if identity in sent:
        return None
    return ReportingEntry.model_validate(
        {
            "entry_id": identity,
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
            "minutes": abs(claim.minutes),
            "travel_km": abs(claim.travel_km),
            "fee_cents": claim.fee_cents,
            "travel_cents": claim.travel_cents,
            "total_cents": claim.total_cents,
            "rate_card": claim.rate_card,
            "status": claim.status,
            "recorded_at": claim.changed_at,
            "kind": claim.kind,
            "corrects": claim.corrects,
            "vat_percent": claim.vat_percent,
            "vat_cents": claim.vat_cents,
            "gross_cents": claim.gross_cents,
        }
    )
