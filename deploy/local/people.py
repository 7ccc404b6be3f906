"""Who can log in to the embedded stack: sample people for each role, plainly fictional."""

import csv
from dataclasses import dataclass

from deploy.local.tools import ROOT

STAFF = {"koordination": "coordinator", "skew": "skew", "betrieb": "ops"}


@dataclass(frozen=True)
class Account:
    """`number`: an advisor's; None for others."""

    name: str
    full_name: str
    role: str
    number: str | None = None

    @property
    def mail(self) -> str:
        return f"{self.name.lower()}@miglobe.example"


def accounts() -> list[Account]:
    """One for each role of the office, and the sample advisors by their numbers."""
    with (ROOT / "services/matching/data/advisors.csv").open(encoding="utf-8", newline="") as file:
        advisors = [Account(row["id"], row["name"], "advisor", row["id"]) for row in csv.DictReader(file)]
    return [*(Account(name, f"Beispiel {name.capitalize()}", role) for name, role in STAFF.items()), *advisors]


def told() -> str:
    """For people: with which names they can log in."""
    numbers = [one.name for one in accounts() if one.number]
    return f"{', '.join(f'{name} ({role})' for name, role in STAFF.items())}, {numbers[0]} … {numbers[-1]} (advisors)"
