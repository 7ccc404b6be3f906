"""The ceiling: FastAPI with a declared model that stores nothing; and the same with all of intake's own checks."""

import sys
from datetime import date
from typing import Annotated, Literal

import uvicorn
from fastapi import FastAPI, Request
from pydantic import BaseModel, Field

from services.intake.bodies import request_body

Text = Annotated[str, Field(min_length=1, max_length=120)]


class Contact(BaseModel):
    name: Text
    email: Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
    phone: Text | None = None
    office: Text | None = None


class Consent(BaseModel):
    privacy_notice: bool
    version: Text


class RequestModel(BaseModel):
    """The body of `POST /api/requests`, checked by nothing but types, lengths and patterns."""

    municipality_ags: Annotated[str, Field(pattern=r"^[0-9]{5}([0-9]{3})?$")]
    fields: Annotated[list[Text], Field(min_length=1, max_length=7)]
    need: Annotated[str, Field(min_length=20, max_length=4000)]
    contact: Contact
    languages: Annotated[list[Text], Field(min_length=1, max_length=20)]
    mode: Literal["on_site", "online", "either"]
    wanted_from: date
    tandem: Literal["wanted", "not_wanted", "either"]
    correspondence: Literal["de", "en"]
    consent: Consent
    channel: Literal["web", "api", "staff", "advisor"]


class Answer(BaseModel):
    request_id: str
    case_number: str


_ANSWER = Answer(request_id="01900000-0000-7000-8000-000000000000", case_number="MG-7K4M-2PQW")


def build() -> FastAPI:
    app = FastAPI()

    @app.post("/api/requests", status_code=201)
    async def submit(body: RequestModel) -> Answer:
        return _ANSWER.model_copy(update={"case_number": body.municipality_ags})

    @app.post("/same-checks", status_code=201)
    async def submit_checked(request: Request) -> Answer:
        return _ANSWER.model_copy(update={"case_number": (await request_body(request)).municipality_ags})

    return app


def serve(app: FastAPI) -> None:
    """As uvicorn serves it best: uvloop, httptools, no access log."""
    port = int(sys.argv[1])
    uvicorn.run(
        app, host="127.0.0.1", port=port, loop="uvloop", http="httptools", access_log=False, log_level="warning"
    )


if __name__ == "__main__":
    serve(build())
