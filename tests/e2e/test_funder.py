"""What the funder's office says reaches the others: a budget the matcher, a practice example the municipality."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx

from deploy.local.journey import Journey
from deploy.local.stack import Stack
from services.reporting import publishing
from services.reporting.closing import Office
from services.reporting.example_records import ExampleRecords
from services.reporting.examples import Text
from services.reporting.frozen import Frozen
from services.reporting.ledger import Ledger
from services.reporting.projector import lease
from services.reporting.publishing import PURPOSE, Showcase
from services.reporting.queries import Queries
from services.reporting.reports import Reports
from services.reporting.settings import Settings
from services.reporting.store import Store
from shared import auth, register
from shared.commit import Committer, committing
from shared.errors import Problem
from shared.events.base import moment
from shared.mongo import Mongo
from tests.waiting import until


def client(services: Stack, service: str, role: auth.Role) -> httpx.AsyncClient:
    bearer = auth.token(services.env()["MIGLOBE_SECRET"], role, "e2e")
    return httpx.AsyncClient(base_url=services.urls[service], headers={"Authorization": f"Bearer {bearer}"})


async def test_a_budget_set_by_the_funder_is_what_the_matcher_reserves_by(services: Stack) -> None:
    """Of a year that is far away, so that no other test's requests need it."""
    async with client(services, "reporting", "skew") as skew, client(services, "matching", "coordinator") as office:
        (await skew.post("/api/budgets/2085", json={"cents": 1_000_000})).raise_for_status()

        async def told() -> dict[str, Any] | None:
            items = (await office.get("/api/budgets")).json()["items"]
            return next((one for one in items if one["id"] == "2085"), None)

        found = await until(told)
        assert found is not None
        assert (found["start"], found["end"], found["committed"]) == ("2085-01-01", "2085-12-31", 0)
        assert found["told_at"] is not None
        assert found["minutes"] > 0
        change = {"start": "2085-01-01", "end": "2085-12-31", "minutes": 5, "reason": "von Hand"}
        assert (await office.put("/api/budgets/2085", json=change)).status_code == 409


def showcase(mongo: Mongo, commits: Committer, secret: str) -> Showcase:
    """Over the database of the service that runs; its relay publishes what is told."""
    reports = Reports(Ledger(mongo), Store(mongo, commits), Queries(mongo), register.load())
    rules = Settings(secret=secret).rules()
    office = Office(reports, Frozen(mongo, commits), rules, lambda: lease(mongo, "e2e").held())
    return Showcase(office, ExampleRecords(mongo, commits), secret)


async def asked(services: Stack, case_number: str) -> str:
    """The id of an example for which consent is asked."""
    env, now = services.env(), moment(datetime.now(UTC))
    secret = env["MIGLOBE_SECRET"]
    mongo = Mongo(env["MIGLOBE_MONGO"], Settings(secret=secret, prefix=env["MIGLOBE_PREFIX"]).database("reporting"))
    try:
        async with committing(Committer(mongo, "reporting")) as commits:
            desk = showcase(mongo, commits, secret)

            async def drafted() -> str | None:
                try:
                    return (await publishing.draft(desk, case_number, "e2e", now)).id
                except Problem:  # its facts are on their way
                    return None

            example_id = await until(drafted)
            assert example_id
            await publishing.write(desk, example_id, 1, Text("Titel", "a", "b", "c"), "e2e", now)
            await publishing.ask(desk, example_id, 2, "e2e", now)
            return example_id
    finally:
        await mongo.close()


async def test_the_municipality_is_mailed_the_link_to_its_example_and_the_office_its_answer(
    services: Stack, journey: Journey
) -> None:
    for step in (journey.submit, journey.await_assignment, journey.await_mails, journey.accept):
        await asyncio.to_thread(step)
    example_id = await asked(services, journey.case_number)
    token = auth.sign(services.env()["MIGLOBE_SECRET"], PURPOSE, example_id)
    link = f"/reporting/practice/{example_id}/consent?token={token}"

    def mailed(words: str) -> bool:
        bodies = [mail.get_body(("plain",)) for mail in journey.mails()]
        return any(words in body.get_content() for body in bodies if body is not None)

    await until(lambda: asyncio.to_thread(mailed, link))
    async with httpx.AsyncClient(base_url=services.urls["reporting"]) as municipality:
        assert (await municipality.get(link)).status_code == 200
        answer = await municipality.post(link, data={"answer": "agreed", "revision": "2"})
        assert answer.status_code == 303
        assert "Sie haben zugestimmt" in (await municipality.get(link)).text
    await until(lambda: asyncio.to_thread(mailed, f"/reporting/examples/{example_id}"))
