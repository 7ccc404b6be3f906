"""What may be told of an error in logs, headers and answers: its kind and place, never the values it quotes."""

import re
import traceback
from pathlib import Path

from aiokafka.errors import KafkaError
from pymongo.errors import ConnectionFailure, OperationFailure

from shared.errors import Problem

_ROOT = Path(__file__).resolve().parent.parent
_QUOTED = re.compile(
    r"(?<=input_value=).*?(?=, input_type=)"  # pydantic quotes what it refuses
    r"|(?<=, full error: ).*?(?=\n\n|\n[A-Za-z_.]+Error|\Z)"  # PyMongo quotes the whole operation
    r"|(?<=dup key: ).*?(?=\n|\Z)",
    re.DOTALL,
)


def told(error: BaseException) -> str:
    """`error` in a few words: a server's code, what a connection failed on, or where in our code it came about."""
    if isinstance(error, BaseExceptionGroup):
        return told(error.exceptions[0])
    kind = type(error).__name__
    if isinstance(error, (ConnectionFailure, KafkaError, Problem)):
        return f"{kind}: {error}"[:300]
    if isinstance(error, OperationFailure):
        return f"{kind}, code {error.code}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if any(file.is_relative_to(_ROOT / part) for part in ("services", "shared", "tests")):
            return f"{kind} in {frame.name}, {file.relative_to(_ROOT)}:{frame.lineno}"
    return kind


def without_values(text: str) -> str:
    """A traceback's text with what libraries quote of the data left out."""
    return _QUOTED.sub("…", text)
