"""Random steps through a whole programme, and the small model that must hold after each of them.

The model knows only what people did and what the rules promise; it never looks into how the service gets there.
"""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from services.matching.domain.governing import USUAL, Look, Rules
from services.matching.domain.model import OPEN, Absence, Advisor, Engagement, Outcome, Presence, Reason, Record
from services.matching.domain.policy import OPTIMAL, barrier, candidate, seeker
from services.matching.domain.worklist import COORDINATION, next_step
from services.matching.handlers import advisors, budget, events, handing, notices, releasing, rounds
from services.matching.handlers import sessions as session_handlers
from services.matching.matcher import Matcher
from services.matching.store import Store
from shared.errors import Problem
from shared.events import (
    AdvisorAnswered,
    AdvisorAssigned,
    AdvisorReminded,
    HandoverOpened,
    RequestDelayed,
    RequestEscalated,
)
from shared.events.base import FieldCode, Mode, SessionKind, Tandem
from shared.ids import new_id
from shared.inbox import mark
from tests.matching.play import COORDINATOR, Play, by
from tests.matching.samples import AGS, FAIR, PARTNERS, advisor, created, withdrawn

FIELDS = (FAIR, PARTNERS, FieldCode.OTHER)
REASONS: tuple[Reason, ...] = ("no_time", "too_far", "not_my_field", "other")
OUTCOMES: tuple[Outcome, ...] = ("completed", "ended_early", "no_longer_possible")
PLACES = (AGS, "08111000", "08425012")
WHY = "aus gutem Grund"


