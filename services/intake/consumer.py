"""The Kafka door: one short function per event; each fact becomes a step of its request, a dossier a name."""

from datetime import UTC, datetime

from services.intake import handlers, progress
from services.intake.store import Store
from shared.broker import On
from shared.commit import Insert
from shared.events import (
    AdvisorAnswered,
    AdvisorAssigned,
    AdvisorDossier,
    ConsultationClosed,
    RequestParked,
    SessionCompleted,
    SessionScheduled,
)
from shared.events.base import moment


def reactions(store: Store) -> list[On]:
    async def on_assigned(event: AdvisorAssigned, mark: Insert) -> None:
        await handlers.note(store, event.request_id, progress.assigned(event), mark)

    async def on_answered(event: AdvisorAnswered, mark: Insert) -> None:
        await handlers.note(store, event.request_id, progress.answered(event), mark)

    async def on_parked(event: RequestParked, mark: Insert) -> None:
        await handlers.note(store, event.request_id, progress.parked(event), mark)

    async def on_scheduled(event: SessionScheduled, mark: Insert) -> None:
        heard_at = moment(datetime.now(UTC))
        await handlers.note(store, event.request_id, progress.scheduled(event, heard_at), mark)

    async def on_completed(event: SessionCompleted, mark: Insert) -> None:
        await handlers.note(store, event.request_id, progress.completed(event), mark)

    async def on_closed(event: ConsultationClosed, mark: Insert) -> None:
        await handlers.note(store, event.request_id, progress.closed(event), mark)

    async def on_advisor(event: AdvisorDossier, mark: Insert) -> None:
        await handlers.name_advisor(store, event.advisor_id, event.name, mark)

    async def on_advisor_erased(advisor_id: str, mark: Insert) -> None:
        await handlers.name_advisor(store, advisor_id, None, mark)

    return [
        On(AdvisorAssigned, on_assigned),
        On(AdvisorAnswered, on_answered),
        On(RequestParked, on_parked),
        On(SessionScheduled, on_scheduled),
        On(SessionCompleted, on_completed),
        On(ConsultationClosed, on_closed),
        On(AdvisorDossier, on_advisor, on_advisor_erased),
    ]
