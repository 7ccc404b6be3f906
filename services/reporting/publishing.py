"""Practice examples: load, decide, save. And that none of them tells numbers of others."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.reporting import examples
from services.reporting.closing import Office
from services.reporting.example_records import EXAMPLES, ExampleRecords
from services.reporting.examples import Example, Text, Told
from services.reporting.exports.tables import KINDS
from services.reporting.public import known_of, left_out, public_year
from services.reporting.reports import FIELD_NAMES
from shared.auth import sign
from shared.commit import Insert, again
from shared.errors import Conflict, Duplicate, NotFound, Stale
from shared.ids import new_id

PURPOSE = "example"
"""Of the token of the municipality's link."""
Offer = Literal["ask", "publish", "withdraw"]
_HELD = {"first_talks": "first_talk", "dialogue_forums": "dialogue_forum", "consultations": "consultation"}


@dataclass(frozen=True)
class Showcase:
    """What publishing needs; `secret` signs the municipality's link."""

    office: Office
    records: ExampleRecords
    secret: str

    def token(self, example_id: str) -> str:
        return sign(self.secret, PURPOSE, example_id)


async def read(showcase: Showcase, example_id: str) -> Example:
    """Raises NotFound."""
    found = await showcase.records.one(example_id)
    if found is None:
        raise NotFound("Dieses Praxisbeispiel gibt es nicht.", "There is no such practice example.")
    return found


async def read_public(showcase: Showcase, example_id: str) -> Example:
    """Raises NotFound, also for one that was taken off."""
    found = await showcase.records.one(example_id)
    if found is None or found.status != "published":
        raise NotFound(
            "Dieses Praxisbeispiel ist nicht oder nicht mehr veröffentlicht.",
            "This practice example is not published, or no longer.",
        )
    return found


async def draft(showcase: Showcase, case_number: str, by: str, now: datetime) -> Example:
    """The example of that engagement, drafted unless there is one. Raises NotFound, or Conflict before it has begun."""
    made = await _drafted(showcase, case_number, by, now)
    there = await showcase.records.of_request(made.request_id)
    if there is None:
        try:
            await showcase.records.save(made)
        except (Duplicate, Stale):  # a second click
            there = await showcase.records.of_request(made.request_id)
            assert there is not None
    return there or made


async def draft_new(
    showcase: Showcase, case_number: str, by: str, now: datetime, mark: Callable[[Example], Insert | None]
) -> Example:
    """As `draft`, but raises Conflict also when there is one. `mark`: of the call, see `shared/idempotency.py`."""
    made = await _drafted(showcase, case_number, by, now)
    try:
        await showcase.records.save(made, mark=mark(made))
    except Duplicate as error:
        if error.collection != EXAMPLES:
            raise
        raise Conflict(
            "Von dieser Beratung gibt es schon ein Praxisbeispiel.", "There is an example of this engagement already."
        ) from None
    return made


async def _drafted(showcase: Showcase, case_number: str, by: str, now: datetime) -> Example:
    found = await showcase.office.reports.queries.engagement(case_number)
    if found is None:
        raise NotFound("Einen Vorgang mit dieser Nummer gibt es nicht.", "There is no case of this number.")
    counted = {measure.indicator for measure in found.measures}
    if "accepted" not in counted:
        raise Conflict("Diese Beratung hat noch nicht begonnen.", "This engagement has not begun yet.")
    about = FIELD_NAMES[found.fields[0]][0] if found.fields else ""
    held = ", ".join(KINDS[kind][0] for indicator, kind in _HELD.items() if indicator in counted)
    place = showcase.office.reports.register.name(found.ags)
    text = Text(f"{place}: {about}"[: examples.LONGEST_TITLE], done=f"{held}." if held else "")
    new = Example(new_id(), 0, found.request_id, case_number, found.ags, found.fields, text)
    return examples.draft(new, by, now)


async def write(showcase: Showcase, example_id: str, seen: int, text: Text, by: str, now: datetime) -> None:
    """The text as somebody has typed it who had read version `seen`. Raises Conflict when it is another by now."""
    await _change(showcase, example_id, seen, lambda one: (examples.write(one, text, by, now), ()))


async def ask(showcase: Showcase, example_id: str, seen: int, by: str, now: datetime) -> None:
    await _change(showcase, example_id, seen, lambda one: examples.ask(one, by, now))


async def publish(showcase: Showcase, example_id: str, seen: int, by: str, now: datetime) -> None:
    """Raises Conflict also when it would tell a number of others that closed years keep quiet about."""
    example = await read(showcase, example_id)
    if example.status == "agreed":
        await _check(showcase, example)
    await _change(showcase, example_id, seen, lambda one: examples.publish(one, by, now))


async def take_off(showcase: Showcase, example_id: str, seen: int, by: str, now: datetime) -> None:
    await _change(showcase, example_id, seen, lambda one: examples.take_off(one, by, now))


STEPS: Mapping[Offer, Callable[[Showcase, str, int, str, datetime], Awaitable[None]]] = {
    "ask": ask,
    "publish": publish,
    "withdraw": take_off,
}
"""What the office may do besides writing, where `examples.OFFERS` has it."""


async def answer(showcase: Showcase, example_id: str, wanted: str, revision: int, now: datetime) -> None:
    """The municipality's; whoever has its link may."""

    async def act() -> None:
        example = await read(showcase, example_id)
        after, events = examples.answer(example, wanted, revision, now)
        if after is not example:
            await showcase.records.save(after, events)

    await again(act)


async def _change(showcase: Showcase, example_id: str, seen: int, decide: Callable[[Example], Told]) -> None:
    example = await read(showcase, example_id)
    if example.version != seen:
        raise Conflict(
            "Inzwischen hat sich etwas geändert. Bitte sehen Sie es sich noch einmal an.",
            "Something has changed meanwhile. Please look at it once more.",
        )
    after, events = decide(example)
    if after is not example:
        try:
            await showcase.records.save(after, events)
        except Stale:
            raise Conflict("Jemand anderes war gerade schneller.", "Somebody else was faster just now.") from None


async def _check(showcase: Showcase, example: Example) -> None:
    office, told = showcase.office, await showcase.records.told()
    queries, reports = office.reports.queries, office.reports
    for closed in await office.frozen.all_closed("year"):
        before, after = [
            left_out(public_year(reports, closed, "de", await known_of(queries, ids, closed.scope)))
            for ids in (told, sorted({*told, example.request_id}))
        ]
        if after - before:
            year = closed.closing.period
            raise Conflict(
                f"Mit diesem Beispiel ließen sich Zahlen anderer Kommunen im Jahr {year} errechnen.",
                f"By this example numbers of other municipalities in {year} could be reckoned.",
            )
