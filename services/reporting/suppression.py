"""Small numbers are not published: below five a number may tell of somebody.

A number that is left out alone could be had again by subtracting its neighbours from the total. So more are left out
until there are at least two ways to fill the gaps that no published number contradicts, for each that was small.
What else is public counts too: a practice example tells that there was one of its municipality.
"""

from collections.abc import Mapping
from dataclasses import dataclass

SMALL = 5
_TOLD_MANY = 3


Known = Mapping[tuple[str, str], Mapping[str, int]]
"""Grouping and figure → of each group the number that it is known to be at least."""


@dataclass(frozen=True, slots=True)
class Published:
    """None: left out. `total` belongs to `parts`."""

    total: int | None
    parts: dict[str, int | None]


def publish(parts: Mapping[str, int], total: int, known: Mapping[str, int] | None = None) -> Published:
    """`parts` and their `total` (which they add up to) without what is small or gives away what is.

    `known`: what a part is known to be at least.
    A zero is published unless it has to hide a one: five ones out of five.
    """
    small = {key for key, number in parts.items() if 0 < number < SMALL}
    if 0 < total < SMALL:
        return Published(None, {key: None if number or known else 0 for key, number in parts.items()})
    hidden = set(small)
    order = sorted((key for key in parts if key not in small), key=lambda key: (parts[key] == 0, parts[key], key))
    while hidden and not _ambiguous(hidden, parts, known or {}):
        if not order:
            return Published(None, dict.fromkeys(parts))
        hidden.add(order.pop(0))
    return Published(total, {key: None if key in hidden else number for key, number in parts.items()})


def _ambiguous(hidden: set[str], parts: Mapping[str, int], known: Mapping[str, int]) -> bool:
    """Whether each small one that is left out may be at least two numbers, by the sum of them all.

    Even for a reader who knows which ones are small (at most four, and at least one where no zero is among them) and
    that of the others the smallest were taken. Of whom three and more are told by examples nothing is left to hide in.
    """
    if any(known.get(key, 0) >= _TOLD_MANY for key in hidden):
        return False
    least = 0 if any(parts[key] == 0 for key in hidden) else 1
    together = sum(parts[key] for key in hidden)
    most = min((number for key, number in parts.items() if number >= SMALL and key not in hidden), default=together)
    small = {key for key in hidden if parts[key] < SMALL}
    low = {key: max(known.get(key, 0), least if key in small else SMALL) for key in hidden}
    high = {key: SMALL - 1 if key in small else max(most, low[key]) for key in hidden}
    lows, highs = sum(low.values()), sum(high.values())
    return all(
        max(low[key], together - highs + high[key]) < min(high[key], together - lows + low[key]) for key in small
    )
