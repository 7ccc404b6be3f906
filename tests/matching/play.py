"""A matching without doors: handlers and matcher on any store, with a clock that the test sets."""

from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

from services.matching.domain.model import Advisor, Engagement, Reason, Round
from services.matching.domain.policy import OPTIMAL, Policy
from services.matching.domain.worklist import Rules
from services.matching.handlers import events, rounds
from services.matching.handlers import sessions as session_handlers
from services.matching.handlers.advisors import Governed
from services.matching.matcher import Matcher
from services.matching.store import Store
from shared.auth import Caller
from shared.events import RequestCreated
from shared.events.base import Mode, SessionKind
from shared.ids import new_id
from shared.inbox import mark
from tests.matching.fake_store import FakeStore
from tests.matching.samples import NOW, created

COORDINATOR = Caller("koordination", "coordinator")
E = TypeVar("E")


def by(number: str) -> Caller:
    return Caller(number, "advisor")


class Play:
    def __init__(self, store: Store | None = None, rules: Rules | None = None, policy: Policy = OPTIMAL) -> None:
        self.policy = policy
        self.rules = rules or Rules()
        self.fake = FakeStore(self.rules)
        self.store: Store = store or self.fake
        self.now: datetime = NOW
        self.matcher = Matcher(self.store, self.rules, lambda: self.now, scan_seconds=0.0, policy=policy)

    @property
    def governed(self) -> Governed:
        return Governed(self.rules, self.policy.rules)

    async def pool(self, *people: Advisor) -> None:
        await self.store.save_advisors(people, (), None, (await self.store.signals()).fence)

    async def ask(self, event: RequestCreated | None = None, **given: Any) -> str:
        """A request that the matcher has seen."""
        event = event or created(**given)
        await events.receive(self.store, event, mark("matching", new_id()), self.now)
        await self.matcher.turn()
        return event.request_id

    async def of(self, request_id: str) -> Engagement:
        found = await self.store.engagement(request_id)
        assert found is not None
        return found

    async def current(self, request_id: str) -> Round:
        found = (await self.of(request_id)).current
        assert found is not None
        return found

    async def seats(self, request_id: str) -> list[tuple[str, str, str, bool]]:
        """Of the current round: advisor, role, answer, kept."""
        seats = (await self.current(request_id)).seats
        return [(one.advisor_id, one.role.value, one.answer, one.kept) for one in seats]

    async def says(
        self,
        request_id: str,
        number: str,
        said: Literal["accepted", "declined"],
        reason: Reason | None = None,
        *,
        match: bool = True,
    ) -> Engagement:
        asked = await self.current(request_id)
        done = await rounds.answer(self.store, asked.assignment_id, number, said, reason, None, self.now)
        if match:
            await self.matcher.turn()
        return done

    async def engaged(self, **given: Any) -> str:
        """A request whose whole tandem has accepted."""
        request_id = await self.ask(**given)
        for seat in (await self.current(request_id)).seats:
            await self.says(request_id, seat.advisor_id, "accepted")
        assert (await self.of(request_id)).state == "engaged"
        return request_id

    async def arranged(self, request_id: str, kind: SessionKind = SessionKind.FIRST_TALK, days: int = 1) -> str:
        asked = await self.current(request_id)
        session = await session_handlers.schedule(
            self.store,
            asked.assignment_id,
            kind,
            Mode.ON_SITE,
            self.now + timedelta(days=days),
            90,
            COORDINATOR,
            lambda _: None,
            self.now,
        )
        return session.id

    def told(self, kind: type[E]) -> list[E]:
        return [event for event in self.fake.outbox if isinstance(event, kind)]
