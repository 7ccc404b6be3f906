"""Practice examples: the office's desk, the municipality's link (GET shows, POST acts), and the public pages."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.reporting import publishing
from services.reporting.examples import (
    ACTS,
    LONGEST_PART,
    LONGEST_TITLE,
    MUNICIPALITY,
    OFFERS,
    STATUS_NAMES,
    Example,
    Text,
    lacks,
)
from services.reporting.pages.desk import Pages
from services.reporting.publishing import PURPOSE, STEPS, Offer
from shared import auth
from shared.access import by_link, everybody
from shared.errors import Conflict, NotFound, Problem
from shared.events.base import Id, moment
from shared.login import Viewer, signed_in

Office = Annotated[Viewer, Depends(signed_in("coordinator", "skew"))]
ExampleId = Annotated[Id, Path(alias="id")]
Token = Annotated[str | None, Query(max_length=200)]
Seen = Annotated[int, Form(ge=0)]
Part = Annotated[str, Form(max_length=LONGEST_PART)]
Number = Annotated[int, Query(ge=1, le=10_000, alias="page")]
SHOWN = 50
"""Examples on one page."""


def add(routes: APIRouter, pages: Pages) -> None:
    _add_desk(routes, pages)
    _add_link(routes, pages)
    _add_public(routes, pages)


def _add_desk(routes: APIRouter, pages: Pages) -> None:
    """`/reporting/examples`, for those who write them."""
    look, showcase = pages.look, pages.showcase

    async def listed(
        request: Request, viewer: Viewer, case: str, number: int = 1, refused: Problem | None = None
    ) -> HTMLResponse:
        found = await showcase.records.all(SHOWN * (number - 1), SHOWN + 1)
        return look.show(
            request,
            "examples.html",
            refused.status if refused else 200,
            **_page(found, number),
            place=pages.reports.register.name,
            states=STATUS_NAMES,
            case=case,
            errors={"case": (refused.de, refused.en)} if refused else {},
            csrf=viewer.csrf,
        )

    @routes.get("/reporting/examples")
    async def examples(
        request: Request, viewer: Office, case: Annotated[str, Query(max_length=40)] = "", number: Number = 1
    ) -> HTMLResponse:
        return await listed(request, viewer, case, number)

    @routes.post("/reporting/examples")
    async def draft(request: Request, viewer: Office, case: Annotated[str, Form(max_length=40)] = "") -> Response:
        try:
            made = await publishing.draft(showcase, case.strip().upper(), viewer.subject, _now())
        except (NotFound, Conflict) as refused:
            return await listed(request, viewer, case, refused=refused)
        return _to(made.id)

    async def shown(
        request: Request, viewer: Viewer, one: Example, typed: Text | None = None, refused: Problem | None = None
    ) -> HTMLResponse:
        return look.show(
            request,
            "example_edit.html",
            refused.status if refused else 200,
            one=one,
            text=typed or one.text,
            unsaved=typed is not None,
            lacks=lacks(one.text),
            place=pages.reports.register.name(one.ags),
            states=STATUS_NAMES,
            acts=ACTS,
            offers=OFFERS[one.status],
            municipality=MUNICIPALITY,
            longest=(LONGEST_TITLE, LONGEST_PART),
            refused=refused,
            csrf=viewer.csrf,
        )

    @routes.get("/reporting/examples/{id}")
    async def example(request: Request, example_id: ExampleId, viewer: Office) -> HTMLResponse:
        return await shown(request, viewer, await publishing.read(showcase, example_id))

    @routes.post("/reporting/examples/{id}")
    async def write(
        request: Request,
        example_id: ExampleId,
        viewer: Office,
        version: Seen,
        title: Annotated[str, Form(max_length=LONGEST_TITLE)] = "",
        situation: Part = "",
        done: Part = "",
        outcome: Part = "",
    ) -> Response:
        typed = Text.of(title, situation, done, outcome)
        try:
            await publishing.write(showcase, example_id, version, typed, viewer.subject, _now())
        except Conflict as refused:
            return await shown(request, viewer, await publishing.read(showcase, example_id), typed, refused)
        return _to(example_id)

    @routes.post("/reporting/examples/{id}/{step}")
    async def step(request: Request, example_id: ExampleId, step: Offer, viewer: Office, version: Seen) -> Response:
        try:
            await STEPS[step](showcase, example_id, version, viewer.subject, _now())
        except Conflict as refused:
            return await shown(request, viewer, await publishing.read(showcase, example_id), None, refused)
        return _to(example_id)


def _add_link(routes: APIRouter, pages: Pages) -> None:
    """What the link in the municipality's mail opens: the text as it would be published, and the answers to it."""
    look, showcase = pages.look, pages.showcase

    async def shown(request: Request, example_id: str, refused: Problem | None = None) -> HTMLResponse:
        one = await publishing.read(showcase, example_id)
        return look.show(
            request,
            "example_consent.html",
            refused.status if refused else 200,
            one=one,
            place=pages.reports.register.name(one.ags),
            here=f"/reporting/practice/{example_id}/consent?token={showcase.token(example_id)}",
            refused=refused,
        )

    @routes.get("/reporting/practice/{id}/consent")
    @by_link
    async def consent(request: Request, example_id: ExampleId, token: Token = None) -> HTMLResponse:
        auth.check(showcase.secret, token, PURPOSE, example_id)
        return await shown(request, example_id)

    @routes.post("/reporting/practice/{id}/consent")
    @by_link
    async def answer(
        request: Request,
        example_id: ExampleId,
        token: Token = None,
        answer: Annotated[str, Form(max_length=20)] = "",
        revision: Annotated[int, Form(ge=0)] = 0,
    ) -> Response:
        auth.check(showcase.secret, token, PURPOSE, example_id)
        try:
            await publishing.answer(showcase, example_id, answer, revision, _now())
        except Conflict as refused:
            return await shown(request, example_id, refused)
        return RedirectResponse(f"{request.url.path}?token={showcase.token(example_id)}", 303)


def _add_public(routes: APIRouter, pages: Pages) -> None:
    """What everybody reads, as long as it is published."""
    look, showcase = pages.look, pages.showcase

    @routes.get("/reporting/practice")
    @everybody
    async def practice(request: Request, number: Number = 1) -> HTMLResponse:
        found = await showcase.records.public(SHOWN * (number - 1), SHOWN + 1)
        return look.show(request, "practice.html", **_page(found, number), place=pages.reports.register.name)

    @routes.get("/reporting/practice/{id}")
    @everybody
    async def public(request: Request, example_id: ExampleId) -> HTMLResponse:
        one = await publishing.read_public(showcase, example_id)
        return look.show(request, "practice_one.html", one=one, place=pages.reports.register.name(one.ags))


def _page(found: list[Example], number: int) -> dict[str, Any]:
    """What is shown of `found`, which has one more where the list goes on."""
    return {"items": found[:SHOWN], "begun": number > 1, "next": number + 1 if found[SHOWN:] else 0}


def _to(example_id: str) -> RedirectResponse:
    return RedirectResponse(f"/reporting/examples/{example_id}", 303)


def _now() -> datetime:
    return moment(datetime.now(UTC))
