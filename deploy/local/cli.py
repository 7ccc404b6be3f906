"""The stack's command line."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy.local import supervisor
from deploy.local.errors import StackError
from deploy.local.home import Home
from deploy.local.install import install as install_tools
from deploy.local.stack import SERVICES, Stack
from deploy.local.tools import ROOT

app = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False, add_completion=False)

HomeOption = Annotated[Path, typer.Option(help="Where data, logs and ports are kept.")]
_HOME = ROOT / ".local"


@app.command()
def up(
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay, until Ctrl-C.")] = False,
    free_ports: Annotated[bool, typer.Option("--free-ports", help="Take any free ports.")] = False,
    port_offset: Annotated[int, typer.Option(envvar="PORT_OFFSET", help="Added to each port.")] = 0,
    servers_only: Annotated[bool, typer.Option("--servers-only", help="Leave the four services out.")] = False,
    home: HomeOption = _HOME,
    detached: Annotated[bool, typer.Option("--detached", hidden=True)] = False,
) -> None:
    """Start Kafka, mongod, the mail sink, the OpenID provider and the four services; return when all is ready."""
    if not (foreground or detached):
        owner = Home(home.resolve()).owner()
        if owner is not None:
            raise StackError(f"It already runs (process {owner}): `make down` stops it.")
        flags = ["--free-ports"] * free_ports + ["--servers-only"] * servers_only
        arguments = [*flags, f"--port-offset={port_offset}", f"--home={home}"]
        raise typer.Exit(supervisor.detach(arguments, Home(home.resolve())))
    stack = Stack(
        home,
        () if servers_only else SERVICES,
        site=True,
        free_ports=free_ports,
        port_offset=port_offset,
        report=lambda line: print(line, flush=True),
    )
    supervisor.run(stack, detached=detached)


@app.command()
def down(home: HomeOption = _HOME) -> None:
    """Stop all, services first. Data stays."""
    print("stopped" if supervisor.stop(Home(home.resolve())) else "nothing runs")


@app.command()
def status(home: HomeOption = _HOME) -> None:
    """Say what runs, and where. Exit code 1 when nothing does."""
    place = Home(home.resolve())
    found, owner = supervisor.state(place), place.owner()
    if owner is None:
        print(found.get("error") or "nothing runs")
        raise typer.Exit(1)
    print(f"runs (process {owner})")
    if found.get("pid") == owner:
        for name, pid in found["pids"].items():
            print(f"  {name:<14} process {pid:<8} {found['urls'].get(name) or found.get(name, '')}")


@app.command()
def clean(home: HomeOption = _HOME) -> None:
    """Stop all and drop the data; the downloaded programs stay."""
    place = Home(home.resolve())
    supervisor.stop(place)
    place.clean()
    print(f"{place.path} is clean")


@app.command()
def install() -> None:
    """Fetch Java, Kafka and mongod, as far as they are missing."""
    install_tools(lambda line: print(line, flush=True))


def main() -> None:
    """Run a command; what goes wrong is said in a sentence, not in a traceback."""
    try:
        app()
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        print(f"error: {error.strerror}: {error.filename}", file=sys.stderr)
        sys.exit(1)
