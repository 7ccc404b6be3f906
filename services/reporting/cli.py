"""`miglobe rebuild reporting` and `miglobe report …`."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from services.reporting import handlers, rates, rebuilding
from services.reporting.digests import Digests, Verdict
from services.reporting.exports import package
from services.reporting.exports.cells import cell, euros
from services.reporting.exports.text import as_json, facts_as_csv, with_facts
from services.reporting.figures import Scope
from services.reporting.indicators import INDICATORS
from services.reporting.journey import Rules
from services.reporting.ledger import Ledger
from services.reporting.params import period
from services.reporting.projector import lease
from services.reporting.queries import Queries
from services.reporting.rates import RateCard
from services.reporting.replay import replay
from services.reporting.reports import Reports
from services.reporting.settings import Settings
from services.reporting.store import Store
from services.reporting.views import Figure
from services.reporting.witness import forget
from shared import cli, register
from shared.commit import Committer, committing
from shared.errors import Invalid
from shared.events import ReportingEntry
from shared.ids import new_id
from shared.mongo import Mongo
from shared.settings import load
from shared.topics import FACTS

rebuild = typer.Typer(no_args_is_help=True, help="Make read models again from what they were made of.")
report = typer.Typer(no_args_is_help=True, help="Figures and honoraria of a period.")
rate_cards = typer.Typer(no_args_is_help=True, help="What an hour, a session, a day and a kilometre are worth.")
report.add_typer(rate_cards, name="rates")

FromKafka = Annotated[bool, typer.Option("--from-kafka", help="first complete the ledger itself from the topics")]
First = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="first day; default 1 January")]
Last = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="last day; default today")]


@dataclass(frozen=True)
class Tools:
    """What the commands work with."""

    settings: Settings
    mongo: Mongo
    ledger: Ledger
    store: Store
    rules: Rules
    reports: Reports


@asynccontextmanager
async def tools() -> AsyncIterator[Tools]:
    """The database of reporting, prepared, for as long as the block."""
    settings = load(Settings)
    mongo = Mongo(settings.mongo, settings.database("reporting"), settings.mongo_driver)
    rules = settings.rules()
    try:
        async with committing(Committer(mongo, "reporting")) as commits:
            ledger, store = Ledger(mongo), Store(mongo, commits)
            await ledger.prepare()
            await store.prepare()
            reports = Reports(ledger, store, Queries(mongo), register.load(settings.register_file))
            yield Tools(settings, mongo, ledger, store, rules, reports)
    finally:
        await mongo.close()


@rebuild.callback()
def _rebuild() -> None:
    """Keeps `reporting` a command of its own although it is the only one."""


@rebuild.command("reporting")
def rebuild_reporting(from_kafka: FromKafka = False) -> None:
    """Make reporting's read models again from the ledger, beside those that are read; says whether they are equal.

    The service may run: it goes on taking facts into the ledger, and waits with projecting until the new ones are
    in place. No line goes to SKEW twice.
    """
    sys.exit(0 if cli.run(_rebuild_all(from_kafka)) else 1)


async def _rebuild_all(from_kafka: bool) -> bool:
    async with tools() as with_:
        try:
            rules = await handlers.hold_rates(with_.store, with_.rules, named=with_.settings.rates_file is not None)
        except ValueError as error:
            sys.exit(f"Nothing was rebuilt: {error}. See MIGLOBE_RATES_FILE.")
        if from_kafka:
            await _complete(with_)
        async with lease(with_.mongo, new_id()).held():
            with _bar("Facts") as progress:
                done = await rebuilding.rebuild(with_.ledger, with_.store, rules, progress)
            counts = ", ".join(f"{count} {name}" for name, count in (await with_.store.counts()).items())
    print(f"Facts up to place {done.place} of the ledger, {done.requests} requests: {counts}.")
    print(f"before  {done.before}\nafter   {done.after}")
    print("The read models are equal." if done.equal else "The read models have CHANGED.")
    return done.equal


async def _complete(with_: Tools) -> None:
    """Brings whatever Kafka has into the ledger, and remembers which lines SKEW has got."""
    counts, unreadable = rebuilding.Completed(), 0
    with _bar("Messages on Kafka") as progress:
        async for page in replay(with_.settings, [*FACTS, ReportingEntry.topic]):
            await rebuilding.complete(with_.ledger, with_.store, page.arrivals, counts)
            unreadable += page.unreadable
            progress(page.done, page.total)
    head, there = await with_.ledger.head(), len(counts.seen)
    print(f"Kafka has {there} facts; {unreadable} messages are unreadable (see `miglobe dlq list`).")
    print(f"The ledger missed {counts.added}, which were added; {counts.differing} have another content in it.")
    await forget(with_.mongo)
    print(f"It now has {head} facts; {head - there} are not on Kafka. Lines sent that it did not know: {counts.lines}.")


@contextmanager
def _bar(label: str) -> Iterator[Callable[[int, int], None]]:
    with typer.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        yield progress


@report.command("summary")
def report_summary(first: First = None, last: Last = None) -> None:
    """Print the figures of a period."""
    for figure in cli.run(_figures(first, last)):
        money = INDICATORS[figure.indicator].unit == "cents"
        value = euros(int(figure.value or 0)) if money else figure.value
        print(f"{figure.name:<32}{cell(value) or '–':>14}  {'€' if money else figure.unit}  (n={figure.n})")


async def _figures(first: datetime | None, last: datetime | None) -> list[Figure]:
    async with tools() as with_:
        return (await with_.reports.summary(_scope(with_, first, last), ())).figures


@report.command("verify")
def report_verify(
    expect: Annotated[
        str | None, typer.Option(help="a digest that was kept elsewhere: it must be in the chain")
    ] = None,
) -> None:
    """Reckon the ledger's daily digests again; names the first day and fact that is not as it was sealed."""
    verdict, known = cli.run(_verify(expect))
    print(f"{verdict.days} days with {verdict.facts} facts are as sealed; {verdict.unsealed} facts are not sealed yet.")
    print(f"head    {verdict.head}")
    if verdict.difference is not None:
        place = "" if verdict.difference.place is None else f", place {verdict.difference.place}"
        sys.exit(f"The ledger has CHANGED: {verdict.difference.day}{place}: {verdict.difference.what}.")
    if not known:
        sys.exit("The ledger has CHANGED: no day has the digest that you expect.")


