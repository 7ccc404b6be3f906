"""Request, correlation and trace ids: one context that logs, events and answers share."""

import secrets
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.ids import new_id

_PROPAGATOR = TraceContextTextMapPropagator()


@dataclass(frozen=True)
class Trace:
    """Where the running work belongs. `correlation_id` spans all that one call set off; `cause_id`: the last event.

    `about`: what else its log lines say.
    """

    correlation_id: str
    traceparent: str
    cause_id: str | None = None
    about: Mapping[str, str] = field(default_factory=dict)


_CURRENT: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current() -> Trace:
    """The running work's trace; a new one outside of any."""
    return _CURRENT.get() or Trace(new_id(), _child(None))


@contextmanager
def tracing(
    correlation_id: str | None, traceparent: str | None, cause_id: str | None = None, **about: str
) -> Iterator[Trace]:
    """Work inside belongs to this trace (W3C `traceparent`, a broken one is replaced), its logs too."""
    trace = Trace(correlation_id or new_id(), _child(traceparent), cause_id, about)
    token = _CURRENT.set(trace)
    try:
        yield trace
    finally:
        _CURRENT.reset(token)


def log_fields(_: object, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: each line says which work it belongs to."""
    if trace := _CURRENT.get():
        ids = {"correlation_id": trace.correlation_id, "trace_id": trace.traceparent[3:35]}
        line.update({**ids, **trace.about, **line})
    return line


def _child(traceparent: str | None) -> str:
    if not traceparent:
        return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
    parent = get_current_span(_PROPAGATOR.extract({"traceparent": traceparent})).get_span_context()
    span = SpanContext(
        trace_id=parent.trace_id if parent.is_valid else int.from_bytes(secrets.token_bytes(16)),
        span_id=int.from_bytes(secrets.token_bytes(8)),
        is_remote=False,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, set_span_in_context(NonRecordingSpan(span)))
    return carrier["traceparent"]
