"""`miglobe match`: decide an instance from a file."""

import json
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

match = typer.Typer(no_args_is_help=True, help="Decisions that anybody can check.")
WRONG = 2


@match.callback()
def _group() -> None:
    """Keeps `solve` a command of its own."""


@match.command()
def solve(
    source: Annotated[Path, typer.Argument(metavar="IN.json", help="policy, advisors, requests; ARCHITECTURE tells")],
    target: Annotated[Path, typer.Argument(metavar="OUT.json", help="where the decisions go")],
) -> None:
    """Who should advise whom in an instance from a file: a pure function, no server is needed."""
    from services.matching import problem  # numpy and the solver take a moment

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


def _wrong(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr)
    raise typer.Exit(WRONG)
