"""The composition from outside: the journey, and the journey while everything is killed once."""

import email
import email.policy
import json
import re
import secrets
from email.message import EmailMessage
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from authlib.integrations.httpx_client import OAuth2Client

from deploy.local.demo import figures
from deploy.local.journey import Journey
from tests.compose.composition import OURS, Composition, until
from tests.compose.docker import DockerError
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


def test_a_coordinator_logs_in_at_keycloak_comes_back_and_logs_out_there_too(running: Composition) -> None:
    wanted = f"{running.urls['site']}/coordination"
    with _browser(running) as browser:
        page = _log_in(browser, browser.get(wanted), "koordination")
        assert str(page.url) == wanted, page.text
        assert "Beispiel Koordination" in page.text
        token = re.search(r'action="/matching/logout">.*?name="csrf" value="([^"]+)"', page.text, re.DOTALL)
        assert token, page.text
        left = browser.post(
            f"{running.urls['site']}/matching/logout",
            data={"csrf": unescape(token[1])},
            headers={"origin": running.urls["site"]},
        )
        onward = left.headers["refresh"].partition("url=")[2]
        assert onward.startswith(running.urls["keycloak"])
        assert str(browser.get(onward).url) == f"{running.urls['site']}/matching/logged-out"
        assert _form(browser.get(wanted)), "still logged in at Keycloak"
    figure("logged in at Keycloak by the site, and out again at both")


def test_a_token_of_keycloak_opens_what_its_role_may_and_no_more(running: Composition) -> None:
    site, realm = running.urls["site"], f"{running.urls['keycloak']}/realms/miglobe"
    back = f"{site}/matching/login/back"
    matching, reporting = running.urls["matching"], running.urls["reporting"]
    routes = (f"{matching}/api/assignments", f"{reporting}/api/claims", f"{reporting}/api/webhooks")
    seen = {}
    for account in ("koordination", "skew", "a01"):
        client = OAuth2Client("miglobe", redirect_uri=back, code_challenge_method="S256", scope="openid")
        verifier = secrets.token_urlsafe(48)
        asked, _ = client.create_authorization_url(f"{realm}/protocol/openid-connect/auth", code_verifier=verifier)
        with _browser(running, follow_redirects=False) as browser:
            answered = _log_in(browser, browser.get(asked), account)
            assert answered.headers["location"].startswith(back), answered.text
            code = parse_qs(urlsplit(answered.headers["location"]).query)["code"][0]
            given = browser.post(
                f"{realm}/protocol/openid-connect/token",
                auth=("miglobe", "keycloak-of-this-machine"),
                data={
                    "grant_type": "authorization_code",
                    "code": code,
                    "redirect_uri": back,
                    "code_verifier": verifier,
                },
            ).json()
            bearer = {"authorization": f"Bearer {given['access_token']}"}
            seen[account] = [browser.get(url, headers=bearer).status_code for url in routes]
    assert seen == {"koordination": [200, 200, 403], "skew": [403, 200, 200], "a01": [200, 200, 403]}


def _browser(running: Composition, *, follow_redirects: bool = True) -> httpx.Client:
    if "OIDC_ISSUER=\n" in running.inside("matching", "env"):
        pytest.skip("with a daemon elsewhere nobody logs in")

    def trust(_: httpx.Response) -> None:
        """As browsers do on a loopback address, where Keycloak's cookies are marked Secure all the same."""
        for cookie in browser.cookies.jar:
            cookie.secure = False

    browser = httpx.Client(
        follow_redirects=follow_redirects, timeout=30, trust_env=False, event_hooks={"response": [trust]}
    )
    return browser


def _form(page: httpx.Response) -> str | None:
    """Where the form of Keycloak's login page leads, if this is it."""
    found = re.search(r'<form[^>]*id="kc-form-login"[^>]*action="([^"]+)"', page.text)
    return unescape(found[1]) if found else None


def _log_in(browser: httpx.Client, page: httpx.Response, account: str) -> httpx.Response:
    action = _form(page)
    assert action, page.text
    return browser.post(action, data={"username": account, "password": "demonstration"})


def test_prometheus_finds_all_services_and_its_rules(running: Composition) -> None:
    """Its image's command line is inside; nothing of it is reachable from outside but by Grafana."""
    running("--profile", "dashboards", "up", "--detach", "--no-build", "prometheus")
    ask = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=10).read().decode())"

    def asked(path: str) -> Any:
        return json.loads(running.inside("intake", "python", "-c", ask, f"http://prometheus:9090/api/v1/{path}"))

    def up() -> set[str]:
        try:
            found = asked("query?query=up==1")["data"]["result"]
        except DockerError:
            return set()
        return {series["metric"]["job"] for series in found}

    until("Prometheus to have asked all services", lambda: up() == set(OURS))
    groups = asked("rules")["data"]["groups"]
    assert all(rule["health"] in {"ok", "unknown"} for group in groups for rule in group["rules"])
    figure(f"Prometheus: {len(up())} services, {sum(len(group['rules']) for group in groups)} rules")


def test_the_mail_server_comes_back_too(running: Composition) -> None:
    """Last: it keeps its mails in memory."""
    running.kill("mailpit")
    running.restarted("mailpit")


def test_the_operators_command_line_answers_inside(running: Composition) -> None:
    assert "A01" in running.inside("matching", "miglobe", "advisors", "list")
    assert running.inside("matching", "miglobe", "dlq", "list") is not None
