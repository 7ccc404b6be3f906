"""The comparison of what clients were told with what is. Pure; knows nothing of what was broken."""

from collections.abc import Collection

from tests.chaos.checks import claims, clients, erasures, facts, mails, matching
from tests.chaos.clients import Told
from tests.chaos.verdict import Verdict
from tests.chaos.world import World


def judge(told: Told, world: World, poison: Collection[tuple[str, str]] = ()) -> Verdict:
    """`poison`: (dead-letter topic, marker) of each letter that must have come about."""
    verdict = Verdict()
    clients.confirmed(verdict, told, world)
    facts.published(verdict, world)
    facts.ledger(verdict, world)
    facts.copies(verdict, world)
    matching.assignments(verdict, world)
    mails.mails(verdict, told, world)
    facts.order(verdict, world)
    claims.claims(verdict, told, world)
    erasures.erasures(verdict, told, world)
    facts.letters(verdict, world, poison)
    verdict.hold("answers that no client should get", told.complaints, told.complaints)
    verdict.notes["requests refused for a clear reason"] = sum(told.refusals.values())
    return verdict
