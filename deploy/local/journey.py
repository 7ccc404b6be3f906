"""One engagement from a municipality's request to SKEW's report, through the public doors only.

Each step asks until it is answered: a service that is being restarted delays the journey, it doesn't change
it. The demo plays it for people, the tests play it under faults.
"""

import email
import email.policy
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx

from shared.auth import token
from shared.ids import new_id

T = TypeVar("T")

REQUEST: dict[str, Any] = {
    "municipality_ags": "08117042",
    "fields": ["fair_week", "opportunities"],
    "need": (
        "Unser jährliches Fest der Nationen erreicht die migrantischen Vereine am Ort kaum. "
        "Wir wünschen uns Rat, wie wir sie gewinnen und beteiligen können."
    ),
    "contact": {"name": "Erika Beispiel", "email": "erika.beispiel@rathaus.example", "office": "Hauptamt"},
    "languages": ["de"],
    "mode": "on_site",
    "tandem": "wanted",
    "correspondence": "de",
    "consent": {"privacy_notice": True, "version": "2026-01"},
    "channel": "web",
}
FIRST_TALK = {"kind": "first_talk", "minutes": 60, "mode": "online", "participants": 3, "travel_km": 0}
CONSULTATION = {"kind": "consultation", "minutes": 150, "mode": "on_site", "participants": 12, "travel_km": 84}
OPTIONS = [
    {"field": "fair_week", "text": "Vereine früh in die Planung der Fairen Woche einladen."},
    {"field": "opportunities", "text": "Ein fester Ansprechpartner im Rathaus für migrantische Vereine."},
]
FEEDBACK = {"satisfaction": 5, "would_recommend": True, "options_taken_up": 1, "comment": "Sehr hilfreich."}
GONE_ON = (502, 503, 504)


class Stuck(Exception):
    """A step did not come about in time."""