class Journey:
    """`step` does one thing at random and lets one or two matchers turn; `check` is the model."""

    def __init__(self, seed: int, store: Store | None = None, *, look: Look | None = None) -> None:
        self.draw = random.Random(seed)
        self.rules: Rules = replace(USUAL, look=look or Look(fields=(FieldCode.OTHER,)))
        self.play = Play(store, policy=replace(OPTIMAL, rules=self.rules))
        play = self.play
        self.matchers = [
            play.matcher,
            Matcher(play.store, play.rules, lambda: play.now, scan_seconds=0.0, policy=play.policy),
        ]
        self.decided: Counter[tuple[str, str, str]] = Counter()
        """(about, by, what) of everything that people did."""
        self.over: Counter[str] = Counter()
        """Places that a coordinator gave knowingly above somebody's capacity."""
        self.did: Counter[str] = Counter()

    async def begin(self) -> None:
        people = [
            advisor(
                f"A{n:02}",
                levels={code: self.draw.randint(1, 3) for code in self.draw.sample(FIELDS, 2)},
                capacity=self.draw.randint(1, 3),
                regions=(self.draw.choice(PLACES),),
            )
            for n in range(1, 9)
        ]
        await self.play.pool(*people)

    async def step(self) -> None:
        steps: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (12, self.request),
            (25, self.answer),
            (12, self.time),
            (8, self.release),
            (8, self.session),
            (5, self.record),
            (4, self.close),
            (4, self.withdraw),
            (4, self.absence),
            (3, self.override),
            (3, self.pin),
            (3, self.reconsider),
            (3, self.hand_over),
            (2, self.leave),
            (2, self.stays),
            (2, self.conflict),
            (2, self.note),
            (2, self.remind),
            (2, self.budget),
        ]
        weights = [weight for weight, _ in steps]
        [(_, act)] = self.draw.choices(steps, weights)
        await act()
        for matcher in self.draw.sample(self.matchers, self.draw.randint(1, 2)):
            await matcher.turn()
        await self.draw.choice(self.matchers).turn()  # what has come of it is seen to by the next look

    # -- what people do -----------------------------------------------------------------------------------------

    async def request(self) -> None:
        event = created(
            fields=tuple(self.draw.sample(FIELDS, self.draw.randint(1, 2))),
            municipality_ags=self.draw.choice(PLACES),
            tandem=self.draw.choice(list(Tandem)),
            wanted_from=self.play.rules.day(self.play.now) + timedelta(days=self.draw.choice((0, 0, 30))),
            submitted_at=self.play.now,
        )
        await events.receive(self.play.store, event, mark("matching", new_id()), self.play.now)

    async def time(self) -> None:
        self.play.now += timedelta(days=self.draw.choice((0, 1, 1, 2, 3, 7, 20)), hours=self.draw.randint(1, 10))

    async def answer(self) -> None:
        one = await self._some("proposed", "review", "pending")
        seats = [seat for seat in one.current.seats if seat.answer == "open"] if one and one.current else []
        if not (one and one.current and seats):
            return
        number, assignment_id = self.draw.choice(seats).advisor_id, one.current.assignment_id
        said: Any = "accepted" if self.draw.random() < 0.65 else "declined"
        reason = self.draw.choice(REASONS) if said == "declined" else None
        await self._decide(
            one.id,
            number,
            said,
            lambda: rounds.answer(self.play.store, assignment_id, number, said, reason, None, self.play.now),
        )

    async def release(self) -> None:
        one = await self._some("review")
        if one is None or one.proposal is None:
            return
        assignment_id, play = one.proposal.asked.assignment_id, self.play
        await self._decide(
            one.id,
            "koordination",
            "released",
            lambda: releasing.release(play.store, assignment_id, COORDINATOR, WHY, play.policy, play.rules, play.now),
            instead="reconsidered",
        )

    async def session(self) -> None:
        one = await self._some("engaged")
        if one is None or one.current is None:
            return
        assignment_id, days = one.current.assignment_id, self.draw.randint(1, 30)
        kind = SessionKind.CONSULTATION if one.sessions else SessionKind.FIRST_TALK
        await self._decide(
            one.id,
            "koordination",
            "session_scheduled",
            lambda: session_handlers.schedule(
                self.play.store,
                assignment_id,
                kind,
                Mode.ONLINE,
                self.play.now + timedelta(days=days),
                60,
                COORDINATOR,
                lambda _: None,
                self.play.now,
            ),
        )

    async def record(self) -> None:
        one = await self._some(*OPEN)
        past = (
            [each for each in one.sessions if each.state == "scheduled" and each.starts_at < self.play.now]
            if one
            else []
        )
        if one is None or not past:
            return
        session = self.draw.choice(past)
        minutes = self.draw.choice((60, 90, 400))
        members = tuple(Presence(number, minutes) for number in session.advisor_ids)
        record = Record(self.play.rules.day(session.starts_at), minutes, Mode.ONLINE, 5, members, (), self.play.now)
        number = self.draw.choice(session.advisor_ids)
        await self._decide(
            one.id,
            number,
            "session_recorded",
            lambda: session_handlers.complete(self.play.store, session.id, record, self.play.rules, by(number)),
        )

    async def close(self) -> None:
        if one := await self._some(*OPEN):
            outcome = self.draw.choice(OUTCOMES)
            await self._decide(
                one.id,
                "koordination",
                "closed",
                lambda: rounds.close(self.play.store, one.id, outcome, COORDINATOR, self.play.now),
            )

    async def withdraw(self) -> None:
        if one := await self._some(*OPEN):
            await self._decide(
                one.id,
                "municipality",
                "withdrawn",
                lambda: events.withdraw(self.play.store, withdrawn(one.id), mark("matching", new_id()), self.play.now),
            )

    async def absence(self) -> None:
        one = await self._somebody()
        start = self.play.rules.day(self.play.now) + timedelta(days=self.draw.choice((0, 0, 5, 20)))
        away = (
            [] if self.draw.random() < 0.4 else [Absence(start, start + timedelta(days=self.draw.choice((0, 4, 30))))]
        )
        await self._decide(
            one.id,
            one.id,
            "absences_announced",
            lambda: advisors.announce(self.play.store, one.id, away, one.id, self.play.governed, self.play.now),
        )

    async def leave(self) -> None:
        one = await self._somebody()
        day = None if one.leaves_on else self.play.rules.day(self.play.now) + timedelta(days=self.draw.randint(0, 20))
        await self._decide(
            one.id,
            "koordination",
            "advisor_leaves",
            lambda: advisors.leave(
                self.play.store, one.id, day, "koordination", WHY, self.play.governed, self.play.now
            ),
        )

    async def override(self) -> None:
        one = await self._some("pending", "review", "proposed", "parked")
        if one is None:
            return
        ids = tuple([(await self._somebody()).id for _ in range(self.draw.randint(1, 2))])
        if len(set(ids)) < len(ids):
            return
        play = self.play
        full = await self._full(one, ids)
        done = await self._decide(
            one.id,
            "koordination",
            "assigned_over_capacity" if full else "assigned",
            lambda: rounds.assign(play.store, one.id, ids, COORDINATOR, WHY, play.rules, play.now, lambda _: None),
        )
        if done:
            self.over.update(full)

    async def pin(self) -> None:
        one = await self._some(*OPEN)
        if one is None:
            return
        if one.pins and self.draw.random() < 0.5:
            await self._decide(
                one.id,
                "koordination",
                "unpinned",
                lambda: releasing.unpin(self.play.store, one.id, one.pins[0], COORDINATOR, WHY, self.play.now),
            )
            return
        number = (await self._somebody()).id
        await self._decide(
            one.id,
            "koordination",
            "pinned",
            lambda: releasing.pin(self.play.store, one.id, number, COORDINATOR, WHY, self.play.now),
        )

    async def reconsider(self) -> None:
        one = await self._some("pending", "review", "parked")
        if one is None:
            return
        without = ((await self._somebody()).id,) if self.draw.random() < 0.5 else ()
        await self._decide(
            one.id,
            "koordination",
            "reconsidered",
            lambda: releasing.reconsider(self.play.store, one.id, without, COORDINATOR, WHY, self.play.now),
        )

    async def hand_over(self) -> None:
        play = self.play
        listed = await handing.vacancies(play.store, play.rules.day(play.now), "", 9, play.policy)
        if not listed:
            return
        vacancy = self.draw.choice(listed)
        one, number = vacancy.engagement, vacancy.entry.advisor_id
        to = vacancy.replacements[0].advisor_id if vacancy.replacements else None
        await self._decide(
            one.id,
            "koordination",
            "handed_over",
            lambda: handing.hand_over(
                play.store, one.id, number, to, COORDINATOR, WHY, play.rules, play.now, play.policy
            ),
        )

    async def stays(self) -> None:
        play = self.play
        listed = await play.store.handing("", 9)
        if listed:
            one = self.draw.choice(listed)
            number = one.leaving[0].advisor_id
            await self._decide(
                one.id,
                "koordination",
                "stays",
                lambda: handing.stays(play.store, one.id, number, COORDINATOR, WHY, play.now),
            )

    async def conflict(self) -> None:
        one, play = await self._some(*OPEN), self.play
        if one is not None:
            number = (await self._somebody()).id
            await self._decide(
                one.id,
                "koordination",
                "conflict_flagged",
                lambda: releasing.flag_conflict(
                    play.store, one.id, number, COORDINATOR, WHY, play.rules, play.policy, play.now
                ),
            )

    async def note(self) -> None:
        if one := await self._some(*OPEN):
            await self._decide(
                one.id,
                "koordination",
                "noted",
                lambda: releasing.note(self.play.store, one.id, COORDINATOR, WHY, self.play.now),
            )

    async def remind(self) -> None:
        if one := await self._some("proposed"):
            play = self.play
            await self._decide(
                one.id,
                "koordination",
                "reminded",
                lambda: notices.remind(play.store, one.id, COORDINATOR, play.rules, self.rules, play.now),
            )

    async def budget(self) -> None:
        year = self.play.rules.day(self.play.now).year
        minutes = self.draw.choice((0, 3000, 9000, 99_000))
        await self._decide(
            str(year),
            "koordination",
            "budget_set",
            lambda: budget.set_budget(
                self.play.store,
                str(year),
                date(year, 1, 1),
                date(year, 12, 31),
                minutes,
                "koordination",
                WHY,
                self.play.now,
            ),
        )

    async def _decide(
        self, about: str, who: str, what: str, act: Callable[[], Awaitable[object]], instead: str | None = None
    ) -> bool:
        """Does it, unless it is refused; what has changed something must be in the trail. `instead`: by a refusal."""
        before = await self._thing(about)
        try:
            await act()
        except Problem:
            if instead and await self._thing(about) != before:
                self.decided[about, who, instead] += 1
            return False
        if await self._thing(about) != before:
            self.decided[about, who, what] += 1
            self.did[what] += 1
        return True

    # -- the model ----------------------------------------------------------------------------------------------

    async def check(self) -> None:
        """What must hold after each step."""
        everything = await self.everything()
        for one in everything:
            await self._never_stuck(one)
        await self._capacity()

    async def check_all(self) -> None:
        """What must hold of the whole journey."""
        trail = await self.play.store.trail(None, None, "", 100_000)
        found = Counter((one.about, one.entry.by, one.entry.what) for one in trail)
        found -= Counter(
            {key: n for key, n in found.items() if key[2] == "assigned_over_capacity" and key not in self.decided}
        )
        assert found == self.decided, (found - self.decided, self.decided - found)
        await self._notices()

    async def _never_stuck(self, one: Engagement) -> None:
        """Every open request has an owner, a next step and a due date, and what is late was told."""
        play, today = self.play, self.play.rules.day(self.play.now)
        step = next_step(one, play.rules, today)
        if one.state not in OPEN:
            assert step is None
            assert one.holders == ()
            return
        assert step is not None
        assert one.state != "pending", "the matcher has turned"
        seated = [seat.advisor_id for seat in one.current.held] if one.current else []
        assert step.owner == COORDINATION or step.owner in seated
        if step.due < today and play.rules.after(step.due, self.rules.escalate[0]) <= today:
            assert any(rung.due == step.due for rung in one.rungs), "late, and nobody was told"
        left = await play.store.left(today)
        paid = left is None or left.minutes >= self.rules.expected_minutes
        if one.state == "parked" and one.parked != "budget" and not one.pins and paid:
            wish = seeker(one)
            loads = await play.store.loads(today)
            people = [candidate(each, loads.open.get(each.id, 0), 0) for each in await play.store.advisors()]
            assert all(barrier(each, wish, today, each.open) for each in people), "somebody could be asked"

    async def _capacity(self) -> None:
        loads = (await self.play.store.loads(self.play.rules.day(self.play.now))).open
        for one in await self.play.store.advisors():
            assert loads.get(one.id, 0) <= one.capacity + self.over[one.id]

    async def _notices(self) -> None:
        """Each once, spaced, and never to somebody who has answered."""
        rules, told = self.play.rules, self.told
        assigned = await told(AdvisorAssigned)
        assert len({one.assignment_id for one in assigned}) == len(assigned)
        rounds_of: dict[str, list[int]] = {}
        for asked in assigned:
            rounds_of.setdefault(asked.request_id, []).append(asked.round)
        assert all(found == list(range(1, len(found) + 1)) for found in rounds_of.values())
        answers = Counter((one.assignment_id, one.advisor_id, one.answer) for one in await told(AdvisorAnswered))
        assert not answers or max(answers.values()) == 1
        escalated = Counter((one.request_id, one.due, one.level, one.step) for one in await told(RequestEscalated))
        assert not escalated or max(escalated.values()) == 1
        handed = sum(len(one.handovers) for one in await self.everything())
        assert len(await told(HandoverOpened)) == handed
        last: dict[tuple[str, ...], date] = {}
        for late in await told(RequestDelayed):
            day = rules.day(late.delayed_at)
            before = last.get((late.request_id,), rules.day(late.submitted_at))
            assert rules.after(before, self.rules.delay_after) <= day
            last[late.request_id,] = day
        said = {
            (asked.assignment_id, seat.advisor_id): seat.answered_at
            for one in await self.everything()
            for asked in one.rounds
            for seat in asked.seats
        }
        began = {one.assignment_id: rules.day(one.assigned_at) for one in assigned}
        for reminded in await told(AdvisorReminded):
            if reminded.step != "answer":
                continue
            place = (reminded.assignment_id, reminded.advisor_id)
            answered = said[place]
            assert answered is None or answered >= reminded.reminded_at, "reminded after the answer"
            day = rules.day(reminded.reminded_at)
            assert rules.after(last.get(place, began[place[0]]), self.rules.remind_every) <= day, "too soon"
            last[place] = day

    async def told(self, kind: type[Any]) -> list[Any]:
        """The events of `kind` in the order in which they were stored."""
        return self.play.told(kind)

    async def everything(self) -> list[Engagement]:
        return await self.play.store.worklist((*OPEN, "closed", "withdrawn"), None, "", 10_000)

    async def _some(self, *states: Any) -> Engagement | None:
        found = await self.play.store.worklist(states, None, "", 10_000)
        return self.draw.choice(found) if found else None

    async def _somebody(self) -> Advisor:
        return self.draw.choice(await self.play.store.advisors())

    async def _full(self, one: Engagement, ids: tuple[str, ...]) -> list[str]:
        loads = (await self.play.store.loads(self.play.rules.day(self.play.now))).open
        people = {each.id: each for each in await self.play.store.advisors()}
        places = {number: 0 if people[number].leaves_on else people[number].capacity for number in ids}
        return [number for number in ids if loads.get(number, 0) - (number in one.holders) >= places[number]]

    async def _thing(self, about: str) -> object:
        known = await self.play.store.engagement(about) or await self.play.store.advisor(about)
        return known or next((each for each in await self.play.store.budgets() if each.id == about), None)
