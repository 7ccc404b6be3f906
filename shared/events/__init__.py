"""The event contracts: one short file per emitter, one registry by topic.

Evolution: add optional fields only; a breaking change is a new class with `version = 2` and topic `….v2`.
"""

from shared.events.base import Dossier, Event, Fact
from shared.events.intake import (
    BarrierReported,
    DraftDossier,
    FeedbackGiven,
    RequestCreated,
    RequestDossier,
    RequestWithdrawn,
)
from shared.events.matching import (
    AdvisorAnswered,
    AdvisorAssigned,
    AdvisorDossier,
    AdvisorReminded,
    ConsultationClosed,
    HandoverOpened,
    RequestDelayed,
    RequestEscalated,
    RequestParked,
    SessionCompleted,
    SessionScheduled,
)
from shared.events.notifications import NotificationFailed, NotificationSent
from shared.events.reporting import BudgetSet, ClaimDecided, ExampleDecided, ProofReminded, ReportingEntry

EMITTED: dict[str, tuple[type[Event], ...]] = {
    "intake": (RequestCreated, RequestWithdrawn, RequestDossier, DraftDossier, FeedbackGiven, BarrierReported),
    "matching": (
        AdvisorAssigned,
        AdvisorAnswered,
        RequestParked,
        AdvisorReminded,
        RequestEscalated,
        RequestDelayed,
        HandoverOpened,
        AdvisorDossier,
        SessionScheduled,
        SessionCompleted,
        ConsultationClosed,
    ),
    "notifications": (NotificationSent, NotificationFailed),
    "reporting": (ReportingEntry, ClaimDecided, BudgetSet, ProofReminded, ExampleDecided),
}
"""Service → the events that it alone emits."""

BY_TOPIC: dict[str, type[Event]] = {event.topic: event for events in EMITTED.values() for event in events}

__all__ = [
    "BY_TOPIC",
    "EMITTED",
    "AdvisorAnswered",
    "AdvisorAssigned",
    "AdvisorDossier",
    "AdvisorReminded",
    "BarrierReported",
    "BudgetSet",
    "ClaimDecided",
    "ConsultationClosed",
    "Dossier",
    "DraftDossier",
    "Event",
    "ExampleDecided",
    "Fact",
    "FeedbackGiven",
    "HandoverOpened",
    "NotificationFailed",
    "NotificationSent",
    "ProofReminded",
    "ReportingEntry",
    "RequestCreated",
    "RequestDelayed",
    "RequestDossier",
    "RequestEscalated",
    "RequestParked",
    "RequestWithdrawn",
    "SessionCompleted",
    "SessionScheduled",
]
