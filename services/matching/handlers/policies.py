"""Policies: made, activated, compared. Each version is kept as it was made."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from services.matching.domain.model import Engagement
from services.matching.domain.policy import FIRST, Activation, Candidate, Edition, Policy, Seeker, candidate, seeker
from services.matching.domain.trial import Run, Terms
from services.matching.domain.worklist import Rules
from services.matching.store import Store
from shared.commit import Insert
from shared.errors import Conflict, Duplicate, FieldError, Invalid, NotFound
from shared.ids import new_id

MOST = 2_000
"""So many requests are replayed at once."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`cases`: request → case number."""

    first: date
    last: date
    a: Run
    b: Run
    cases: dict[str, str]

    @property
    def changed(self) -> list[str]:
        """Requests that another one would have been asked for."""
        return [one for one in self.cases if self.a.members.get(one) != self.b.members.get(one)]


async def active(store: Store) -> Policy:
    version = (await store.signals()).policy
    return await of_version(store, version) if version else FIRST.policy


async def of_version(store: Store, version: str) -> Policy:
    return (await edition(store, version)).policy


async def edition(store: Store, version: str) -> Edition:
    found = FIRST if version == FIRST.policy.version else await store.edition(version)
    if found is None:
        raise NotFound(f"Die Fassung {version} gibt es nicht.", f"There is no version {version}.")
    return found


async def editions(store: Store) -> list[Edition]:
    return [FIRST, *await store.editions()]


async def add(
    store: Store,
    policy: Policy,
    based_on: str,
    by: str,
    why: str,
    now: datetime,
    mark: Callable[[Edition], Insert | None],
) -> Edition:
    """Keeps a version; it decides nothing before it is activated. Raises Conflict when its name is given."""
    made = Edition(policy, by, now, why, based_on)
    taken = Conflict(f"Die Fassung {policy.version} gibt es schon.", f"There is a version {policy.version} already.")
    if policy.version == FIRST.policy.version:
        raise taken
    try:
        await store.add_edition(made, mark(made))
    except Duplicate as error:
        if error.collection == "policies":
            raise taken from error
        raise
    return made


async def activate(store: Store, version: str, by: str, why: str, now: datetime) -> Activation:
    """Twice in a row is fine: nothing changes."""
    await edition(store, version)
    before = await store.activations()
    if before and before[-1].version == version:
        return before[-1]
    done = Activation(new_id(), version, by, now, why)
    await store.activate(done)
    return done


async def compare(
    store: Store, a: Policy, b: Policy, first: date, last: date, rules: Rules, days: int, minutes: int
) -> Comparison:
    """The requests of a period, decided by both. Raises Invalid when there are too many."""
    asked = await asked_for(store, first, last)
    people = await candidates(store)
    terms = Terms(days, minutes, rules.subdivision)
    runs = await asyncio.to_thread(_runs, people, seekers(asked, rules), last, (a, b), terms)
    return Comparison(first, last, *runs, {one.id: one.asked.case_number for one in asked})


async def asked_for(store: Store, first: date, last: date) -> list[Engagement]:
    """The requests of a period. Raises Invalid when there are too many."""
    asked = await store.asked_between(first, last, MOST + 1)
    if len(asked) > MOST:
        raise Invalid.of(
            FieldError(
                "from",
                "too_many",
                f"In diesem Zeitraum liegen mehr als {MOST} Anfragen; bitte kürzer wählen.",
                f"There are more than {MOST} requests in this period; choose a shorter one.",
            )
        )
    return asked


async def candidates(store: Store) -> list[Candidate]:
    """Everybody as they are today, with nothing to do."""
    return [candidate(one, 0, 0) for one in await store.crew() if one.erased_at is None]


def seekers(asked: Iterable[Engagement], rules: Rules) -> list[Seeker]:
    """`asked` as they were before anything was decided."""
    return [
        replace(seeker(one), asked_on=rules.day(one.asked.submitted_at), held=(), pinned=(), refused=frozenset())
        for one in asked
    ]


def _runs(
    people: list[Candidate], wishes: list[Seeker], last: date, policies: tuple[Policy, Policy], terms: Terms
) -> tuple[Run, Run]:
    from services.matching.simulation import simulate  # with numpy and the solver

    a, b = (simulate(people, wishes, last, one, terms) for one in policies)
    return a, b
