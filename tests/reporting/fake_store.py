"""Ledger, store and queries in memory, as the real ones behave (the contract suite holds both to it)."""

from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from services.reporting.beside import Beside
from services.reporting.cells import Group, Total
from services.reporting.claims import Claim
from services.reporting.documents import CLAIMS, FINDINGS, MEASURES
from services.reporting.domain import Case, Row
from services.reporting.facts import Fact, Recorded, read
from services.reporting.figures import FigureId, Scope
from services.reporting.findings import Finding
from services.reporting.indicators import INDICATORS
from services.reporting.ledger import Ledger, Requests
from services.reporting.measures import Measure
from services.reporting.queries import After, ClaimFilter, ClaimSums, Queries, WaitingCase
from services.reporting.rates import RateCard, card_on
from services.reporting.store import Position, Store, Stored
from shared.errors import Stale
from shared.events import Event, ReportingEntry
from shared.events.reporting import ClaimStatus


@dataclass
class Memory:
    """What the database holds."""

    facts: dict[str, Fact] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    epochs: dict[str, int] = field(default_factory=dict)
    entries: dict[str, ReportingEntry] = field(default_factory=dict)
    outbox: list[ReportingEntry] = field(default_factory=list)
    position: Position = field(default_factory=lambda: Position(0, 0))
    rates: dict[str, RateCard] = field(default_factory=dict)

    def rows(self, kind: type[Row]) -> list[Row]:
        rows = (row for case in self.cases.values() for row in (*case.measures, *case.claims, *case.findings))
        return [row for row in rows if isinstance(row, kind)]


class FakeLedger(Ledger):
    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    async def prepare(self) -> None:
        pass

    async def record(self, facts: Sequence[Fact]) -> int:
        fresh = {fact.id: fact for fact in facts if fact.id not in self.memory.facts}
        for fact in fresh.values():
            self.memory.facts[fact.id] = fact._replace(seq=len(self.memory.facts) + 1)
        return len(fresh)

    async def head(self) -> int:
        return len(self.memory.facts)

    async def after(self, seq: int, limit: int, topic: str | None = None) -> list[Fact]:
        return [f for f in self.memory.facts.values() if f.seq > seq and topic in (None, f.topic)][:limit]

    async def touched(self, seq: int, limit: int) -> list[tuple[int, str]]:
        return [(fact.seq, fact.key) for fact in await self.after(seq, limit)]

    async def requests(self) -> list[str]:
        return sorted({fact.key for fact in self.memory.facts.values()})

    async def whole(self, up_to: int) -> AsyncGenerator[Requests]:
        found = await self.of_requests(await self.requests())
        facts = ((key, [fact for fact in some if fact.seq <= up_to]) for key, some in found.items())
        yield [(key, some) for key, some in facts if some]

    async def of_requests(self, request_ids: Iterable[str]) -> dict[str, list[Recorded[Event]]]:
        facts = self.memory.facts.values()
        return {key: [read(fact) for fact in facts if fact.key == key] for key in request_ids}

    async def by_ids(self, ids: Iterable[str]) -> dict[str, Fact]:
        return {one: self.memory.facts[one] for one in ids if one in self.memory.facts}


class FakeBeside(Beside):
    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.made: dict[str, Case] = {}

    async def add(self, cases: Iterable[Case]) -> None:
        self.made |= {case.request_id: case for case in cases}

    async def tell(self, done: int, total: int) -> None:
        pass

    async def switch(self, place: int, definition: str) -> None:
        epoch = self.memory.position.epoch + 1
        self.memory.cases, self.memory.epochs = self.made, dict.fromkeys(self.made, epoch)
        self.memory.position = Position(place, epoch, definition)


class FakeStore(Store):
    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    async def prepare(self) -> None:
        pass

    async def cards(self) -> tuple[RateCard, ...]:
        return tuple(sorted(self.memory.rates.values(), key=lambda card: card.valid_from))

    async def hold_rates(self, cards: Sequence[RateCard]) -> None:
        given = {card.code: card for card in cards}
        for line in self.memory.entries.values():
            code, holds = line.rate_card, card_on(cards, line.held_on)
            if code in self.memory.rates and given.get(code) != self.memory.rates[code]:
                raise ValueError(f"the rate card {code} was used")
            if holds is None or holds.code != code:
                raise ValueError(f"claims were sent by the rate card {code}")
        self.memory.rates = given

    async def cases(self, request_ids: Sequence[str]) -> dict[str, Stored]:
        found = {}
        for key in request_ids:
            sent = frozenset(line.entry_id for line in self.memory.entries.values() if line.request_id == key)
            case = self.memory.cases.get(key)
            if case or sent:
                found[key] = Stored(case.version if case else 0, {}, {}, sent, self.memory.epochs.get(key, 0))
        return found

    async def versions(self, request_ids: Sequence[str], epoch: int) -> dict[str, int]:
        found = await self.cases(request_ids)
        return {key: case.version for key, case in found.items() if case.version and case.epoch == epoch}

    async def save(self, case: Case, was: Stored, lines: Sequence[ReportingEntry], epoch: int = 0) -> bool:
        stands = self.memory.cases.get(case.request_id)
        same = stands and was.epoch == epoch and replace(stands, version=0) == replace(case, version=0)
        if same and not lines:
            return False
        known = any(line.entry_id in self.memory.entries for line in lines)
        if (stands.version if stands else 0) != was.version or known or was.epoch > epoch:
            raise Stale
        self.memory.cases[case.request_id] = case
        self.memory.epochs[case.request_id] = epoch
        self.memory.entries |= {line.entry_id: line for line in lines}
        self.memory.outbox += lines
        return True

    async def position(self) -> Position:
        return self.memory.position

    async def advance(self, to: Position) -> None:
        stands = self.memory.position
        if stands.epoch == to.epoch:
            self.memory.position = replace(stands, seq=max(stands.seq, to.seq))

    async def define(self, definition: str) -> bool:
        stands = self.memory.position
        if stands.seq or stands.definition:
            return False
        self.memory.position = replace(stands, definition=definition)
        return True

    async def beside(self) -> Beside:
        return FakeBeside(self.memory)

    async def sent(self, request_ids: Sequence[str]) -> set[str]:
        return {line.entry_id for line in self.memory.entries.values() if line.request_id in request_ids}

    async def send(self, lines: Sequence[tuple[ReportingEntry, int]]) -> None:
        new = {line.entry_id: line for line, _ in lines if line.entry_id not in self.memory.entries}
        self.memory.entries |= new
        self.memory.outbox += new.values()

    async def digest(self) -> str:
        cases = sorted(self.memory.cases.items())
        return repr([replace(case, version=0) for _, case in cases])

    async def counts(self) -> dict[str, int]:
        kinds = {MEASURES: Measure, CLAIMS: Claim, FINDINGS: Finding}
        return {"cases": len(self.memory.cases)} | {name: len(self.memory.rows(kind)) for name, kind in kinds.items()}

    async def keep_sent(self, lines: Iterable[ReportingEntry]) -> int:
        before = len(self.memory.entries)
        self.memory.entries = {line.entry_id: line for line in lines} | self.memory.entries
        return len(self.memory.entries) - before


