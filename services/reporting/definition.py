"""What the read models are made by: they are made anew when it changes."""

import hashlib
import json

from services.reporting.indicators import INDICATORS
from services.reporting.journey import Rules

FORM = 8
"""Rises with each change of what is made of the facts. A process of an earlier form leaves later ones alone."""


def definition(rules: Rules) -> str:
    """The form, and a digest of all that figures depend on besides facts and rate cards (which never change)."""
    indicators = [[one.code, one.kind, one.unit, one.source] for one in INDICATORS.values()]
    settings = [rules.subdivision, str(rules.zone), rules.expected_minutes, sorted(rules.sizes.items())]
    content = json.dumps([indicators, settings], separators=(",", ":")).encode()
    return f"{FORM:03}.{hashlib.sha256(content).hexdigest()[:16]}"


def is_later(other: str | None) -> bool:
    """Whether `other` is of a later form than ours."""
    return other is not None and int(other.partition(".")[0]) > FORM
