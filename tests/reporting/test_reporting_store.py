"""The contract of ledger, store and queries: the same in memory, by PyMongo and by Motor."""

from dataclasses import replace
from datetime import date

import pytest

from services.reporting.cells import Total
from services.reporting.claims import entry
from services.reporting.documents import MEASURE, measure_document
from services.reporting.domain import Case, fold
from services.reporting.figures import FigureId, Scope
from services.reporting.indicators import INDICATORS
from services.reporting.queries import After, ClaimFilter
from services.reporting.store import NOTHING, Position
from shared.errors import Stale
from shared.events import ReportingEntry
from tests.reporting.conftest import Kept, emptied
from tests.reporting.journeys import RULES, Journey, recorded, whole

YEAR = Scope(date(2026, 1, 1), date(2026, 12, 31))


def folded(journey: Journey) -> Case:
    return fold(journey.request_id, recorded(journey.facts), RULES)


def lines(case: Case) -> list[ReportingEntry]:
    return [line for line in map(entry, case.claims) if line]


async def test_facts_have_places_without_gaps_and_stand_once(kept: Kept) -> None:
    first, second = whole().facts, whole().facts
    assert await kept.ledger.record(first) == len(first)
    assert await kept.ledger.record([*first[3:], *second, second[0]]) == len(second)
    assert await kept.ledger.record(first) == 0
    found = await kept.ledger.after(0, 100)
    assert [fact.seq for fact in found] == list(range(1, len(first) + len(second) + 1))
    assert {fact._replace(seq=0) for fact in found} == {*first, *second}
    assert await kept.ledger.head() == len(found)


async def test_the_ledger_is_read_from_a_place_by_topic_by_request_and_by_id(kept: Kept) -> None:
    one, other = whole(), whole()
    await kept.ledger.record([*one.facts, *other.facts])
    assert [fact.seq for fact in await kept.ledger.after(5, 2)] == [6, 7]
    assert [fact.key for fact in await kept.ledger.after(0, 9, "request.created")] == [one.request_id, other.request_id]
    assert await kept.ledger.touched(len(one.facts), 1) == [(len(one.facts) + 1, other.request_id)]
    assert await kept.ledger.requests() == sorted([one.request_id, other.request_id])
    by_request = await kept.ledger.of_requests([other.request_id])
    assert {fact.id for fact in by_request[other.request_id]} == {fact.id for fact in other.facts}
    assert (await kept.ledger.by_ids([one.facts[0].id, "unknown"])).keys() == {one.facts[0].id}


async def test_a_case_is_stored_with_its_rows_and_only_when_it_changed(kept: Kept) -> None:
    journey = whole()
    case = folded(journey)
    assert await kept.store.save(case, NOTHING, lines(case))
    stored = (await kept.store.cases([case.request_id, "other"]))[case.request_id]
    assert (stored.version, len(stored.sent)) == (len(journey.facts), 4)
    assert not await kept.store.save(replace(case, version=99), stored, [])
    counts = await kept.store.counts()
    assert counts == {"cases": 1, "measures": len(case.measures), "claims": 4, "findings": 0}


async def test_whoever_is_slower_is_stale(kept: Kept) -> None:
    case = folded(whole())
    await kept.store.save(case, NOTHING, [])
    for was in (NOTHING, replace(NOTHING, version=3)):
        with pytest.raises(Stale):
            await kept.store.save(replace(case, version=50, case_number="OTHER-1"), was, [])


async def test_rows_that_the_facts_no_longer_give_are_gone(kept: Kept) -> None:
    case = folded(whole())
    await kept.store.save(case, NOTHING, [])
    stored = (await kept.store.cases([case.request_id]))[case.request_id]
    less = replace(case, version=50, measures=case.measures[:1], claims=case.claims[1:])
    assert await kept.store.save(less, stored, [])
    counts = await kept.store.counts()
    assert (counts["measures"], counts["claims"]) == (1, 3)


async def test_a_line_is_never_sent_twice_not_even_after_all_read_models_are_gone(kept: Kept) -> None:
    case = folded(whole())
    await kept.store.save(case, NOTHING, lines(case))
    await emptied(kept.store)
    assert (await kept.store.counts())["cases"] == 0
    stored = (await kept.store.cases([case.request_id]))[case.request_id]
    assert stored.version == 0
    assert stored.sent == {line.entry_id for line in lines(case)}
    with pytest.raises(Stale):
        await kept.store.save(case, stored, lines(case))
    assert await kept.store.keep_sent(lines(case)) == 0


def test_the_quick_way_to_a_measures_document_is_the_adapters() -> None:
    for measure in folded(whole()).measures:
        slowly = MEASURE.dump_python(measure, mode="json")
        assert measure_document(measure) == {"_id": slowly.pop("id"), **slowly}


