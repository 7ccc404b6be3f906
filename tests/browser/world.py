"""What there is to look at: requests in every state, made through the public doors."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from playwright.async_api import Browser

from deploy.local.journey import Journey
from deploy.local.stack import Stack
from shared import auth
from shared.ids import new_id
from shared.mongo import Mongo
from tests.waiting import until

_HEARD = {"await_assignment": "asked", "accept": "engaged", "close": "closed"}
"""The state that intake shows once a step elsewhere has reached it."""
_HOMES = {"koordination": "/coordination", "skew": "/reporting", "betrieb": "/operations"}
_ELSEWHERE = {"koordination": ("/request/office", "/messages", "/reporting/claims"), "skew": (), "betrieb": ()}


@dataclass
class World:
    """`at(step)`: a request that has come as far as that step of the journey and stays there."""

    stack: Stack
    _played: dict[str, Journey] = field(default_factory=dict)
    _logins: dict[str, Any] = field(default_factory=dict)
    _session: str | None = None

    @property
    def secret(self) -> str:
        return self.stack.env()["MIGLOBE_SECRET"]

    async def at(self, step: str, need: str | None = None) -> Journey:
        """Raises Stuck. Steps: those of `Journey.play`; `need`: in other words than usual."""
        name = f"{step} {need}"
        if name not in self._played:
            self._played[name] = await asyncio.to_thread(self._play, step, need)
        return self._played[name]

    def _play(self, last: str, need: str | None) -> Journey:
        journey = Journey(self.stack.urls, self.secret, seconds=150)
        journey.request |= {"need": need} if need else {}

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

    async def session(self) -> str:
        """A session, yesterday, of the engagement at `accept`, not recorded yet."""
        if self._session is None:
            journey = await self.at("accept")
            headers = {"Authorization": f"Bearer {auth.token(self.secret, 'coordinator', 'tests')}"}
            starts = (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="seconds")
            plan = {"kind": "first_talk", "mode": "on_site", "starts_at": starts, "minutes": 90}
            async with httpx.AsyncClient(base_url=self.stack.urls["matching"], headers=headers) as http:
                answer = await http.post(f"/api/assignments/{journey.assignment_id}/sessions", json=plan)
            self._session = str(answer.raise_for_status().json()["id"])
        return self._session

    async def claim(self) -> str:
        """One that follows from a journey that is over."""
        journey = await self.at("close")
        bearer = {"Authorization": f"Bearer {auth.token(self.secret, 'coordinator', 'browser')}"}
        async with httpx.AsyncClient(base_url=self.stack.urls["reporting"], headers=bearer) as client:

            async def there() -> str | None:
                answer = await client.get("/api/claims", params={"request": journey.request_id})
                items = answer.json().get("items", [])
                return items[0]["claim_id"] if items else None

            found = await until(there, seconds=60)
            assert found
            return found

    async def many(self, number: int = 200) -> None:
        """So many more engagements for lists to show, as copies of one; nothing happens to them by itself."""
        known = await self.at("accept")
        mongo = Mongo(self.stack.mongo, "browser-miglobe-matching")
        try:
            one = await mongo["engagements"].find_one({"_id": known.request_id})
            assert one is not None
            still = {"holders": [], "due": "2099-01-04"}
            copies = [
                one | still | {"_id": new_id(), "facts": one["facts"] | {"case_number": f"BW-{n:04d}-X"}}
                for n in range(number)
            ]
            if not await mongo["engagements"].find_one({"facts.case_number": "BW-0000-X"}):
                await mongo["engagements"].insert_many(copies)
        finally:
            await mongo.close()

    async def login(self, browser: Browser, account: str) -> Any:
        """The cookies of a browser in which `account` has logged in at the provider."""
        if account not in self._logins:
            context = await browser.new_context(base_url=self.site("matching"), java_script_enabled=False)
            page = await context.new_page()
            await page.goto(_HOMES.get(account, "/advisor"))
            await page.locator("input[name=sub]").fill(account)
            await page.locator("input[name=sub]").press("Enter")
            await page.wait_for_url(f"{self.site('matching')}/**")
            for elsewhere in _ELSEWHERE.get(account, ("/reporting/mine",)):
                await page.goto(elsewhere)  # each service has a session of its own; the provider asks nothing again
            self._logins[account] = await context.storage_state()
            await context.close()
        return self._logins[account]

    def forget_logins(self) -> None:
        """Whoever ended sessions behind a browser's back says so."""
        self._logins.clear()

    def site(self, service: str) -> str:
        """The address in front of all services, or a service's own where there is none."""
        return self.stack.urls.get("site") or self.stack.urls[service]
