"""Integer cents: rounding, and splitting without losing one."""

from collections.abc import Mapping


def half_up(numerator: int, denominator: int) -> int:
    """`numerator` / `denominator` (neither negative) as a whole number, halves rounded up."""
    return (2 * numerator + denominator) // (2 * denominator)


def split(amount: int, weights: Mapping[str, int]) -> dict[str, int]:
    """`amount` in whole parts by `weights`, adding up exactly: largest remainders first, ties by key."""
    total = sum(weights.values())
    if total == 0:
        return dict.fromkeys(weights, 0)
    parts = {key: amount * weight // total for key, weight in weights.items()}
    by_remainder = sorted(weights, key=lambda key: (-(amount * weights[key] % total), key))
    for key in by_remainder[: amount - sum(parts.values())]:
        parts[key] += 1
    return parts


def vat(cents: int, percent: int) -> int:
    """`percent` of `cents`, rounded half up; of a negative amount the same, negative."""
    amount = half_up(abs(cents) * percent, 100)
    return amount if cents >= 0 else -amount
