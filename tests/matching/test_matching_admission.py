"""New requests are decided as they arrive and stored decided: together, in their turn, and only when they are new."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from services.matching.domain.model import Engagement
from services.matching.domain.policy import OPTIMAL, Limits
from services.matching.handlers import events, matching
from services.matching.matcher import Matcher
from shared.commit import Insert
from shared.errors import Stale
from shared.events import AdvisorAssigned, RequestCreated, RequestParked
from shared.ids import new_id
from shared.inbox import mark
from tests.matching.play import Play
from tests.matching.samples import FAIR, NOW, PARTNERS, advisor, created, feedback, withdrawn

Arrived = list[tuple[RequestCreated, Insert]]


def arrived(number: int, **given: Any) -> Arrived:
    return [(created(**given), mark("matching", new_id())) for _ in range(number)]


def _overtaken_once(play: Play, others: Callable[[], Awaitable[object]]) -> None:
    """When `play` stores for the first time, `others` have just stored something."""
    save, raced = play.fake.save, list[int]()

    async def late(*engagements: Engagement, **given: object) -> int:
        if not raced:
            raced.append(1)
            await others()
        return await save(*engagements, **given)  # type: ignore[arg-type]

    play.fake.save = late  # type: ignore[method-assign]


class Pool(Play):
    """Three places at two advisors, unless told otherwise."""

    def __init__(self, *, batch: int = 250) -> None:
        super().__init__()
        self.matcher = Matcher(self.store, self.rules, lambda: self.now, batch=batch, scan_seconds=0.0)

    async def filled(self) -> "Pool":
        await self.pool(advisor("A01", levels={FAIR: 3}, capacity=1), advisor("A02", levels={FAIR: 1}, capacity=2))
        return self

    async def states(self, new: Arrived) -> list[str]:
        return [(await self.of(event.request_id)).state for event, _ in new]


async def test_they_are_stored_decided_with_their_marks_and_told() -> None:
    play = await Pool().filled()
    new = arrived(1, tandem="not_wanted")
    assert await play.matcher.admit(new) == 1
    (event, seen), found = new[0], await play.of(new[0][0].request_id)
    assert (found.state, found.version, found.asked.case_number) == ("proposed", 1, event.case_number)
    assert [told.request_id for told in play.told(AdvisorAssigned)] == [event.request_id]
    assert play.fake.marks == {str(seen.document["_id"])}
    assert play.fake.wakes == 1, "only the pool's own change: nothing is left for the loop"


@pytest.mark.parametrize("batch", [1, 2, 250])
async def test_what_one_takes_is_gone_for_the_next(batch: int) -> None:
    """Three places, five requests: the oldest have them, within one batch as over several."""
    play = await Pool(batch=batch).filled()
    new = arrived(5, tandem="not_wanted")
    assert await play.matcher.admit(new) == 5
    assert await play.states(new) == ["proposed"] * 3 + ["parked"] * 2
    assert (await play.store.loads(NOW.date())).open == {"A01": 1, "A02": 2}
    assert {told.reason for told in play.told(RequestParked)} == {"nobody_free"}


async def test_who_has_waited_longer_comes_first() -> None:
    """A request that is stored and not yet decided when others arrive."""
    play = await Pool().filled()
    old = created(tandem="not_wanted")
    await events.receive(play.store, old, mark("matching", new_id()), NOW)
    new = arrived(3, tandem="not_wanted")
    assert await play.matcher.admit(new) == 3
    assert (await play.of(old.request_id)).state == "proposed"
    assert await play.states(new) == ["proposed"] * 2 + ["parked"]


@pytest.mark.parametrize("before", ["withdrawn", "feedback"])
async def test_what_is_not_new_is_left_to_be_stored_alone(before: str) -> None:
    play = await Pool(batch=1).filled()
    new = arrived(3, tandem="not_wanted")
    early = new[1][0].request_id
    if before == "withdrawn":
        await events.withdraw(play.store, withdrawn(early), mark("matching", new_id()), NOW)
    else:
        await events.rate(play.store, feedback(early), mark("matching", new_id()), NOW)
    assert await play.matcher.admit(new) == 1
    assert [told.request_id for told in play.told(AdvisorAssigned)] == [new[0][0].request_id]
    for event, seen in new[1:]:
        await events.receive(play.store, event, seen, NOW)
    await play.matcher.turn()
    assert await play.states(new) == ["proposed", "withdrawn" if before == "withdrawn" else "proposed", "proposed"]


async def test_what_is_marked_already_is_not_done_again() -> None:
    play = await Pool().filled()
    new = arrived(2, tandem="not_wanted")
    assert await play.matcher.admit(new[:1]) == 1
    assert await play.matcher.admit(new) == 0
    assert len(play.told(AdvisorAssigned)) == 1
    with pytest.raises(AssertionError):
        await play.of(new[1][0].request_id)


async def test_a_decision_of_another_process_is_seen() -> None:
    """Between reading the pool and storing, others give places away: decided anew, with what is left."""
    play, others = await Pool().filled(), Play()
    others.store, others.matcher = play.store, Matcher(play.store, play.rules, lambda: NOW, scan_seconds=0.0)
    await play.matcher.turn()  # it knows the pool
    theirs, ours = arrived(2, tandem="not_wanted"), arrived(2, tandem="not_wanted")
    _overtaken_once(play, lambda: others.matcher.admit(theirs))
    assert await play.matcher.admit(ours) == 2
    assert await play.states(theirs + ours) == ["proposed"] * 3 + ["parked"]


async def test_who_always_comes_too_late_gives_up_and_stores_nothing() -> None:
    play = await Pool().filled()

    async def stale(*_: Engagement, **__: object) -> int:
        raise Stale

    play.fake.save = stale  # type: ignore[method-assign]
    new = arrived(2)
    assert await play.matcher.admit(new) == 0
    assert play.fake.kept == {}


async def test_arrivals_and_the_loop_side_by_side_give_each_place_away_once() -> None:
    play = Pool(batch=3)
    await play.pool(*(advisor(f"A{n:02}", levels={FAIR: 2, PARTNERS: 1}, capacity=2) for n in range(1, 6)))

    async def stored(some: Sequence[tuple[RequestCreated, Insert]]) -> None:
        for event, seen in some:
            await events.receive(play.store, event, seen, NOW)
            await play.matcher.turn()

    new = arrived(14, tandem="not_wanted")
    admitted, *_ = await asyncio.gather(play.matcher.admit(new[:7]), stored(new[7:]))
    assert admitted == 7
    states = await play.states(new)
    assert (states.count("proposed"), states.count("parked")) == (10, 4)
    assert set((await play.store.loads(NOW.date())).open.values()) == {2}


async def test_the_next_are_decided_while_the_first_are_being_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """From what these leave: no place is given away twice."""
    play = await Pool(batch=2).filled()
    save, decide, steps = play.fake.save, matching.decide, list[str]()
    ahead = asyncio.Event()

    async def slow(*engagements: Engagement, **given: object) -> int:
        steps.append("storing")
        if "stored" not in steps:
            await asyncio.wait_for(ahead.wait(), 10)
        steps.append("stored")
        return await save(*engagements, **given)  # type: ignore[arg-type]

    async def seen(*given: Any) -> matching.Pass:
        made = await decide(*given)
        if "storing" in steps:
            ahead.set()
        steps.append("decided")
        return made

    play.fake.save = slow  # type: ignore[method-assign]
    monkeypatch.setattr(matching, "decide", seen)
    new = arrived(5, tandem="not_wanted")
    assert await play.matcher.admit(new) == 5
    assert steps[:4] == ["decided", "storing", "decided", "stored"]
    assert await play.states(new) == ["proposed"] * 3 + ["parked"] * 2
    assert (await play.store.loads(NOW.date())).open == {"A01": 1, "A02": 2}


async def test_what_was_decided_ahead_is_forgotten_when_the_first_can_not_be_stored() -> None:
    play, others = await Pool(batch=2).filled(), Play()
    others.store, others.matcher = play.store, Matcher(play.store, play.rules, lambda: NOW, scan_seconds=0.0)
    await play.matcher.turn()
    theirs, ours = arrived(2, tandem="not_wanted"), arrived(4, tandem="not_wanted")
    _overtaken_once(play, lambda: others.matcher.admit(theirs))
    assert await play.matcher.admit(ours) == 4
    assert await play.states(theirs + ours) == ["proposed"] * 3 + ["parked"] * 3


async def test_of_many_at_once_the_last_part_too_is_decided_the_oldest_first() -> None:
    play = Pool(batch=2)
    play.matcher = Matcher(
        play.store,
        play.rules,
        lambda: NOW,
        batch=2,
        scan_seconds=0.0,
        policy=replace(OPTIMAL, limits=Limits(optimum_up_to=2)),
    )
    await play.filled()
    assert await play.matcher.admit(arrived(3, tandem="not_wanted")) == 3
    assert await play.matcher.admit(arrived(2, tandem="not_wanted")) == 2
    assert [basis.oldest_first for basis in play.fake.bases.values()] == [True, True, False]


async def test_with_nobody_there_they_are_parked() -> None:
    play = Play()
    new = arrived(2)
    assert await play.matcher.admit(new) == 2
    assert [told.reason for told in play.told(RequestParked)] == ["nobody_certified"] * 2
