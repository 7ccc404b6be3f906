"""/api/budgets: minutes of advice per period, with what is used and reserved of them."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from services.matching.api.bodies import BudgetBody
from services.matching.api.door import Door
from services.matching.api.views import AuditView
from services.matching.domain.budget import ID
from services.matching.handlers import budget as handlers
from shared.auth import Caller, require
from shared.commit import again

BudgetId = Annotated[str, Path(pattern=ID, description="such as 2027 or 2027-h1")]


class BudgetView(BaseModel):
    """All in minutes."""

    id: str
    start: date
    end: date
    minutes: int
    committed: int = Field(description="used by sessions, or reserved for consultations that run")
    left: int = Field(description="less than 0 when sessions took longer than reserved")
    told_at: datetime | None = Field(description="reporting sets it, and said this then; null: it was set here")
    audit: list[AuditView]

    @classmethod
    def of(cls, one: handlers.Standing) -> "BudgetView":
        known = one.budget
        return cls(
            id=known.id,
            start=known.start,
            end=known.end,
            minutes=known.minutes,
            committed=one.committed,
            left=one.left,
            told_at=known.told_at,
            audit=[AuditView.of(entry) for entry in known.audit],
        )


class Budgets(BaseModel):
    """By their first day."""

    items: list[BudgetView]
    next: None = None


def router(door: Door) -> APIRouter:
    made = APIRouter(prefix="/budgets", tags=["budgets"])
    coordinator = require(door.secret, "coordinator")

    @made.get("", dependencies=[Depends(coordinator)])
    async def budgets() -> Budgets:
        return Budgets(items=[BudgetView.of(one) for one in await handlers.standings(door.store)])

    @made.put("/{budget_id}")
    async def put(budget_id: BudgetId, body: BudgetBody, caller: Annotated[Caller, Depends(coordinator)]) -> BudgetView:
        """Set or change a budget. What is released counts against the budget of the day on which it was decided.

        409 when the period overlaps with another one's, or reporting sets it. Days that no budget covers have no limit.
        """
        standing = await again(
            lambda: handlers.set_budget(
                door.store,
                budget_id,
                body.start,
                body.end,
                body.minutes,
                caller.subject,
                body.reason,
                door.clock(),
            )
        )
        return BudgetView.of(standing)

    return made