class FakeQueries(Queries):
    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def _measures(self, scope: Scope) -> list[Measure]:
        return [
            row
            for row in self.memory.rows(Measure)
            if isinstance(row, Measure)
            and scope.start <= row.on <= scope.end
            and scope.district in (None, row.district)
            and (scope.field is None or scope.field in row.fields)
            and scope.size in (None, row.size)
        ]

    async def totals(
        self, scope: Scope, group: Group | None = None, sources: Collection[str] | None = None
    ) -> list[Total]:
        found: dict[tuple[str, str], Total] = {}
        for m in self._measures(scope):
            if sources is not None and m.indicator not in sources:
                continue
            keys = {"month": (m.on.isoformat()[:7],), "district": (m.district,), "field": m.fields, "size": (m.size,)}
            for key in keys[group] if group else ("",):
                if group == "field" and scope.field not in (None, key):
                    continue
                before = found.get((key, m.indicator), Total(key, m.indicator, 0, 0))
                of = dict(before.of)
                if m.member is not None:
                    of[m.member] = of.get(m.member, 0) + m.value
                found[key, m.indicator] = Total(key, m.indicator, before.sum + m.value, before.n + 1, of)
        return [total._replace(of={name: part for name, part in total.of.items() if part}) for total in found.values()]

    async def contributions(self, figure: FigureId, after: After | None, limit: int) -> list[Measure]:
        rows = [row for row in self._measures(figure.scope) if row.indicator == INDICATORS[figure.indicator].source]
        return [row for row in sorted(rows, key=lambda r: (r.on, r.id)) if _later(row.on, row.id, after)][:limit]

    def _claims(self, wanted: ClaimFilter) -> list[Claim]:
        rows = [
            row
            for row in self.memory.rows(Claim)
            if isinstance(row, Claim)
            and wanted.start <= row.held_on <= wanted.end
            and wanted.advisor_id in (None, row.advisor_id)
            and wanted.request_id in (None, row.request_id)
            and wanted.status in (None, row.status)
        ]
        return sorted(rows, key=lambda row: (row.held_on, row.id))

    async def claims(self, wanted: ClaimFilter, after: After | None, limit: int) -> list[Claim]:
        return [row for row in self._claims(wanted) if _later(row.held_on, row.id, after)][:limit]

    async def claim(self, claim_id: str) -> Claim | None:
        return next((row for row in self.memory.rows(Claim) if isinstance(row, Claim) and row.id == claim_id), None)

    async def decided(self, claim_ids: Sequence[str]) -> dict[str, int]:
        return {one: len(row.decisions) for one in claim_ids if (row := await self.claim(one))}

    async def claim_sums(self, wanted: ClaimFilter) -> ClaimSums:
        return _sums(self._claims(wanted))

    async def sums_by_status(self, wanted: ClaimFilter) -> dict[ClaimStatus, ClaimSums]:
        rows = self._claims(wanted)
        return {status: _sums([row for row in rows if row.status == status]) for status in {r.status for r in rows}}

    async def waiting(self) -> tuple[int, WaitingCase | None]:
        cases = [(one.waiting_since, one) for one in self.memory.cases.values() if one.waiting_since]
        if not cases:
            return 0, None
        since, first = min(cases, key=lambda pair: pair[0])
        return len(cases), WaitingCase(first.request_id, first.case_number, first.ags, since)

    async def findings(
        self, request_id: str | None, code: str | None, after: After | None, limit: int
    ) -> list[Finding]:
        rows = [row for row in self.memory.rows(Finding) if isinstance(row, Finding)]
        fits = [row for row in rows if request_id in (None, row.request_id) and code in (None, row.code)]
        ordered = sorted(fits, key=lambda row: (row.request_id, row.id))
        return [row for row in ordered if after is None or (row.request_id, row.id) > (after.day, after.id)][:limit]


def _sums(rows: Sequence[Claim]) -> ClaimSums:
    names = [name for name in ClaimSums.__slots__ if name != "claims"]
    return ClaimSums(len(rows), *(sum(getattr(row, name) for row in rows) for name in names))


def _later(day: date, identity: str, after: After | None) -> bool:
    return after is None or (day.isoformat(), identity) > (after.day, after.id)
