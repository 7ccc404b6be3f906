"""`miglobe`: the operator's command line. Services bring their own commands as entry points."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Coroutine
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast, get_args

import typer
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from shared import auth, dlq, logs, topics
from shared.events import EMITTED
from shared.publisher import Publisher
from shared.settings import Settings, load

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)
_topics = typer.Typer(no_args_is_help=True, help="Kafka topics as the programme needs them.")
_dlq = typer.Typer(no_args_is_help=True, help="Dead letters: look at them, bring them back.")
app.add_typer(_topics, name="topics")
app.add_typer(_dlq, name="dlq")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs `work`; a server that is away becomes one sentence."""
    try:
        return asyncio.run(work)
    except KafkaError as error:
        sys.exit(
            f"Kafka does not answer as needed ({type(error).__name__}: {error}). Check MIGLOBE_KAFKA and the broker."
        )
    except PyMongoError as error:
        said = str(error).partition(" (configured timeouts")[0].partition(", full error")[0][:200]
        sys.exit(f"MongoDB does not answer as needed ({type(error).__name__}: {said}). Check MIGLOBE_MONGO.")


@app.command()
def serve(
    name: Annotated[str, typer.Argument(help="intake, matching, notifications or reporting")],
    host: str = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8001,
) -> None:
    """Run one service until SIGTERM."""
    if name not in EMITTED:
        sys.exit(f"There is no service {name}; choose one of: {', '.join(EMITTED)}.")
    from shared.service import serve as serve_app  # heavy, and no other command needs it

    os.environ.setdefault("MIGLOBE_INSTANCE", f"{socket.gethostname()}:{port}")
    settings = load(Settings)
    logs.configure(name, settings.log_format, settings.log_level)
    serve_app(import_module(f"services.{name}.app").build, host, port)


@app.command()
def token(
    role: Annotated[str, typer.Option(help="advisor, coordinator, skew or ops")],
    subject: Annotated[str, typer.Option(help="who; an advisor's number for advisors")] = "operator",
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 366)] = 12.0,
) -> None:
    """Print a bearer token for the API."""
    if role not in get_args(auth.Role):
        sys.exit(f"There is no role {role}; choose one of: {', '.join(auth.ROLES)}.")
    print(auth.token(load(Settings).secret.get_secret_value(), cast("auth.Role", role), subject, hours))


@_topics.command("apply")
def topics_apply() -> None:
    """Create what is missing and correct what differs. Can be run any time, again and again."""
    done = run(topics.apply(load(Settings)))
    changed = {name: what for name, what in done.items() if what != "as it should be"}
    for name, what in sorted(changed.items()):
        print(f"{name}: {what}")
    print(f"{len(done)} topics, {len(changed)} changed.")


@_topics.command("list")
def topics_list() -> None:
    """The table of topics: partitions, replication, configuration."""
    for topic in topics.table(load(Settings)):
        config = " ".join(f"{key}={value}" for key, value in sorted(topic.config.items()))
        print(f"{topic.name}\t{topic.partitions}\t{topic.replication}\t{config}")


Reader = Annotated[str | None, typer.Option("--service", help="only letters of this service")]
OfTopic = Annotated[str | None, typer.Option("--topic", help="only letters of this topic")]
WithReason = Annotated[str | None, typer.Option("--reason", help="only letters with this reason")]


async def _found(
    settings: Settings, service: str | None, topic: str | None, reason: str | None, everything: bool
) -> list[dlq.Letter]:
    names = dlq.names(settings, service, topic)
    if not names:
        sys.exit("No dead-letter topic fits; `miglobe topics list` shows them all.")
    return [
        letter
        async for letter in dlq.letters(settings, names)
        if reason in (None, letter.reason) and (everything or not letter.redriven)
    ]


@_dlq.command("list")
def dlq_list(
    service: Reader = None,
    topic: OfTopic = None,
    reason: WithReason = None,
    everything: Annotated[bool, typer.Option("--all", help="also those already brought back")] = False,
) -> None:
    """One line per dead letter: where it lies, where it failed, why."""
    found = run(_found(load(Settings), service, topic, reason, everything))
    for letter in found:
        back = " (brought back)" if letter.redriven else ""
        print(f"{letter.dead_letter_topic}@{letter.place}\t{letter.at[:19]}\t{letter.reason}\t{letter.detail}{back}")
    print(f"{len(found)} dead letters.")


