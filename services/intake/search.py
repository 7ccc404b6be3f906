"""Finding a municipality by what people type: folded words for an index, and the order of what was found.

Folding makes ä = ae = a and ß = ss, the same on both sides: a prefix of a name folds to a prefix of the
folded name, so anchored prefixes find it while it is being typed.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from shared.register import Municipality

_DIGRAPH = re.compile("([aou])e")
_WORD = re.compile(r"[^\W_]+")
_SAME = {"st": ("st", "sankt"), "landkreis": ("landkreis", "kreis", "lkr", "lk")}
_TITLES = {"stadt", "gemeinde", "stadtkreis", "universitatsstadt", "landeshauptstadt", "kreisstadt", "rathaus"}
"""What people put before a name that is no part of it; "Große" goes with "Kreisstadt"."""
_MOST_WORDS = 8
_SCATTERED = 4
"""The words are in the name somewhere, or nearly."""


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for: the beginning of a key, whose leading 0 may be lost, or words that begin the name's."""

    text: str
    key: str = ""
    words: tuple[str, ...] = ()


def fold(text: str) -> str:
    """`text` in lower case, without accents, with ß = ss and ae, oe, ue = a, o, u."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return _DIGRAPH.sub(r"\1", plain)


def words(text: str) -> tuple[str, ...]:
    """The folded words of `text`; hyphens, slashes and brackets separate."""
    return tuple(_WORD.findall(fold(text)))


def query(text: str) -> Query | None:
    """What `text` asks for, or None when there is nothing to look for."""
    digits = "".join(text.split())
    if digits.isascii() and digits.isdecimal():
        return Query(text, key=digits)
    found = words(text)[:_MOST_WORDS]
    if found[:2] == ("grosse", "kreisstadt"):
        found = found[1:]
    if len(found) > 1 and found[0] in _TITLES:
        found = found[1:]
    return Query(text, words=found) if found else None


def terms(entry: Municipality) -> list[str]:
    """What an entry is found by: its words, and its words run together from each one on."""
    parts = words(entry.name)
    found = {"".join(parts[start:]) for start in range(len(parts))} | set(parts)
    if entry.kind == "rural_district":
        found.add("landkreis")
    for word in set(parts) | found:
        found.update(_SAME.get(word, ()))
    return sorted(found)


def near(word: str) -> list[str]:
    """`word` and all it becomes by losing one character; words with one slip share at least one of these."""
    if len(word) < 4:
        return [word]
    return sorted({word} | {word[:at] + word[at + 1 :] for at in range(len(word))})


def nearby(entry: Municipality) -> list[str]:
    """What an entry is found by when nothing begins as typed."""
    return sorted({term for word in words(entry.name) for term in near(word)})


def rank(asked: Query, found: Iterable[Municipality]) -> list[Municipality]:
    """Exact name, beginning of the name, of some word; then rural districts, larger ones, the key."""
    phrase, literal = " ".join(asked.words), " ".join(asked.text.casefold().split())

    def order(entry: Municipality) -> tuple[int, float, str]:
        closeness = _closeness(entry, literal, phrase, asked.key)
        size = float("inf") if entry.kind == "rural_district" and closeness < _SCATTERED else entry.population or 0
        return closeness, -size, entry.ags

    return sorted(found, key=order)


def _closeness(entry: Municipality, literal: str, phrase: str, key: str) -> int:
    if key:
        return 0 if entry.ags in (key, "0" + key) else len(entry.ags)
    parts = words(entry.name)
    if entry.name.casefold() == literal:
        return 0
    if " ".join(parts) == phrase:
        return 1
    if any(joint.join(parts).startswith(phrase) for joint in (" ", "")):
        return 2
    return 3 if any(" ".join(parts[start:]).startswith(phrase) for start in range(len(parts))) else _SCATTERED
