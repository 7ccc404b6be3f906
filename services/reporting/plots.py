"""What plots show, pure: bars with their lengths, and the state's districts as tiles of a schematic map."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LEVELS = 4

# Column and row of each district, roughly where it lies, and the letters of its cars. No boundaries are meant.
_TILES: Mapping[str, tuple[int, int, str]] = {
    "08222": (0, 0, "MA"),
    "08226": (1, 0, "RNK"),
    "08225": (2, 0, "MOS"),
    "08128": (3, 0, "TBB"),
    "08221": (0, 1, "HD"),
    "08215": (1, 1, "KA-L"),
    "08125": (2, 1, "HN-L"),
    "08126": (3, 1, "KÜN"),
    "08127": (4, 1, "SHA"),
    "08212": (0, 2, "KA"),
    "08236": (1, 2, "PF-L"),
    "08121": (2, 2, "HN"),
    "08118": (3, 2, "LB"),
    "08119": (4, 2, "WN"),
    "08136": (5, 2, "AA"),
    "08135": (6, 2, "HDH"),
    "08216": (0, 3, "RA"),
    "08231": (1, 3, "PF"),
    "08115": (2, 3, "BB"),
    "08111": (3, 3, "S"),
    "08116": (4, 3, "ES"),
    "08117": (5, 3, "GP"),
    "08421": (6, 3, "UL"),
    "08211": (0, 4, "BAD"),
    "08235": (1, 4, "CW"),
    "08416": (2, 4, "TÜ"),
    "08415": (3, 4, "RT"),
    "08425": (4, 4, "UL-L"),
    "08317": (0, 5, "OG"),
    "08237": (1, 5, "FDS"),
    "08417": (2, 5, "BL"),
    "08437": (3, 5, "SIG"),
    "08426": (4, 5, "BC"),
    "08316": (0, 6, "EM"),
    "08325": (1, 6, "RW"),
    "08327": (2, 6, "TUT"),
    "08435": (3, 6, "FN"),
    "08436": (4, 6, "RV"),
    "08311": (0, 7, "FR"),
    "08326": (1, 7, "VS"),
    "08335": (2, 7, "KN"),
    "08315": (0, 8, "FR-L"),
    "08337": (1, 8, "WT"),
    "08336": (0, 9, "LÖ"),
}
COLUMNS = 1 + max(column for column, _, _ in _TILES.values())
ROWS = 1 + max(row for _, row, _ in _TILES.values())


@dataclass(frozen=True, slots=True)
class Bar:
    """`length`: thousandths of the longest one; `value`: None where there is nothing to average."""

    label: str
    value: float | None
    length: int
    link: str


@dataclass(frozen=True, slots=True)
class Tile:
    """A district; `level`: 0 for nothing, else 1 … LEVELS, each as wide as the others."""

    key: str
    name: str
    short: str
    column: int
    row: int
    value: float
    level: int


def bars(items: Iterable[tuple[str, float | None, str]]) -> list[Bar]:
    """Of (label, value, link), in their order; what is below zero has no length."""
    kept = list(items)
    longest = max((value or 0 for _, value, _ in kept), default=0)
    return [
        Bar(label, value, round(1000 * max(0, value or 0) / longest) if longest > 0 else 0, link)
        for label, value, link in kept
    ]


def tiles(names: Mapping[str, str], values: Mapping[str, float]) -> list[Tile]:
    """All districts of the map that `names` knows, with `values` by key; none for a register of another state."""
    most = max((values.get(key, 0) for key in _TILES), default=0)
    return [
        Tile(key, names[key], short, column, row, values.get(key, 0), _level(values.get(key, 0), most))
        for key, (column, row, short) in _TILES.items()
        if key in names
    ]


def _level(value: float, most: float) -> int:
    return 0 if value <= 0 else max(1, -int(-LEVELS * value // most))
