"""The result of a period, put together once: whatever is exported says the same, to the cent.

The claims wait in a temporary file, a line each, so that a report of 100,000 needs no memory for them; the sums are
taken while they are written. A closed period is read from what was frozen, an open one from the
read models as they are now.
"""

import json
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Literal, get_args

from services.reporting.cells import Total
from services.reporting.figures import Scope
from services.reporting.queries import ClaimSums
from services.reporting.rates import RateCard
from shared.events.reporting import ClaimStatus

_IN_MEMORY = 4_000_000
_SUMMED = tuple(name for name in ClaimSums.__slots__ if name != "claims")
Grouped = Literal["district", "field", "size"]
GROUPED: tuple[Grouped, ...] = get_args(Grouped)
Row = dict[str, Any]
"""A claim as JSON has it, by its field's names."""


@dataclass(frozen=True, slots=True)
class Counted:
    """All totals of a period, and those by month, district, field and size; `position`: the place they are of."""

    position: int
    totals: Sequence[Total]
    months: Sequence[Total]
    districts: Sequence[Total]
    fields: Sequence[Total]
    sizes: Sequence[Total] = ()

    def of(self, group: Grouped) -> Sequence[Total]:
        return {"district": self.districts, "field": self.fields, "size": self.sizes}[group]

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


@dataclass(frozen=True, slots=True)
class Sums:
    """What the claims of a result come to."""

    all: ClaimSums
    by_status: Mapping[ClaimStatus, ClaimSums]
    by_advisor: Mapping[str, ClaimSums]

    @classmethod
    def of(cls, parts: Iterable[tuple[ClaimStatus, str, ClaimSums]]) -> "Sums":
        """Out of sums by status and advisor."""
        every, by_status, by_advisor = ClaimSums(), dict[ClaimStatus, ClaimSums](), dict[str, ClaimSums]()
        for status, advisor, sums in parts:
            every = every + sums
            by_status[status] = by_status.get(status, ClaimSums()) + sums
            by_advisor[advisor] = by_advisor.get(advisor, ClaimSums()) + sums
        return cls(every, by_status, by_advisor)


class Vouchers:
    """The claims of a result by day, in a file of its own, written once and read any number of times; and their sums.

    `listed`: whether they are there one by one.
    """

    def __init__(self, sums: Sums, file: IO[bytes] | None = None) -> None:
        self._file = file
        self.listed = file is not None
        self.totals = sums
        self.sums, self.by_status, self.by_advisor = sums.all, sums.by_status, sums.by_advisor

    def __iter__(self) -> Iterator[Row]:
        if self._file is not None:
            self._file.seek(0)
            for line in self._file:
                yield json.loads(line)

    def close(self) -> None:
        if self._file is not None:
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


async def spooled(pages: AsyncIterator[Sequence[Row]]) -> Vouchers:
    """All of `pages` in a file, and what they come to. Its reader closes it."""
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
    parts: dict[tuple[ClaimStatus, str], list[int]] = {}
    try:
        async for page in pages:
            for row in page:
                file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
                sums = parts.setdefault((row["status"], row["advisor_id"]), [0] * (1 + len(_SUMMED)))
                sums[0] += 1
                for place, name in enumerate(_SUMMED, 1):
                    sums[place] += row[name]
    except BaseException:
        file.close()
        raise
    return Vouchers(Sums.of((*key, ClaimSums(*sums)) for key, sums in parts.items()), file)
