"""What there is to look at: requests in every state, made through the public doors."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from playwright.async_api import Browser
from pydantic import TypeAdapter

from deploy.local.journey import Journey
from deploy.local.stack import Stack
from services.matching.domain.governing import USUAL, Look
from services.matching.domain.policy import OPTIMAL, Policy, Weights
from services.matching.domain.trial import NEARNESS, Changed, Figures, Outcome, Trial
from services.reporting import examples
from services.reporting.example_records import ExampleRecords
from services.reporting.examples import Example, Status, Text
from services.reporting.frozen import CLOSINGS
from shared import auth
from shared.commit import Committer, committing
from shared.events.base import FieldCode, moment
from shared.ids import new_id
from shared.lease import Lease
from shared.mongo import Mongo
from tests.waiting import until

_HEARD = {"await_assignment": "asked", "accept": "engaged", "close": "closed"}
"""The state that intake shows once a step elsewhere has reached it."""
_HOMES = {"koordination": "/coordination", "skew": "/reporting", "betrieb": "/operations"}
_ELSEWHERE = {"koordination": ("/request/office", "/messages", "/reporting/claims"), "skew": (), "betrieb": ()}


STEPS_TO: dict[Status, tuple[str, ...]] = {
    "draft": (),
    "asked": ("asked",),
    "declined": ("asked", "declined"),
    "published": ("asked", "agreed", "published"),
}


@dataclass
class World:
    """`at(step)`: a request that has come as far as that step of the journey and stays there."""

    stack: Stack
    _played: dict[str, Journey] = field(default_factory=dict)
    _logins: dict[str, Any] = field(default_factory=dict)
    _session: str | None = None
    _proposal: str | None = None
    _key: str = field(default_factory=new_id)
    _examples: dict[Status, str] = field(default_factory=dict)

    @property
    def secret(self) -> str:
        return self.stack.env()["MIGLOBE_SECRET"]

    async def at(self, step: str, need: str | None = None, place: str | None = None) -> Journey:
        """Raises Stuck. Steps: those of `Journey.play`; `need`: in other words than usual; `place`: of another AGS."""
        name = f"{step} {need} {place}"
        if name not in self._played:
            self._played[name] = await asyncio.to_thread(self._play, step, need, place)
        return self._played[name]

    def _play(self, last: str, need: str | None, place: str | None) -> Journey:
        journey = Journey(self.stack.urls, self.secret, seconds=150)
        journey.request |= {"need": need} if need else {}
        journey.request |= {"municipality_ags": place} if place else {}

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
            self._session = await self.planned(await self.at("accept"))
        return self._session

    async def planned(self, journey: Journey) -> str:
        """A new session of it, yesterday."""
        starts = (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="seconds")
        plan = {"kind": "first_talk", "mode": "on_site", "starts_at": starts, "minutes": 90}
        async with self._office("matching") as http:
            answer = await http.post(f"/api/assignments/{journey.assignment_id}/sessions", json=plan)
        return str(answer.raise_for_status().json()["id"])

    @asynccontextmanager
    async def looking_first(self) -> AsyncIterator[None]:
        """Meanwhile a coordinator has to release before anybody is asked."""
        async with self._office("matching") as http:
            active = (await http.get("/api/policies/active")).raise_for_status().json()
            reason = {"reason": "Zum Ansehen"}
            policy = reason | {"version": "look.first", "rules": active["rules"] | {"look": {"everything": True}}}
            made = await http.post("/api/policies", json=policy, headers={"Idempotency-Key": self._key})
            made.raise_for_status()
            (await http.post("/api/policies/look.first/activate", json=reason)).raise_for_status()
            try:
                yield
            finally:
                (await http.post(f"/api/policies/{active['version']}/activate", json=reason)).raise_for_status()

    async def proposal(self) -> str:
        """A request whose proposal waits for its release."""
        if self._proposal is None:
            async with self.looking_first(), self._office("matching") as http:
                journey = await self.at("submit", "Bitte erst ansehen, dann fragen.", "08115001")
                path = f"/api/requests/{journey.request_id}"

                async def waits() -> bool:
                    answer = await http.get(path)
                    return answer.status_code == 200 and answer.json()["state"] == "review"

                await until(waits, seconds=60, what="the proposal")
            self._proposal = journey.request_id
        return self._proposal

    async def leaving(self) -> str:
        """A running consultation in which the lead can't go on."""
        journey = await self.at("accept", "Bald muss jemand anderes weitermachen.", "08115002")
        async with self._office("matching") as http:
            told = {"advisor": journey.advisors[0], "reason": "Ist dort im Gemeinderat <b>fett</b>"}
            (await http.post(f"/api/requests/{journey.request_id}/conflict", json=told)).raise_for_status()
        return journey.request_id

    async def barrier(self, problem: str) -> None:
        form = {"id": new_id(), "problem": problem, "page": "/privacy", "name": "Lea 😀", "email": "lea@example.org"}
        async with httpx.AsyncClient(base_url=self.stack.urls["intake"], trust_env=False) as http:
            assert (await http.post("/barrier", data=form)).status_code == 303

    @asynccontextmanager
    async def _office(self, service: str) -> AsyncIterator[httpx.AsyncClient]:
        headers = {"Authorization": f"Bearer {auth.token(self.secret, 'coordinator', 'tests')}"}
        async with httpx.AsyncClient(base_url=self.stack.urls[service], headers=headers, trust_env=False) as http:
            yield http

    async def claim(self) -> str:
        """One that follows from a journey that is over."""
        journey = await self.at("close")
        async with self._office("reporting") as client:

            async def there() -> str | None:
                answer = await client.get("/api/claims", params={"request": journey.request_id})
                items = answer.json().get("items", [])
                return items[0]["claim_id"] if items else None

            found = await until(there, seconds=60)
            assert found
            return found

    async def close(self, year: str) -> None:
        """Its figures are frozen, and public."""
        async with self._office("reporting") as client:
            (await client.post(f"/api/periods/{year}/close")).raise_for_status()

            async def frozen() -> bool:
                return bool((await client.get(f"/api/periods/{year}")).json()["closed_at"])

            await until(frozen, seconds=60, what=f"{year} to be closed")

    async def example(self, status: Status) -> str:
        """The id of a practice example of an engagement of its own that has come to `status`."""
        if status not in self._examples:
            text = Text(
                "Ein Fest für alle",
                "Das Fest der Kulturen erreichte nur wenige.\n\nDie Gemeinde kannte die Vereine nicht.",
                "Zwei Beratende öffneten ihre Netzwerke; es gab ein Erstgespräch und drei Sitzungen.",
                "Sieben Vereine planen das nächste Fest mit.",
            )
            now, steps = moment(datetime.now(UTC)), STEPS_TO[status]
            one = examples.draft(
                Example(new_id(), 0, new_id(), "MG-TEST-0001", "08117042", ("fair_week",), text), "x", now
            )
            for step in steps:
                one, _ = (
                    examples.answer(one, step, one.revision, now)
                    if step in ("agreed", "declined")
                    else {"asked": examples.ask, "published": examples.publish}[step](one, "koordination", now)
                )
            mongo = Mongo(self.stack.mongo, "browser-miglobe-reporting")
            try:
                async with committing(Committer(mongo, "reporting")) as commits:
                    await ExampleRecords(mongo, commits).save(replace(one, version=1))
            finally:
                await mongo.close()
            self._examples[status] = one.id
        return self._examples[status]

    async def closing(self) -> None:
        """A period that is being closed, for ever: nobody else may go on with it."""
        mongo = Mongo(self.stack.mongo, "browser-miglobe-reporting")
        try:
            lease = Lease(mongo, "closing", "tests", 10**6)
            await until(lease.take, what="the lease of whoever closes")
            wish = {"by": "koordination", "at": datetime.now(UTC), "done": 1_200, "total": 3_456}
            place = {"_id": "2025-02-10_2025-03-15"}
            await mongo[CLOSINGS].update_one(place, {"$set": wish}, upsert=True)
        finally:
            await mongo.close()

    async def many(self, number: int = 200) -> None:
        """So many more engagements for lists to show, as copies of one, overdue; nothing happens to them by itself."""
        known = await self.at("accept")
        mongo = Mongo(self.stack.mongo, "browser-miglobe-matching")
        try:
            one = await mongo["engagements"].find_one({"_id": known.request_id})
            assert one is not None
            long_ago = (datetime.now(UTC) - timedelta(days=60)).isoformat(timespec="seconds")
            still = {"holders": [], "due": "2099-01-04", "since": long_ago, "sessions": []}
            copies = [
                one | still | {"_id": new_id(), "facts": one["facts"] | {"case_number": f"BW-{n:04d}-X"}}
                for n in range(number)
            ]
            if not await mongo["engagements"].find_one({"facts.case_number": "BW-0000-X"}):
                await mongo["engagements"].insert_many(copies)
        finally:
            await mongo.close()

    async def trial(self, *, draft: bool = False, running: bool = False) -> str:
        """Two versions that were compared, or are for ever."""
        today = datetime.now(UTC).date()
        rules = replace(USUAL, look=Look(fields=(FieldCode.PARTNERSHIPS,), below=600))
        near = Policy("near.2", Weights(region=(900, 800, 100, 0)), rules=rules)
        far = dict(zip(NEARNESS, (4, 20, 9, 5, 0), strict=True))
        close = dict(zip(NEARNESS, (6, 27, 4, 1, 0), strict=True))
        usual = Figures("optimal.1", 40, 38, 2, 25, 91.3, far, 0.213, 2400, 14, 1.5, 12)
        nearer = replace(usual, policy_version="near.2", tandems=19, coverage=84.0, distance=close, gini=0.341)
        changed = tuple(Changed(new_id(), f"BW-{n:04d}-X", ("A01", "A02"), ("A03",) if n else ()) for n in range(3))
        made = Trial(
            new_id(),
            "koordination",
            datetime.now(UTC),
            today - timedelta(days=364),
            today,
            OPTIMAL,
            near,
            draft=draft,
            share=0.37,
            outcome=None if running else Outcome(usual, nearer, changed),
        )
        document = TypeAdapter(Trial).dump_python(made, mode="json")
        document |= {"_id": document.pop("id"), "beat": datetime(2099, 1, 1, tzinfo=UTC)}
        mongo = Mongo(self.stack.mongo, "browser-miglobe-matching")
        try:
            await mongo["trials"].insert_one(document)
        finally:
            await mongo.close()
        return made.id

    async def budget(self) -> str:
        """One that holds today, and has enough for everything."""
        year = datetime.now(UTC).year
        body = {"start": f"{year}-01-01", "end": f"{year}-12-31", "minutes": 6_000_000, "reason": "Bescheid"}
        async with self._office("matching") as http:
            (await http.put("/api/budgets/laufend", json=body)).raise_for_status()
        await self.at("await_assignment", "Eine Anfrage, für die Zeit zurückgelegt ist.")
        return "laufend"

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
