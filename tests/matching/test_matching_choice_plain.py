"""The choice by columns comes to what the plain definition says, to the last tie."""

import random
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain.choice import choose
from services.matching.domain.model import Absence, Scored
from services.matching.domain.policy import PLAIN, Candidate, PlainPolicy, Seeker
from shared.events.base import FieldCode, Role, Tandem
from tests.matching import plain_choice
from tests.matching.samples import TODAY, candidate, seeker

CODES = list(FieldCode)[:4]
PLACES = ["08117", "08117042", "08117026", "08111", "08111000", "08425012", "09162"]
LANGUAGES = ["de", "fr", "ar", "tr"]
NUMBERS = [f"A{n:02}" for n in range(1, 13)]
POLICIES = [PLAIN, PlainPolicy("small", 6, (4, 3, 2, 1), 4, 2, 2, 1), PlainPolicy("none", 0, (0, 0, 0, 0), 0, 0, 0, 0)]
"""With small weights many come out equal: the ties decide."""
LATER = [TODAY + timedelta(days=days) for days in (-2, 0, 0, 3, 9)]

SEEDS = st.integers(0, 2**64)
"""Of even draws: what hypothesis makes of strategies is mostly too small for anybody to be in another's way."""


def person(draw: random.Random, number: str) -> Candidate:
    first = draw.choice(LATER)
    return candidate(
        number,
        levels={code: draw.randint(0, 3) for code in CODES if draw.random() < 0.7},
        languages=frozenset(draw.sample(LANGUAGES, draw.randint(0, 3))),
        regions=tuple(draw.sample(PLACES, draw.randint(1, 3))),
        certified_on=TODAY + timedelta(days=draw.choice([-400, -400, -400, 0, 5])),
        certified_until=TODAY + timedelta(days=draw.choice([400, 400, 400, 6, -1])),
        capacity=draw.randint(0, 5),
        open=draw.randint(0, 2),
        paid_minutes=draw.choice([0, 0, 1, 90, 600]),
        absences=draw.choice([(), (), (), (Absence(first, first + timedelta(days=2)),)]),
        conflicts=draw.choice([(), (), (), ("08117042",), ("08117",), ("08111", "09162")]),
    )


def wish(draw: random.Random, number: int) -> Seeker:
    """Also of those whose tandem has lost one or none."""
    roles = draw.choice([(), (), (), (Role.LEAD,), (Role.CO,), (Role.LEAD, Role.CO)])
    seated = zip(draw.sample(NUMBERS, len(roles)), roles, strict=True)
    return seeker(
        f"r{number:02}",
        ags=draw.choice(PLACES),
        fields=tuple(draw.sample(CODES, draw.randint(1, 3))),
        languages=tuple(draw.sample(LANGUAGES, draw.randint(1, 3))),
        tandem=draw.choice(list(Tandem)),
        wanted_from=draw.choice(LATER),
        asked_on=draw.choice(LATER),
        refused=frozenset(draw.sample([*NUMBERS, "Z99"], draw.choice([0, 0, 2]))),
        held=tuple(Scored(one, role, {"expertise": 7}) for one, role in seated),
    )


def pool(draw: random.Random, wishes: list[Seeker]) -> list[Candidate]:
    """Some of all; who has a seat is always there."""
    seated = {seat.advisor_id for one in wishes for seat in one.held}
    return [person(draw, number) for number in NUMBERS if number in seated or draw.random() < 0.8]


@settings(max_examples=300, deadline=None)
@given(SEEDS, st.sampled_from(POLICIES))
def test_the_decisions_are_those_of_the_plain_definition(seed: int, policy: PlainPolicy) -> None:
    draw = random.Random(seed)
    wishes = [wish(draw, number) for number in range(draw.randint(1, 12))]
    people = pool(draw, wishes)
    assert choose(people, wishes, TODAY, policy) == plain_choice.choose(people, wishes, TODAY, policy)
