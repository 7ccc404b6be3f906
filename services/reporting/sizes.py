"""Size classes of municipalities by their population in the register, as official statistics draw them."""

from collections.abc import Iterable, Mapping

from shared.register import Municipality

UNKNOWN = "unknown"
SIZES: dict[str, tuple[str, str]] = {
    "under_5000": ("unter 5.000 Einwohner", "under 5,000 inhabitants"),
    "under_20000": ("5.000 bis unter 20.000", "5,000 to under 20,000"),
    "under_50000": ("20.000 bis unter 50.000", "20,000 to under 50,000"),
    "under_100000": ("50.000 bis unter 100.000", "50,000 to under 100,000"),
    "from_100000": ("ab 100.000", "100,000 and more"),
    "rural_district": ("Landkreise", "rural districts"),
    UNKNOWN: ("Noch unbekannt", "Not yet known"),
}
"""Code → name in German and English, the smallest first."""
_BOUNDS = ((5_000, "under_5000"), (20_000, "under_20000"), (50_000, "under_50000"), (100_000, "under_100000"))


def sizes(entries: Iterable[Municipality]) -> Mapping[str, str]:
    """AGS → size class."""
    return {entry.ags: _size(entry) for entry in entries}


def _size(entry: Municipality) -> str:
    if entry.kind == "rural_district":
        return "rural_district"
    if entry.population is None:
        return UNKNOWN
    population = entry.population
    return next((code for bound, code in _BOUNDS if population < bound), "from_100000")
