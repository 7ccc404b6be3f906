"""What reporting emits: SKEW's topic."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from shared.events.base import AdvisorId, Ags, CaseNumber, Cents, Code, Fact, Id, Moment, Role, SessionKind


class ReportingEntry(Fact):
    """One line of a honorarium claim, self-contained: a reader needs this topic only.

    `entry_id` is derived from the claim and its revision, so a rebuild emits the same lines again.
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
    status: Literal["draft", "checked", "approved", "submitted", "paid", "rejected", "reversed"]
    recorded_at: Moment
