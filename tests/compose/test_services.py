"""The composition from outside: the journey, and the journey while everything is killed once."""

import email
import email.policy
import re
from email.message import EmailMessage
from html import unescape

import httpx
import pytest

from deploy.local.demo import figures
from deploy.local.journey import Journey
from tests.compose.composition import OURS, Composition
from tests.compose.telling import figure, say
from tests.e2e.test_journey import holds

SECONDS = 240.0
VICTIMS = {
    "submit": "intake",
    "await_assignment": "notifications",
    "await_mails": "mongo",
    "accept": "matching",
    "first_talk": "kafka",
    "consultation": "reporting",
}


class MailpitJourney(Journey):
    """Reads its mails by Mailpit's API."""

    def mails(self) -> list[EmailMessage]:
        listed = self._client.get(f"{self.urls['mail']}/api/v1/messages", params={"limit": 10_000}).json()["messages"]
        found = []
        for item in sorted(listed, key=lambda item: str(item["Created"])):
            raw = self._client.get(f"{self.urls['mail']}/api/v1/message/{item['ID']}/raw").content
            message = email.message_from_bytes(raw, policy=email.policy.default)
            if self.case_number in raw.decode(errors="replace") or self.case_number in str(message["subject"]):
                found.append(message)
        return found


@pytest.fixture
def journey(running: Composition) -> Journey:
    return MailpitJourney(running.urls, running.secret, say=say, seconds=SECONDS)


def test_one_engagement_goes_from_request_to_report(journey: Journey) -> None:
    before = figures(journey)
    journey.play()
    holds(journey, before)


@pytest.mark.timeout(2400)
def test_everything_killed_once_comes_back_and_the_journey_ends_the_same(
    running: Composition, journey: Journey
) -> None:
    """kill -9 right after a step, while its events are on their way; the daemon starts it again."""
    before = figures(journey)

    def strike(step: str) -> None:
        if victim := VICTIMS.get(step):
            running.kill(victim)

    journey.play(between=strike)
    holds(journey, before)
    for service in VICTIMS.values():
        running.restarted(service)
    assert set(OURS) < set(VICTIMS.values())
    figure(f"killed once and back by the daemon, the journey the same: {', '.join(sorted(VICTIMS.values()))}")


def test_the_site_leads_to_every_service_and_comes_back(running: Composition) -> None:
    site = running.urls["site"]

    def answers() -> dict[str, int]:
        return {name: httpx.get(f"{site}/{name}/openapi.json", timeout=10).status_code for name in OURS}

    assert answers() == dict.fromkeys(OURS, 200)
    assert "<h1>" in httpx.get(f"{site}/nothing-here", headers={"accept": "text/html"}).text
    running.kill("site")
    running.restarted("site")
    assert answers() == dict.fromkeys(OURS, 200)


def test_a_coordinator_logs_in_at_keycloak_and_comes_back(running: Composition) -> None:
    """By its form with a password; the stand-in has a button for each account instead."""
    if "OIDC_ISSUER=\n" in running.inside("matching", "env"):
        pytest.skip("with a daemon elsewhere nobody logs in")
    wanted = f"{running.urls['site']}/coordination"
    with httpx.Client(follow_redirects=True, timeout=30, trust_env=False) as browser:
        asked = browser.get(wanted)
        assert str(asked.url).startswith(running.urls["keycloak"]), asked.text
        form = re.search(r'<form[^>]*id="kc-form-login"[^>]*action="([^"]+)"', asked.text)
        account = {"username": "koordination", "password": "demonstration"} if form else {"sub": "koordination"}
        page = browser.post(unescape(form[1]) if form else asked.url, data=account)
        assert str(page.url) == wanted, page.text
        assert "Beispiel Koordination" in page.text
    figure(f"logged in at {'Keycloak' if form else 'its stand-in'}, by the site")


def test_the_mail_server_comes_back_too(running: Composition) -> None:
    """Last: it keeps its mails in memory."""
    running.kill("mailpit")
    running.restarted("mailpit")


def test_the_operators_command_line_answers_inside(running: Composition) -> None:
    assert "A01" in running.inside("matching", "miglobe", "advisors", "list")
    assert running.inside("matching", "miglobe", "dlq", "list") is not None
