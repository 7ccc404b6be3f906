"""The figures and claims of a period, put together from the read models for the API, the exports and the CLI."""

import asyncio
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import get_args

from services.reporting.cells import Group as Column
from services.reporting.cells import Total
from services.reporting.claims import Claim
from services.reporting.facts import Fact
from services.reporting.figures import FigureId, Granularity, Scope, is_whole, narrowed, period_of, periods, previous
from services.reporting.indicators import INDICATORS, UNITS, Indicator
from services.reporting.ledger import Ledger
from services.reporting.measures import UNKNOWN
from services.reporting.queries import After, ClaimFilter, Queries
from services.reporting.result import GROUPED, Counted, Grouped, Result, Sums, Vouchers, spooled
from services.reporting.sizes import SIZES
from services.reporting.store import Store
from services.reporting.views import (
    Before,
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
Value = int | float | None


@dataclass(frozen=True)
class Reports:
    """Reads; `language` is `de` or `en` throughout."""

    ledger: Ledger
    store: Store
    queries: Queries
    register: Register

    async def summary(
        self,
        scope: Scope,
        by: Sequence[By] = get_args(By),
        granularity: Granularity = "month",
        language: str = "de",
        compare: bool = False,
    ) -> Summary:
        """All figures of `scope`: totals, and groups of each kind in `by`; with `compare` beside those of before."""
        older = await self.count(previous(scope), by) if compare else None
        return self.present(await self.count(scope, by), scope, by, granularity, language, older)

    async def count(
        self, scope: Scope, by: Sequence[By] = get_args(By), grouped: Collection[str] | None = None
    ) -> Counted:
        """The totals of `scope` and of each kind in `by`; `grouped`: the indicators that groups are asked for."""
        position = (await self.store.position()).seq
        sources = None if grouped is None else [INDICATORS[code].source for code in grouped]

        async def split(kind: By, column: Column) -> Sequence[Total]:
            return await self.queries.totals(scope, column, sources) if kind in by else ()

        return Counted(
            position,
            *await asyncio.gather(
                self.queries.totals(scope),
                split("period", "month"),
                split("district", "district"),
                split("field", "field"),
                split("size", "size"),
            ),
        )

    def present(
        self,
        counted: Counted,
        scope: Scope,
        by: Sequence[By] = get_args(By),
        granularity: Granularity = "month",
        language: str = "de",
        older: Counted | None = None,
        grouped: Collection[str] = tuple(INDICATORS),
    ) -> Summary:
        """What was counted as figures with their names and meanings; `older`: what was counted of the period before.

        `grouped`: the indicators that are told of groups too.
        """
        groups: list[Group] = []
        if "period" in by:
            groups += self._periods(scope, granularity, counted.months, language, older, grouped)
        names = {"district": self._districts(language), "field": _named(FIELD_NAMES, language)}
        names["size"] = _named(SIZES, language)
        for kind in GROUPED:
            if kind in by and (counted.of(kind) or not counted.totals):  # sizes were not frozen from the beginning
                groups += _groups(kind, names[kind], scope, counted, older, language, grouped)
        return Summary(
            period=Period(start=scope.start, end=scope.end),
            position=counted.position,
            figures=_figures(scope, counted.totals, language, older.totals if older else None),
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

    def _periods(
        self,
        scope: Scope,
        granularity: Granularity,
        totals: Sequence[Total],
        language: str,
        older: Counted | None,
        of: Collection[str],
    ) -> list[Group]:
        """Each beside the one before it, where both are whole; those of `older` lie before the first."""
        now, parts = _by_period(totals, granularity), periods(scope, granularity)
        whole = {key: now.get(key, []) for key, part in parts if is_whole(part, granularity)}
        if older is not None:
            past = _by_period(older.months, granularity)
            ended = periods(previous(scope), granularity)
            whole |= {key: past.get(key, []) for key, part in ended if is_whole(part, granularity)}
        found = []
        for key, part in parts:
            were = whole.get(period_of(previous(part).start, granularity)) if older and key in whole else None
            found.append(_group("period", key, key, part, now.get(key, ()), language, were, of))
        return found

    def _districts(self, language: str) -> dict[str, str]:
        return self.register.districts | {UNKNOWN: FIELD_NAMES[UNKNOWN][language == "en"]}

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
            items=await self._opened([(m.value, m.on, m.request_id, m.ags, m.member, m.facts) for m in found[:limit]]),
            next=f"{last.on.isoformat()}~{last.id}" if last else None,
        )

    async def claim_lineage(self, claim: Claim) -> Lineage:
        """The facts that a claim follows from."""
        about = (claim.total_cents, claim.held_on, claim.request_id, claim.ags, claim.advisor_id)
        opened = (*about, tuple(reversed(claim.facts)))
        return Lineage(figure=f"claim~{claim.id}", items=await self._opened([opened]), next=None)

    async def _opened(
        self, items: Sequence[tuple[int, date, str, str, str | None, tuple[str, ...]]]
    ) -> list[Contribution]:
        facts = await self.ledger.by_ids({fact_id for *_, ids in items for fact_id in ids})
        return [
            Contribution(
                value=worth,
                on=on,
                request_id=request_id,
                municipality_ags=ags,
                municipality=self.register.name(ags),
                advisor_id=member,
                facts=[fact_view(facts[fact_id]) for fact_id in ids if fact_id in facts],
            )
            for worth, on, request_id, ags, member, ids in items
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


def _named(names: Mapping[str, tuple[str, str]], language: str) -> dict[str, str]:
    return {code: name[language == "en"] for code, name in names.items()}


def _by_indicator(totals: Iterable[Total]) -> dict[str, Total]:
    """Those of all groups together."""
    found: dict[str, Total] = {}
    for total in totals:
        before = found.get(total.indicator)
        if before is not None:
            of = Counter(before.of)
            of.update(total.of)
            total = Total(total.group, total.indicator, before.sum + total.sum, before.n + total.n, of)
        found[total.indicator] = total
    return found


def _groups(
    by: Grouped,
    names: Mapping[str, str],
    scope: Scope,
    counted: Counted,
    older: Counted | None,
    language: str,
    of: Collection[str],
) -> list[Group]:
    """Of the districts in which there was something; of each field and size."""
    now, were = _by_group(counted.of(by)), _by_group(older.of(by)) if older else None
    keys = sorted(now) if by == "district" else [key for key in names if key in now or key != UNKNOWN]
    return [
        _group(
            *(by, key, names.get(key, key), narrowed(scope, by, key), now.get(key, ()), language),
            None if were is None else were.get(key, ()),
            of,
        )
        for key in keys
    ]


def _by_period(totals: Iterable[Total], granularity: Granularity) -> dict[str, list[Total]]:
    found: dict[str, list[Total]] = {}
    for total in totals:
        year, month = (int(part) for part in total.group.split("-"))
        found.setdefault(period_of(date(year, month, 1), granularity), []).append(total)
    return found


def _by_group(totals: Iterable[Total]) -> dict[str, list[Total]]:
    found: dict[str, list[Total]] = {}
    for total in totals:
        found.setdefault(total.group, []).append(total)
    return found


def _group(
    by: By,
    key: str,
    name: str,
    scope: Scope,
    totals: Iterable[Total],
    language: str,
    older: Iterable[Total] | None,
    of: Collection[str],
) -> Group:
    period = Period(start=scope.start, end=scope.end)
    return Group(by=by, key=key, name=name, period=period, figures=_figures(scope, totals, language, older, of))


def _figures(
    scope: Scope,
    totals: Iterable[Total],
    language: str,
    older: Iterable[Total] | None,
    of: Collection[str] = tuple(INDICATORS),
) -> list[Figure]:
    english = language == "en"
    sums, were = _by_indicator(totals), None if older is None else _by_indicator(older)
    figures = []
    for code in of:
        indicator = INDICATORS[code]
        total = sums.get(indicator.source)
        identity, worth = FigureId(code, scope), value(indicator, total)
        figures.append(
            Figure(
                id=str(identity),
                indicator=code,
                name=indicator.name[english],
                value=worth,
                unit=UNITS[indicator.unit][english],
                n=total.n if total else 0,
                definition=indicator.definition[english],
                since=indicator.since,
                before=None if were is None else _before(indicator, scope, worth, were.get(indicator.source)),
                facts=f"/api/figures/{identity}/facts",
            )
        )
    return figures


def _before(indicator: Indicator, scope: Scope, now: Value, total: Total | None) -> Before:
    worth = value(indicator, total)
    change = round(now - worth, 2) if now is not None and worth is not None else None
    identity = FigureId(indicator.code, previous(scope))
    return Before(id=str(identity), value=worth, n=total.n if total else 0, change=change)


def value(indicator: Indicator, total: Total | None) -> Value:
    """What the contributions make of `indicator`; None: an average of nothing."""
    if indicator.kind == "heads":
        return len(total.of) if total else 0
    if indicator.kind == "spread":
        return spread(list(total.of.values())) if total else None
    if indicator.kind == "mean":
        return mean(total.sum, total.n) if total else None
    return total.sum if total else 0


def spread(parts: Sequence[int]) -> float | None:
    """Which share of all (in percent, two decimals) would have to change hands for all parts to be as large."""
    whole, many = sum(parts), len(parts)
    if not whole:
        return None
    # the mean is whole / many, so everything is reckoned times `many`
    over = sum(part * many - whole for part in parts if part * many > whole)
    return float((Decimal(100 * over) / (whole * many)).quantize(Decimal("0.01"), ROUND_HALF_UP))


def mean(total: int, n: int) -> float | None:
    """`total` / `n` to two decimals, halves rounded up; None of nothing."""
    return float((Decimal(total) / n).quantize(Decimal("0.01"), ROUND_HALF_UP)) if n else None
