"""Services broken on purpose, so that the harness can prove that it sees. Nothing of the product knows of it."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Sabotage:
    """A guarantee that is taken out.

    faults: those that bring the damage to light, as `KINDS` names them. damage: the checks of which one at
    least must fail then; a slow recovery alone proves nothing.
    """

    means: str
    faults: tuple[str, ...]
    damage: frozenset[str]


_LOST = frozenset(
    {
        "request answered 201 is in matching",
        "request answered 201 is in the ledger",
        "fact in Kafka is in the ledger",
        "fact reached notifications",
        "each fact is one step of the status page",
        "mail for each fact and recipient",
    }
)
SABOTAGES = {
    "inbox": Sabotage(
        "what was processed is not remembered",
        ("repeat",),
        frozenset({"fact noted once by notifications"}),
    ),
    "early": Sabotage(
        "events are published before the change that they tell of is stored",
        ("kill:intake", "kill:matching"),
        frozenset({"event in Kafka was stored by intake", "event in Kafka was stored by matching"}),
    ),
    "late": Sabotage(
        "an event counts as published before Kafka has it",
        ("kill:intake", "kill:matching", "away:kafka"),
        frozenset({"event stored by intake is in Kafka", "event stored by matching is in Kafka"}),
    ),
    "forget": Sabotage(
        "offsets are committed before what they stand for is done",
        ("kill:matching", "kill:notifications", "kill:reporting", "kill:intake"),
        _LOST,
    ),
    "keep": Sabotage(
        "tombstones are read and nothing is erased",
        ("kill:intake", "kill:matching", "kill:notifications"),
        frozenset({"who was erased is in no store"}),
    ),
}


def environment(*names: str) -> dict[str, str]:
    """What makes each Python process of a stack load `sitecustomize.py` beside this file; nothing without names."""
    if not names:
        return {}
    if unknown := set(names) - SABOTAGES.keys():
        raise ValueError(f"CHAOS_SABOTAGE is one of {', '.join(SABOTAGES)}, not {', '.join(unknown)}")
    here = Path(__file__).parent
    paths = [str(here), str(here.parents[2]), *filter(None, [os.environ.get("PYTHONPATH", "")])]
    return {"CHAOS_SABOTAGE": " ".join(names), "PYTHONPATH": os.pathsep.join(paths)}
