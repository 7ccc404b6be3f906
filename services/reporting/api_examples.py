"""HTTP door: practice examples, for everybody once published; the office's desk; the municipality's answers."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from services.reporting import examples, publishing
from services.reporting.examples import LONGEST_PART, LONGEST_TITLE, Act, Example, Status, Text
from services.reporting.publishing import PURPOSE, STEPS, Offer, Showcase
from services.reporting.views import View
from shared import auth
from shared.access import by_link, everybody
from shared.auth import Caller, require
from shared.events.base import CaseNumber, Id, moment
from shared.idempotency import Once
from shared.mongo import Mongo
from shared.web import once

Part = Annotated[str, Field(max_length=LONGEST_PART, description="paragraphs with an empty line between them")]
ExampleId = Annotated[Id, Path(alias="id")]
_OFFERED: Mapping[str, Offer] = {"asked": "ask", "published": "publish", "withdrawn": "withdraw"}


class Told(View):
    """An example as everybody may read it, plain text."""

    id: str
    municipality_ags: str
    municipality: str
    fields: list[str] = Field(description="codes of what was asked for")
    title: str
    situation: str
    done: str
    outcome: str


class Published(Told):
    published_at: datetime


class Practice(View):
    items: list[Published] = Field(description="the last one published first")


class Consent(Told):
    """What the municipality is asked for: the text as it would be published."""

    status: Status
    revision: int = Field(description="of the text, to be named in the answer")


class StepView(View):
    act: Act
    at: datetime
    by: str = Field(description="an account's name, or municipality")
    revision: int


class ExampleView(Consent):
    request_id: str
    case_number: str
    version: int = Field(description="to be named when something is changed; 409 when it is another by then")
    lacks: list[str] = Field(description="parts without which nobody is asked")
    next_steps: list[Offer]
    may_be_written: bool
    history: list[StepView]


class Examples(View):
    items: list[ExampleView] = Field(description="the last one drafted first")


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DraftBody(Body):
    case_number: CaseNumber


class SeenBody(Body):
    version: int = Field(ge=0, description="of the example as it was read")


class TextBody(SeenBody):
    title: str = Field(max_length=LONGEST_TITLE)
    situation: Part = ""
    done: Part = ""
    outcome: Part = ""


class AnswerBody(Body):
    answer: Literal["agreed", "declined", "withdrawn"]
    revision: int = Field(ge=0, description="of the text that was read")


def router(showcase: Showcase, mongo: Mongo) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["examples"])
    _add_public(routes, showcase)
    _add_desk(routes, showcase, mongo)
    return routes


def _add_public(routes: APIRouter, showcase: Showcase) -> None:
    name = showcase.office.reports.register.name

    @routes.get("/practice")
    @everybody
    async def practice() -> Practice:
        """Practice examples that are published, each with its municipality's consent."""
        return Practice(items=[_published(one, name(one.ags)) for one in await showcase.records.public()])

    @routes.get("/practice/{id}")
    @everybody
    async def public(example_id: ExampleId) -> Published:
        """One of them. 404 from the moment that it was taken off."""
        one = await publishing.read_public(showcase, example_id)
        return _published(one, name(one.ags))

    @by_link
    async def asked(
        example_id: ExampleId, token: Annotated[str | None, Query(max_length=200, description="of the link")] = None
    ) -> str:
        """The example's id, when the caller has the token of its link."""
        auth.check(showcase.secret, token, PURPOSE, example_id)
        return example_id

    Asked = Annotated[str, Depends(asked)]

    @routes.get("/practice/{id}/consent")
    async def consent(example_id: Asked) -> Consent:
        """The text as it would be published, for the municipality; by the link in its mail."""
        one = await publishing.read(showcase, example_id)
        return Consent(**_told(one, name(one.ags)), status=one.status, revision=one.revision)

    @routes.post("/practice/{id}/consent")
    async def answer(example_id: Asked, body: AnswerBody) -> Consent:
        """Agree, decline, or take the consent back at any time. The same again changes nothing.

        409 when the text has changed since, or as things are.
        """
        await publishing.answer(showcase, example_id, body.answer, body.revision, _now())
        return await consent(example_id)


def _add_desk(routes: APIRouter, showcase: Showcase, mongo: Mongo) -> None:
    """For those who write them."""
    name = showcase.office.reports.register.name
    office = require(showcase.secret, "coordinator", "skew")
    Office = Annotated[Caller, Depends(office)]

    async def shown(example_id: str) -> ExampleView:
        one = await publishing.read(showcase, example_id)
        return _view(one, name(one.ags))

    @routes.get("/examples", dependencies=[Depends(office)])
    async def listed() -> Examples:
        """All examples, whatever they have come to."""
        return Examples(items=[_view(one, name(one.ags)) for one in await showcase.records.all()])

    @routes.post("/examples", status_code=201, response_model=ExampleView)
    async def draft(body: DraftBody, caller: Office, once: Annotated[Once, Depends(once(mongo))]) -> dict[str, Any]:
        """Draft the example of an engagement that has begun. Takes an Idempotency-Key. 409 when it has one."""

        def plain(one: Example) -> dict[str, Any]:
            return _view(one, name(one.ags)).model_dump(mode="json")

        async def act() -> dict[str, Any]:
            return plain(
                await publishing.draft_new(
                    showcase, body.case_number, caller.subject, _now(), lambda made: once.mark(plain(made))
                )
            )

        return await once.run(act)

    @routes.get("/examples/{id}", dependencies=[Depends(office)])
    async def example(example_id: ExampleId) -> ExampleView:
        """One example, with what everybody did."""
        return await shown(example_id)

    @routes.put("/examples/{id}")
    async def write(example_id: ExampleId, body: TextBody, caller: Office) -> ExampleView:
        """Another text is another revision, and a draft again: who has agreed has agreed to the one before."""
        text = Text.of(body.title, body.situation, body.done, body.outcome)
        await publishing.write(showcase, example_id, body.version, text, caller.subject, _now())
        return await shown(example_id)

    @routes.post("/examples/{id}/{step}")
    async def step(example_id: ExampleId, step: Offer, body: SeenBody, caller: Office) -> ExampleView:
        """Ask the municipality for its consent, publish what it has agreed to, or take it off the page at once."""
        await STEPS[step](showcase, example_id, body.version, caller.subject, _now())
        return await shown(example_id)


def _told(one: Example, place: str) -> dict[str, Any]:
    return {
        "id": one.id,
        "municipality_ags": one.ags,
        "municipality": place,
        "fields": list(one.fields),
        **asdict(one.text),
    }


def _published(one: Example, place: str) -> Published:
    return Published(**_told(one, place), published_at=one.history[-1].at)


def _view(one: Example, place: str) -> ExampleView:
    return ExampleView(
        **_told(one, place),
        status=one.status,
        revision=one.revision,
        request_id=one.request_id,
        case_number=one.case_number,
        version=one.version,
        lacks=list(examples.lacks(one.text)),
        next_steps=[_OFFERED[status] for status in examples.OFFERS[one.status]],
        may_be_written=one.may_be_written,
        history=[StepView.model_validate(step, from_attributes=True) for step in one.history],
    )


def _now() -> datetime:
    return moment(datetime.now(UTC))
