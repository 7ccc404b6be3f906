"""How decisions are governed: when somebody looks first, what may take how long, who is told when.

`Rules` are the part of a stored policy that is no weight: {version, weights, limits, rules}. Plain data.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from shared.events.base import FieldCode

Days = Annotated[int, Field(ge=1, le=250, description="working days of the state")]


@dataclass(frozen=True, slots=True)
class Look:
    """When a coordinator looks before anybody is asked; without any of these the policy releases at once.

    `below`: an assignment with fewer points in all.
    """

    everything: bool = False
    fields: tuple[FieldCode, ...] = ()
    below: int | None = None

    def wanted(self, fields: Iterable[str], score: int) -> bool:
        touched = any(code in self.fields for code in fields)
        return self.everything or touched or (self.below is not None and score < self.below)


AT_ONCE = Look()


@dataclass(frozen=True, slots=True)
class Rules:
    """Times in working days.

    `respond`       an advisor has to answer; None: as the service's settings say
    `look_within`   a coordinator has to release
    `remind_every`  between two reminders, and between being asked and the first one
    `escalate`      after a due date: the responsible person is told on the first of these days, the coordinators on
                    the first where nobody else is responsible, else from the second on; the last step repeats
    `delay_after`   without an advisor: the municipality is told honestly that it takes longer, again and again
    `starvation`    a request that has waited longer is served before all younger ones; None: none is
    `absence`       an absence of so many puts running engagements on the hand-over list
    `hand_over`     a coordinator has to settle such a one
    `expected_minutes`  reserved in the budget for each advisor of an assignment
    """

    look: Look = AT_ONCE
    respond: Days | None = None
    look_within: Days = 2
    remind_every: Days = 3
    escalate: Annotated[tuple[Days, ...], Field(min_length=1, max_length=10)] = (1, 5, 10)
    delay_after: Days = 10
    starvation: Days | None = 15
    absence: Days = 5
    hand_over: Days = 3
    expected_minutes: Annotated[int, Field(ge=0, le=100_000)] = 600

    def __post_init__(self) -> None:
        if list(self.escalate) != sorted(set(self.escalate)):
            raise ValueError("Die Tage der Eskalation müssen aufsteigen.", "The days of escalation must rise.")


USUAL = Rules()
