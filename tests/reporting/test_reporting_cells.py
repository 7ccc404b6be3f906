"""Cells come to what the measures come to, however they got there."""

import random
from datetime import UTC, date, datetime, timedelta
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from services.reporting import cells, handlers, rebuilding
from services.reporting.cells import Total
from services.reporting.documents import CELLS, COUNTERS, MEASURE, MEASURES, PROJECTED
from services.reporting.figures import FigureId, Scope
from services.reporting.indicators import INDICATORS
from services.reporting.measures import Measure
from tests.reporting.conftest import Kept, emptied
from tests.reporting.fake_store import FakeQueries, Memory
from tests.reporting.journeys import AGS, RULES, START, Journey, changed, whole

FIRST = date(2026, 1, 1)
FIELDS = ("fair_week", "partnerships", "other")
GROUPS: tuple[cells.Group | None, ...] = (None, "month", "district", "field", "size")
_days = st.dates(FIRST, date(2027, 2, 28))


class Measured(FakeQueries):
    """Totals added up from measures as they are, which is what the cells have to come to."""

    def __init__(self, measures: list[Measure]) -> None:
        super().__init__(Memory())
        self._given = measures

    def _measures(self, scope: Scope) -> list[Measure]:
        fits = (m for m in self._given if scope.start <= m.on <= scope.end and scope.district in (None, m.district))
        fits = (m for m in fits if scope.size in (None, m.size))
        return [m for m in fits if scope.field is None or scope.field in m.fields]


@st.composite
def _measure(draw: st.DrawFn) -> Measure:
    ags = draw(st.sampled_from([AGS, "08115001", ""]))
    return Measure(
        id=draw(st.sampled_from("abcdefgh")),
        indicator=draw(st.sampled_from(["sessions", "minutes", "days_to_acceptance"])),
        value=draw(st.integers(0, 90)),
        on=draw(_days),
        request_id="r",
        ags=ags,
        district=ags[:5] or "unknown",
        fields=tuple(draw(st.lists(st.sampled_from(FIELDS), min_size=1, unique=True))),
        facts=(),
        size=draw(st.sampled_from(["under_5000", "from_100000"])),
        member=draw(st.sampled_from([None, "A01", "A02"])),
    )


_versions = st.lists(st.lists(_measure(), unique_by=lambda m: m.id), min_size=1, max_size=4)


async def _same(found: list[Total], measures: list[Measure], scope: Scope, group: cells.Group | None) -> None:
    assert sorted(found) == sorted(await Measured(measures).totals(scope, group)), (scope, group)


@settings(max_examples=80, deadline=None)
@given(versions=_versions, days=st.lists(_days, min_size=2, max_size=2), field=st.sampled_from([None, *FIELDS]))
async def test_what_is_added_version_by_version_comes_to_the_last_one(
    versions: list[list[Measure]], days: list[date], field: str | None
) -> None:
    """Random rows replaced by others: every period, whole months or not, every district and field."""
    kept: dict[cells.Cell, dict[str, int]] = {}
    before: list[Measure] = []
    for version in versions:
        for cell, amounts in cells.changes(version, before).items():
            for path, amount in amounts.items():
                sums = kept.setdefault(cell, {})
                sums[path] = sums.get(path, 0) + amount
        before = version
    documents = [_document(cell, amounts) for cell, amounts in kept.items()]
    for district, group in product((None, "08117", "unknown"), GROUPS):
        if group == "size" and (district or field):
            continue  # of these together cells know nothing, and nobody asks
        scope = Scope(min(days), max(days), district, field)
        wanted = set(cells.within(scope))
        places = {district} if district else {d["district"] for d in documents} - {""} if group == "district" else {""}
        fits = [d for d in documents if d["period"] in wanted and d["district"] in places]
        await _same(cells.totals(fits, field, group), before, scope, group)
    fresh = [_document(*item) for item in cells.changes(before, []).items()]
    assert _content(fresh) == _content(documents), "added up in another way, the content is the same"


def _document(cell: cells.Cell, amounts: dict[str, int]) -> dict[str, object]:
    return {**cell._asdict(), **cells.nested(amounts)}


def _content(documents: list[dict[str, object]]) -> list[str]:
    return sorted(filter(None, map(cells.canonical, documents)))


def test_a_period_is_its_whole_months_and_the_days_at_its_edges() -> None:
    assert cells.within(Scope(date(2026, 1, 1), date(2026, 3, 31))) == ["2026-01", "2026-02", "2026-03"]
    assert cells.within(Scope(date(2026, 1, 30), date(2026, 3, 2))) == [
        *("2026-01-30", "2026-01-31", "2026-02", "2026-03-01", "2026-03-02"),
    ]
    assert cells.within(Scope(date(2024, 2, 1), date(2024, 2, 28)))[-1] == "2024-02-28"
    assert cells.within(Scope(date(9999, 12, 1), date(9999, 12, 31))) == ["9999-12"]


