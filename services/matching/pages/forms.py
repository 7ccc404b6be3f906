"""What was typed into a page's form: kept as it was typed, checked by the API's own models."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from shared.errors import Conflict, Invalid, Problem
from shared.idempotency import Once
from shared.mongo import Mongo
from shared.web import invalid

B = TypeVar("B", bound=BaseModel)

MAX_FIELDS = 400
_HIDDEN = ("csrf", "key", "confirm")


@dataclass
class Form:
    """`given`: field → what was typed; `errors`: field → what is wrong with it, in German and English; `refused`: why
    it could not be done."""

    given: Mapping[str, str] = field(default_factory=dict)
    many: Mapping[str, Sequence[str]] = field(default_factory=dict)
    errors: dict[str, tuple[str, str]] = field(default_factory=dict)
    refused: Problem | None = None

    def get(self, name: str, otherwise: object = "") -> str:
        """What was typed, or what the page proposes."""
        return self.given.get(name, "" if otherwise is None else str(otherwise))

    @property
    def sent(self) -> bool:
        return bool(self.given)

    @property
    def texts(self) -> list[str]:
        """What was written in words, as far as a form's hidden values can be told from it."""
        return [text for name, text in self.given.items() if name not in _HIDDEN and " " in text.strip()]

    def blame(self, error: Problem, names: Mapping[str, str]) -> None:
        """Puts what is wrong beside the page's fields; `names`: the model's field → the page's, by their beginnings."""
        if not isinstance(error, Invalid):
            self.refused = error
            return
        if any(found.code == "key_reused" for found in error.fields):
            self.refused = _sent_before()
            return
        for found in error.fields:
            self.errors.setdefault(_named(found.field, names), (found.de, found.en))


async def read(request: Request) -> Form:
    """The form of a POST; texts with the line ends that models and templates expect."""
    sent = await request.form(max_files=1, max_fields=MAX_FIELDS)
    texts = [(name, value.replace("\r\n", "\n")) for name, value in sent.multi_items() if isinstance(value, str)]
    many: dict[str, list[str]] = {}
    for name, value in texts:
        many.setdefault(name, []).append(value)
    return Form(dict(texts), many)


def check(model: type[B], values: Mapping[str, Any]) -> B:
    """`values` as `model`; empty ones count as not given. Raises Invalid with one entry per field."""
    try:
        return model.model_validate({name: value for name, value in values.items() if value not in ("", None)})
    except ValidationError as error:
        raise invalid(
            RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()])
        ) from None


def day(form: Form, name: str) -> str:
    """ISO of the date in three fields, whatever was typed there when it is none, "" when nothing was."""
    parts = [form.get(f"{name}_{part}").strip() for part in ("year", "month", "day")]
    if not any(parts):
        return ""
    try:
        year, month, number = (int(part) for part in parts)
        return date(year, month, number).isoformat()
    except ValueError:
        return "-".join(parts)


def parts(name: str, value: date) -> dict[str, str]:
    """`value` as the three fields of a date."""
    return {f"{name}_day": str(value.day), f"{name}_month": str(value.month), f"{name}_year": str(value.year)}


def moment(form: Form, name: str, zone: ZoneInfo) -> str:
    """ISO with offset of the date in three fields and the time beside it, as the clocks of `zone` show them."""
    written, clock = day(form, name), form.get(f"{name}_time").strip().replace(".", ":")
    if not written or not clock:
        return ""
    try:
        return datetime.fromisoformat(f"{written}T{clock.zfill(5)}").replace(tzinfo=zone).isoformat()
    except ValueError:
        return f"{written} {clock}"


def _sent_before() -> Problem:
    return Conflict(
        "Dieses Formular wurde schon einmal abgeschickt, und was damals darin stand, ist gespeichert. "
        "Ihre Änderung daran wurde nicht übernommen: Bitte öffnen Sie das Formular dafür neu.",
        "This form was sent before, and what it said then is stored. Your change to it was not taken over: "
        "please open the form anew for that.",
    )


def _named(path: str, names: Mapping[str, str]) -> str:
    for start, name in names.items():
        if path == start or path.startswith(f"{start}."):
            return name + path[len(start) :]
    return path


def number(form: Form, name: str) -> int | None:
    """A whole number of few digits, or None."""
    text = form.get(name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def once(mongo: Mongo, request: Request, form: Form) -> Once:
    """The form's own Idempotency-Key: sent twice, by a double click or after going back, it acts once."""
    body = json.dumps([[name, form.many[name]] for name in sorted(form.many) if name != "csrf"]).encode()
    return Once(mongo, f"POST {request.url.path}", form.get("key") or None, body)
