"""Honoraria, computed anew and to the cent."""

from collections import Counter
from fractions import Fraction
from math import floor

from tests.chaos.clients import Told
from tests.chaos.verdict import Verdict, differing
from tests.chaos.world import Document, World

HOUR_CENTS, KM_CENTS, TRAVEL_CAP_CENTS = 7500, 30, 15_000
"""Of the example rate card that holds today."""


def claims(verdict: Verdict, told: Told, world: World) -> None:
    """Recomputed from session.completed, and from what the coordinators have sent, to the cent."""
    held = {record.body["session_id"]: record.body for record in world.first("session.completed").values()}
    owed = {place: cents for session in held.values() for place, cents in _owed(session).items()}
    claims = {(row["session_id"], row["advisor_id"]): row["total_cents"] for row in world.rows("reporting", "claims")}
    verdict.hold("claim is what the facts say", owed, differing(owed, claims))
    sums = [] if sum(owed.values()) == sum(claims.values()) else [f"{sum(owed.values())} ≠ {sum(claims.values())}"]
    verdict.hold("the claims' sum", ["sum"], sums)
    by_client = {
        place: cents
        for session_id, record in told.records.items()
        for place, cents in _owed({"session_id": session_id, **record}).items()
    }
    claimed = {place: claims.get(place) for place in by_client}
    verdict.hold("claim is what was recorded", by_client, differing(by_client, claimed))
    lines = Counter(record.body["claim_id"] for record in world.first("reporting.entry").values())
    cents = sum(record.body["total_cents"] for record in world.first("reporting.entry").values())
    verdict.hold("one line per claim for SKEW", lines, (f"{one}: {n} lines" for one, n in lines.items() if n > 1))
    sums = [] if cents == sum(claims.values()) else [f"{cents} ≠ {sum(claims.values())}"]
    verdict.hold("the lines' sum", ["sum"], sums)


def _owed(session: Document) -> dict[tuple[str, str], int]:
    """(session, advisor) → cents: the session's fee rounded once, its parts by largest remainder."""
    minutes = {one["advisor_id"]: one["minutes"] for one in session["members"]}
    fee = floor(Fraction(HOUR_CENTS * sum(minutes.values()), 60) + Fraction(1, 2))
    exact = {one: Fraction(fee * share, sum(minutes.values()) or 1) for one, share in minutes.items()}
    parts = {one: floor(amount) for one, amount in exact.items()}
    left = sorted(exact, key=lambda one: (parts[one] - exact[one], one))[: fee - sum(parts.values())]
    travel = {one["advisor_id"]: min(KM_CENTS * one["travel_km"], TRAVEL_CAP_CENTS) for one in session["members"]}
    return {(session["session_id"], one): parts[one] + (one in left) + travel[one] for one in minutes}
