"""Server time of the pages for municipalities, of barriers and of the messages, on 10,000 requests: one reader after
another.
"""

import asyncio
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx

from services.intake import domain, drafts, progress
from services.intake import store as intake
from services.intake.barriers import BarrierBody, Barriers
from services.intake.rules import Rules
from services.intake.settings import Settings
from services.notifications import calls, plan
from services.notifications import store as notifications
from services.notifications.case import Case, noted
from services.notifications.domain import Contact, sent
from shared import auth, register
from shared.auth import Person
from shared.commit import Committer, committing
from shared.events import RequestCreated
from shared.events.base import moment
from shared.ids import new_id
from shared.inbox import mark
from shared.login.sessions import Sessions
from tests.bench import opening, samples
from tests.bench.figures import Board
from tests.bench.opening import AT_MOST, EACH
from tests.bench.place import Place
from tests.intake import samples as facts

REQUESTS = 10_000
BARRIERS, WAITING = 500, 200
_NEED = ("Wir erreichen die Vereine nicht. " * 130)[:4000]
_DRAFT: drafts.Entries = {
    "municipality": ("Salach",),
    "municipality_for": ("Salach",),
    "municipality_ags": ("08117042",),
    "fields": ("fair_week", "other"),
    "need": (_NEED,),
    "mode": ("either",),
    "languages": ("de", "tr"),
    "tandem": ("wanted",),
    "name": ("Erika Beispiel",),
    "email": ("erika@rathaus.example",),
    "consent": ("true",),
}


@dataclass(frozen=True)
class Filled:
    request: RequestCreated
    draft_id: str
    message_id: str


async def measure(place: Place, board: Board) -> None:
    created = samples.created(REQUESTS, 365)
    draft_id = await _fill_intake(place, created)
    filled = Filled(created[REQUESTS // 2], draft_id, await _fill_notifications(place, created))
    cookies = {service: await _signed_in(place, service) for service in ("intake", "notifications")}
    place.miglobe("topics", "apply")
    for service in ("intake", "notifications"):
        async with place.service(service) as process:
            client = httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{process.port}",
                cookies={f"{service}-session": cookies[service]},
                headers={"accept": "text/html"},
                trust_env=False,
                timeout=30,
            )
            async with client:
                for name, path in _pages(service, filled, place.env["MIGLOBE_SECRET"]):
                    await opening.page(board, client, process, name, path)
                if service == "intake":
                    board.limit("a step of the form kept, p95", await _keep(client, place), "ms", AT_MOST)


def _pages(service: str, filled: Filled, secret: str) -> Iterator[tuple[str, str]]:
    if service == "notifications":
        yield "messages", "/messages"
        yield "messages that failed", "/messages?state=failed"
        yield "messages of one request", f"/messages?case={filled.request.case_number}"
        yield "one message with its preview", f"/messages/{filled.message_id}"
        return
    draft = f"?token={auth.sign(secret, 'draft', filled.draft_id)}"
    yield "start", "/"
    for step in ("who", "what", "how", "contact", "check", "save"):
        yield f"form, {step}", f"/request/{filled.draft_id}/{step}{draft}"
    yield "suggestions", "/request/suggestions?q=bad"
    request_id = filled.request.request_id
    status = f"?token={auth.sign(secret, 'status', request_id)}"
    for name, page in (("sent", "/sent"), ("status", ""), ("withdraw", "/withdraw"), ("feedback", "/feedback")):
        yield name, f"/requests/{request_id}{page}{status}"
    yield "copy as PDF", f"/requests/{request_id}/copy.pdf{status}"
    yield "report a barrier", "/barrier?page=/privacy"
    yield f"barriers, {WAITING} of {BARRIERS} waiting", "/barriers"


async def _keep(client: httpx.AsyncClient, place: Place) -> float:
    """A step is sent, stored by the majority and answered with the way to the next."""
    took = []
    for _ in range(EACH):
        draft_id = new_id()
        token = auth.sign(place.env["MIGLOBE_SECRET"], "draft", draft_id)
        began = time.perf_counter()
        answer = await client.post(f"/request/{draft_id}/what?token={token}", data={"fields": "other", "need": _NEED})
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 303, answer.status_code
    return statistics.quantiles(took, n=20)[-1]


async def _fill_intake(place: Place, created: list[RequestCreated]) -> str:
    """All requests, each with a round of which it has heard, and one draft."""
    entries = register.load().by_ags
    now = datetime.now(UTC)
    async with place.mongo("intake") as mongo, committing(Committer(mongo, "intake")) as commits:
        store = intake.Store(mongo, commits)
        await store.prepare()

        async def keep(fact: RequestCreated) -> None:
            wish = facts.wish(municipality_ags=fact.municipality_ags, wanted_from=fact.wanted_from)
            rules = Rules("08", fact.submitted_at.date())
            entry = entries[fact.municipality_ags]
            request, _ = domain.submit(wish, entry, rules, fact.submitted_at, fact.request_id, fact.case_number)
            asked = facts.assigned(request.id, 1, fact.submitted_at, fact.submitted_at.date() + timedelta(days=7))
            known = progress.note(progress.Progress(request.id), progress.assigned(asked))
            await store.save(request, ())
            await store.save_progress(known, mark("intake", new_id()))

        for start in range(0, len(created), 500):
            await asyncio.gather(*map(keep, created[start : start + 500]))
        life = Settings(secret=place.env["MIGLOBE_SECRET"]).draft_life()
        draft = drafts.keep(drafts.begin(new_id(), "web", life, now), _DRAFT, tuple(_DRAFT), life, now)
        await store.save_draft(draft)
        await _report(Barriers(mongo, commits))
        return draft.id


async def _report(barriers: Barriers) -> None:
    """As many barriers as there would be in years, most of them settled, each in some sentences."""
    now = moment(datetime.now(UTC))
    await barriers.prepare()
    for n in range(BARRIERS):
        told = {"problem": _NEED[:600], "page": "/privacy", "name": "Lea Beispiel", "email": "lea@example.org"}
        body = BarrierBody.model_validate({"id": new_id(), **told})
        at = now - timedelta(hours=BARRIERS - n)
        await barriers.report(body, at, at.date() + timedelta(days=14))
        if n < BARRIERS - WAITING:
            await barriers.settle(body.id, "koordination", lambda: now)


async def _fill_notifications(place: Place, created: list[RequestCreated]) -> str:
    """All requests with their receipts, sent; one message."""
    async with place.mongo("notifications") as mongo, committing(Committer(mongo, "notifications")) as commits:
        store = notifications.Store(mongo, commits)
        await store.prepare()
        found = ""

        async def keep(fact: RequestCreated) -> None:
            nonlocal found
            case = Case(fact.request_id).note(noted(new_id(), fact))
            contact = Contact(
                f"request:{fact.request_id}",
                1,
                new_id(),
                name="Erika Beispiel",
                email="erika@rathaus.example",
                case_number=fact.case_number,
                municipality="Salach",
            )
            (message,) = calls.calls_for(case)
            assert plan.pieces(case, message) == {contact.key}
            done, _ = sent(message, contact.email, fact.submitted_at)
            await store.save(case=case, messages=[done], contact=contact)
            found = done.id

        for start in range(0, len(created), 500):
            await asyncio.gather(*map(keep, created[start : start + 500]))
        return found


async def _signed_in(place: Place, service: str) -> str:
    """The cookie of a coordinator."""
    async with place.mongo(service) as mongo:
        return await Sessions(mongo, 3600, 3600).begin(Person("koordination", "Beispiel", ("coordinator",)), "")
