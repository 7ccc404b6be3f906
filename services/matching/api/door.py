"""What every route of matching needs, and who may come in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.matching.domain.policy import Policy
from services.matching.domain.worklist import Rules
from services.matching.handlers import policies
from services.matching.handlers.advisors import Governed
from services.matching.store import Store
from shared import auth
from shared.access import Access, stating
from shared.errors import FieldError, Forbidden, Invalid
from shared.events.base import AdvisorId, Id
from shared.mongo import Mongo
from shared.register import Register

RequestId = Annotated[Id, Path(description="as in request.created")]
AssignmentId = Annotated[Id, Path(description="one round of a request")]
SessionId = Annotated[Id, Path()]
Number = Annotated[AdvisorId, Path(description="such as A05")]
Limit = Annotated[int, Query(ge=1, le=200)]
_BEARER = HTTPBearer(auto_error=False, description="as elsewhere; or the link's `token`")


@dataclass(frozen=True)
class Door:
    store: Store
    mongo: Mongo
    rules: Rules
    register: Register
    secret: str
    clock: Callable[[], datetime]

    def today(self) -> date:
        return self.rules.day(self.clock())

    async def policy(self) -> Policy:
        """The one by which is decided now."""
        return await policies.active(self.store)

    async def governed(self) -> Governed:
        return Governed(self.rules, (await self.policy()).rules)


@dataclass(frozen=True)
class Answering:
    """The advisor whose answer it is; `by`: the coordinator who gives it for them."""

    advisor_id: str
    by: str | None


def answering(secret: str) -> Callable[..., Awaitable[Answering]]:
    """A FastAPI dependency: the advisor themselves (signed in, or by the link of their mail), or a coordinator."""

    @stating(Access("link", ("advisor", "coordinator")))
    async def dependency(
        request: Request,
        assignment_id: AssignmentId,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
        advisor: Annotated[AdvisorId | None, Query(description="needed with `token` and for coordinators")] = None,
        token: Annotated[str | None, Query(max_length=200, description="of the link in the advisor's mail")] = None,
    ) -> Answering:
        if credentials is None:
            auth.check(secret, token, "answer", assignment_id, advisor or "")
            return Answering(advisor or "", None)
        person = await auth.authenticate(request, secret, credentials.credentials)
        if person.acting(("advisor",)) and advisor in (None, person.advisor_id):
            return Answering(person.advisor_id or "", None)
        caller = person.acting(("coordinator",))
        if caller is None:
            raise Forbidden("Ihre Rolle darf das nicht.", "Only the advisor or a coordinator may answer.")
        if advisor is None:
            german = "Bitte angeben, für wen Sie antworten."
            raise Invalid.of(FieldError("advisor", "missing", german, "Say for whom you answer."))
        return Answering(advisor, caller.subject)

    return dependency
