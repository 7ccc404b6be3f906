"""The Kafka door: one reaction per topic."""

from datetime import UTC, datetime, timedelta

from services.notifications import handlers
from services.notifications.case import CaseFact
from services.notifications.store import Store
from shared.broker import On
from shared.commit import Insert
from shared.events import (
    AdvisorAnswered,
    AdvisorAssigned,
    AdvisorDossier,
    AdvisorReminded,
    BarrierReported,
    ConsultationClosed,
    DraftDossier,
    ExampleDecided,
    HandoverOpened,
    ProofReminded,
    RequestCreated,
    RequestDelayed,
    RequestDossier,
    RequestEscalated,
    RequestParked,
    RequestWithdrawn,
    SessionScheduled,
)
from shared.events.base import moment


def reactions(store: Store, silent_after: timedelta) -> list[On]:
    """Facts are noted in their case, dossiers kept as contacts; a tombstone erases its contact."""

    async def on_fact(fact: CaseFact, mark: Insert) -> None:
        await handlers.note(store, fact, mark, _now(), silent_after)

    async def on_request_dossier(dossier: RequestDossier, mark: Insert) -> None:
        await handlers.keep_request(store, dossier, mark, _now())

    async def on_request_erased(request_id: str, mark: Insert) -> None:
        await handlers.erase(store, f"request:{request_id}", mark, _now())

    async def on_draft_dossier(dossier: DraftDossier, mark: Insert) -> None:
        await handlers.keep_draft(store, dossier, mark, _now(), silent_after)

    async def on_draft_gone(request_id: str, mark: Insert) -> None:
        await handlers.erase(store, f"draft:{request_id}", mark, _now())

    async def on_barrier(fact: BarrierReported, mark: Insert) -> None:
        await handlers.tell_of_barrier(store, fact, mark, _now(), silent_after)

    async def on_advisor_dossier(dossier: AdvisorDossier, mark: Insert) -> None:
        await handlers.keep_advisor(store, dossier, mark, _now())

    async def on_advisor_erased(advisor_id: str, mark: Insert) -> None:
        await handlers.erase(store, f"advisor:{advisor_id}", mark, _now())

    async def on_proof_reminded(fact: ProofReminded, mark: Insert) -> None:
        await handlers.tell_of_proof(store, fact, mark, _now(), silent_after)

    return [
        On(RequestCreated, on_fact),
        On(RequestWithdrawn, on_fact),
        On(AdvisorAssigned, on_fact),
        On(AdvisorAnswered, on_fact),
        On(RequestParked, on_fact),
        On(RequestDelayed, on_fact),
        On(RequestEscalated, on_fact),
        On(AdvisorReminded, on_fact),
        On(HandoverOpened, on_fact),
        On(SessionScheduled, on_fact),
        On(ConsultationClosed, on_fact),
        On(ExampleDecided, on_fact),
        On(BarrierReported, on_barrier),
        On(ProofReminded, on_proof_reminded),
        On(RequestDossier, on_request_dossier, on_request_erased),
        On(DraftDossier, on_draft_dossier, on_draft_gone),
        On(AdvisorDossier, on_advisor_dossier, on_advisor_erased),
    ]


def _now() -> datetime:
    return moment(datetime.now(UTC))
