"""The register of municipalities: official keys and names. Facts that all services read, owned by intake.

Source of the packaged file: Eurostat LAU list 2024 (keys, names); GeoNames, CC BY 4.0 (coordinates,
population). A key nests: 8 digits are a municipality, the first 5 its district, the first 2 its state.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Literal, get_args

Kind = Literal["municipality", "city", "urban_district", "rural_district", "unincorporated"]
_COLUMNS = ("ags", "name", "kind", "district_ags", "district_name", "latitude", "longitude", "population")


@dataclass(frozen=True, slots=True)
class Municipality:
    """One entry. `latitude`, `longitude` in degrees (WGS 84), `population` for display only; None where unknown."""

    ags: str
    name: str
    kind: Kind
    district_ags: str
    district_name: str
    latitude: float | None
    longitude: float | None
    population: int | None

    @property
    def eligible(self) -> bool:
        """Only a constituted municipality or rural district may ask (mission, rule 1)."""
        return self.kind != "unincorporated"


class Register:
    """All entries by their key."""

    def __init__(self, entries: Iterable[Municipality]) -> None:
        self.entries = tuple(entries)

    @cached_property
    def by_ags(self) -> dict[str, Municipality]:
        return {entry.ags: entry for entry in self.entries}

    def name(self, ags: str) -> str:
        """The name of `ags`, or the key itself when unknown."""
        found = self.by_ags.get(ags)
        return found.name if found else ags

    def like(self, words: str, limit: int = 200) -> list[str]:
        """Keys of the entries whose name has `words` in it, or whose key begins so; at most `limit`."""
        wanted = words.casefold()
        found = (ags for ags, name in self._folded if wanted in name or ags.startswith(wanted))
        return list(islice(found, limit)) if wanted else []

    @cached_property
    def _folded(self) -> list[tuple[str, str]]:
        return [(entry.ags, entry.name.casefold()) for entry in self.entries]

    @cached_property
    def districts(self) -> dict[str, str]:
        """District key → name, sorted by key."""
        return dict(sorted({entry.district_ags: entry.district_name for entry in self.entries}.items()))


def load(path: str | None = None) -> Register:
    """The register at `path`, or the packaged one of Baden-Württemberg.

    Raises ValueError with the line's number when the file is not of the documented form, OSError when unreadable.
    """
    text = (
        Path(path).read_text(encoding="utf-8-sig")
        if path
        else resources.files("shared").joinpath("data/municipalities-bw.csv").read_text(encoding="utf-8")
    )
    reader = csv.DictReader(text.splitlines())
    if missing := [column for column in _COLUMNS if column not in (reader.fieldnames or ())]:
        raise ValueError(f"{path or 'register'}: columns missing: {', '.join(missing)}")
    entries = []
    for number, row in enumerate(reader, start=2):
        try:
            entries.append(_entry(row))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path or 'register'}, line {number}: {error}") from None
    return Register(entries)


def _entry(row: dict[str, str]) -> Municipality:
    ags, district = row["ags"].strip(), row["district_ags"].strip()
    if not (ags.isdecimal() and len(ags) in (5, 8) and district == ags[:5]):
        raise ValueError(f"{ags!r} is no key of 5 or 8 digits within district {district!r}")
    if row["kind"] not in get_args(Kind):
        raise ValueError(f"{row['kind']!r} is none of {', '.join(get_args(Kind))}")
    return Municipality(
        ags=ags,
        name=row["name"].strip(),
        kind=row["kind"],  # type: ignore[arg-type]
        district_ags=district,
        district_name=row["district_name"].strip(),
        latitude=float(row["latitude"]) if row["latitude"] else None,
        longitude=float(row["longitude"]) if row["longitude"] else None,
        population=int(row["population"]) if row["population"] else None,
    )
