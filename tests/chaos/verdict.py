"""What was compared and what was wrong with it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")
EXAMPLES = 3


@dataclass
class Verdict:
    """What was compared, and what was wrong; `notes` are no damage."""

    checked: Counter[str] = field(default_factory=Counter)
    damage: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    notes: Counter[str] = field(default_factory=Counter)

    def hold(self, check: str, subjects: Iterable[object], wrong: Iterable[str]) -> None:
        """`wrong` of `subjects` have failed `check`."""
        self.checked[check] += sum(1 for _ in subjects)
        if found := sorted(wrong):
            self.damage[check] += found

    def absorb(self, other: "Verdict", words: Callable[[str], str]) -> None:
        """Takes over what `other` has compared; `words` says what was wrong in the words of this one."""
        self.checked += other.checked
        self.notes += other.notes
        for check, found in other.damage.items():
            self.damage[check] += map(words, found)

    @property
    def sound(self) -> bool:
        return not any(self.damage.values())

    def table(self) -> str:
        lines = [f"  {'check':<46}{'compared':>9}{'damage':>8}"]
        for check in dict.fromkeys([*self.checked, *self.damage]):
            wrong = self.damage.get(check, [])
            lines.append(f"  {check:<46}{self.checked[check]:>9}{len(wrong):>8}")
            lines += [f"      {example[:220]}" for example in wrong[:EXAMPLES]]
        lines += [f"  {note:<46}{count:>9}" for note, count in sorted(self.notes.items())]
        return "\n".join(lines)


def differing(expected: Mapping[T, object], found: Mapping[T, object]) -> Iterator[str]:
    """One text per key whose values differ or are on one side only."""
    for key in expected.keys() | found.keys():
        if expected.get(key) != found.get(key):
            yield f"{key}: {expected.get(key)} expected, {found.get(key)} found"
