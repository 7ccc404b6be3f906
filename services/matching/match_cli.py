"""`miglobe match`: decide an instance from a file, or again what was decided."""

import json
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from services.matching import problem
from services.matching.cli import with_store
from services.matching.handlers import explaining
from services.matching.settings import Settings
from shared.cli import run
from shared.settings import load

match = typer.Typer(no_args_is_help=True, help="Decisions that anybody can check.")
WRONG = 2


@match.command()
def solve(
    source: Annotated[Path, typer.Argument(metavar="IN.json", help="policy, advisors, requests; ARCHITECTURE tells")],
    target: Annotated[Path, typer.Argument(metavar="OUT.json", help="where the decisions go")],
) -> None:
    """Who should advise whom in an instance from a file: a pure function, no server is needed."""
    try:
        found = problem.read(source.read_bytes())
    except OSError as error:
        _wrong(f"{source} can't be read: {error.strerror}.")
    except ValueError as error:
        _wrong(f"{source} is no instance: {error}.")
    answer = found.decided()
    try:
        target.write_text(json.dumps(answer, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        _wrong(f"{target} can't be written: {error.strerror}.")
    state = "the proven optimum" if answer["optimal"] else f"within {answer['gap']:.3%} of the optimum"
    print(f"{len(answer['assignments'])} assigned, {len(answer['unassigned'])} not; {answer['objective']}: {state}.")


@match.command()
def replay(assignment: Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="its id")]) -> None:
    """Decide the pass in which an assignment was made again, from what was kept of it. Ends with 1 when it differs."""
    basis, now = run(with_store(load(Settings), lambda store: explaining.replay(store, assignment)))
    what = f"{len(basis.seekers)} requests, {len(basis.candidates)} advisors, policy {basis.policy.version}"
    if now == basis.outcome:
        print(f"Equal: {what}, decided by {basis.decided_by} at {basis.decided_at:%Y-%m-%d %H:%M} UTC.")
        return
    print(f"Different: {what}.")
    for request in sorted({*now, *basis.outcome}):
        before, after = basis.outcome.get(request, ()), now.get(request, ())
        if before != after:
            print(f"{request}\t{' + '.join(before) or 'nobody'} then, {' + '.join(after) or 'nobody'} now")
    raise typer.Exit(1)


def _wrong(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr)
    raise typer.Exit(WRONG)