async def test_a_projector_from_before_a_rebuild_moves_nothing(kept: Kept) -> None:
    await kept.store.advance(Position(10, 0))
    await kept.store.advance(Position(4, 0))
    assert await kept.store.position() == Position(10, 0)
    fresh = await emptied(kept.store)
    assert (fresh.seq, fresh.epoch > 0) == (10, True)
    await kept.store.advance(Position(12, 0))
    assert await kept.store.position() == fresh


async def test_the_digest_is_of_every_row_and_of_no_version(kept: Kept) -> None:
    case = folded(whole())
    empty = await kept.store.digest()
    await kept.store.save(case, NOTHING, [])
    full = await kept.store.digest()
    fresh = await emptied(kept.store)
    assert await kept.store.digest() == empty
    await kept.store.save(replace(case, version=77), NOTHING, [], fresh.epoch)
    assert await kept.store.digest() == full


async def test_rates_that_were_used_may_not_change_and_unused_ones_may(kept: Kept) -> None:
    now, later = RULES.cards
    case = folded(whole())
    await kept.store.hold_rates(RULES.cards)
    await kept.store.save(case, NOTHING, lines(case))
    await kept.store.hold_rates([now, replace(later, rates=(9000,))])
    for wrong in (
        [replace(now, rates=(7600,)), later],
        [later],
        [now, replace(later, valid_from=date(2026, 11, 10))],
    ):
        with pytest.raises(ValueError, match="rate card"):
            await kept.store.hold_rates(wrong)


async def test_totals_are_the_sums_of_their_contributions(kept: Kept) -> None:
    for journey in (whole(), whole("08115001", ("other",))):
        await kept.store.save(folded(journey), NOTHING, [])
    totals = {total.indicator: total for total in await kept.queries.totals(YEAR)}
    assert totals["minutes"] == Total("", "minutes", 300, 4)
    codes = {one.source: code for code, one in INDICATORS.items()}
    for indicator, total in totals.items():
        rows = await kept.queries.contributions(FigureId(codes[indicator], YEAR), None, 200)
        assert (sum(row.value for row in rows), len(rows)) == (total.sum, total.n)


async def test_totals_by_month_district_and_field(kept: Kept) -> None:
    for journey in (whole(), whole("08115001", ("other",))):
        await kept.store.save(folded(journey), NOTHING, [])

    async def sessions(scope: Scope, group: str | None) -> dict[str, int]:
        totals = await kept.queries.totals(scope, group)  # type: ignore[arg-type]
        return {total.group: total.sum for total in totals if total.indicator in ("sessions", "satisfaction")}

    assert await sessions(YEAR, "month") == {"2026-11": 4, "2026-12": 8}
    assert (await sessions(YEAR, "district")).keys() == {"08117", "08115"}
    assert (await sessions(YEAR, "field")).keys() == {"fair_week", "partnerships", "other"}
    assert await sessions(replace(YEAR, district="08115", end=date(2026, 11, 30)), None) == {"": 2}
    assert await sessions(replace(YEAR, field="fair_week", start=date(2026, 11, 10), end=date(2026, 11, 30)), None) == {
        "": 1
    }


async def test_pages_hold_everything_once_in_order(kept: Kept) -> None:
    for journey in (whole(), whole(), whole()):
        await kept.store.save(folded(journey), NOTHING, [])
    figure, seen, after = FigureId("sessions", YEAR), [], None
    while page := await kept.queries.contributions(figure, after, 2):
        seen += [(row.on, row.id) for row in page]
        after = After(page[-1].on.isoformat(), page[-1].id)
    assert seen == sorted(set(seen))
    assert len(seen) == 6


async def test_claims_by_advisor_and_request_with_their_sums(kept: Kept) -> None:
    one, other = whole(), whole()
    for journey in (one, other):
        await kept.store.save(folded(journey), NOTHING, [])
    wanted = ClaimFilter(YEAR.start, YEAR.end, "A02", one.request_id)
    claims = await kept.queries.claims(wanted, None, 10)
    assert [claim.advisor_id for claim in claims] == ["A02", "A02"]
    sums = await kept.queries.claim_sums(wanted)
    assert (sums.claims, sums.total_cents) == (2, sum(claim.total_cents for claim in claims))
    assert (await kept.queries.claim_sums(ClaimFilter(YEAR.start, YEAR.start))).claims == 0
    assert await kept.queries.claim(claims[0].id) == claims[0]
    assert await kept.queries.claim("none") is None
    assert [c.id for c in await kept.queries.claims(wanted, After(claims[0].held_on.isoformat(), claims[0].id), 9)] == [
        claims[1].id
    ]


async def test_findings_by_request_and_code(kept: Kept) -> None:
    lost = Journey()
    lost.session()
    await kept.store.save(folded(lost), NOTHING, [])
    await kept.store.save(folded(whole()), NOTHING, [])
    found = await kept.queries.findings(None, None, None, 10)
    assert [item.code for item in found] == ["request_missing", "session_without_assignment"]
    assert await kept.queries.findings(lost.request_id, "request_missing", None, 10) == found[:1]
    assert await kept.queries.findings(None, None, After(found[0].request_id, found[0].id), 10) == found[1:]
