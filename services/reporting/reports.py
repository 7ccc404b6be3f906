"""The figures and claims of a period, put together from the read models for the API, the exports and the CLI."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import get_args

from services.reporting.cells import Total
from services.reporting.claims import Claim
from services.reporting.facts import Fact
from services.reporting.figures import FigureId, Granularity, Scope, period_of, periods
from services.reporting.indicators import INDICATORS, UNITS
from services.reporting.ledger import Ledger
from services.reporting.measures import UNKNOWN
from services.reporting.queries import After, ClaimFilter, Queries
from services.reporting.result import Counted, Result, Sums, Vouchers, spooled
from services.reporting.store import Store
from services.reporting.views import (
    By,
    ClaimLine,
    Contribution,
    FactView,
    Figure,
    Group,
    Honoraria,
    Lineage,
    Period,
    Summary,
)
from services.reporting.views import Sums as SumsView
from shared.errors import Unavailable
from shared.register import Register

FIELD_NAMES: dict[str, tuple[str, str]] = {
    "fair_week": ("Faire Woche und interkulturelle Feste", "Fair Week and intercultural festivals"),
    "partnerships": ("Städte- und Projektpartnerschaften", "City and project partnerships"),
    "agenda_2030": ("Agenda 2030 vor Ort", "The 2030 Agenda locally"),
    "policy_quality": ("Qualität der kommunalen Entwicklungspolitik", "Quality of municipal development policy"),
    "opportunities": ("Gewinn interkultureller Öffnung", "Gains of intercultural opening"),
    "causes_of_flight": ("Fluchtursachen", "Why people flee"),
    "other": ("Anderes", "Something else"),
    UNKNOWN: ("Noch unbekannt", "Not yet known"),
}
Sum = tuple[int, int]
"""Sum and number of contributions."""


@dataclass(frozen=True)
class Reports:
    """Reads; `language` is `de` or `en` throughout."""

    ledger: Ledger
    store: Store
    queries: Queries
    register: Register

    async def summary(
        self, scope: Scope, by: Sequence[By] = get_args(By), granularity: Granularity = "month", language: str = "de"
    ) -> Summary:
        """All figures of `scope`: the totals, and groups of each kind in `by`."""
        return self.present(await self.count(scope, by), scope, by, granularity, language)

    async def count(self, scope: Scope, by: Sequence[By] = get_args(By)) -> Counted:
        """The totals of `scope` and of each kind in `by`."""
        position, totals = (await self.store.position()).seq, await self.queries.totals(scope)
        months = await self.queries.totals(scope, "month") if "period" in by else ()
        districts = await self.queries.totals(scope, "district") if "district" in by else ()
        fields = await self.queries.totals(scope, "field") if "field" in by else ()
        return Counted(position, totals, months, districts, fields)

    def present(
        self,
        counted: Counted,
        scope: Scope,
        by: Sequence[By] = get_args(By),
        granularity: Granularity = "month",
        language: str = "de",
    ) -> Summary:
        """What was counted as figures with their names and meanings."""
        groups: list[Group] = []
        if "period" in by:
            groups += self._periods(scope, granularity, counted.months, language)
        if "district" in by:
            groups += self._districts(scope, counted.districts, language)
        if "field" in by:
            groups += self._fields(scope, counted.fields, language)
        return Summary(
            period=Period(start=scope.start, end=scope.end),
            position=counted.position,
            figures=_figures(scope, _by_indicator(counted.totals), language),
            groups=groups,
        )

    async def result(self, scope: Scope, now: datetime, at_most: int | None = None) -> Result:
        """The result of `scope` as it is now, for exports; its reader closes `vouchers`.

        With `at_most` claims are listed up to that number only, of more there are the sums. Raises Unavailable when
        figures and claims keep changing while they are read.
        """
        for attempt in range(8):
            await asyncio.sleep(0.1 * attempt)
            counted = await self.count(scope)
            vouchers = await self._vouchers(ClaimFilter(scope.start, scope.end), at_most)
            if vouchers.sums.total_cents == counted.cents():
                findings, cards = await self.queries.finding_counts(), await self.store.cards()
                return Result(scope, now, counted, vouchers, findings, cards=cards)
            vouchers.close()
        raise Unavailable("Die Zahlen ändern sich gerade.", "The figures are changing just now.")

    async def _vouchers(self, wanted: ClaimFilter, at_most: int | None) -> Vouchers:
        if at_most is not None:
            sums = Sums.of(await self.queries.sums_by_advisor(wanted))
            if sums.all.claims > at_most:
                return Vouchers(sums)
        return await spooled(self.queries.claim_rows(wanted))

    def _periods(self, scope: Scope, granularity: Granularity, totals: Sequence[Total], language: str) -> list[Group]:
        by_period: dict[str, list[Total]] = {}
        for total in totals:
            year, month = (int(part) for part in total.group.split("-"))
            by_period.setdefault(period_of(date(year, month, 1), granularity), []).append(total)
        return [
            _group("period", key, key, part, by_period.get(key, ()), language)
            for key, part in periods(scope, granularity)
        ]

    def _districts(self, scope: Scope, totals: Sequence[Total], language: str) -> list[Group]:
        found: dict[str, list[Total]] = {}
        for total in totals:
            found.setdefault(total.group, []).append(total)
        names = self.register.districts | {UNKNOWN: FIELD_NAMES[UNKNOWN][language == "en"]}
        return [
            _group("district", key, names.get(key, key), replace(scope, district=key), found[key], language)
            for key in sorted(found)
        ]

    def _fields(self, scope: Scope, totals: Sequence[Total], language: str) -> list[Group]:
        found: dict[str, list[Total]] = {}
        for total in totals:
            found.setdefault(total.group, []).append(total)
        return [
            _group("field", key, name[language == "en"], replace(scope, field=key), found.get(key, ()), language)
            for key, name in FIELD_NAMES.items()
            if key in found or key != UNKNOWN
        ]

    async def honoraria(self, wanted: ClaimFilter, after: After | None, limit: int) -> Honoraria:
        """A page of the claims that fit, and the sums over all that do."""
        claims = await self.queries.claims(wanted, after, limit + 1)
        sums = await self.queries.claim_sums(wanted)
        by_status = await self.queries.sums_by_status(wanted)
        more = len(claims) > limit
        last = claims[limit - 1] if more else None
        return Honoraria(
            period=Period(start=wanted.start, end=wanted.end),
            totals=SumsView.model_validate(sums, from_attributes=True),
            by_status={status: SumsView.model_validate(one, from_attributes=True) for status, one in by_status.items()},
            items=[self.line(claim) for claim in claims[:limit]],
            next=f"{last.held_on.isoformat()}~{last.id}" if last else None,
        )

    def line(self, claim: Claim) -> ClaimLine:
        """A claim as the API and the exports show it."""
        given = {name: getattr(claim, name) for name in ClaimLine.model_fields if hasattr(claim, name)}
        given |= {
            "claim_id": claim.id,
            "municipality_ags": claim.ags,
            "municipality": self.register.name(claim.ags),
            "waits_for": list(claim.waits_for),
            "facts": f"/api/figures/claim~{claim.id}/facts",
        }
        return ClaimLine.model_validate(given)

    async def lineage(self, figure: FigureId, after: After | None, limit: int) -> Lineage:
        """A page of what `figure` was counted from."""
        found = await self.queries.contributions(figure, after, limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        return Lineage(
            figure=str(figure),
            items=await self._opened([(m.value, m.on, m.request_id, m.ags, m.facts) for m in found[:limit]]),
            next=f"{last.on.isoformat()}~{last.id}" if last else None,
        )

    async def claim_lineage(self, claim: Claim) -> Lineage:
        """The facts that a claim follows from."""
        opened = (claim.total_cents, claim.held_on, claim.request_id, claim.ags, tuple(reversed(claim.facts)))
        return Lineage(figure=f"claim~{claim.id}", items=await self._opened([opened]), next=None)

    async def _opened(self, items: Sequence[tuple[int, date, str, str, tuple[str, ...]]]) -> list[Contribution]:
        facts = await self.ledger.by_ids({fact_id for *_, ids in items for fact_id in ids})
        return [
            Contribution(
                value=value,
                on=on,
                request_id=request_id,
                municipality_ags=ags,
                municipality=self.register.name(ags),
                facts=[fact_view(facts[fact_id]) for fact_id in ids if fact_id in facts],
            )
            for value, on, request_id, ags, ids in items
        ]


def fact_view(fact: Fact) -> FactView:
    """A fact as a CloudEvent."""
    return FactView(
        specversion="1.0",
        id=fact.id,
        source=fact.source,
        type=fact.type,
        time=fact.time,
        subject=fact.key,
        datacontenttype="application/json",
        correlationid=fact.correlation_id,
        cursor=str(fact.seq),
        topic=fact.topic,
        partition=fact.partition,
        offset=fact.offset,
        key=fact.key,
        data=json.loads(fact.data),
    )


def _by_indicator(totals: Iterable[Total]) -> dict[str, Sum]:
    found: dict[str, Sum] = {}
    for total in totals:
        before = found.get(total.indicator, (0, 0))
        found[total.indicator] = (before[0] + total.sum, before[1] + total.n)
    return found


def _group(by: By, key: str, name: str, scope: Scope, totals: Iterable[Total], language: str) -> Group:
    period = Period(start=scope.start, end=scope.end)
    return Group(by=by, key=key, name=name, period=period, figures=_figures(scope, _by_indicator(totals), language))


def _figures(scope: Scope, sums: dict[str, Sum], language: str) -> list[Figure]:
    english = language == "en"
    figures = []
    for code, indicator in INDICATORS.items():
        total, n = sums.get(code, (0, 0))
        identity = FigureId(code, scope)
        figures.append(
            Figure(
                id=str(identity),
                indicator=code,
                name=indicator.name[english],
                value=total if indicator.kind == "sum" else mean(total, n),
                unit=UNITS[indicator.unit][english],
                n=n,
                definition=indicator.definition[english],
                facts=f"/api/figures/{identity}/facts",
            )
        )
    return figures


def mean(total: int, n: int) -> float | None:
    """`total` / `n` to two decimals, halves rounded up; None of nothing."""
    return float((Decimal(total) / n).quantize(Decimal("0.01"), ROUND_HALF_UP)) if n else None
