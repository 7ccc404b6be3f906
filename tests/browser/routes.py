"""Every page there is, in every state worth a look: one line each. Whoever adds a page adds its lines here.

`make screens` takes a picture of each; the tests look at each by axe, at 320 px, in the dark, without JavaScript.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from playwright.async_api import Page

from services.matching.entries import COLUMNS
from services.reporting.examples import Status
from shared import auth
from shared.ids import derived_id, new_id
from shared.settings import ServiceName
from tests.browser import drafts
from tests.browser.world import World


@dataclass(frozen=True)
class Shown:
    """A page in one state. `path`: makes the state and says where the page is; `status`: what it answers; `who`: the
    account that looks, None for the public; `act`: what is done there first, `then`: what that is answered with."""

    name: str
    service: ServiceName
    path: Callable[[World], Awaitable[str]]
    status: int = 200
    who: Callable[[World], Awaitable[str]] | None = None
    act: Callable[[Page], Awaitable[None]] | None = None
    then: int = 200


def _fixed(path: str) -> Callable[[World], Awaitable[str]]:
    async def found(_: World) -> str:
        return path

    return found


def _pressing(name: str, **typed: str) -> Callable[[Page], Awaitable[None]]:
    """Types into the fields with these ids and presses a button that leads to a page."""

    async def act(page: Page) -> None:
        for field, text in typed.items():
            await page.locator(f"#{field}").fill(text)
        async with page.expect_navigation():
            await page.locator("main").get_by_role("button", name=name, exact=True).first.click()

    return act


def _wrong(shown: Shown, button: str, then: int = 422, **typed: str) -> Shown:
    """The page of `shown` once more, with what is wrong."""
    return replace(shown, name=f"{shown.name}-wrong", act=_pressing(button, **typed), then=then)


def _request(step: str, page: str = "") -> Callable[[World], Awaitable[str]]:
    async def found(world: World) -> str:
        return world.request(await world.at(step), page)

    return found


def _answer(step: str) -> Callable[[World], Awaitable[str]]:
    async def found(world: World) -> str:
        return world.answer(await world.at(step))

    return found


LONG = "Sehr lange Beschreibung, Donaudampfschifffahrtsgesellschaft. <b>nicht fett</b> مرحبا 😀 \n" * 44
"""Almost 4,000 characters."""


def _lead(step: str, need: str | None = None) -> Callable[[World], Awaitable[str]]:
    async def found(world: World) -> str:
        return (await world.at(step, need)).advisors[0]

    return found


def _advisor(name: str, path: Callable[[World], Awaitable[str]], step: str = "accept", status: int = 200) -> Shown:
    return Shown(f"advisor-{name}", "matching", path, status, _lead(step))


def _office(name: str, path: Callable[[World], Awaitable[str]], status: int = 200) -> Shown:
    return Shown(f"coordination-{name}", "matching", path, status, _fixed("koordination"))


def _case(prefix: str, step: str, page: str = "", need: str | None = None) -> Callable[[World], Awaitable[str]]:
    """The page of a request, or under it, at `step`."""

    async def found(world: World) -> str:
        return f"{prefix}/{(await world.at(step, need)).request_id}{page}"

    return found


def _asked(step: str, need: str | None = None) -> Callable[[World], Awaitable[str]]:
    async def found(world: World) -> str:
        return f"/advisor/requests/{(await world.at(step, need)).assignment_id}"

    return found


def _session(page: str) -> Callable[[World], Awaitable[str]]:
    async def found(world: World) -> str:
        return f"/advisor/sessions/{await world.session()}/{page}"

    return found


def _many(path: str) -> Callable[[World], Awaitable[str]]:
    async def found(world: World) -> str:
        await world.many()
        return path

    return found


async def _proposal(world: World) -> str:
    return f"/coordination/requests/{await world.proposal()}"


async def _leaving(world: World) -> str:
    return f"/coordination/requests/{await world.leaving()}"


async def _reported(world: World) -> str:
    for problem in (LONG.strip(), "Mit der Tastatur komme ich nicht aus dem Menü heraus."):
        await world.barrier(problem)
    return "/barriers"


_CASE = "/coordination/requests"
_IMPORT = "/coordination/advisors/import"
_HEAD = ",".join(COLUMNS)
_NEW = "A98,Ärztin <b>Beispiel</b> مرحبا 🎉,a98@beratung.example,,de,de,08117,1,1,1,1,1,1,1,2024-10-18,2031-10-17,3,,"
PORTAL = (
    _advisor("home", _fixed("/advisor")),
    Shown("advisor-home-empty", "matching", _fixed("/advisor"), who=_fixed("A16")),
    Shown("advisor-past-empty", "matching", _fixed("/advisor/past"), who=_fixed("A16")),
    _advisor("past", _fixed("/advisor/past"), "close"),
    _advisor("me", _fixed("/advisor/me")),
    _advisor("asked", _asked("await_assignment"), "await_assignment"),
    Shown("advisor-asked-long", "matching", _asked("await_assignment", LONG), who=_lead("await_assignment", LONG)),
    _advisor("engagement", _case("/advisor/engagements", "accept")),
    _advisor("engagement-closed", _case("/advisor/engagements", "close"), "close"),
    _advisor("arrange", _case("/advisor/engagements", "accept", "/sessions/new")),
    _wrong(_advisor("arrange", _case("/advisor/engagements", "accept", "/sessions/new")), "Termin vereinbaren"),
    *(_advisor(page, _session(page)) for page in ("move", "cancel", "record")),
    _wrong(_advisor("record", _session("record")), "Sitzung erfassen", participants="viele 😀"),
    _wrong(_advisor("move", _session("move")), "Verschieben", minutes="viele"),
    _office("worklist", _fixed("/coordination")),
    _office("worklist-many", _many("/coordination")),
    _wrong(_office("worklist-many", _many("/coordination")), "Ausgewählte erinnern"),
    _office("search", _many("/coordination/search?q=BW-0")),
    _office("search-empty", _fixed("/coordination/search?q=nirgends")),
    _office("asked", _case(_CASE, "await_assignment")),
    _office("asked-long", _case(_CASE, "await_assignment", need=LONG)),
    _office("engaged", _case(_CASE, "accept")),
    _office("closed", _case(_CASE, "close")),
    _office("proposal", _proposal),
    _office("leaving", _leaving),
    _wrong(_office("leaving", _leaving), "Übergeben", to="A99", hand_over_reason="", then=422),
    _wrong(_office("note", _case(_CASE, "accept")), "Notiz festhalten"),
    _wrong(_office("assign", _case(_CASE, "await_assignment", "/assign")), "Fragen", lead="A99"),
    _office("assign", _case(_CASE, "await_assignment", "/assign")),
    _office("why", _case(_CASE, "await_assignment", "/why?advisor=A05")),
    _office("advisors", _fixed("/coordination/advisors")),
    _office("advisors-none", _fixed("/coordination/advisors?q=niemand")),
    _office("advisor", _fixed("/coordination/advisors/A05")),
    _office("advisor-edit", _fixed("/coordination/advisors/A05/edit")),
    _office("advisor-erase", _fixed("/coordination/advisors/A05/erase")),
    _office("advisor-new", _fixed("/coordination/advisors/new")),
    _wrong(_office("advisor-new", _fixed("/coordination/advisors/new")), "Speichern"),
    _office("import", _fixed(_IMPORT)),
    _wrong(_office("import", _fixed(_IMPORT)), "Vorschau zeigen", text=f"{_HEAD}\nA98,{LONG[:300].strip()}"),
    replace(
        _office("import-preview", _fixed(_IMPORT)), act=_pressing("Vorschau zeigen", text=f"{_HEAD}\n{_NEW}"), then=200
    ),
    _office("unknown", _fixed(f"{_CASE}/{new_id()}"), 404),
)


_GOVERNING = "/coordination/governing"


def _trial(**state: bool) -> Callable[[World], Awaitable[str]]:
    async def found(world: World) -> str:
        return f"{_GOVERNING}/simulations/{await world.trial(**state)}"

    return found


async def _handing(world: World) -> str:
    await world.leaving()
    return f"{_GOVERNING}/hand-overs"


async def _budget(world: World) -> str:
    return f"{_GOVERNING}/budgets/{await world.budget()}"


async def _to_leave(world: World) -> str:
    """Of somebody who advises."""
    return f"/coordination/advisors/{(await world.at('accept')).advisors[0]}/leave"


GOVERNING = (
    _office("policies", _fixed(f"{_GOVERNING}/policies")),
    _office("policy", _fixed(f"{_GOVERNING}/policies/versions/optimal.1")),
    _office("policy-new", _fixed(f"{_GOVERNING}/policies/new")),
    _office("simulation", _trial()),
    _office("simulation-draft", _trial(draft=True)),
    _office("simulation-running", _trial(running=True)),
    _office("simulations", _fixed(f"{_GOVERNING}/simulations")),
    _office("budget", _budget),
    _office("budgets", _fixed(f"{_GOVERNING}/budgets")),
    _office("budget-new", _fixed(f"{_GOVERNING}/budgets/new")),
    _office("hand-overs", _handing),
    _office("hand-overs-none", _fixed(f"{_GOVERNING}/hand-overs?advisor=A16")),
    _office("decisions", _fixed(f"{_GOVERNING}/decisions")),
    _office("decisions-none", _fixed(f"{_GOVERNING}/decisions?about=nirgends")),
    _office("advisor-leaves", _to_leave),
)


def _draft(steps: drafts.Typed, page: str) -> Callable[[World], Awaitable[str]]:
    async def found(world: World) -> str:
        return drafts.path(world, await drafts.typed(world, steps), page)

    return found


def _sent(page: str) -> Callable[[World], Awaitable[str]]:
    async def found(world: World) -> str:
        request_id = await drafts.sent(world, drafts.ODD)
        if page:
            return drafts.path(world, request_id, page)
        return f"/requests/{request_id}/sent?token={auth.sign(world.secret, 'status', request_id)}"

    return found


async def _expired(world: World) -> str:
    return drafts.path(world, derived_id(datetime.now(UTC) - timedelta(days=40), "old"), "/who")


_STEPS = ("who", "what", "how", "contact")
FORM = (
    Shown("start", "intake", _fixed("/")),
    *(Shown(f"form-{step}", "intake", _draft({}, f"/{step}")) for step in _STEPS),
    *(Shown(f"form-{step}-filled", "intake", _draft(drafts.ODD, f"/{step}")) for step in _STEPS),
    *(_wrong(Shown(f"form-{step}", "intake", _draft({}, f"/{step}")), "Weiter") for step in _STEPS),
    _wrong(Shown("form-save", "intake", _draft(drafts.FILLED, "/save")), "Link schicken", email="erika@"),
    _wrong(Shown("form-check", "intake", _draft({}, "/check")), "Anfrage absenden"),
    Shown("form-check-empty", "intake", _draft({}, "/check")),
    Shown("form-check-long", "intake", _draft(drafts.ODD, "/check")),
    Shown("form-save", "intake", _draft(drafts.FILLED, "/save")),
    Shown("form-expired", "intake", _expired, 410),
    Shown("form-already-sent", "intake", _sent("/check"), 409),
    Shown("sent", "intake", _sent("")),
    Shown("form-by-office", "intake", _draft(drafts.ODD, "/contact"), who=_fixed("koordination")),
    Shown("barriers", "intake", _reported, who=_fixed("koordination")),
    Shown("office-asks", "intake", _fixed("/request/office"), who=_fixed("koordination")),
    Shown("messages", "notifications", _fixed("/messages"), who=_fixed("koordination")),
)


def _year(path: str) -> Callable[[World], Awaitable[str]]:
    """With the figures of a whole journey in it."""

    async def found(world: World) -> str:
        await world.claim()
        year = datetime.now(UTC).year
        return f"{path}from={year}-01-01&to={year + 1}-12-31"

    return found


async def _closing(world: World) -> str:
    await world.closing()
    return "/reporting/periods"


async def _claim(world: World) -> str:
    return f"/reporting/claims/{await world.claim()}"


def _after_claim(path: str) -> Callable[[World], Awaitable[str]]:
    async def found(world: World) -> str:
        await world.claim()
        return path

    return found


def _figure(indicator: str, part: str = "") -> Callable[[World], Awaitable[str]]:
    """What a figure of this year is counted from."""
    year = datetime.now(UTC).year
    return _after_claim(f"/reporting/figures/{indicator}~{year}-01-01~{year}-12-31{part}")


def _closed(year: str) -> Callable[[World], Awaitable[str]]:
    async def found(world: World) -> str:
        await world.close(year)
        return f"/reporting/public/{year}"

    return found


def _example(status: Status, path: str) -> Callable[[World], Awaitable[str]]:
    async def found(world: World) -> str:
        example_id = await world.example(status)
        token = auth.sign(world.secret, "example", example_id)
        return path.format(id=example_id, token=token)

    return found


_CONSENT = "/reporting/practice/{id}/consent?token={token}"
EXAMPLES = (
    Shown("examples", "reporting", _example("asked", "/reporting/examples"), who=_fixed("skew")),
    Shown("example-draft", "reporting", _example("draft", "/reporting/examples/{id}"), who=_fixed("koordination")),
    Shown("example-public", "reporting", _example("published", "/reporting/examples/{id}"), who=_fixed("skew")),
    Shown("consent-asked", "reporting", _example("asked", _CONSENT)),
    Shown("consent-declined", "reporting", _example("declined", _CONSENT)),
    Shown("consent-published", "reporting", _example("published", _CONSENT)),
    Shown("consent-foreign", "reporting", _example("asked", "/reporting/practice/{id}/consent?token=x"), 403),
    Shown("practice", "reporting", _example("published", "/reporting/practice")),
    Shown("practice-one", "reporting", _example("published", "/reporting/practice/{id}")),
    Shown("practice-gone", "reporting", _example("declined", "/reporting/practice/{id}"), 404),
)

REPORTING = (
    Shown("figures", "reporting", _year("/reporting?"), who=_fixed("skew")),
    Shown("figures-honoraria", "reporting", _year("/reporting?show=honoraria&"), who=_fixed("skew")),
    Shown("figures-empty", "reporting", _fixed("/reporting?from=2001-01-01&to=2001-12-31"), who=_fixed("skew")),
    Shown("findings", "reporting", _fixed("/reporting/findings"), who=_fixed("skew")),
    Shown("claims", "reporting", _fixed("/reporting/claims?status=draft"), who=_fixed("koordination")),
    Shown("claim", "reporting", _claim, who=_fixed("koordination")),
    Shown("periods", "reporting", _fixed("/reporting/periods"), who=_fixed("skew")),
    Shown("public-year", "reporting", _closed("2002")),
    # last of those that close: from then on nothing else is closed
    Shown("periods-closing", "reporting", _closing, who=_fixed("koordination")),
    Shown("claims-all", "reporting", _after_claim("/reporting/claims"), who=_fixed("skew")),
    Shown("figure", "reporting", _figure("sessions"), who=_fixed("skew")),
    Shown("figure-by-field", "reporting", _figure("requests", "~field=fair_week"), who=_fixed("koordination")),
    Shown("mine", "reporting", _after_claim("/reporting/mine"), who=_lead("close")),
    Shown("mine-empty", "reporting", _fixed("/reporting/mine"), who=_fixed("A16")),
)

ROUTES = (
    *FORM,
    *PORTAL,
    *GOVERNING,
    *REPORTING,
    *EXAMPLES,
    Shown("status-received", "intake", _request("submit")),
    Shown("status-closed", "intake", _request("close")),
    Shown("withdraw", "intake", _request("submit", "/withdraw")),
    Shown("withdraw-too-late", "intake", _request("close", "/withdraw")),
    Shown("feedback", "intake", _request("close", "/feedback")),
    _wrong(Shown("feedback", "intake", _request("close", "/feedback")), "Rückmeldung senden"),
    Shown("feedback-too-early", "intake", _request("submit", "/feedback")),
    Shown("link-broken", "intake", _fixed("/requests/nonsense?token=x"), 400),
    Shown("link-foreign", "intake", _fixed(f"/requests/{new_id()}?token=x"), 403),
    Shown("unknown-address", "intake", _fixed("/there-is-nothing-here"), 404),
    *(Shown(name, "intake", _fixed(f"/{name}")) for name in ("imprint", "privacy", "accessibility")),
    *(Shown(name, "intake", _fixed(f"/{name}")) for name in ("plain-language", "sign-language")),
    Shown("barrier", "intake", _fixed("/barrier?page=/privacy")),
    _wrong(Shown("barrier", "intake", _fixed("/barrier?page=/privacy")), "Meldung senden", problem="zu kurz"),
    Shown("barrier-thanks", "intake", _fixed("/barrier/thanks")),
    Shown("privacy-english", "intake", _fixed("/privacy?lang=en")),
    Shown("answer-asked", "matching", _answer("await_assignment")),
    Shown("answer-engaged", "matching", _answer("accept")),
)
