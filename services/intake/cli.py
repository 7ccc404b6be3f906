"""Intake's part of the operator's command line: the register, and erasure."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer

from services.intake import handlers
from services.intake.handlers import Erased
from services.intake.settings import Settings
from services.intake.store import Store
from shared import register
from shared.cli import run
from shared.commit import Committer, committing
from shared.errors import NotFound, Unavailable
from shared.mongo import Mongo
from shared.register import Register
from shared.settings import load

municipalities = typer.Typer(no_args_is_help=True, help="The register of municipalities.")
requests = typer.Typer(no_args_is_help=True, help="Requests of municipalities.")


@municipalities.callback()
def _municipalities() -> None:
    """The register of municipalities."""


@requests.callback()
def _requests() -> None:
    """Requests of municipalities."""


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Store]:
    mongo = Mongo(settings.mongo, settings.database("intake"), settings.mongo_driver)
    try:
        async with committing(Committer(mongo, "intake")) as commits:
            yield Store(mongo, commits, settings.register_file)
    finally:
        await mongo.close()


@municipalities.command("import")
def municipalities_import(
    file: Annotated[str | None, typer.Argument(help="CSV as documented; without: the configured one")] = None,
) -> None:
    """Make intake's register just what the file says. Can be run any time, again and again.

    A file given here holds until the configured one changes. All services read MIGLOBE_REGISTER_FILE: to serve
    another state, set that.
    """
    settings = load(Settings)
    try:
        found = register.load(file or settings.register_file)
    except (OSError, ValueError) as error:
        sys.exit(f"Nothing was imported: {error}")
    changed = run(_import(settings, found, configured=file is None))
    print(f"{len(found.entries)} municipalities and districts, {'imported' if changed else 'unchanged'}.")


async def _import(settings: Settings, found: Register, *, configured: bool) -> bool:
    async with _opened(settings) as store:
        return await store.import_register(found.entries, configured=configured)


@requests.command("erase")
def requests_erase(
    request: Annotated[str, typer.Argument(metavar="REQUEST_ID", help="the request's id, or its case number")],
) -> None:
    """Erase contact, need and comment of a request here and in every copy. Its facts stay. Repeatable."""
    try:
        erased = run(_erase(load(Settings), request))
    except NotFound:
        sys.exit(f"There is no request {request!r}; nothing was erased.")
    except Unavailable as error:
        sys.exit(f"{error} Nothing was erased.")
    again = f"was erased on {erased.request.erased_at:%Y-%m-%d} already" if erased.before else "is erased now"
    print(f"{erased.request.case_number} ({erased.request.id}) {again}: contact, need and comment are empty.")
    print(f"All copies are told {'again ' if erased.before else ''}by a tombstone on request.dossier.")
    print(f"{erased.outbox_rows} dossiers taken out of the outbox. The facts of the request stay.")


async def _erase(settings: Settings, request: str) -> Erased:
    async with _opened(settings) as store:
        return await handlers.erase(store, request, datetime.now(UTC))