def messy(dice: random.Random) -> Journey:
    """An engagement somewhere in the year, with corrections that move, change and take away what was counted."""
    journey = Journey(dice.choice((AGS, "08115001")), tuple(dice.sample(FIELDS, dice.randint(1, 2))))
    begun = datetime(2026, dice.randint(1, 10), dice.randint(1, 28), 9, tzinfo=UTC)
    if dice.random() < 0.8:
        journey.created(begun)
    journey.assigned("A01", "A02", kept=dice.random() < 0.5, at=begun)
    for number in range(dice.randint(1, 3)):
        held = begun.date() + timedelta(days=9 * number)
        fact = journey.session("consultation", held, participants=dice.randint(0, 30))
        if dice.random() < 0.5:
            later = {"held_on": held + timedelta(days=25), "participants": 1, "completed_at": START}
            journey.facts.append(changed(fact, **later))
    journey.feedback(dice.randint(1, 5), begun + timedelta(days=80))
    return journey


async def _compare(kept: Kept) -> None:
    assert kept.mongo is not None
    rows = await kept.mongo[MEASURES].find().to_list(None)
    measures = [MEASURE.validate_python({"id": row["_id"], **row}) for row in rows]
    year = Scope(FIRST, date(2026, 12, 31))
    for scope, group in product((year, Scope(date(2026, 2, 9), date(2026, 10, 3)), Scope(FIRST, FIRST)), GROUPS):
        whole = await kept.queries.totals(scope, group)
        await _same(whole, measures, scope, group)
        some = await kept.queries.totals(scope, group, ["sessions"])
        sessions = [[one for one in found if one.indicator == "sessions"] for found in (whole, some)]
        assert sessions[0] == sessions[1]
        assert group in ("field", "size") or {one.indicator for one in some} <= {"sessions"}
    for total in await kept.queries.totals(year):
        code = next(code for code, one in INDICATORS.items() if one.source == total.indicator)
        opened = await kept.queries.contributions(FigureId(code, year), None, 10_000)
        assert (sum(m.value for m in opened), len(opened)) == (total.sum, total.n)


async def test_cells_and_measures_agree_whatever_comes_in_which_order_and_how_often(database: Kept) -> None:
    """Projected bit by bit with repetitions, after corrections, again from a lost place, and rebuilt."""
    dice = random.Random(20260901)
    facts = [fact for _ in range(25) for fact in messy(dice).facts]
    facts += dice.choices(facts, k=40)
    dice.shuffle(facts)
    assert database.mongo is not None
    for some in handlers.chunks(facts, 60):
        await database.ledger.record(some)
        while await handlers.step(database.ledger, database.store, RULES):
            pass
        await _compare(database)
    before = await database.store.digest()
    await database.mongo[COUNTERS].update_one({"_id": PROJECTED}, {"$set": {"seq": 0}})
    while await handlers.step(database.ledger, database.store, RULES):
        pass
    assert await database.store.digest() == before
    assert (await rebuilding.rebuild(database.ledger, database.store, RULES, lambda *_: None)).equal
    await _compare(database)


async def test_a_projection_from_before_a_rebuild_counts_nothing_twice(database: Kept) -> None:
    """It had loaded its cases before the rebuild, and saves them in the middle of it and after it."""
    journeys = [whole() for _ in range(4)]
    await database.ledger.record([fact for journey in journeys for fact in journey.facts])
    await handlers.step(database.ledger, database.store, RULES)
    old = await database.store.position()
    late = [journey.session(held_on=date(2026, 11, 20)) for journey in journeys]
    await database.ledger.record(late)
    ids = [journey.request_id for journey in journeys]
    fresh = await emptied(database.store)
    assert await handlers.project(database.ledger, database.store, RULES, ids[:2], old.epoch) == 2
    assert await handlers.project(database.ledger, database.store, RULES, ids, fresh.epoch) == 4
    stored = await database.store.cases(ids)
    assert {case.epoch for case in stored.values()} == {fresh.epoch}
    await database.ledger.record([journey.session(held_on=date(2026, 11, 21)) for journey in journeys])
    while await handlers.step(database.ledger, database.store, RULES):
        pass
    await _compare(database)


async def test_many_changes_of_a_batch_add_to_one_cell_at_once(database: Kept) -> None:
    await database.ledger.record([fact for _ in range(30) for fact in whole().facts])
    await handlers.step(database.ledger, database.store, RULES)
    assert database.mongo is not None
    months = await database.mongo[CELLS].find({"period": "2026-11", "district": ""}).to_list(None)
    assert [cell["all"]["sessions"] for cell in months] == [{"sum": 60, "n": 60}]
