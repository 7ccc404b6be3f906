"""/api/assignments: who was asked and why, and their answers."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from services.matching import reasons
from services.matching.api.bodies import DeclineBody, Page, ReleaseBody
from services.matching.api.door import Answering, AssignmentId, Door, Limit, Number, answering
from services.matching.api.reasons import WhyNotView, explanation, why_not
from services.matching.api.views import AssignmentDetail, AssignmentView, assignment, explained
from services.matching.domain.model import Engagement, ListedState, Reason, Round
from services.matching.handlers import explaining, policies, releasing
from services.matching.handlers import rounds as handlers
from shared.auth import Caller, require
from shared.commit import again
from shared.errors import Forbidden
from shared.events.base import AdvisorId, Id
from shared.web import language

LINKED: dict[str, Any] = {"security": [{}]}
"""A link's token does in place of a bearer token."""


class Answered(BaseModel):
    """`complete`: everybody has accepted, the consultation has begun."""

    assignment_id: str
    request_id: str
    advisor_id: str
    answer: str
    reason: Reason | None
    complete: bool
    state: ListedState


def router(door: Door) -> APIRouter:
    made = APIRouter(prefix="/assignments", tags=["assignments"])
    concerned = require(door.secret, "coordinator", "advisor")
    coordinator = require(door.secret, "coordinator")
    answerer = answering(door.secret)
    store = door.store

    @made.get("")
    async def assignments(
        caller: Annotated[Caller, Depends(concerned)],
        request: Annotated[Id | None, Query(description="of this request only")] = None,
        advisor: Annotated[AdvisorId | None, Query(description="of this advisor only")] = None,
        limit: Limit = 50,
        after: Annotated[Id | None, Query()] = None,
    ) -> Page[AssignmentView]:
        """Every round, the oldest first; an advisor sees their own."""
        if caller.role == "advisor":
            if advisor not in (None, caller.subject):
                raise Forbidden("Sie sehen nur Ihre eigenen Anfragen.", "You see your own assignments only.")
            advisor = caller.subject
        found = await store.assignments(advisor, request, after or "", limit + 1)
        items = [assignment(one, _round(one, asked), door.register) for one, asked in found[:limit]]
        return Page(items=items, next=items[-1].assignment_id if len(found) > limit else None)

    @made.get("/{assignment_id}")
    async def one(
        assignment_id: AssignmentId, caller: Annotated[Caller, Depends(concerned)], request: Request
    ) -> AssignmentDetail:
        """With the points per criterion of the chosen and, for coordinators, of the next best; a proposal is theirs.

        The need is shown to whoever is asked or has accepted, not to those who are out.
        """
        known = await handlers.of_assignment(store, assignment_id)
        asked = _shown(known, assignment_id)
        if caller.role == "advisor" and known.round(assignment_id) is None:
            raise Forbidden("Das ist nicht Ihre Anfrage.", "This is not your assignment.")
        if caller.role == "advisor" and asked.seat(caller.subject) is None:
            raise Forbidden("Das ist nicht Ihre Anfrage.", "This is not your assignment.")
        seated = known.current is not None and any(one.advisor_id == caller.subject for one in known.current.held)
        dossier = await store.dossier(known.id) if seated or caller.role == "coordinator" else None
        tongue = language(request)
        if caller.role == "advisor":
            why = reasons.own(asked, caller.subject, tongue)
            return explained(known, asked, door.register, dossier, why, None)
        policy = await policies.active(store)
        basis, kept = await explaining.basis(store, known, asked, policy, door.rules, door.clock())
        found = await explaining.explain(await explaining.lay_out(basis), known.id, asked)
        cases = await explaining.cases(store, found.alternatives)
        whole = explanation(found, basis, known.id, cases, tongue, as_decided=kept)
        why = [whole.words, *(one.words for one in whole.alternatives)]
        return explained(known, asked, door.register, dossier, why, whole)

    @made.get("/{assignment_id}/why-not/{advisor_id}", dependencies=[Depends(require(door.secret, "coordinator"))])
    async def why_not_them(assignment_id: AssignmentId, advisor_id: Number, request: Request) -> WhyNotView:
        """Of any advisor: what bars them, how many points the best choice with them lacks, or where they are needed."""
        known = await handlers.of_assignment(store, assignment_id)
        asked, policy = _round(known, assignment_id), await policies.active(store)
        basis, as_decided = await explaining.basis(store, known, asked, policy, door.rules, door.clock())
        found = await explaining.why_not(await explaining.lay_out(basis), known.id, asked, advisor_id)
        cases = await explaining.cases(store, [found.best] if found.best else [])
        return why_not(found, advisor_id, cases, language(request), as_decided=as_decided)

    @made.post("/{assignment_id}/release")
    async def release(
        assignment_id: AssignmentId, body: ReleaseBody, caller: Annotated[Caller, Depends(coordinator)]
    ) -> AssignmentView:
        """Asks whom the matcher has proposed. Releasing twice is fine.

        409 when there is a newer proposal, or one of them can't be asked any more: then it is decided anew.
        """
        policy = await door.policy()
        known = await again(
            lambda: releasing.release(store, assignment_id, caller, body.reason or "", policy, door.rules, door.clock())
        )
        return assignment(known, _round(known, assignment_id), door.register)

    @made.post("/{assignment_id}/accept", openapi_extra=LINKED)
    async def accept(assignment_id: AssignmentId, who: Annotated[Answering, Depends(answerer)]) -> Answered:
        """Take the request. Accepting twice is fine."""
        known = await again(
            lambda: handlers.answer(store, assignment_id, who.advisor_id, "accepted", None, who.by, door.clock())
        )
        return _answered(known, assignment_id, who.advisor_id)

    @made.post("/{assignment_id}/decline", openapi_extra=LINKED)
    async def decline(
        assignment_id: AssignmentId, body: DeclineBody, who: Annotated[Answering, Depends(answerer)]
    ) -> Answered:
        """Leave the request to the next in line. Declining twice is fine."""
        known = await again(
            lambda: handlers.answer(store, assignment_id, who.advisor_id, "declined", body.reason, who.by, door.clock())
        )
        return _answered(known, assignment_id, who.advisor_id)

    return made


def _round(engagement: Engagement, assignment_id: str) -> Round:
    found = engagement.round(assignment_id)
    assert found is not None
    return found


def _shown(engagement: Engagement, assignment_id: str) -> Round:
    """The round, or what is proposed."""
    proposal = engagement.proposal
    return (
        proposal.asked
        if proposal and proposal.asked.assignment_id == assignment_id
        else _round(engagement, assignment_id)
    )


def _answered(engagement: Engagement, assignment_id: str, advisor_id: str) -> Answered:
    asked = _round(engagement, assignment_id)
    seat = asked.seat(advisor_id)
    assert seat is not None
    return Answered.model_validate(
        {
            "assignment_id": assignment_id,
            "request_id": engagement.id,
            "advisor_id": advisor_id,
            "answer": seat.answer,
            "reason": seat.reason,
            "complete": asked.complete,
            "state": engagement.state,
        }
    )
