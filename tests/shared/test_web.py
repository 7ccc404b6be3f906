"""The HTTP door's plumbing on a small app, without servers."""

from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, Counter, Histogram
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pymongo.errors import AutoReconnect

from shared import web
from shared.access import by_link
from shared.errors import Conflict, Unavailable
from shared.service import Service
from shared.settings import Settings
from tests.conftest import SECRET


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(min_length=3)]
    number: Annotated[int, Field(le=5)] = 0

    @field_validator("name")
    @classmethod
    def known(cls, value: str) -> str:
        if value == "nobody":
            raise ValueError("Den gibt es nicht.", "There is no such person.")
        return value


@pytest.fixture(params=["framework", "express"])
def client(request: pytest.FixtureRequest) -> httpx.AsyncClient:
    """`POST /things` by FastAPI's layers, and past them: both must answer the same."""
    app = FastAPI()
    registry = CollectorRegistry()
    express: dict[tuple[str, str], web.Express] = {}
    web.install(app)
    app.add_middleware(
        web.Entrance,
        body_limit=1000,
        express=express,
        requests=Counter("r", "r", ("method", "route", "status"), registry=registry),
        seconds=Histogram("s", "s", ("route",), registry=registry),
    )

    @app.post("/things")
    async def things(body: Body) -> str:
        match body.name:
            case "conflict":
                raise Conflict("Schon beantwortet.", "Answered already.")
            case "away":
                raise AutoReconnect("connection closed")
            case "busy":
                raise Unavailable("Ausgelastet.", "Busy.", retry_after=7)
            case "bug!":
                raise KeyError("secret detail")
        return body.name

    async def quickly(request: Request) -> JSONResponse:
        try:
            body = Body.model_validate_json(await request.body())
        except ValidationError as error:
            raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()]) from None
        return JSONResponse(await things(body))

    if request.param == "express":
        express["POST", "/things"] = web.Express("/things", quickly)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://test")


async def test_wrong_fields_are_named_one_by_one_in_german(client: httpx.AsyncClient) -> None:
    answer = await client.post("/things", json={"name": "x", "number": 9, "more": 1})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert {item["field"] for item in body["errors"]} == {"name", "number", "more"}
    assert "Bitte mindestens 3 Zeichen." in body["detail"]
    assert body["correlation_id"] == answer.headers["x-correlation-id"]


async def test_the_words_follow_accept_language(client: httpx.AsyncClient) -> None:
    german = await client.post("/things", json={"name": "nobody"})
    english = await client.post("/things", json={"name": "nobody"}, headers={"Accept-Language": "en-GB,de;q=0.5"})
    assert german.json()["errors"][0]["detail"] == "Den gibt es nicht."
    assert english.json()["errors"][0]["detail"] == "There is no such person."


@pytest.mark.parametrize(
    ("name", "status", "retry"), [("conflict", 409, None), ("away", 503, "5"), ("busy", 503, "7"), ("bug!", 500, None)]
)
async def test_errors_become_problems(client: httpx.AsyncClient, name: str, status: int, retry: str | None) -> None:
    answer = await client.post("/things", json={"name": name})
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry)
    assert answer.json()["status"] == status
    assert "secret detail" not in answer.text


async def test_broken_json_is_400(client: httpx.AsyncClient) -> None:
    answer = await client.post("/things", content=b"{", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:miglobe:problem:malformed")


async def test_a_large_body_is_413_announced_or_not(client: httpx.AsyncClient) -> None:
    async def chunks() -> object:
        for _ in range(5):
            yield b"x" * 500

    announced = await client.post("/things", json={"name": "x" * 2000})
    streamed = await client.post("/things", content=chunks(), headers={"content-type": "application/json"})  # type: ignore[arg-type]
    assert (announced.status_code, streamed.status_code) == (413, 413)


async def test_unknown_routes_are_problems_too(client: httpx.AsyncClient) -> None:
    assert (await client.get("/nothing")).json()["title"] == "Nicht gefunden"
    assert (await client.get("/things")).status_code == 405


async def test_a_given_correlation_id_is_kept_and_a_hostile_one_replaced(client: httpx.AsyncClient) -> None:
    kept = await client.get("/nothing", headers={"X-Correlation-ID": "case-12345678"})
    replaced = await client.get("/nothing", headers={"X-Correlation-ID": "<script>alert()</script>"})
    assert kept.headers["x-correlation-id"] == "case-12345678"
    assert replaced.headers["x-correlation-id"].count("-") == 4


async def test_only_what_is_open_to_all_is_called_past_the_layers_that_check_who_asks() -> None:
    service = Service("intake", Settings(secret=SecretStr(SECRET)), title="MiGlobe intake", summary="")
    routes = APIRouter()

    @routes.post("/mine")
    @by_link
    async def mine(request: Request) -> None: ...

    with pytest.raises(TypeError, match="not open"):
        service.routes(routes, express=["mine"])
