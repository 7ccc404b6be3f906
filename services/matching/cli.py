"""`miglobe advisors`: import, list, erase. `miglobe budget`: set, list."""

import re
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from services.matching import entries
from services.matching.domain.budget import ID as BUDGET_ID
from services.matching.domain.model import Advisor
from services.matching.handlers import advisors as handlers
from services.matching.handlers import budget as budgets
from services.matching.handlers import policies
from services.matching.settings import Settings
from services.matching.store import Store
from shared import outbox, register
from shared.cli import run
from shared.commit import Committer, again, committing
from shared.errors import Conflict, NotFound, Unavailable
from shared.events.base import moment
from shared.mongo import Mongo
from shared.settings import load

T = TypeVar("T")

advisors = typer.Typer(no_args_is_help=True, help="The pool of advisors.")
budget = typer.Typer(no_args_is_help=True, help="Minutes of advice that may be given in a period.")


@advisors.command("import")
def import_(
    file: Annotated[
        Path | None, typer.Argument(help="CSV in UTF-8; without: the 16 fictional advisors of the demonstration")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would be done")] = False,
) -> None:
    """Add and change advisors as a CSV file has them: all of its lines or, when one is wrong, none.

    Can be run again and again; who isn't in the file stays as they are.
    """
    settings = load(Settings)
    wanted, wrong = entries.read(_text(file), register.load(settings.register_file))
    if wrong:
        sys.exit("\n".join([*(one.en for one in wrong), f"Nothing was imported: {len(wrong)} lines are wrong."]))

    async def take_over(store: Store) -> handlers.Imported:
        known = {one.id: one for one in await store.advisors()}
        people = [entry.advisor(entry.id, known.get(entry.id)) for entry in wanted]
        governed = handlers.Governed(settings.rules(), (await policies.active(store)).rules)
        return await handlers.take_over(store, people, "import", governed, moment(datetime.now(UTC)), dry_run=dry_run)

    done = run(with_store(settings, take_over))
    would = "would be " if dry_run else ""
    print(f"{len(done.new)} {would}new, {len(done.changed)} {would}changed, {len(done.unchanged)} as they were.")
    if done.erased:
        print(f"Left out, because their data were erased for good: {', '.join(done.erased)}. Give them a new number.")


@advisors.command("list")
def list_() -> None:
    """One line per advisor: number, name, capacity, certificate, places, languages. Personal data."""
    found = run(with_store(load(Settings), lambda store: store.advisors()))
    for one in found:
        print(_line(one))
    print(f"{len(found)} advisors.")


@advisors.command()
def erase(advisor_id: Annotated[str, typer.Argument(metavar="ID", help="such as A05")]) -> None:
    """Erase an advisor's personal data here and in every copy, for good. Their number stays. Repeatable."""
    run(with_store(load(Settings), lambda store: handlers.erase(store, advisor_id, "erase", moment(datetime.now(UTC)))))
    print(f"{advisor_id} is erased.")


@budget.command("set")
def set_(
    budget_id: Annotated[str, typer.Argument(metavar="ID", help="such as 2027")],
    start: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="first day")],
    end: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="last day")],
    minutes: Annotated[int, typer.Argument(min=0, help="minutes of advice, of all advisors together")],
    reason: Annotated[str, typer.Option(help="kept in the audit trail")],
) -> None:
    """Set or change the budget of a period. What goes beyond it waits."""
    if end < start:
        sys.exit("The end is before the start.")
    if not re.fullmatch(BUDGET_ID, budget_id):
        sys.exit("The ID is made of small letters, digits and hyphens, such as 2027 or 2027-h1.")
    if not reason.strip():
        sys.exit("Give a reason: it is kept in the audit trail.")
    days = start.date(), end.date()
    now = moment(datetime.now(UTC))
    standing = run(
        with_store(
            load(Settings),
            lambda store: budgets.set_budget(store, budget_id, *days, minutes, "miglobe budget", reason, now),
        )
    )
    print(_standing(standing))


@budget.command("list")
def standings() -> None:
    """One line per budget: its days, minutes in all, used or reserved, left."""
    for one in run(with_store(load(Settings), budgets.standings)):
        print(_standing(one))


async def with_store(settings: Settings, work: Callable[[Store], Awaitable[T]]) -> T:
    """Runs `work` on the database of matching; its services publish what it leaves in the outbox."""
    mongo = Mongo(settings.mongo, settings.database("matching"), settings.mongo_driver)
    try:
        async with committing(Committer(mongo, "matching")) as commits:
            store = Store(mongo, commits, settings.rules())
            await outbox.prepare(mongo)
            await store.prepare()
            return await again(lambda: work(store))
    except (Conflict, NotFound, Unavailable) as error:
        sys.exit(error.en)
    finally:
        await mongo.close()


def _standing(one: budgets.Standing) -> str:
    known = one.budget
    figures = f"{known.minutes} minutes, {one.committed} used or reserved, {one.left} left"
    return f"{known.id}\t{known.start}..{known.end}\t{figures}"


def _text(file: Path | None) -> str:
    if file is None:
        return resources.files("services.matching").joinpath("data/advisors.csv").read_text(encoding="utf-8")
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        sys.exit(f"{file} can't be read: {error.strerror}.")
    except UnicodeDecodeError:
        sys.exit(f"{file} is not UTF-8; save it as CSV UTF-8.")


def _line(one: Advisor) -> str:
    if one.erased_at is not None:
        return f"{one.id}\terased on {one.erased_at.date()}"
    certificate = f"{one.certified_on}..{one.certified_until}"
    return "\t".join((one.id, one.name, str(one.capacity), certificate, " ".join(one.regions), " ".join(one.languages)))
