"""Structured logs: JSON in production, readable on a terminal; every line with its correlation and trace id."""

import logging
import sys
from typing import Literal

import structlog

from shared.telemetry import log_fields
from shared.telling import without_values


def configure(service: str, format: Literal["console", "json"], level: str) -> None:
    """Sets up structlog and lets the libraries' own logging run through it. Call once, in `main`."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        log_fields,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _without_values,
    ]
    if format == "json":
        renderer: structlog.types.Processor = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # rich's would show variables, so personal data
        )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("aiokafka", "pymongo", "faststream", "httpx", "uvicorn.access", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # aiokafka reports each retry as an error while Kafka is away; our own lines say it once per back-off
    logging.getLogger("aiokafka.conn").setLevel(logging.CRITICAL)
    structlog.contextvars.bind_contextvars(service=service)


def _without_values(_: object, __: str, line: structlog.types.EventDict) -> structlog.types.EventDict:
    if "exception" in line:
        line["exception"] = without_values(line["exception"])
    return line
