"""Kafka door: every fact goes into the ledger, a batch at a time."""

from collections.abc import Sequence

from services.reporting.handlers import fact
from services.reporting.ledger import Ledger
from services.reporting.projector import Projector
from shared.broker import WHOLE, Arrival, Together
from shared.events import BY_TOPIC
from shared.topics import CONSUMED


def reactions(ledger: Ledger, projector: Projector) -> Together:
    """What reporting does with whatever happens: it records it. The facts' ids make a repetition harmless."""

    async def record(arrivals: Sequence[Arrival]) -> None:
        await ledger.record([fact(arrival) for arrival in arrivals])
        projector.wake(flood=len(arrivals) >= WHOLE // 2)

    return Together(tuple(BY_TOPIC[topic] for topic in CONSUMED["reporting"]), record)
