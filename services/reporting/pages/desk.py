"""What reporting's pages are made from."""

import asyncio
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from services.reporting.closer import Closer
from services.reporting.closing import Office
from services.reporting.deciding import Desk
from services.reporting.operations import Watch
from services.reporting.periods import Proofs
from services.reporting.publishing import Showcase
from services.reporting.reports import Reports
from shared.look import Look


@dataclass(frozen=True)
class Pages:
    """`leaving`: set when the process ends, for whoever keeps an answer open."""

    look: Look
    office: Office
    closer: Closer
    desk: Desk
    watch: Watch
    proofs: Proofs
    showcase: Showcase
    payer: str
    leaving: asyncio.Event

    @property
    def reports(self) -> Reports:
        return self.office.reports

    @property
    def zone(self) -> ZoneInfo:
        return self.office.rules.zone
