"""What reporting emits: SKEW's topic, what people decide about claims and practice examples, what matching and the
office have to know.
"""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from shared.events.base import AdvisorId, Ags, CaseNumber, Cents, Code, Fact, Id, Moment, Role, SessionKind

ClaimStatus = Literal["draft", "checked", "approved", "submitted", "paid", "rejected", "reversed"]
"""Reversed: taken back before it was submitted, because the session was corrected."""
ExampleStatus = Literal["asked", "agreed", "declined", "published", "withdrawn"]


class ReportingEntry(Fact):
    """One line of a honorarium claim, self-contained: a reader needs this topic only.

    `entry_id` is derived from the claim, its revision and status, so a rebuild emits the same lines again. Of a claim
    the last line counts; over all claims and counter-entries their sums are what is owed.
    """

    topic: ClassVar[str] = "reporting.entry"

    entry_id: Id
    claim_id: Code
    revision: int = Field(ge=1)
    request_id: Id
    case_number: CaseNumber
    municipality_ags: Ags
    session_id: Id
    session_kind: SessionKind
    held_on: date
    advisor_id: AdvisorId = Field(description="pseudonymous number of the payee")
    role: Role | None = None
    minutes: int = Field(ge=0)
    travel_km: int = Field(ge=0)
    fee_cents: Cents
    travel_cents: Cents
    total_cents: Cents
    currency: Literal["EUR"] = "EUR"
    rate_card: Code
    status: ClaimStatus
    recorded_at: Moment
    kind: Literal["claim", "counter"] = Field(
        default="claim", description="counter: takes `corrects` back; minutes and km are those taken back"
    )
    corrects: Code | None = Field(default=None, description="of a counter-entry: the claim that it takes back")
    vat_percent: int | None = Field(default=None, ge=0, le=30, description="fixed when the claim was checked")
    vat_cents: Cents | None = Field(default=None, description="on top of total_cents")
    gross_cents: Cents | None = Field(default=None, description="total_cents + vat_cents")


class ClaimDecided(Fact):
    """Somebody has checked, approved, submitted, paid, rejected or reopened a claim.

    `decided_by` is a keyed digest of the account: who it was stands in reporting's own records only.
    """

    topic: ClassVar[str] = "claim.decided"

    decision_id: Id
    claim_id: Code
    request_id: Id
    session_id: Id
    advisor_id: AdvisorId
    status: Literal["draft", "checked", "approved", "submitted", "paid", "rejected"]
    reason: Literal["wrong_minutes", "wrong_travel", "not_held", "duplicate", "not_eligible", "mistake", "other"] | None
    vat_percent: int | None = Field(default=None, ge=0, le=30, description="fixed when the claim is checked")
    decided_by: Code
    decided_at: Moment


class BudgetSet(Fact):
    """What a period's money affords: said by the office, and told anew when travel and VAT have taken their part."""

    topic: ClassVar[str] = "budget.set"

    budget_id: Id = Field(description="the same for each telling of a period's budget")
    period: Code = Field(description="its name in small letters, such as 2027 or 2027_q1")
    starts_on: date
    ends_on: date
    cents: Cents
    minutes: int = Field(ge=0, description="of advice that are paid by it, by the rates of its period")
    set_at: Moment

    @property
    def key(self) -> str:
        return self.budget_id


class ProofReminded(Fact):
    """A proof has not been handed in, and is due before long or was."""

    topic: ClassVar[str] = "proof.reminded"

    proof_id: Id = Field(description="the same for each reminder of one proof")
    proof: Code = Field(description="such as interim or final")
    of: Literal["month", "quarter", "year"]
    starts_on: date = Field(description="first day of the period that it is about")
    due: date
    reminded_at: Moment

    @property
    def key(self) -> str:
        return self.proof_id


class ExampleDecided(Fact):
    """How a practice example stands. Its text is nowhere on the broker; the municipality is mailed a link to it."""

    topic: ClassVar[str] = "example.decided"

    example_id: Id
    request_id: Id
    status: ExampleStatus
    revision: int = Field(ge=1, description="of the text")
    decided_by: Literal["office", "municipality"]
    decided_at: Moment
