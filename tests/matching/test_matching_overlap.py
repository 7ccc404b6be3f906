"""A process is frozen in mid-decision, its partitions go to another, then it goes on: no place is given twice."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import pytest

from deploy.local.stack import Stack
from services.matching.domain.model import OPEN
from services.matching.domain.policy import Candidate, Policy, Seeker
from services.matching.handlers import budget, events, matching
from services.matching.matcher import Matcher
from services.matching.store import Store
from shared.commit import Committer, committing
from shared.errors import Duplicate
from shared.events import RequestCreated
from shared.inbox import mark
from shared.mongo import Mongo
from shared.outbox import prepare as prepare_outbox
from tests.conftest import FreshMongo
from tests.matching.play import Play
from tests.matching.samples import FAIR, NOW, PARTNERS, TODAY, advisor, created
from tests.matching.test_matching_matcher import RULES, told

PEOPLE = [advisor(f"A{n:02}", levels={FAIR: 3, PARTNERS: 1}, capacity=2) for n in range(1, 6)]
"""Ten places, and a budget for eight."""


class Frozen:
    """The first choice that is made waits in its thread until it is let go."""

    def __init__(self) -> None:
        self.reached, self.go = threading.Event(), threading.Event()
        self.choose = matching.choose

    def __call__(
        self, candidates: Sequence[Candidate], seekers: Sequence[Seeker], today: date, policy: Policy, *rest: Any
    ) -> Any:
        if not self.reached.is_set():
            self.reached.set()
            assert self.go.wait(60)
        return self.choose(candidates, seekers, today, policy, *rest)


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Frozen]:
    made = Frozen()
    monkeypatch.setattr(matching, "choose", made)
    yield made
    made.go.set()


async def deliver(store: Store, matcher: Matcher, batch: Sequence[RequestCreated]) -> None:
    """As the consumer does it: decided as they arrive, else stored for the loop; what is known already is skipped."""
    arrived = [(event, mark("matching", event.request_id)) for event in batch]
    for event, seen in arrived[await matcher.admit(arrived) :]:
        try:
            await events.receive(store, event, seen, NOW)
        except Duplicate:
            continue


@pytest.mark.parametrize("overlap", ["the same batch", "half of it and others"])
async def test_a_process_that_was_frozen_in_mid_decision_gives_nothing_away_again(
    overlap: str, frozen: Frozen, stack: Stack, fresh_mongo: FreshMongo
) -> None:
    first = fresh_mongo("matching")
    second = Mongo(stack.mongo, first.db.name)
    await prepare_outbox(first)
    async with (
        committing(Committer(first, "matching")) as commits,
        committing(Committer(second, "matching")) as other_commits,
    ):
        stores = Store(first, commits, RULES), Store(second, other_commits, RULES)
        await stores[0].prepare()
        await Play(stores[0]).pool(*PEOPLE)
        await budget.set_budget(
            stores[0], "2026", date(2026, 1, 1), date(2026, 12, 31), 8 * 600, "koordination", "Bescheid", NOW
        )
        matchers = [Matcher(store, RULES, lambda: NOW, batch=5, scan_seconds=0.0) for store in stores]
        batch = [created(tandem="not_wanted") for _ in range(12)]
        elsewhere = (
            batch if overlap == "the same batch" else [*batch[6:], *(created(tandem="not_wanted") for _ in range(4))]
        )
        slow = asyncio.create_task(deliver(stores[0], matchers[0], batch))
        assert await asyncio.to_thread(frozen.reached.wait, 60)
        await deliver(stores[1], matchers[1], elsewhere)  # the partitions were given to the other
        await matchers[1].turn()
        frozen.go.set()
        await slow
        for matcher in matchers:
            await matcher.turn()

        found = await stores[0].worklist(OPEN, None, "", 200)
        assert {one.id for one in found} == {one.request_id for one in (*batch, *elsewhere)}
        assert "pending" not in {one.state for one in found}
        assigned = await told(stores[0], "advisor.assigned")
        assert set(assigned.values()) == {1}
        assert {one.id for one in found if one.state == "proposed"} == set(assigned)
        seats = Counter(number for one in found for number in one.holders)
        assert all(seats[one.id] <= one.capacity for one in PEOPLE)
        assert seats.total() == 8
        assert (await stores[0].loads(TODAY)).open == seats
        assert await stores[0].committed() == {"2026": 8 * 600}
    await second.close()