@dataclass
class Journey:
    """`urls`: base URL per service and of the inbox as "mail"; `say` gets a line per step."""

    urls: Mapping[str, str]
    secret: str
    say: Callable[[str], None] = lambda line: None
    seconds: float = 90.0
    request: dict[str, Any] = field(default_factory=lambda: dict(REQUEST))
    request_id: str = ""
    case_number: str = ""
    status_token: str = ""
    assignment_id: str = ""
    advisors: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._client = httpx.Client(timeout=10)
        self._keys = {step: new_id() for step in ("submit", "first_talk", "consultation", "feedback")}

    # -- the steps --------------------------------------------------------------------------------------

    def play(self, between: Callable[[str], None] = lambda step: None) -> None:
        """All steps; `between` is called with the name of each step that is done."""
        for step in (
            self.submit,
            self.await_assignment,
            self.await_mails,
            self.accept,
            self.first_talk,
            self.consultation,
            self.close,
            self.give_feedback,
        ):
            step()
            between(step.__name__)

    def submit(self) -> None:
        wanted_from = (datetime.now(UTC) + timedelta(days=14)).date().isoformat()
        answer = self._post("intake", "/api/requests", {"wanted_from": wanted_from} | self.request, key="submit")
        self.request_id, self.case_number = answer["request_id"], answer["case_number"]
        self.status_token = answer["status_token"]
        self.say(f"Die Gemeinde hat angefragt: Vorgang {self.case_number}")

    def await_assignment(self) -> None:
        found = self._until("an assignment", self._assignment)
        self.assignment_id = found["assignment_id"]
        self.advisors = tuple(member["advisor_id"] for member in found["members"])
        self.say(f"Zugeordnet: {' und '.join(self.advisors)}")

    def await_mails(self) -> None:
        self._until(
            "the mails to the municipality and to each advisor", lambda: len(self.mails()) >= 1 + len(self.advisors)
        )
        self.say(f"{len(self.mails())} E-Mails sind angekommen")

    def accept(self) -> None:
        for advisor_id, link in sorted(self._until("the answer links", self._answer_links).items()):
            given = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
            query = {"advisor": given["advisor"], "token": given["token"]}
            self._post("matching", f"/api/assignments/{self.assignment_id}/accept", params=query)
            self.say(f"{advisor_id} hat über den Link in der E-Mail zugesagt")

    def first_talk(self) -> None:
        self._hold("first_talk", FIRST_TALK, [])
        self.say("Das Erstgespräch hat stattgefunden")

    def consultation(self) -> None:
        self._hold("consultation", CONSULTATION, OPTIONS)
        self.say("Die Beratung hat stattgefunden, zwei Handlungsoptionen sind vereinbart")

    def close(self) -> None:
        self._post("matching", f"/api/requests/{self.request_id}/close", {"outcome": "completed"}, role="coordinator")
        self.say("Die Beratung ist abgeschlossen")

    def give_feedback(self) -> None:
        """Once intake has heard of the closing."""
        self._until("the closing to reach intake", lambda: self.status()["state"] == "closed")
        path = f"/api/requests/{self.request_id}/feedback"
        self._post("intake", path, FEEDBACK, key="feedback", params={"token": self.status_token})
        self.say("Die Gemeinde hat Rückmeldung gegeben")

    # -- looking ----------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get(
            "intake", f"/api/requests/{self.request_id}", params={"token": self.status_token}
        )
        return found

    def get(
        self, service: str, path: str, *, role: str = "coordinator", params: Mapping[str, str] | None = None
    ) -> Any:
        """GET with `role`, until the service answers."""
        return self._ask("GET", service, path, role=role, params=params)

    def mails(self) -> list[EmailMessage]:
        """The mails about this case, the oldest first."""
        listed = self._client.get(f"{self.urls['mail']}/api/mails").json()
        items = listed["items"] if isinstance(listed, dict) else listed
        found = []
        for item in sorted(items, key=lambda item: str(item["file"])):
            raw = self._client.get(f"{self.urls['mail']}/api/mails/{item['file']}").content
            message = email.message_from_bytes(raw, policy=email.policy.default)
            if self.case_number in raw.decode(errors="replace") or self.case_number in str(message["subject"]):
                found.append(message)
        return found

    def until(self, what: str, condition: Callable[[], T | None]) -> T:
        """The first truthy value of `condition`. Raises Stuck."""
        return self._until(what, condition)

    # -- how --------------------------------------------------------------------------------------------

    def _assignment(self) -> dict[str, Any] | None:
        items = self.get("matching", "/api/assignments", params={"request": self.request_id})["items"]
        return items[-1] if items else None

    def _answer_links(self) -> dict[str, str] | None:
        links: dict[str, str] = {}
        for message in self.mails():
            body = message.get_body(("plain",))
            text = body.get_content() if body else ""
            for link in re.findall(rf"http\S+/assignments/{self.assignment_id}/answer\S+", text):
                links[parse_qs(urlsplit(link).query)["advisor"][0]] = link
        return links if set(links) >= set(self.advisors) else None

    def _hold(self, step: str, plan: Mapping[str, Any], options: list[dict[str, str]]) -> None:
        starts_at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        session = self._post(
            "matching",
            f"/api/assignments/{self.assignment_id}/sessions",
            {
                "kind": plan["kind"],
                "mode": plan["mode"],
                "minutes": plan["minutes"],
                "starts_at": starts_at.isoformat(),
            },
            key=step,
            role="coordinator",
        )
        # a foreign day never lies in the future in the programme's time zone
        held = {
            "held_on": starts_at.date().isoformat(),
            "minutes": plan["minutes"],
            "mode": plan["mode"],
            "participants": plan["participants"],
            "members": [
                {"advisor_id": one, "minutes": plan["minutes"], "travel_km": plan["travel_km"]} for one in self.advisors
            ],
            "options": options,
        }
        self._post("matching", f"/api/sessions/{session['id']}/complete", held, role="coordinator")
        self.sessions = (*self.sessions, session["id"])

    def _post(
        self,
        service: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        role: str | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Any:
        headers = {"Idempotency-Key": self._keys[key]} if key else {}
        return self._ask("POST", service, path, body=body or {}, headers=headers, role=role, params=params)

    def _ask(
        self,
        method: str,
        service: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        role: str | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Any:
        """Asks until the service is there; raises Stuck at a refusal, with its words."""
        sent = dict(headers or {})
        if role:
            sent["Authorization"] = f"Bearer {token(self.secret, role, 'demo')}"  # type: ignore[arg-type]
        end = time.monotonic() + self.seconds
        while True:
            try:
                url = self.urls[service] + path
                answer = self._client.request(method, url, json=body, headers=sent, params=params)
                if answer.status_code < 400:
                    return answer.json()
                said = f"{answer.status_code} {answer.text[:400]}"
                if answer.status_code not in GONE_ON:
                    raise Stuck(f"{method} {service}{path}: {said}")
            except httpx.TransportError as error:
                said = repr(error)
            if time.monotonic() > end:
                raise Stuck(f"{method} {service}{path} got no answer within {self.seconds:.0f} s: {said}")
            time.sleep(0.1)

    def _until(self, what: str, condition: Callable[[], T | None]) -> T:
        end = time.monotonic() + self.seconds
        while True:
            if found := condition():
                return found
            if time.monotonic() > end:
                raise Stuck(f"{what} did not come within {self.seconds:.0f} s")
            time.sleep(0.05)
