"""One trace from the POST to the mails and to the ledger, through outboxes and Kafka, as a collector sees it."""

from collections.abc import Sequence

from deploy.local.journey import Journey
from tests.e2e.spans import Collector, Seen
from tests.waiting import until

WAY = {
    ("intake", "POST /api/requests"),
    ("intake", "publish request.created"),
    ("matching", "handle request.created"),
    ("matching", "publish advisor.assigned"),
    ("notifications", "handle request.created"),
    ("notifications", "handle advisor.assigned"),
    ("notifications", "mail receipt"),
    ("notifications", "mail assignment"),
    ("notifications", "publish notification.sent"),
    ("reporting", "record request.created"),
    ("reporting", "record advisor.assigned"),
    ("reporting", "record notification.sent"),
}


async def test_a_request_is_one_trace_from_the_post_to_the_mails_and_to_the_ledger(
    journey: Journey, spans: Collector
) -> None:
    before = {one.trace for one in spans.seen}
    journey.submit()
    journey.await_assignment()

    def whole() -> list[Seen]:
        """The spans of the one new trace that begins with the POST, once they tell all of the way.

        Each service sends its own when it likes: one may be there before what it hangs under.
        """
        begun = {one.trace for one in spans.seen if one.name == "POST /api/requests"} - before
        found = [one for one in spans.seen if one.trace in begun]
        told = {(one.service, one.name) for one in found} >= WAY
        return found if told and len(roots(found)) == 1 else []

    found = await until(whole, seconds=90, what=f"{WAY}, all under the POST")
    assert len({one.trace for one in found}) == 1
    assert [one.name for one in roots(found)] == ["POST /api/requests"]


def roots(found: Sequence[Seen]) -> list[Seen]:
    """Those that hang under none of the others."""
    ids = {one.span for one in found}
    return [one for one in found if one.parent not in ids]
