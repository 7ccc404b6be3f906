"""What plots show: lengths, levels, and a tile for each of the state's districts."""

from datetime import date

from services.reporting import plots
from services.reporting.figures import Scope
from services.reporting.pages.overview import granularity, preset
from shared import register

DISTRICTS = register.load().districts


def test_the_longest_bar_is_whole_and_the_others_are_in_proportion() -> None:
    made = plots.bars([("a", 4, ""), ("b", 1, ""), ("c", None, ""), ("d", -3, "")])
    assert [bar.length for bar in made] == [1000, 250, 0, 0]
    assert [bar.length for bar in plots.bars([("a", 0, "")])] == [0]


def test_the_map_has_each_district_once_and_each_tile_for_itself() -> None:
    made = plots.tiles(DISTRICTS, {})
    assert {tile.key for tile in made} == set(DISTRICTS)
    assert len(made) == 44
    assert len({(tile.column, tile.row) for tile in made}) == 44
    assert len({tile.short for tile in made}) == 44
    assert {tile.level for tile in made} == {0}
    assert all(tile.column < plots.COLUMNS and tile.row < plots.ROWS for tile in made)


def test_levels_part_the_way_to_the_largest_value_evenly() -> None:
    values = dict(zip(sorted(DISTRICTS), (1, 2, 3, 4, 5, 6, 7, 8, 0, -1), strict=False))
    levels = {tile.key: tile.level for tile in plots.tiles(DISTRICTS, values)}
    assert [levels[key] for key in values] == [1, 1, 2, 2, 3, 3, 4, 4, 0, 0]


def test_another_state_has_no_map() -> None:
    assert plots.tiles({"05111": "Düsseldorf"}, {"05111": 3}) == []


def test_presets_are_whole_periods() -> None:
    today = date(2026, 11, 24)
    assert preset("this_month", today) == Scope(date(2026, 11, 1), date(2026, 11, 30))
    assert preset("this_quarter", today) == Scope(date(2026, 10, 1), date(2026, 12, 31))
    assert preset("this_year", today) == Scope(date(2026, 1, 1), date(2026, 12, 31))
    assert preset("last_year", today) == Scope(date(2025, 1, 1), date(2025, 12, 31))
    assert preset("this_month", date(2026, 12, 1)).end == date(2026, 12, 31)


def test_a_course_has_no_more_steps_than_can_be_read() -> None:
    first = date(2020, 1, 1)
    assert granularity(Scope(first, date(2021, 12, 31))) == "month"
    assert granularity(Scope(first, date(2023, 12, 31))) == "quarter"
    assert granularity(Scope(first, date(2029, 12, 31))) == "year"
