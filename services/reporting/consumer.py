"""Kafka door: every fact goes into the ledger, a batch at a time; of advisors' dossiers the name is kept."""

from collections.abc import Sequence

from services.reporting.handlers import fact
from services.reporting.ledger import Ledger
from services.reporting.projector import Projector
from services.reporting.records import Records
from shared.broker import WHOLE, Arrival, Together
from shared.events import BY_TOPIC, AdvisorDossier
from shared.topics import CONSUMED


def reactions(ledger: Ledger, projector: Projector, records: Records) -> Together:
    """What reporting does with whatever happens: it records it. The facts' ids make a repetition harmless."""

    async def record(arrivals: Sequence[Arrival]) -> None:
        if dossiers := [one.event for one in arrivals if isinstance(one.event, AdvisorDossier)]:
            await records.keep_names(dossiers)
        await ledger.record([fact(arrival) for arrival in arrivals if not isinstance(arrival.event, AdvisorDossier)])
        projector.wake(flood=len(arrivals) >= WHOLE // 2)

    return Together(tuple(BY_TOPIC[topic] for topic in CONSUMED["reporting"]), record, records.forget_name)
