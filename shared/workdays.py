"""Working days of the state: Monday to Friday without public holidays."""

import sys
from datetime import date, timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import holidays


@cache
def _calendar(subdivision: str) -> holidays.HolidayBase:
    """Of the country's module alone: its package would load those of 250 others with it, 8 MB."""
    package = ModuleType("holidays.countries")
    vars(package)["__path__"] = [str(Path(holidays.__file__).parent / "countries")]
    sys.modules.setdefault(package.__name__, package)
    country: type[holidays.HolidayBase] = import_module("holidays.countries.germany").Germany
    return country(subdiv=subdivision)


def is_workday(day: date, subdivision: str) -> bool:
    return day.weekday() < 5 and day not in _calendar(subdivision)


def add_workdays(day: date, count: int, subdivision: str) -> date:
    """The `count`-th working day after `day`; with 0 the next working day from `day` on."""
    if count == 0 and is_workday(day, subdivision):
        return day
    remaining = max(count, 1)
    while remaining:
        day += timedelta(days=1)
        remaining -= is_workday(day, subdivision)
    return day


def subtract_workdays(day: date, count: int, subdivision: str) -> date:
    """The latest day after which `count` working days, one at least, have come by `day`."""
    found = day - timedelta(days=count)
    while add_workdays(found, count, subdivision) > day:
        found -= timedelta(days=1)
    return found


def workdays_between(start: date, end: date, subdivision: str) -> int:
    """Working days after `start` up to and with `end`; 0 when `end` is not later."""
    days = (end - start).days
    return sum(is_workday(start + timedelta(days=offset), subdivision) for offset in range(1, days + 1))
