"""Trials of two policies: asked for, played in a thread, taken up again by whoever looks where a process has ended."""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime

from services.matching.domain.policy import Candidate, Policy, Seeker
from services.matching.domain.trial import Changed, Outcome, Run, Terms, Trial
from services.matching.domain.worklist import Rules
from services.matching.handlers import policies
from services.matching.store import Store
from shared.errors import FieldError, Invalid, NotFound
from shared.ids import new_id

BEAT_SECONDS = 2.0
"""So often whoever plays a trial says how far it is."""
LONGEST_DAYS = 1_100


@dataclass
class Played:
    """Between the thread and the loop: how far it is, and whether it shall end."""

    share: float = 0.0
    stopped: bool = False


async def ask(
    store: Store, a: Policy, b: Policy, first: date, last: date, by: str, now: datetime, *, draft: bool = False
) -> Trial:
    """Keeps what shall be played. Raises Invalid when the period can't be."""
    if not 0 <= (last - first).days <= LONGEST_DAYS:
        german = "Der Zeitraum darf höchstens drei Jahre lang sein und nicht rückwärts laufen."
        raise Invalid.of(FieldError("last", "bad_period", german, "At most three years, and not backwards."))
    await policies.asked_for(store, first, last)
    made = Trial(new_id(), by, now, first, last, a, b, minutes=b.rules.expected_minutes, draft=draft)
    await store.add_trial(made)
    return made


async def get(store: Store, trial_id: str) -> Trial:
    found = await store.trial(trial_id)
    if found is None:
        german = "Diesen Vergleich gibt es nicht mehr; bitte stellen Sie ihn neu an."
        raise NotFound(german, "This comparison is no longer there; please ask for it anew.")
    return found


async def play(store: Store, trial_id: str, rules: Rules) -> None:
    """Plays it, unless another process is just doing so. Cancelled or cut off from the database it is left as it was,
    for the next who looks.
    """
    if not await store.take_trial(trial_id):
        return
    trial = await get(store, trial_id)
    asked = await policies.asked_for(store, trial.first, trial.last)
    people, wishes = await policies.candidates(store), policies.seekers(asked, rules)
    terms, played = Terms(trial.days, trial.minutes, rules.subdivision), Played()
    work = asyncio.create_task(asyncio.to_thread(_runs, trial, people, wishes, terms, played))
    try:
        while not (await asyncio.wait({work}, timeout=BEAT_SECONDS))[0]:
            await store.beat_trial(trial_id, played.share)
    finally:
        played.stopped = True
    a, b = work.result()
    cases = {one.id: one.asked.case_number for one in asked}
    changed = (
        Changed(one, case, a.members.get(one, ()), b.members.get(one, ()))
        for one, case in cases.items()
        if a.members.get(one) != b.members.get(one)
    )
    await store.end_trial(trial_id, Outcome(a.figures, b.figures, tuple(changed)))


def _runs(trial: Trial, people: list[Candidate], wishes: list[Seeker], terms: Terms, played: Played) -> tuple[Run, Run]:
    from services.matching.simulation import simulate  # with numpy and the solver

    length = (trial.last - trial.first).days + 1

    def run(policy: Policy, before: float) -> Run:
        def told(day: date) -> None:
            if played.stopped:
                raise Stopped
            played.share = before + max(0, (day - trial.first).days) / length / 2

        return simulate(people, wishes, trial.last, policy, terms, told)

    return run(trial.a, 0.0), run(trial.b, 0.5)


class Stopped(Exception):
    """Nobody waits for it any more."""