def _place(text: str) -> tuple[str, int]:
    topic, _, offset = text.rpartition("@")
    if not topic or not offset.isdecimal():
        sys.exit(
            f"{text!r} is no place of a letter; `miglobe dlq list` shows them, such as request.created.matching.dlq@0."
        )
    return topic, int(offset)


async def _at(settings: Settings, place: str) -> dlq.Letter:
    topic, offset = _place(place)
    if topic not in dlq.names(settings):
        sys.exit(f"There is no dead-letter topic {topic}.")
    async for letter in dlq.letters(settings, [topic]):
        if letter.place == offset:
            return letter
    sys.exit(f"There is no letter at {place}.")


@_dlq.command("show")
def dlq_show(place: Annotated[str, typer.Argument(help="as `dlq list` shows it: topic@offset")]) -> None:
    """One dead letter whole: reason, headers, body. May contain personal data."""
    letter = run(_at(load(Settings), place))
    print(f"failed at  {letter.origin} in {letter.service}, {letter.at}\nreason     {letter.reason}: {letter.detail}")
    print(f"key        {(letter.key or b'').decode(errors='backslashreplace')}")
    for name, value in letter.headers:
        print(f"header     {name}: {'null' if value is None else value.decode(errors='backslashreplace')}")
    print("body       " + ("null" if letter.value is None else letter.value.decode(errors="backslashreplace")))


@_dlq.command("redrive")
def dlq_redrive(
    place: Annotated[
        str | None, typer.Argument(help="one letter, topic@offset; without: all that fit the filter")
    ] = None,
    service: Reader = None,
    topic: OfTopic = None,
    reason: WithReason = None,
    body: Annotated[Path | None, typer.Option(help="file with the mended body (one letter only)", exists=True)] = None,
    header: Annotated[list[str] | None, typer.Option(help="mended header, name=value (one letter only)")] = None,
    rate: Annotated[float, typer.Option(help="letters per second", min=0.1, max=1000)] = 20.0,
    yes: Annotated[bool, typer.Option("--yes", help="do it; without, only say what would be done")] = False,
) -> None:
    """Bring dead letters back to their topic. Consumers that have processed one already skip it."""
    if (body or header) and not place:
        sys.exit("--body and --header mend one letter: name its place.")
    pairs = dict(item.partition("=")[::2] for item in header or [])
    settings = load(Settings)
    count = run(
        _redrive(settings, place, (service, topic, reason), body.read_bytes() if body else None, pairs, rate, yes)
    )
    print(f"{count} letters {'brought back' if yes else 'would be brought back; add --yes to do it'}.")


async def _redrive(
    settings: Settings,
    place: str | None,
    fits: tuple[str | None, str | None, str | None],
    body: bytes | None,
    headers: dict[str, str],
    rate: float,
    yes: bool,
) -> int:
    found = [await _at(settings, place)] if place else await _found(settings, *fits, everything=False)
    publisher = Publisher(settings.kafka, "miglobe-dlq")
    try:
        for letter in found:
            print(f"{letter.dead_letter_topic}@{letter.place} → {settings.prefix}{letter.topic}  {letter.reason}")
            if yes:
                started = time.monotonic()
                await publisher.publish(dlq.back(letter, settings.prefix, body, headers))
                await asyncio.sleep(max(0.0, 1 / rate - (time.monotonic() - started)))
    finally:
        await publisher.close()
    return len(found)


def main() -> None:
    """Entry point: our commands and those that the services bring, loaded when they are asked for."""
    brought = {entry.name: entry for entry in entry_points(group="miglobe.commands")}
    asked = sys.argv[1] if len(sys.argv) > 1 else "--help"
    ours = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    ours |= {str(group.name) for group in app.registered_groups}
    for name, entry in brought.items():
        if name == asked or asked not in {*brought, *ours}:
            app.add_typer(entry.load(), name=name)
    app()
