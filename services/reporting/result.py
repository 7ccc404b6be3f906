"""The result of a period, put together once: whatever is exported says the same, to the cent.

The claims wait in a temporary file, a line each, so that a report of 100,000 needs no memory for them; the sums are
taken while they are written. A closed period is read from what was frozen, an open one from the
read models as they are now.
"""

import json
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from services.reporting.cells import Total
from services.reporting.claims import Claim
from services.reporting.documents import CLAIM
from services.reporting.figures import Scope
from services.reporting.queries import ClaimSums
from services.reporting.rates import RateCard
from shared.events.reporting import ClaimStatus

_IN_MEMORY = 4_000_000
_SUMMED = tuple(name for name in ClaimSums.__slots__ if name != "claims")
Row = dict[str, Any]
"""A claim as JSON has it, by its field's names."""


@dataclass(frozen=True, slots=True)
class Counted:
    """All totals of a period, in all and by month, district and field; `position`: the ledger's place they are of."""

    position: int
    totals: Sequence[Total]
    months: Sequence[Total]
    districts: Sequence[Total]
    fields: Sequence[Total]

    def cents(self) -> int:
        """The honoraria as the figures have them."""
        return sum(total.sum for total in self.totals if total.indicator == "honoraria")


@dataclass(frozen=True, slots=True)
class Correction:
    """What has become known of an earlier closed period since: differences by indicator as (sum, number)."""

    period: str
    figures: dict[str, tuple[int, int]]

    @property
    def cents(self) -> int:
        return self.figures.get("honoraria", (0, 0))[0]


@dataclass(frozen=True, slots=True)
class Closing:
    """A period's name, when it was closed and by whom."""

    period: str
    at: datetime
    by: str


class Vouchers:
    """The claims of a result in a file of its own, by day; written once, read any number of times."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        self.sums = ClaimSums()
        self.by_status: dict[ClaimStatus, ClaimSums] = {}
        self.by_advisor: dict[str, ClaimSums] = {}

    def add(self, claims: Sequence[Claim]) -> None:
        for claim in claims:
            self._file.write(CLAIM.dump_json(claim) + b"\n")
            self.sums = _plus(self.sums, claim)
            self.by_status[claim.status] = _plus(self.by_status.get(claim.status, ClaimSums()), claim)
            self.by_advisor[claim.advisor_id] = _plus(self.by_advisor.get(claim.advisor_id, ClaimSums()), claim)

    def __iter__(self) -> Iterator[Row]:
        self._file.seek(0)
        for line in self._file:
            yield json.loads(line)

    def close(self) -> None:
        self._file.close()


@dataclass(frozen=True)
class Result:
    """What the exports are made of; `closing` is None of a period that is still open."""

    scope: Scope
    made_at: datetime
    counted: Counted
    vouchers: Vouchers
    findings: dict[str, int]
    corrections: Sequence[Correction] = ()
    closing: Closing | None = None
    cards: tuple[RateCard, ...] = ()

    @property
    def name(self) -> str:
        """For files: the period's name, or its days."""
        return self.closing.period if self.closing else f"{self.scope.start}-{self.scope.end}"


async def spooled(pages: AsyncIterator[Sequence[Claim]]) -> Vouchers:
    """All of `pages` in a file. Its reader closes it."""
    vouchers = Vouchers()
    try:
        async for page in pages:
            vouchers.add(page)
    except BaseException:
        vouchers.close()
        raise
    return vouchers


def _plus(sums: ClaimSums, claim: Claim) -> ClaimSums:
    return ClaimSums(sums.claims + 1, *(getattr(sums, name) + getattr(claim, name) for name in _SUMMED))
