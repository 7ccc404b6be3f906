"""What there is to look at: requests in every state, made through the public doors."""

import asyncio
from dataclasses import dataclass, field

from deploy.local.journey import Journey
from deploy.local.stack import Stack
from shared import auth

_HEARD = {"await_assignment": "asked", "accept": "engaged", "close": "closed"}
"""The state that intake shows once a step elsewhere has reached it."""


@dataclass
class World:
    """`at(step)`: a request that has come as far as that step of the journey and stays there."""

    stack: Stack
    _played: dict[str, Journey] = field(default_factory=dict)

    @property
    def secret(self) -> str:
        return self.stack.env()["MIGLOBE_SECRET"]

    async def at(self, step: str) -> Journey:
        """Raises Stuck. Steps: those of `Journey.play`."""
        if step not in self._played:
            self._played[step] = await asyncio.to_thread(self._play, step)
        return self._played[step]

    def _play(self, last: str) -> Journey:
        journey = Journey(self.stack.urls, self.secret, seconds=150)

        class Enough(Exception):
            pass

        def stop(step: str) -> None:
            if step == last:
                raise Enough

        try:
            journey.play(stop)
        except Enough:
            if last in _HEARD:
                journey.until("intake to have heard of it", lambda: journey.status()["state"] == _HEARD[last])
            return journey
        raise ValueError(f"the journey has no step {last}")

    def request(self, journey: Journey, page: str = "") -> str:
        """The path of a request's own page, as the mail has it."""
        return f"/requests/{journey.request_id}{page}?token={journey.status_token}"

    def answer(self, journey: Journey, seat: int = 0) -> str:
        """The path of the page behind the link in the mail to one of those asked."""
        advisor = journey.advisors[seat]
        token = auth.sign(self.secret, "answer", journey.assignment_id, advisor)
        return f"/assignments/{journey.assignment_id}/answer?advisor={advisor}&token={token}"

    def site(self, service: str) -> str:
        """The address in front of all services, or a service's own where there is none."""
        return self.stack.urls.get("site") or self.stack.urls[service]
