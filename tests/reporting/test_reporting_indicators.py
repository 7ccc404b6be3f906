"""What is counted by heads, shares, sizes, and against the period before."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting import handlers
from services.reporting.figures import FigureId, Scope, is_whole, parse, previous
from services.reporting.indicators import INDICATORS
from services.reporting.reports import Reports, spread
from services.reporting.sizes import SIZES, sizes
from services.reporting.views import Figure
from shared import register
from shared.events import BY_TOPIC
from tests.reporting.conftest import Kept
from tests.reporting.journeys import AGS, RULES, Journey

REGISTER = register.load()
SIZED = replace(RULES, sizes=sizes(REGISTER.entries))
STUTTGART = "08111000"
YEAR = Scope(date(2026, 1, 1), date(2026, 12, 31))


def talks(ags: str, *days: date, advisors: tuple[str, ...] = ("A01",)) -> Journey:
    """A request with a first talk on the first day, and consultations on the others."""
    journey = Journey(ags)
    journey.created(datetime(2026, 1, 5, 9, tzinfo=UTC))
    journey.assigned(*advisors)
    for kind, day in zip(("first_talk", *["consultation"] * 9), days, strict=False):
        journey.session(kind, day, [(advisor, 60, 0) for advisor in advisors])
    return journey


async def reports(kept: Kept, *journeys: Journey) -> Reports:
    await kept.ledger.record([fact for journey in journeys for fact in journey.facts])
    while await handlers.step(kept.ledger, kept.store, SIZED):
        pass
    return Reports(kept.ledger, kept.store, kept.queries, REGISTER)


def of(figures: list[Figure], indicator: str) -> Figure:
    return next(figure for figure in figures if figure.indicator == indicator)


async def test_who_was_active_in_two_months_counts_once_in_the_year(database: Kept) -> None:
    """So months don't add up; and the link lists their parts, which name as many advisors as the figure says."""
    found = await reports(
        database,
        talks(AGS, date(2026, 3, 2), date(2026, 4, 2)),
        talks(STUTTGART, date(2026, 4, 9), advisors=("A01", "A02")),
    )
    summary = await found.summary(YEAR)
    active = of(summary.figures, "advisors_active")
    assert (active.value, active.n) == (2, 4)
    months = {group.key: of(group.figures, "advisors_active").value for group in summary.groups if group.by == "period"}
    assert (months["2026-03"], months["2026-04"], months["2026-05"]) == (1, 2, 0)
    opened = await found.lineage(FigureId("advisors_active", YEAR), None, 100)
    assert len(opened.items) == active.n
    assert len({item.advisor_id for item in opened.items}) == active.value
    assert of(summary.figures, "load_spread").value == 25.0, "60 of 240 minutes: A01 has 180, A02 60, even were 120"
    assert of([f for g in summary.groups if g.key == "2026-05" for f in g.figures], "load_spread").value is None


async def test_a_first_talk_converts_when_a_consultation_follows(database: Kept) -> None:
    """On its own day, whenever the consultation is; one before it does not count."""
    before = talks(AGS, date(2026, 5, 4))
    before.session("consultation", date(2026, 5, 1))
    found = await reports(
        database, before, talks(AGS, date(2026, 5, 4), date(2027, 1, 9)), talks(AGS, date(2026, 5, 5)), talks(AGS)
    )
    figure = of((await found.summary(Scope(date(2026, 5, 1), date(2026, 5, 31)))).figures, "conversion")
    assert (figure.value, figure.n, figure.unit) == (33.33, 3, "Prozent")
    opened = await found.lineage(parse(figure.id), None, 10)
    assert [(item.value, len(item.facts)) for item in opened.items].count((100, 2)) == 1


