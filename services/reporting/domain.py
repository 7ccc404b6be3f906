"""From facts to what is reported: a pure fold over one request, the same whatever order they arrived in."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from services.reporting.claims import Claim, claims
from services.reporting.facts import Recorded
from services.reporting.findings import Finding, findings
from services.reporting.journey import Rules, gather
from services.reporting.measures import Measure, measures
from shared.events import Event

Row = Measure | Claim | Finding


@dataclass(frozen=True, slots=True)
class Case:
    """What the reports know of one request. `version`: the place in the ledger of the last fact in it.

    `waiting_since`: it came in then and nobody has accepted it; None once it was, or was withdrawn or closed.
    """

    request_id: str
    version: int
    case_number: str | None
    ags: str | None
    fields: tuple[str, ...]
    waiting_since: datetime | None
    measures: tuple[Measure, ...]
    claims: tuple[Claim, ...]
    findings: tuple[Finding, ...]


def fold(request_id: str, facts: Collection[Recorded[Event]], rules: Rules) -> Case:
    """The case of `request_id` by all its facts, of which there is at least one."""
    journey = gather(request_id, facts)
    claimed = tuple(claims(journey, rules))
    return Case(
        request_id=request_id,
        version=max([fact.seq for fact in facts]),
        case_number=journey.case_number,
        ags=journey.ags,
        fields=journey.fields,
        waiting_since=journey.waiting_since(),
        measures=tuple(measures(journey, rules, claimed)),
        claims=claimed,
        findings=tuple(findings(journey, rules, claimed)),
    )


def not_understood(request_id: str, facts: Iterable[Recorded[Event]]) -> Case:
    """The case of a request whose facts can't be folded: no figures, and a finding that says so."""
    known = sorted({fact.id: fact for fact in facts}.values(), key=lambda fact: (fact.time, fact.id))
    code = "not_understood"
    finding = Finding(f"{code}:{request_id}", code, request_id, None, request_id, tuple(fact.id for fact in known))
    return Case(request_id, max(fact.seq for fact in known), None, None, (), None, (), (), (finding,))
