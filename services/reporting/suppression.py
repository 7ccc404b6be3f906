"""Small numbers are not published: below five a number may tell of somebody.

A number that is left out alone could be had again by subtracting its neighbours from the total. So more are left out
until there are at least two ways to fill the gaps that no published number contradicts, for each that was small.
"""

from collections.abc import Mapping
from dataclasses import dataclass

SMALL = 5


@dataclass(frozen=True, slots=True)
class Published:
    """None: left out. `total` belongs to `parts`."""

    total: int | None
    parts: dict[str, int | None]


def publish(parts: Mapping[str, int], total: int) -> Published:
    """`parts` and their `total` (which they add up to) without what is small or gives away what is.

    A zero is published unless it has to hide a one: five ones out of five.
    """
    small = {key for key, number in parts.items() if 0 < number < SMALL}
    if 0 < total < SMALL:
        return Published(None, {key: None if number else 0 for key, number in parts.items()})
    hidden = set(small)
    order = sorted((key for key in parts if key not in small), key=lambda key: (parts[key] == 0, parts[key], key))
    while hidden and not _ambiguous(hidden, parts):
        if not order:
            return Published(None, dict.fromkeys(parts))
        hidden.add(order.pop(0))
    return Published(total, {key: None if key in hidden else number for key, number in parts.items()})


def _ambiguous(hidden: set[str], parts: Mapping[str, int]) -> bool:
    """Whether each that is left out may be at least two numbers, by the sum of them all.

    Where no zero is among them each is known to be at least one.
    """
    least = 0 if any(parts[key] == 0 for key in hidden) else 1
    return len(hidden) > 1 and sum(parts[key] for key in hidden) > least * len(hidden)
