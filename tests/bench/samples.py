"""Plainly fictional requests of 1 KB and facts, as many as wanted and no two alike."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Any

from services.intake import case_numbers
from shared import envelope, register
from shared.events import Event, RequestCreated
from shared.events.base import FieldCode, Mode, Tandem, moment
from shared.ids import new_id
from shared.publisher import Message
from shared.telemetry import current
from tests.intake import samples

_FIELDS = [field.value for field in FieldCode]
_NEED = (
    "Unser jährliches Fest der Nationen erreicht die migrantischen Vereine am Ort kaum, und die Fachstelle "
    "für Integration ist nicht besetzt. Wir wünschen uns Rat, wie wir sie gewinnen und beteiligen können. "
)


def municipalities() -> list[str]:
    """The keys of those that may ask."""
    return [entry.ags for entry in register.load().entries if entry.eligible and entry.ags.startswith("08")]


def bodies(number: int) -> Iterator[dict[str, Any]]:
    """Requests as they are posted, about 1 KB each, from all over the state."""
    places = municipalities()
    day = datetime.now(UTC).date() + timedelta(days=14)
    for n in range(number):
        yield samples.body(
            municipality_ags=places[n * 7 % len(places)],
            fields=[_FIELDS[n % 6], _FIELDS[(n + 2) % 6]],
            need=_NEED * 3,
            contact={
                "name": f"Erika Beispiel {n}",
                "email": f"rathaus-{n}@gemeinde.example",
                "phone": "07161 650-0",
                "office": "Hauptamt",
            },
            wanted_from=(day + timedelta(days=n % 90)).isoformat(),
            tandem="wanted" if n % 2 else "either",
            correspondence="de",
        )


def created(number: int, spread: int = 1) -> list[RequestCreated]:
    """Facts of new requests, of today or evenly of as many days."""
    places = municipalities()
    now = moment(datetime.now(UTC))
    return [
        RequestCreated(
            request_id=new_id(),
            case_number=case_numbers.draw(),
            municipality_ags=places[n * 7 % len(places)],
            fields=(FieldCode(_FIELDS[n % 6]), FieldCode(_FIELDS[(n + 2) % 6])),
            languages=("de", "tr"),
            mode=Mode.ON_SITE,
            wanted_from=now.date() + timedelta(days=14 + n % 90),
            tandem=Tandem.WANTED if n % 2 else Tandem.NOT_WANTED,
            submitted_at=now - timedelta(days=n % spread),
            channel="web",
        )
        for n in range(number)
    ]


def journeys(number: int, spread: int = 1) -> Iterator[Event]:
    """Six facts each of requests on their way: asked, assigned, accepted, arranged, held, closed."""
    for request in created(number, spread):
        one, now = request.request_id, request.submitted_at
        yield request
        yield samples.assigned(one, 1, now, now.date() + timedelta(days=7))
        yield samples.answered(one, 1, now, "accepted")
        yield samples.scheduled(one, "talk", now, now + timedelta(days=3))
        yield samples.completed(one, "talk", now)
        yield samples.closed(one, now)


def message(event: Event, prefix: str) -> Message:
    """`event` as a relay would send it."""
    head = envelope.headers(event, new_id(), "intake", datetime.now(UTC), current())
    headers = [(name, value.encode()) for name, value in head.items()]
    return Message(prefix + event.topic, event.key.encode(), event.model_dump_json().encode(), headers)


def advisors(number: int) -> str:
    """A CSV of `number` advisors, made of the 16 fictional ones, with room for 50 engagements each."""
    known = resources.files("services.matching").joinpath("data/advisors.csv").read_text(encoding="utf-8")
    lines = list(csv.DictReader(io.StringIO(known)))
    out = io.StringIO()
    writer = csv.DictWriter(out, lines[0])
    writer.writeheader()
    for n in range(number):
        line = lines[n % len(lines)]
        own = {"id": f"B{n:04}", "email": f"b{n:04}@beratung.example", "phone": "", "capacity": "50"}
        writer.writerow(line | own)
    return out.getvalue()
