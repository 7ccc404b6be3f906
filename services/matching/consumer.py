"""The Kafka door: one short function per event."""

from collections.abc import Callable
from datetime import datetime

from services.matching.handlers import budget, events
from services.matching.matcher import Matcher
from services.matching.store import Store
from shared.broker import On
from shared.commit import Insert
from shared.events import BudgetSet, FeedbackGiven, RequestCreated, RequestDossier, RequestWithdrawn


def reactions(store: Store, matcher: Matcher, clock: Callable[[], datetime]) -> list[On]:
    """New requests are decided as they arrive; where that can't be they are stored for the matcher's loop."""

    async def on_request_created(event: RequestCreated, mark: Insert) -> None:
        await events.receive(store, event, mark, clock())

    async def on_request_withdrawn(event: RequestWithdrawn, mark: Insert) -> None:
        await events.withdraw(store, event, mark, clock())

    async def on_request_dossier(event: RequestDossier, mark: Insert) -> None:
        await store.keep_dossier(event, mark)

    async def on_request_erased(request_id: str, mark: Insert) -> None:
        await events.erase(store, request_id, mark)

    async def on_feedback_given(event: FeedbackGiven, mark: Insert) -> None:
        await events.rate(store, event, mark, clock())

    async def on_budget_set(event: BudgetSet, mark: Insert) -> None:
        await budget.follow(store, event, mark)

    return [
        On(RequestCreated, on_request_created, many=matcher.admit),
        On(RequestWithdrawn, on_request_withdrawn),
        On(RequestDossier, on_request_dossier, on_request_erased),
        On(FeedbackGiven, on_feedback_given),
        On(BudgetSet, on_budget_set),
    ]