async def _verify(expect: str | None) -> tuple[Verdict, bool]:
    async with tools() as with_:
        digests = Digests(with_.mongo, with_.rules.zone)
        with _bar("Facts") as progress:
            verdict = await digests.verify(progress)
        return verdict, expect is None or expect in {day.digest for day in await digests.days()}


@report.command("export")
def report_export(
    folder: Annotated[Path, typer.Argument(help="where the files go; made if it is not there", file_okay=False)],
    first: First = None,
    last: Last = None,
) -> None:
    """Write a period's report: PDF, XLSX, CSV, JSON with the facts it was counted from, and a ZIP of the report."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in cli.run(_export(folder, first, last)):
        print(path)


async def _export(folder: Path, first: datetime | None, last: datetime | None) -> list[Path]:
    async with tools() as with_:
        scope, reports = _scope(with_, first, last), with_.reports
        result = await reports.result(scope, datetime.now(UTC))
        try:
            package.write(reports, result, folder / "report.zip", "month", "de")
            written = [folder / "report.zip", *package.files(reports, result, folder, "month", "de")]
            json = with_facts(reports, scope, as_json(reports, result, "month", "de"))
            parts = {"facts.csv": facts_as_csv(reports, scope, "de"), "report.json": json}
            for name, lines in parts.items():
                with (folder / name).open("w", encoding="utf-8", newline="") as file:
                    async for line in lines:
                        file.write(line)
        finally:
            result.vouchers.close()
    return [*written, folder / "facts.csv"]


@rate_cards.command("import")
def rates_import(
    file: Annotated[Path, typer.Argument(help="JSON with `cards`", exists=True, dir_okay=False)],
) -> None:
    """Add rate cards, each from its day on. Claims of days before it stay as they are.

    A running service takes them up by itself.
    """
    try:
        cards = rates.load(str(file))
        new, without = cli.run(_import_rates(cards))
    except ValueError as error:
        sys.exit(f"Nothing was imported: {error}.")
    print(f"{len(new)} of {len(cards)} rate cards were new or changed: {', '.join(c.code for c in new) or 'none'}.")
    if without:
        print(f"{without} sessions had no rate; `miglobe rebuild reporting` makes claims of those that have one now.")


async def _import_rates(cards: Sequence[RateCard]) -> tuple[list[RateCard], int]:
    async with tools() as with_:
        await handlers.hold_rates(with_.store, with_.rules, named=with_.settings.rates_file is not None)
        async with lease(with_.mongo, new_id()).held():  # while a claim is being made no card may change
            new = await handlers.import_rates(with_.store, cards)
        return new, len(await with_.reports.queries.findings(None, "no_rate", None, 10_000))


@rate_cards.command("list")
def rates_list() -> None:
    """Print the rate cards that are kept."""
    for card in cli.run(_cards()):
        amounts = " / ".join(cell(euros(cents)) for cents in card.rates)
        print(f"{card.valid_from}  {card.code:<24} {amounts} € per {card.basis}, {cell(euros(card.km_cents))} € per km")


async def _cards() -> tuple[RateCard, ...]:
    async with tools() as with_:
        return (await handlers.hold_rates(with_.store, with_.rules, named=with_.settings.rates_file is not None)).cards


def _scope(with_: Tools, first: datetime | None, last: datetime | None) -> Scope:
    try:
        return period(first.date() if first else None, last.date() if last else None, with_.rules.zone)
    except Invalid as error:
        sys.exit(error.en)
