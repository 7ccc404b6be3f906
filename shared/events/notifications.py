"""What notifications emits."""

from typing import ClassVar, Literal

from pydantic import Field

from shared.events.base import AdvisorId, Code, Fact, Id, Moment

ABOUT = "what the mail is about: a request, or a draft or barrier that has this id"


class NotificationSent(Fact):
    """A mail was handed to the mail server."""

    topic: ClassVar[str] = "notification.sent"

    message_id: Id
    request_id: Id = Field(description=ABOUT)
    template: Code
    recipient: Literal["municipality", "advisor", "coordinators"]
    advisor_id: AdvisorId | None = None
    cause_id: Id
    sent_at: Moment


class NotificationFailed(Fact):
    """The mail server has refused a mail for good."""

    topic: ClassVar[str] = "notification.failed"

    message_id: Id
    request_id: Id = Field(description=ABOUT)
    template: Code
    recipient: Literal["municipality", "advisor", "coordinators"]
    advisor_id: AdvisorId | None = None
    cause_id: Id
    reason: Code
    failed_at: Moment
