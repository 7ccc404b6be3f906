"""Rate cards: what advice and a kilometre are worth, each card from its date on. Data, never code."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any, Literal

Basis = Literal["hour", "session", "day"]

_EURO = re.compile(r"[0-9]{1,6}[.][0-9]{2}")
_CODE = re.compile(r"[a-z0-9_.]{1,60}")
_BASES: dict[str, Basis] = {"per_hour": "hour", "per_session": "session", "per_day": "day"}
_BANDS = ("up_to_2_hours", "up_to_4_hours", "above")
_COMMON = {"code", "label", "valid_from", "per_km", "travel_cap"}
DAY_MINUTES = 480
"""Of a working day, for what is expected only."""


@dataclass(frozen=True, slots=True)
class RateCard:
    """Amounts in integer cents; `travel_cap_cents` is per session and advisor.

    `rates`: one amount (per hour of all advisors together, or per day and advisor), or three per session and advisor
    by its length: up to 2 hours, up to 4, above. `vat_percent`: what is added for those who are liable.
    """

    code: str
    label: str
    valid_from: date
    basis: Basis
    rates: tuple[int, ...]
    km_cents: int
    travel_cap_cents: int
    vat_percent: int

    def rate(self, minutes: int) -> int:
        """What is paid per hour, session or day for a session of `minutes`."""
        return self.rates[(minutes > 120) + (minutes > 240)] if self.basis == "session" else self.rates[0]

    def expected_cents(self, minutes: int) -> int:
        """What `minutes` of one advisor will cost about: sessions of two hours, days of eight, begun ones whole."""
        if self.basis == "hour":
            return (2 * self.rates[0] * minutes + 60) // 120
        return self.rates[0] * -(-minutes // (120 if self.basis == "session" else DAY_MINUTES))


def load(path: str | None = None) -> tuple[RateCard, ...]:
    """The cards at `path`, or the packaged examples; the earliest first.

    Raises ValueError with the card's number when the file is not of the documented form, OSError when unreadable.
    """
    where = path or "rates.json"
    text = (
        Path(path).read_text(encoding="utf-8-sig")
        if path
        else resources.files("services.reporting").joinpath("data/rates.json").read_text(encoding="utf-8")
    )
    try:
        given = json.loads(text)["cards"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{where}: no JSON object with `cards` ({error})") from None
    if not isinstance(given, list) or not given:
        raise ValueError(f"{where}: `cards` is no list or empty")
    return together(where, (_card(where, number, item) for number, item in enumerate(given, 1)))


def together(where: str, cards: Iterable[RateCard]) -> tuple[RateCard, ...]:
    """`cards`, the earliest first. Raises ValueError when two have the same code or the same first day."""
    found = sorted(cards, key=lambda card: card.valid_from)
    for name, values in (("code", [c.code for c in found]), ("valid_from", [str(c.valid_from) for c in found])):
        if len(set(values)) < len(values):
            raise ValueError(f"{where}: two cards have the same {name}")
    return tuple(found)


def card_on(cards: Sequence[RateCard], day: date) -> RateCard | None:
    """The card that holds on `day`, None before the first."""
    return max((card for card in cards if card.valid_from <= day), key=lambda card: card.valid_from, default=None)


def _card(where: str, number: int, item: Any) -> RateCard:
    place = f"{where}, card {number}"
    if not isinstance(item, dict) or len(bases := item.keys() & _BASES.keys()) != 1:
        raise ValueError(f"{place}: needs one of {', '.join(_BASES)}")
    (member,) = bases
    texts = {name: value for name, value in item.items() if name not in (member, "vat_percent")}
    if set(texts) != _COMMON or not all(isinstance(value, str) for value in texts.values()):
        raise ValueError(f"{place}: needs the texts {', '.join(sorted(_COMMON))}")
    if not _CODE.fullmatch(item["code"]):
        raise ValueError(f"{place}: code {item['code']!r} is none of a-z, 0-9, _ and .")
    try:
        valid_from = date.fromisoformat(item["valid_from"])
    except ValueError:
        raise ValueError(f"{place}: valid_from {item['valid_from']!r} is no date") from None
    vat = item.get("vat_percent", 0)
    if not isinstance(vat, int) or isinstance(vat, bool) or not 0 <= vat <= 30:
        raise ValueError(f"{place}: vat_percent {vat!r} is no whole number from 0 to 30")
    km, cap = (_cents(place, name, item[name]) for name in ("per_km", "travel_cap"))
    rates = _rates(place, member, item[member])
    return RateCard(item["code"], item["label"], valid_from, _BASES[member], rates, km, cap, vat)


def _rates(place: str, member: str, value: Any) -> tuple[int, ...]:
    if member != "per_session":
        return (_cents(place, member, value),)
    if not isinstance(value, dict) or set(value) != set(_BANDS):
        raise ValueError(f"{place}: {member} needs {', '.join(_BANDS)}")
    return tuple(_cents(place, f"{member}.{band}", value[band]) for band in _BANDS)


def _cents(place: str, name: str, text: Any) -> int:
    if not isinstance(text, str) or not _EURO.fullmatch(text):
        raise ValueError(f"{place}: {name} {text!r} is no amount such as 75.00")
    return int(text.replace(".", ""))
