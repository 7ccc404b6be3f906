"""Entries of the audit trail in words: what was decided, to what it was set, and why."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any

from babel.dates import format_date

from services.matching import words
from services.matching.domain.model import Audit

_CODES = {
    "declined": words.REASONS,
    "withdrawn": words.WITHDRAWALS,
    "closed": words.OUTCOMES,
    "session_scheduled": words.KINDS,
}
SPOKEN: Mapping[str, Callable[[str], Any]] = {
    "entry_why": lambda tongue: partial(why, tongue=tongue),
    "entry_to": lambda tongue: partial(to, tongue=tongue),
}
"""What templates say entries with, by language."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def why(entry: Audit, tongue: str) -> str:
    """As it was written, or the words of its code."""
    codes = _CODES.get(entry.what)
    return codes[tongue].get(entry.why, entry.why) if codes else entry.why


def to(entry: Audit, tongue: str) -> str:
    """What it was set to; "" where that is not told."""
    said = entry.to
    if entry.what == "advisor_leaves" and not said:
        return "macht weiter" if tongue == "de" else "stays"
    if entry.what == "budget_set" and said:
        days, _, minutes = said.partition(" ")
        return f"{_days(days, tongue)}: {words.span(int(minutes), tongue)}"
    if entry.what == "advisor_changed":
        return ", ".join(words.COLUMNS[tongue].get(name, name) for name in said.split())
    if entry.what == "policy_made" and said:
        return f"auf Grundlage von {said}" if tongue == "de" else f"based on {said}"
    if entry.what == "reconsidered":
        walls = (one.partition(":") for one in said.split())
        return ", ".join(f"{who} {words.BARRIERS[tongue].get(wall, wall)}" for who, _, wall in walls)
    return _days(said, tongue)


def _days(text: str, tongue: str) -> str:
    """With the days in it as people write them."""
    form = "dd.MM.yyyy" if tongue == "de" else "d MMM yyyy"
    spans = (one.replace("..", " – ") for one in text.split())
    return ", ".join(
        _DAY.sub(lambda found: format_date(date.fromisoformat(found[0]), form, tongue), one) for one in spans
    )
