"""CloudEvents 1.0, Kafka binary binding: headers on the wire ↔ `Envelope`."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from shared.errors import Permanent
from shared.events import Event
from shared.telemetry import Trace


class Envelope(NamedTuple):
    """One message's context. `topic` is without the installation's prefix."""

    id: str
    type: str
    source: str
    time: datetime
    subject: str
    correlation_id: str | None
    traceparent: str | None
    topic: str
    partition: int
    offset: int


def headers(event: Event, event_id: str, service: str, time: datetime, trace: Trace) -> dict[str, str]:
    """The headers of `event`; the body is its plain JSON."""
    return {**common(event.key, service, time, trace), "ce_id": event_id, "ce_type": type(event).type()}


def common(key: str, service: str, time: datetime, trace: Trace) -> dict[str, str]:
    """What the headers of all events say that `service` tells of `key` at once."""
    found = {
        "ce_specversion": "1.0",
        "ce_source": f"/miglobe/{service}",
        "ce_time": _said(time),
        "ce_subject": key,
        "ce_correlationid": trace.correlation_id,
        "content-type": "application/json",
        "traceparent": trace.traceparent,
    }
    return found | ({"ce_causationid": trace.cause_id} if trace.cause_id else {})


@lru_cache(maxsize=4)
def _said(time: datetime) -> str:
    """Many events are of one moment."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read(raw: Iterable[tuple[str, bytes | None]], topic: str, partition: int, offset: int) -> Envelope:
    """The envelope of a message. Raises Permanent when a header is missing, null or not UTF-8."""
    raw = tuple(raw)
    try:
        found = {name.lower(): value.decode() for name, value in raw}  # type: ignore[union-attr]
    except (AttributeError, UnicodeDecodeError):
        raise _unreadable(raw) from None
    for name in ("ce_specversion", "ce_id", "ce_type", "ce_source"):
        if not found.get(name):
            raise Permanent("missing_header", f"header {name} is missing")
    if found["ce_specversion"] != "1.0":
        raise Permanent("unknown_version", f"CloudEvents {found['ce_specversion'][:20]} is not 1.0")
    try:
        time = datetime.fromisoformat(found["ce_time"])
    except (KeyError, ValueError):
        raise Permanent("bad_header", "header ce_time is missing or no RFC 3339 time") from None
    return Envelope(
        id=found["ce_id"],
        type=found["ce_type"],
        source=found["ce_source"],
        time=time if time.tzinfo else time.replace(tzinfo=UTC),
        subject=found.get("ce_subject", ""),
        correlation_id=found.get("ce_correlationid"),
        traceparent=found.get("traceparent"),
        topic=topic,
        partition=partition,
        offset=offset,
    )


def _unreadable(raw: Iterable[tuple[str, bytes | None]]) -> Permanent:
    for name, value in raw:
        if value is None:
            return Permanent("bad_header", f"header {name} is null")
        try:
            value.decode()
        except UnicodeDecodeError:
            return Permanent("bad_header", f"header {name} is not UTF-8")
    return Permanent("bad_header", "headers can't be read")
