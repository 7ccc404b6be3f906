"""300 random steps of requests, answers, absences, overrides, withdrawals and clock jumps, with two matchers."""

import pytest

from services.matching.domain.governing import Look
from services.matching.domain.model import DECISIONS
from tests.matching.journey import Journey

STEPS = 300


@pytest.mark.parametrize("seed", range(10))
async def test_nothing_is_ever_stuck_nobody_above_capacity_the_trail_complete_each_notice_once(seed: int) -> None:
    journey = Journey(seed, look=Look(everything=True) if seed == 7 else None)
    await journey.begin()
    for number in range(STEPS):
        await journey.step()
        try:
            await journey.check()
        except AssertionError as error:
            error.add_note(f"seed {seed}, step {number}")
            raise
    await journey.check_all()
    assert set(journey.did) <= set(DECISIONS)
