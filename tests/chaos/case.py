"""One request on its way through the public API, as municipality, advisors and coordinators would lead it."""

import asyncio
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from deploy.local.journey import FEEDBACK, OPTIONS, REQUEST
from shared.events.base import FieldCode
from tests.chaos.clients import Client, Mailbox, NoAnswer, Refused, Told
from tests.chaos.erasing import Office, word

PLACES = ("08117042", "08136088", "08119079", "08111000", "08115003", "08116019")
LATER, NEVER = "later.example", "refuse.example"
"""The mail sink answers recipients of these domains 451 and 550."""
POLL = 0.7
LEAVING = {
    "levels": {"fair_week": 1},
    "languages": ["de"],
    "regions": [PLACES[0]],
    "certified_on": "2024-01-01",
    "certified_until": "2039-12-31",
    "capacity": 0,
}


class Case:
    """One request on its way. What happens in it depends on its number alone."""

    def __init__(self, number: str, client: Client, office: Office, mailbox: Mailbox, told: Told) -> None:
        self._mailbox = mailbox
        self._office = office
        self.number = number
        self._random = random.Random(number)
        self._client = client
        self._told = told
        self._id = self._token = ""
        self._word = word(number)

    async def play(self) -> None:
        try:
            await self._submit()
            fate = self._random.random()
            if fate < 0.05:
                await self._erase()
                return
            if fate < 0.15:
                await self._withdraw()
            elif fate < 0.2:
                await (self._erase_draft() if fate < 0.175 else self._erase_advisor())
            if engaged := await self._engage():
                await self._consult(*engaged)
            if self._random.random() < 0.1:
                await self._erase()
        except (Refused, NoAnswer):
            return  # counted by the client
        except Exception as error:
            self._told.complaints.append(f"{self.number}: {type(error).__name__}: {error}")

    async def _submit(self) -> None:
        domain = self._random.choices((LATER, NEVER, "rathaus.example"), (2, 3, 95))[0]
        body: dict[str, Any] = REQUEST | {
            "municipality_ags": self._random.choice(PLACES),
            "fields": self._random.sample([code.value for code in FieldCode], self._random.randint(1, 2)),
            "need": f"Wir wünschen uns Rat für unser Fest der Nationen ({self._word}). Vorgang {self.number}",
            "contact": {"name": f"Erika Beispiel {self._word}", "email": f"{self._word}@{domain}"},
            "tandem": self._random.choice(("wanted", "wanted", "not_wanted")),
            "wanted_from": (datetime.now(UTC) + timedelta(days=14)).date().isoformat(),
            "channel": "api",
        }
        self._told.intended.add(self.number)
        self._told.begun[self.number] = time.monotonic()
        answer = await self._client.ask("POST", "intake", "/api/requests", body=body, key=self._key())
        self._id, self._token = answer["request_id"], answer["status_token"]
        self._told.requests[self.number] = self._id

    async def _withdraw(self) -> None:
        """At some moment between now and the engagement."""
        await asyncio.sleep(self._random.random() * 3)
        path = f"/api/requests/{self._id}/withdraw"
        await self._client.ask("POST", "intake", path, body={}, params={"token": self._token})
        self._told.withdrawn.add(self._id)

    async def _erase(self) -> None:
        """At once or a little later, by the operator."""
        await asyncio.sleep(self._random.choice((0.0, 3.0)) * self._random.random())
        self._told.erasing[self._id] = self._word
        await self._office.erase(self._id)
        self._told.erased[self._word] = self._id

    async def _erase_draft(self) -> None:
        """Of a request that is never sent."""
        of_draft = word(f"{self.number} draft")
        draft_id = await self._office.begin_draft(f"{of_draft}@rathaus.example")
        await asyncio.sleep(self._random.random())
        self._told.erasing[draft_id] = of_draft
        await self._office.drop_drafts()
        self._told.erased[of_draft] = draft_id

    async def _erase_advisor(self) -> None:
        """Somebody who is entered, has no time, and wants to be left out again."""
        of_advisor = word(f"{self.number} advisor")
        number = f"E-{of_advisor[4:].upper()}"
        entry = LEAVING | {"id": number, "name": f"Chaosperson {of_advisor}", "email": f"{of_advisor}@beratung.example"}
        await self._coordinate("/api/advisors", entry, key=self._key())
        await asyncio.sleep(self._random.random())
        self._told.erasing[number] = of_advisor
        await self._client.ask("DELETE", "matching", f"/api/advisors/{number}", role="coordinator")
        self._told.erased[of_advisor] = number

    async def _engage(self) -> tuple[str, list[str]] | None:
        """Waits to be assigned; the advisors answer when they have their mail, until everybody has accepted."""
        answered: set[tuple[str, str]] = set()
        for _ in range(200):
            items = (await self._client.get("matching", "/api/assignments", request=self._id))["items"]
            asked = next((item for item in items if item["current"]), None)
            if asked and asked["state"] == "engaged":
                return asked["assignment_id"], [seat["advisor_id"] for seat in asked["members"]]
            if asked and asked["state"] not in ("pending", "proposed"):
                return None
            for assignment_id, advisor_id in _open_seats(asked):
                link = await self._mailbox.link(assignment_id, advisor_id)
                if link and (assignment_id, advisor_id) not in answered:
                    answered.add((assignment_id, advisor_id))
                    if not await self._answer(assignment_id, advisor_id, link):
                        break  # the round is over
            if self._id in self._told.withdrawn:
                return None
            await asyncio.sleep(POLL)
        self._told.complaints.append(f"{self._id}: no engagement came about")
        return None

    async def _answer(self, assignment_id: str, advisor_id: str, link: str) -> bool:
        """By the link in the mail or signed in."""
        declines = self._random.random() < 0.12
        path = f"/api/assignments/{assignment_id}/{'decline' if declines else 'accept'}"
        body = {"reason": "no_time"} if declines else {}
        if self._random.random() < 0.5:
            params = {"advisor": advisor_id, "token": link}
            await self._client.ask("POST", "matching", path, body=body, params=params)
        else:
            await self._client.ask("POST", "matching", path, body=body, role="advisor", subject=advisor_id)
        self._told.answers[assignment_id, advisor_id] = "declined" if declines else "accepted"
        return not declines

    async def _consult(self, assignment_id: str, advisor_ids: list[str]) -> None:
        for kind in ("first_talk", "consultation")[: self._random.choice((1, 2, 2))]:
            session_id = await self._schedule(assignment_id, kind)
            if self._random.random() < 0.2:
                starts_at = (self._now() + timedelta(hours=2)).isoformat()
                await self._coordinate(
                    f"/api/sessions/{session_id}/reschedule", {"starts_at": starts_at, "minutes": 90}
                )
            record = self._record(kind, advisor_ids)
            await self._coordinate(f"/api/sessions/{session_id}/complete", record)
            self._told.records[session_id] = record
        if self._random.random() < 0.2:
            await self._schedule(assignment_id, "keynote")  # called off by the closing
        await self._coordinate(f"/api/requests/{self._id}/close", {"outcome": "completed"})
        self._told.closed.add(self._id)
        if self._random.random() < 0.7:
            await self._rate()

    async def _schedule(self, assignment_id: str, kind: str) -> str:
        body = {"kind": kind, "mode": "on_site", "starts_at": self._now().isoformat(), "minutes": 90}
        path = f"/api/assignments/{assignment_id}/sessions"
        session = await self._coordinate(path, body, key=self._key())
        self._told.sessions[session["id"]] = self._id
        return str(session["id"])

    def _record(self, kind: str, advisor_ids: list[str]) -> dict[str, Any]:
        minutes = self._random.randint(20, 200)
        members = [
            {
                "advisor_id": one,
                "minutes": minutes - self._random.randint(0, 19),
                "travel_km": self._random.randint(0, 700),
            }
            for one in advisor_ids
        ]
        return {
            "held_on": datetime.now(UTC).date().isoformat(),
            "minutes": minutes,
            "mode": "on_site",
            "participants": self._random.randint(1, 40),
            "members": members,
            "options": OPTIONS if kind == "consultation" else [],
        }

    async def _rate(self) -> None:
        for _ in range(200):
            status = await self._client.ask("GET", "intake", f"/api/requests/{self._id}", params={"token": self._token})
            if status["may_give_feedback"]:
                path, params = f"/api/requests/{self._id}/feedback", {"token": self._token}
                await self._client.ask("POST", "intake", path, body=FEEDBACK, key=self._key(), params=params)
                self._told.rated.add(self._id)
                return
            await asyncio.sleep(POLL)
        self._told.complaints.append(f"{self._id}: intake never heard of the closing")

    async def _coordinate(self, path: str, body: dict[str, Any], key: str | None = None) -> Any:
        return await self._client.ask("POST", "matching", path, body=body, key=key, role="coordinator")

    def _key(self) -> str:
        return str(UUID(int=self._random.getrandbits(128)))

    @staticmethod
    def _now() -> datetime:
        return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def _open_seats(asked: dict[str, Any] | None) -> list[tuple[str, str]]:
    if asked is None:
        return []
    return [(asked["assignment_id"], seat["advisor_id"]) for seat in asked["members"] if seat["answer"] == "open"]


def number_in(need: str) -> str:
    """The number of the case whose need this is; "" when it is none of ours."""
    return need.rpartition("Vorgang ")[2]
