"""What the API and the exports answer with."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.reporting.rates import Basis
from shared.events.base import Role, SessionKind
from shared.events.reporting import ClaimStatus

By = Literal["period", "district", "field", "size"]


class View(BaseModel):
    model_config = ConfigDict(populate_by_name=True, frozen=True)


class Period(View):
    start: date = Field(alias="from")
    end: date = Field(alias="to", description="included")


class Before(View):
    """The same figure of the period before: as many whole months, or as many days."""

    id: str
    value: int | float | None
    n: int
    change: int | float | None = Field(description="value less that of before; null where one of them is")


class Figure(View):
    """One number of a report."""

    id: str = Field(description="says what it counts: indicator~from~to, and ~district=, ~field= or ~size=")
    indicator: str
    name: str
    value: int | float | None = Field(description="null: an average of nothing; honoraria in integer cents")
    unit: str
    n: int = Field(description="number of contributions, as many as `facts` lists")
    definition: str
    since: date = Field(description="the definition has held from then on; earlier facts are counted by it too")
    before: Before | None = Field(default=None, description="with `compare`")
    facts: str = Field(description="where the figure opens into the facts it was counted from")


class Group(View):
    by: By
    key: str = Field(description="2026-03, 2026-Q1 or 2026; a district's key; a field's or size's code; unknown")
    name: str
    period: Period
    figures: list[Figure]


class Summary(View):
    """All figures of a period, and the same by period, district, field and size of the municipality."""

    period: Period
    position: int = Field(description="place in the ledger up to which facts are counted")
    figures: list[Figure]
    groups: list[Group]


class ClaimLine(View):
    """What one advisor is owed for one session, with every factor; amounts in integer cents.

    A counter-entry takes a claim back: its minutes, km and amounts are below zero.
    """

    claim_id: str
    kind: Literal["claim", "counter"]
    corrects: str | None = Field(description="of a counter-entry: the claim that it takes back")
    corrected_by: str | None = Field(description="of a claim: the counter-entry that takes it back")
    revision: int
    status: ClaimStatus
    request_id: str
    case_number: str | None
    municipality_ags: str
    municipality: str
    session_id: str
    session_kind: SessionKind
    held_on: date
    advisor_id: str
    role: Role | None
    minutes: int
    team_minutes: int = Field(description="of all advisors of the session")
    travel_km: int
    rate_card: str
    basis: Basis
    rate_cents: int = Field(description="per hour, session or day")
    km_cents: int
    travel_cap_cents: int = Field(description="per session and advisor")
    session_fee_cents: int = Field(description="of all; by the hour: rate_cents × team_minutes / 60, half up")
    fee_cents: int = Field(description="this advisor's part of it by minutes; the parts add up")
    travel_cents: int
    total_cents: int = Field(description="fee and travel, without VAT")
    vat_percent: int | None = Field(description="fixed when the claim is checked")
    vat_cents: int
    gross_cents: int
    changed_at: datetime
    currency: Literal["EUR"] = "EUR"
    waits_for: list[str] = Field(description="topics of facts that are missing; until then nothing goes to SKEW")
    facts: str = Field(description="where the claim opens into its facts")


class Sums(View):
    """Over all claims that fit, on whatever page; amounts in integer cents."""

    claims: int
    minutes: int
    travel_km: int
    fee_cents: int
    travel_cents: int
    total_cents: int
    vat_cents: int
    gross_cents: int


class Honoraria(View):
    """Claims of the sessions held in a period."""

    period: Period
    totals: Sums
    by_status: dict[ClaimStatus, Sums] = Field(description="the same sums, status by status")
    items: list[ClaimLine]
    next: str | None


class FactView(View):
    """One fact as a CloudEvent (JSON format), with its place in the ledger and on Kafka as extensions."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    time: str
    subject: str
    datacontenttype: Literal["application/json"]
    correlationid: str | None = None
    cursor: str = Field(description="its place in the ledger; `after` this cursor come the later ones")
    topic: str
    partition: int
    offset: int
    key: str
    data: dict[str, Any] = Field(description="the event's body as it came")


class Facts(View):
    items: list[FactView]
    next: str | None = Field(description="cursor of the next page; null when there is no more now")
    position: str = Field(description="cursor to go on with later, whether or not there was anything")
    feed: str = Field(description="names the numbering: with another one cursors mean something else")


class Contribution(View):
    """What one source gave to a figure, and the facts that say so, the deciding one first."""

    value: int
    on: date
    request_id: str
    municipality_ags: str
    municipality: str
    advisor_id: str | None = Field(default=None, description="whose part it is, of what is counted by heads")
    facts: list[FactView]


class Lineage(View):
    """A figure opened: as many contributions as its `n`; their sum or average is its value.

    Of what is counted by heads the value is how many different advisors they name.
    """

    figure: str
    items: list[Contribution]
    next: str | None


class FindingView(View):
    id: str
    code: str
    text: str
    request_id: str
    case_number: str | None
    subject: str = Field(description="id of the request, session or answer that it is about")
    facts: list[str] = Field(description="ids of the facts that show it")


class Findings(View):
    items: list[FindingView]
    next: str | None
