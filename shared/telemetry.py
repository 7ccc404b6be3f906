"""Request, correlation and trace ids: one context that logs, events and answers share; and spans where they are wanted.

Without an address to send spans to (`MIGLOBE_OTLP`, or OpenTelemetry's own variables) there are none, only ids.
"""

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from random import getrandbits
from typing import Any, NamedTuple

from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)

from shared.ids import new_id

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


@dataclass(frozen=True)
class Trace:
    """Where the running work belongs. `correlation_id` spans all that one call set off; `cause_id`: the last event.

    `about`: what else its log lines say. `span`: where spans are wanted.
    """

    correlation_id: str
    traceparent: str
    cause_id: str | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    span: Span | None = None

    def name(self, text: str, **about: str | int) -> None:
        """What the span turned out to be about."""
        if self.span is not None:
            self.span.update_name(text)
            self.span.set_attributes(about)


class Origin(NamedTuple):
    """What an event says of where it comes from."""

    correlation_id: str | None
    traceparent: str | None
    cause_id: str | None


_CURRENT: ContextVar[Trace | None] = ContextVar("trace", default=None)
_BY_KEY: ContextVar[Mapping[str, Trace]] = ContextVar("trace_by_key", default={})  # noqa: B039
_tracer: Tracer | None = None


def export(service: str, endpoint: str | None) -> Callable[[], None]:
    """Begins to send spans by OTLP over HTTP to `endpoint`, or where OpenTelemetry's own variables say.

    Returns what sends the last ones. Without an address nothing is loaded and nothing is sent.
    """
    global _tracer
    if endpoint is None and not any(os.environ.get(name) for name in _VARIABLES):
        return lambda: None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": service, "service.namespace": "miglobe"}))
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces" if endpoint else None)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _tracer = provider.get_tracer("miglobe")
    return provider.shutdown


def current(key: str | None = None) -> Trace:
    """The running work's trace, that of `key` where many are worked on together; a new one outside of any."""
    if key is not None and (found := _BY_KEY.get().get(key)):
        return found
    return _CURRENT.get() or Trace(new_id(), _child(None))


class tracing:
    """Work inside belongs to this trace (W3C `traceparent`, a broken one is replaced), its logs too.

    `span`: the name of the span that it makes, where spans are wanted.
    """

    __slots__ = ("_token", "_trace")

    def __init__(
        self,
        correlation_id: str | None,
        traceparent: str | None,
        cause_id: str | None = None,
        *,
        span: str | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        **about: str,
    ) -> None:
        self._trace = _begin(Origin(correlation_id, traceparent, cause_id), span, kind, about)

    def __enter__(self) -> Trace:
        self._token = _CURRENT.set(self._trace)
        return self._trace

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        _CURRENT.reset(self._token)
        if (span := self._trace.span) is not None:
            if kind is not None:
                span.set_status(StatusCode.ERROR, kind.__name__)
            span.end()


@contextmanager
def tracing_together(origins: Mapping[str, Origin], span: str) -> Iterator[None]:
    """Work inside is for many keys at once: what it emits for a key belongs to that key's trace."""
    traces = {key: _begin(origin, span, SpanKind.CONSUMER, {"key": key}) for key, origin in origins.items()}
    token = _BY_KEY.set(traces)
    try:
        yield
    finally:
        _BY_KEY.reset(token)
        for trace in traces.values():
            if trace.span is not None:
                trace.span.end()


def exporting() -> bool:
    """Whether spans are wanted."""
    return _tracer is not None


def past(span: str, kind: SpanKind, began: datetime | None, sources: Iterable[tuple[str | None, str]]) -> None:
    """A span that is over for each (traceparent, key) of `sources`, where spans are wanted."""
    if _tracer is None:
        return
    start = time.time_ns() if began is None else int(began.timestamp() * 1_000_000_000)
    for traceparent, key in sources:
        made = _tracer.start_span(span, _context(traceparent), kind, {"key": key}, start_time=start)
        made.end()


def log_fields(_: object, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: each line says which work it belongs to."""
    if trace := _CURRENT.get():
        ids = {"correlation_id": trace.correlation_id, "trace_id": trace.traceparent[3:35]}
        line.update({**ids, **trace.about, **line})
    return line


def _begin(origin: Origin, span: str | None, kind: SpanKind, about: Mapping[str, str]) -> Trace:
    correlation_id = origin.correlation_id or new_id()
    if _tracer is None or span is None:
        return Trace(correlation_id, _child(origin.traceparent), origin.cause_id, about)
    begun = _tracer.start_span(span, _context(origin.traceparent), kind, {**about, "correlation_id": correlation_id})
    ids = begun.get_span_context()
    traceparent = f"00-{ids.trace_id:032x}-{ids.span_id:016x}-{ids.trace_flags:02x}"
    return Trace(correlation_id, traceparent, origin.cause_id, about, begun)


def _context(traceparent: str | None) -> Any:
    found = _TRACEPARENT.fullmatch(traceparent or "")
    if found is None:
        return set_span_in_context(NonRecordingSpan(SpanContext(0, 0, is_remote=False)))
    flags = TraceFlags(TraceFlags.SAMPLED)
    parent = SpanContext(int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=flags)
    return set_span_in_context(NonRecordingSpan(parent))


def _child(traceparent: str | None) -> str:
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    return f"00-{found[1] if found else _hex(128)}-{_hex(64)}-01"


def _hex(bits: int) -> str:
    """Ids of traces are no secrets: they need no call of the kernel's each."""
    return f"{getrandbits(bits):0{bits // 4}x}"
