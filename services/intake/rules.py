"""Who may ask, and for when (mission, rule 1)."""

from dataclasses import dataclass
from datetime import date

from shared.errors import FieldError
from shared.register import Municipality

YEARS_AHEAD = 2


@dataclass(frozen=True, slots=True)
class Rules:
    """What a wish is measured by: the state served (first two digits of its keys) and its day."""

    state: str
    today: date

    def broken(self, ags: str, entry: Municipality | None, wanted_from: date) -> list[FieldError]:
        """What speaks against it, one per field. `entry`: the register's for `ags`, None when unknown."""
        return [error for error in (_ags(ags, entry, self.state), _date(wanted_from, self.today)) if error]


def _ags(ags: str, entry: Municipality | None, state: str) -> FieldError | None:
    def wrong(code: str, de: str, en: str) -> FieldError:
        return FieldError("municipality_ags", code, de, en)

    if not ags.startswith(state):
        return wrong(
            "other_state",
            f"{ags} liegt in einem anderen Land; beraten wird, wessen Schlüssel mit {state} beginnt.",
            f"{ags} lies in another state; served are those whose key begins with {state}.",
        )
    if entry is None:
        return wrong(
            "unknown",
            f"Den Gemeindeschlüssel {ags} gibt es im Verzeichnis nicht.",
            f"The register has no municipality with the key {ags}.",
        )
    if not entry.eligible:
        return wrong(
            "unincorporated",
            f"{entry.name} ({ags}) ist gemeindefreies Gebiet. Anfragen kann nur eine Gemeinde oder ein Landkreis.",
            f"{entry.name} ({ags}) is an unincorporated area. Only a municipality or a rural district may ask.",
        )
    return None


def _date(wanted: date, today: date) -> FieldError | None:
    latest = today.year + YEARS_AHEAD, today.month, today.day
    if wanted < today:
        return FieldError("wanted_from", "past", "Der Wunschtermin liegt in der Vergangenheit.", "This day has passed.")
    if (wanted.year, wanted.month, wanted.day) > latest:
        return FieldError(
            "wanted_from",
            "too_far",
            f"Der Wunschtermin liegt mehr als {YEARS_AHEAD} Jahre voraus.",
            f"This day is more than {YEARS_AHEAD} years ahead.",
        )
    return None