async def test_figures_go_by_the_size_of_the_municipality(database: Kept) -> None:
    found = await reports(database, talks(AGS, date(2026, 3, 2)), talks(AGS), talks(STUTTGART), talks("08117"))
    groups = {group.key: group for group in (await found.summary(YEAR, ("size",))).groups}
    assert list(groups) == [code for code in SIZES if code != "unknown"]
    counted = {key: of(group.figures, "requests").value for key, group in groups.items()}
    assert counted == dict.fromkeys(counted, 0) | {"under_20000": 2, "from_100000": 1, "rural_district": 1}
    small = of(groups["under_20000"].figures, "requests")
    assert small.id.endswith("~size=under_20000")
    assert len((await found.lineage(parse(small.id), None, 10)).items) == 2
    assert groups["under_20000"].name == "5.000 bis unter 20.000"


async def test_each_figure_stands_beside_that_of_the_period_before(database: Kept) -> None:
    found = await reports(
        database,
        talks(AGS, date(2026, 3, 2)),
        talks(AGS, date(2026, 4, 2), date(2026, 4, 3)),
        talks(STUTTGART, date(2026, 4, 9)),
    )
    april = Scope(date(2026, 4, 1), date(2026, 4, 30))
    summary = await found.summary(april, compare=True)
    sessions = of(summary.figures, "sessions")
    assert sessions.before is not None
    assert (sessions.value, sessions.before.value, sessions.before.change) == (3, 1, 2)
    assert sessions.before.id == "sessions~2026-03-01~2026-03-31"
    talked = of(summary.figures, "conversion").before
    assert talked is not None
    assert (talked.value, talked.change) == (0.0, 50.0)
    by = {(group.by, group.key): of(group.figures, "sessions").before for group in summary.groups}
    assert [by[key].change for key in (("district", "08117"), ("district", "08111"))] == [1, 1]  # type: ignore[union-attr]
    assert by["period", "2026-04"].value == 1  # type: ignore[union-attr]
    quarter = await found.summary(Scope(date(2026, 1, 1), date(2026, 4, 15)), ("period",), compare=True)
    changes = {group.key: of(group.figures, "sessions").before for group in quarter.groups}
    assert changes["2026-03"].change == 1  # type: ignore[union-attr]
    assert changes["2026-04"] is None, "half a month is not compared with a whole one"
    assert of((await found.summary(april)).figures, "sessions").before is None


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        (date(2026, 3, 1), date(2026, 3, 31), (date(2026, 2, 1), date(2026, 2, 28))),
        (date(2026, 1, 1), date(2026, 12, 31), (date(2025, 1, 1), date(2025, 12, 31))),
        (date(2026, 4, 1), date(2026, 6, 30), (date(2026, 1, 1), date(2026, 3, 31))),
        (date(2026, 3, 10), date(2026, 3, 12), (date(2026, 3, 7), date(2026, 3, 9))),
    ],
)
def test_the_period_before_is_as_long(start: date, end: date, before: tuple[date, date]) -> None:
    found = previous(Scope(start, end, district="08117"))
    assert (found.start, found.end, found.district) == (*before, "08117")


def test_whole_periods() -> None:
    assert is_whole(Scope(date(2026, 1, 1), date(2026, 3, 31)), "quarter")
    assert not is_whole(Scope(date(2026, 1, 1), date(2026, 3, 30)), "quarter")
    assert not is_whole(Scope(date(2026, 1, 2), date(2026, 1, 31)), "month")


@given(parts=st.lists(st.integers(1, 5000), min_size=1, max_size=40))
def test_the_spread_is_what_would_have_to_change_hands(parts: list[int]) -> None:
    even = sum(parts) / len(parts)
    moved = sum(part - even for part in parts if part > even)
    assert spread(parts) == pytest.approx(100 * moved / sum(parts), abs=0.006)
    assert spread([parts[0]] * 3) == 0


def test_each_indicator_says_what_counts_from_which_facts_in_which_unit_and_since_when() -> None:
    for one in INDICATORS.values():
        for text in one.definition:
            assert len(text) > 40
        assert one.since <= date(2026, 11, 24)
        named = re.findall(r"(?:request|advisor|session|consultation|feedback)[.][a-z]+", one.definition[1])
        assert {*named} <= set(BY_TOPIC)
        assert named or "acceptance" in one.definition[1], one.code
