"""Random instances of matching, as JSON."""

import random
from collections.abc import Sequence
from typing import Any

FIELDS = ["fair_week", "partnerships", "agenda_2030", "policy_quality", "opportunities", "causes_of_flight", "other"]
DISTRICTS = ["08111", "08115", "08116", "08117", "08118", "08125", "08211", "08226", "08317", "08415", "08435", "09162"]
LANGUAGES = ["de", "en", "fr", "ar", "tr", "es", "ru", "fa"]
WEIGHTS: dict[str, Any] = {
    "expertise": 500,
    "region": [200, 160, 100, 40],
    "languages": 100,
    "fairness": 150,
    "tandem_wanted": 100,
    "tandem_either": -120,
    "waiting_per_day": 5,
    "waiting_max": 100,
    "batch_step": 40,
}
SMALL = WEIGHTS | {"expertise": 6, "region": [4, 3, 2, 1], "languages": 3, "fairness": 4, "batch_step": 2}
SMALL |= {"tandem_wanted": 2, "tandem_either": -1, "waiting_per_day": 1, "waiting_max": 5}
"""With small weights many come out equal."""


def problem(
    seed: int,
    advisors: int,
    requests: int,
    *,
    starvation: int | None = None,
    capacities: Sequence[int] = (0, 1, 1, 2, 3),
    **weights: Any,
) -> dict[str, Any]:
    """An instance of this size; each advisor has one of the `capacities`."""
    draw = random.Random(seed)
    rules = {"rules": {"starvation": starvation}} if starvation is not None else {}
    return {
        "policy": {"weights": WEIGHTS | weights, **rules},
        "advisors": [advisor(draw, f"A{n:04}", capacities) for n in range(advisors)],
        "requests": [request(draw, f"R{n:04}") for n in range(requests)],
    }


def advisor(draw: random.Random, number: str, capacities: Sequence[int]) -> dict[str, Any]:
    return {
        "id": number,
        "levels": {code: draw.choice([0, 0, 1, 2, 3]) for code in FIELDS if draw.random() < 0.8},
        "languages": sorted({"de", *draw.sample(LANGUAGES, draw.randint(0, 2))}),
        "regions": [place(draw) for _ in range(draw.randint(1, 4))],
        "capacity": draw.choice(capacities),
        "paid_minutes": draw.choice([0, 0, 90, draw.randint(0, 4000)]),
        "conflicts": [place(draw)] if draw.random() < 0.2 else [],
    }


def request(draw: random.Random, number: str) -> dict[str, Any]:
    return {
        "id": number,
        "ags": place(draw),
        "fields": draw.sample(FIELDS, draw.randint(1, 3)),
        "languages": draw.sample(LANGUAGES, draw.randint(0, 3)),
        "tandem": draw.choice(["wanted", "wanted", "not_wanted", "either"]),
        "waiting_days": draw.choice([0, 0, 3, draw.randint(0, 30)]),
    }


def place(draw: random.Random) -> str:
    """A district, or one of its first municipalities."""
    return draw.choice(DISTRICTS) + draw.choice(["", "", "001", "002", "003"])
