"""The frozen samples: what each event and version has looked like on the wire since it was published.

A sample never changes. When an event gets a new optional field, add another sample that has it beside the
old one: `<topic>.v<version>.<what>.json`, and its line to `SHA256SUMS`.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from shared.events import BY_TOPIC, EMITTED, Event

FOLDER = Path(__file__).parent / "samples"


@dataclass(frozen=True)
class Sample:
    """One message: `key` and `headers` as text, `body` as JSON."""

    file: str
    event: type[Event]
    key: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def service(self) -> str:
        return next(service for service, events in EMITTED.items() if self.event in events)

    @property
    def time(self) -> datetime:
        return datetime.fromisoformat(self.headers["ce_time"])

    def parsed(self) -> Event:
        return self.event.model_validate_json(json.dumps(self.body))


def name(event: type[Event]) -> str:
    """Topic and version as the samples' files are named, such as `request.created.v1`."""
    return event.type().removeprefix("de.miglobe.")


def of(event: type[Event]) -> list[Sample]:
    """The samples of `event`, the first one first."""
    files = [FOLDER / f"{name(event)}.json", *sorted(FOLDER.glob(f"{name(event)}.*.json"))]
    return [_read(file, event) for file in files if file.exists()]


def _read(file: Path, event: type[Event]) -> Sample:
    return Sample(file=file.name, event=event, **json.loads(file.read_text(encoding="utf-8")))


SAMPLES = [sample for event in BY_TOPIC.values() for sample in of(event)]
