"""Dates, numbers and amounts as people write them, by Babel; one set of filters per language."""

from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal

LOCALES = {"de": "de_DE", "en": "en_GB"}
KEPT = 4_000
"""Texts of each kind that are not made anew: a list says the same days and numbers again and again."""


def filters(language: str, zone: ZoneInfo) -> dict[str, Callable[..., Any]]:
    """For templates: `{{ case.due | day }}`. Moments need a time zone and are shown in `zone`."""
    locale = Locale.parse(LOCALES[language])
    clock = "HH:mm 'Uhr'" if language == "de" else "HH:mm"

    def day(value: date) -> str:
        """Such as `3. November 2026`."""
        return format_date(value, "long", locale)

    def weekday(value: date) -> str:
        """Such as `Dienstag, 3. November 2026`."""
        return format_date(value, "full", locale)

    def short_day(value: date) -> str:
        """Such as `03.11.2026`, for tables."""
        return format_date(value, "dd.MM.yyyy" if language == "de" else "d MMM yyyy", locale)

    def moment(value: datetime) -> str:
        """Such as `Dienstag, 3. November 2026, 10:00 Uhr`."""
        return format_datetime(value, f"EEEE, d{'.' if language == 'de' else ''} MMMM y, {clock}", zone, locale)

    def stamp(value: datetime) -> str:
        """Such as `03.11.2026, 10:00`, for timelines and tables."""
        return format_datetime(value, f"{'dd.MM.yyyy' if language == 'de' else 'd MMM yyyy'}, HH:mm", zone, locale)

    def number(value: float) -> str:
        """Such as `1.234,5`."""
        return format_decimal(value, locale=locale)

    def euros(cents: int) -> str:
        """`cents` such as `1.234,50 €`."""
        return format_currency(cents / 100, "EUR", locale=locale)

    def tongue(code: str) -> str:
        """The name of an ISO 639 language, or its code where Babel knows none."""
        return str(locale.languages.get(code, code))

    given = (day, weekday, short_day, moment, stamp, number, euros, tongue)
    return {each.__name__: lru_cache(maxsize=KEPT)(each) for each in given}
