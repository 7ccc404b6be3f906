"""The look on a small app: language, headers, errors as pages, forms, files."""

import re

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Query, Request, Response
from prometheus_client import CollectorRegistry, Counter, Histogram
from pydantic import SecretStr

from shared import assets, web
from shared.errors import Conflict, Unavailable
from shared.look import Look, Viewer
from shared.look.nav import Entry, Group, links
from shared.settings import Settings
from tests.conftest import SECRET


@pytest.fixture
def client() -> httpx.AsyncClient:
    """`/page` shows the error page of intake's look, as the shortest page there is."""
    look = Look(Settings(secret=SecretStr(SECRET)), "services.intake")
    app = FastAPI()
    web.install(app)
    app.state.pages = look.sorry
    registry = CollectorRegistry()
    app.add_middleware(
        web.Entrance,
        body_limit=1000,
        express={},
        requests=Counter("r", "r", ("method", "route", "status"), registry=registry),
        seconds=Histogram("s", "s", ("route",), registry=registry),
    )
    routes = APIRouter(route_class=look.route_class)

    @routes.get("/page")
    async def page(request: Request, who: str = "", many: int = Query(default=1)) -> Response:
        if who:
            request.state.viewer = Viewer(
                "koo", "coordinator", who, ("coordinator",), "secret-csrf", "/logout", "/session", "/login", 3600
            )
        raise Conflict(f"Schon {many}-mal beantwortet.", f"Answered {many} times already.")

    @routes.post("/page")
    async def act(request: Request) -> Response:
        raise Unavailable("Gerade nicht.", "Not now.")

    app.include_router(routes)
    app.mount("/static", assets.Static())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers={"accept": "text/html"})


async def test_german_first_english_where_asked_and_the_choice_is_kept(client: httpx.AsyncClient) -> None:
    assert '<html lang="de">' in (await client.get("/page")).text
    assert '<html lang="en">' in (await client.get("/page", headers={"accept-language": "en-GB,de;q=0.5"})).text
    german = await client.get("/page?many=3")
    [switch] = re.findall(r'href="([^"]+)" hreflang="en"', german.text)
    english = await client.get(switch.replace("&amp;", "&"))
    assert "Answered 3 times already." in english.text
    assert "Skip to content" in english.text
    assert "lang=en" in english.headers["set-cookie"]
    assert '<html lang="en">' in (await client.get("/page", headers={"accept-language": "de"})).text


async def test_after_a_post_no_switch_could_lose_what_was_typed(client: httpx.AsyncClient) -> None:
    answer = await client.post("/page")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "hreflang" not in answer.text


async def test_every_page_bears_its_headers_and_other_answers_the_strictest(client: httpx.AsyncClient) -> None:
    page = (await client.get("/page")).headers
    assert "script-src 'self'" in page["content-security-policy"]
    assert "unsafe" not in page["content-security-policy"]
    assert page["referrer-policy"] == "same-origin"
    assert "camera=()" in page["permissions-policy"]
    assert page["x-content-type-options"] == "nosniff"
    data = await client.get("/nothing", headers={"accept": "application/json"})
    assert data.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert data.headers["content-type"] == "application/problem+json"


async def test_an_unknown_address_is_a_page_for_who_reads_pages(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "<h1>Nicht gefunden</h1>" in answer.text
    assert (await client.get("/api/nothing")).headers["content-type"] == "application/problem+json"


async def test_a_broken_link_says_so(client: httpx.AsyncClient) -> None:
    answer = await client.get("/page?many=viele")
    assert answer.status_code == 400
    assert "unvollständig" in answer.text


async def test_who_is_signed_in_reads_so_and_can_leave(client: httpx.AsyncClient) -> None:
    text = (await client.get("/page?who=<b>Koordination</b>")).text
    assert "Angemeldet: &lt;b&gt;Koordination&lt;/b&gt;" in text
    assert 'name="csrf" value="secret-csrf"' in text
    assert "Abmelden" not in (await client.get("/page")).text


async def test_files_are_kept_for_ever_by_their_content_and_compressed(client: httpx.AsyncClient) -> None:
    address = assets.address("look.css")
    named = await client.get(address)
    assert "immutable" in named.headers["cache-control"]
    assert named.headers["content-encoding"] == "gzip"
    assert named.headers["content-type"].startswith("text/css")
    outdated = await client.get("/static/look.css?v=000000000000")
    assert "immutable" not in outdated.headers["cache-control"]
    again = await client.get(address, headers={"if-none-match": named.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = await client.get(address, headers={"accept-encoding": "identity"})
    assert plain.content == named.content
    font = await client.get("/static/vendor/fira-sans/regular.woff2")
    assert (font.headers["content-type"], "content-encoding" in font.headers) == ("font/woff2", False)


@pytest.mark.parametrize("name", ["nothing.css", "../data/municipalities-bw.csv", "%2e%2e/settings.py", "", "vendor"])
async def test_nothing_but_the_files_is_served(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/static/{name}")).status_code == 404


def test_of_two_places_above_a_page_the_nearer_is_current() -> None:
    entries = (
        Entry("matching", "/a", ("A", "A")),
        Entry("matching", "/a/b", ("B", "B")),
        Entry("intake", "/", ("", "")),
    )
    settings = Settings(secret=SecretStr(SECRET))

    def current(path: str) -> list[str]:
        return [link.words[0] for link in links(entries, settings, "matching", path) if link.current]

    assert [current(path) for path in ("/a", "/a/c", "/a/b", "/a/b/c", "/ab")] == [["A"], ["A"], ["B"], ["B"], []]


def test_a_place_in_a_group_marks_the_group_as_well() -> None:
    deep = (Entry("reporting", "/a", ("A", "A")), Entry("matching", "/b", ("B", "B")))
    entries = (Entry("matching", "/", ("0", "0")), Group(("G", "G"), deep))
    settings = Settings(secret=SecretStr(SECRET))

    def current(path: str) -> list[str]:
        shown = links(entries, settings, "matching", path)
        return [one.words[0] for link in shown for one in (link, *link.below) if one.current]

    assert [current(path) for path in ("/", "/b", "/b/c", "/a")] == [["0"], ["G", "B"], ["G", "B"], ["0"]]


def test_links_lead_across_one_site_by_path_and_without_one_by_address() -> None:
    apart = Settings(secret=SecretStr(SECRET))
    together = Settings(secret=SecretStr(SECRET), site_url="https://beratung.example/")
    assert apart.link("matching", "intake", "/imprint") == "http://127.0.0.1:8001/imprint"
    assert apart.link("intake", "intake", "/imprint") == "/imprint"
    assert together.link("matching", "intake", "/imprint") == "/imprint"
    assert together.address("matching") == "https://beratung.example"
