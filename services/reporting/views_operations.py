"""What those who watch the flow are shown, and where each number comes from."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from services.reporting.views import View


class Window(View):
    since: datetime = Field(description="when it begins; later than asked for where nobody looked so early")
    messages: int


Windows = Annotated[
    dict[str, Window],
    Field(description="last_5_minutes, last_hour, last_day; empty while Kafka is away. From the ends of the topics."),
]


class TopicFlow(View):
    """One topic; from Kafka, the last two from the ledger (null for what is not a fact)."""

    topic: str
    service: str = Field(description="which emits it")
    ever: int | None = Field(description="messages put on it so far")
    flow: Windows
    last_at: datetime | None = Field(description="when what came last was committed by its service")
    last_took_seconds: float | None = Field(description="from there into the ledger: outbox, Kafka and consumer")


class ConsumerLag(View):
    """From Kafka: ends of the topic less what the service's group has committed, so also while the service is down."""

    service: str
    topic: str
    lag: int


class DeadLetters(View):
    """From Kafka: letters on `<topic>.<service>.dlq` that were not brought back."""

    service: str
    topic: str
    waiting: int


class Outbox(View):
    """Reporting's own; those of other services stand in their metrics (`miglobe_outbox_…`)."""

    pending: int
    oldest_seconds: float


class Rebuilding(View):
    """Facts done and to do of read models that are made anew beside those that are read."""

    done: int
    total: int


class LedgerState(View):
    head: int
    projected: int
    behind: int = Field(description="facts that are not yet in the reports")
    rebuilding: Rebuilding | None


class WaitingRequest(View):
    request_id: str
    case_number: str | None
    since: datetime
    municipality_ags: str
    municipality: str


class Waiting(View):
    """From the cases: requests that nobody has accepted yet, neither withdrawn nor closed."""

    count: int
    oldest: WaitingRequest | None


class Mails(View):
    """From notification.sent and notification.failed."""

    sent: Windows
    failed: Windows


class Operations(View):
    """One look at the whole flow."""

    at: datetime
    kafka_error: str | None = Field(description="why flow, consumers and dead_letters are empty")
    flow: list[TopicFlow]
    consumers: list[ConsumerLag]
    dead_letters: list[DeadLetters]
    outbox: Outbox
    ledger: LedgerState
    waiting: Waiting
    mails: Mails
