"""Rate cards: what an hour and a kilometre are worth, each from its date on. Data, never code."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

_EURO = re.compile(r"[0-9]{1,6}[.][0-9]{2}")
_CODE = re.compile(r"[a-z0-9_.]{1,60}")
_MEMBERS = {"code", "label", "valid_from", "per_hour", "per_km", "travel_cap"}


@dataclass(frozen=True, slots=True)
class RateCard:
    """Amounts in integer cents; `travel_cap_cents` is per session and advisor."""

    code: str
    label: str
    valid_from: date
    hour_cents: int
    km_cents: int
    travel_cap_cents: int


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
    cards = sorted((_card(where, number, item) for number, item in enumerate(given, 1)), key=lambda c: c.valid_from)
    for name, values in (("code", [c.code for c in cards]), ("valid_from", [str(c.valid_from) for c in cards])):
        if len(set(values)) < len(values):
            raise ValueError(f"{where}: two cards have the same {name}")
    return tuple(cards)


def card_on(cards: Sequence[RateCard], day: date) -> RateCard | None:
    """The card that holds on `day`, None before the first."""
    return max((card for card in cards if card.valid_from <= day), key=lambda card: card.valid_from, default=None)


def _card(where: str, number: int, item: Any) -> RateCard:
    if not isinstance(item, dict) or set(item) != _MEMBERS or not all(isinstance(v, str) for v in item.values()):
        raise ValueError(f"{where}, card {number}: needs the texts {', '.join(sorted(_MEMBERS))}")
    if not _CODE.fullmatch(item["code"]):
        raise ValueError(f"{where}, card {number}: code {item['code']!r} is none of a-z, 0-9, _ and .")
    try:
        valid_from = date.fromisoformat(item["valid_from"])
    except ValueError:
        raise ValueError(f"{where}, card {number}: valid_from {item['valid_from']!r} is no date") from None
    hour, km, cap = (_cents(where, number, name, item[name]) for name in ("per_hour", "per_km", "travel_cap"))
    return RateCard(item["code"], item["label"], valid_from, hour, km, cap)


def _cents(where: str, number: int, name: str, text: str) -> int:
    if not _EURO.fullmatch(text):
        raise ValueError(f"{where}, card {number}: {name} {text!r} is no amount such as 75.00")
    return int(text.replace(".", ""))
