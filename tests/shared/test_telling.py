"""Errors are told without the personal data that libraries quote in their texts."""

import io
import json
import logging
import sys
from collections.abc import Callable

import pytest
import structlog
from pydantic import BaseModel
from pymongo.errors import AutoReconnect, BulkWriteError, DuplicateKeyError

from shared import logs
from shared.errors import Unavailable
from shared.telling import told

PERSON = "Erika Beispiel"


class Contact(BaseModel):
    phone: int


def _written() -> None:
    op = {"_id": 1, "name": PERSON}
    raise BulkWriteError({"writeErrors": [{"index": 0, "code": 121, "errmsg": "validation failed", "op": op}]})


def _taken() -> None:
    raise DuplicateKeyError(f'E11000 dup key: {{ name: "{PERSON}" }}', 11000, {"keyValue": {"name": PERSON}})


def _loaded() -> None:
    Contact.model_validate({"phone": PERSON})


RAISERS = (_written, _taken, _loaded)


def _caught(work: Callable[[], object]) -> Exception:
    try:
        work()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize("work", RAISERS)
def test_no_value_is_told(work: Callable[[], None]) -> None:
    error = _caught(work)
    assert PERSON in str(error)
    assert PERSON not in told(error)
    assert PERSON not in told(ExceptionGroup("several", [error]))


def test_what_helps_is_told() -> None:
    assert told(_caught(_written)) == "BulkWriteError, code 65"
    assert told(_caught(_loaded)).startswith("ValidationError in _loaded, tests/shared/test_telling.py:")
    assert told(AutoReconnect("db-1:27017: connection refused")) == "AutoReconnect: db-1:27017: connection refused"
    assert told(Unavailable("Gleich.", "Soon.")) == "Unavailable: Soon."


@pytest.mark.parametrize("format", ["json", "console"])
@pytest.mark.parametrize("work", RAISERS)
def test_a_traceback_in_the_log_has_no_values(
    work: Callable[[], None], format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, level = logging.getLogger().handlers[:], logging.getLogger().level
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    try:
        logs.configure("intake", format, "INFO")  # type: ignore[arg-type]
        try:
            try:
                work()
            except Exception as error:
                raise RuntimeError("outer") from error
        except RuntimeError:
            structlog.get_logger("test").exception("event_failed")
    finally:
        logging.getLogger().handlers[:] = before
        logging.getLogger().setLevel(level)
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
    text = shown.getvalue()
    assert PERSON not in text
    assert "RuntimeError: outer" in text
    assert work.__name__ in text
    if format == "json":
        assert "exception" in json.loads(text.splitlines()[-1])
