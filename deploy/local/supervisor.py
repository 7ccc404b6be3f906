"""The process that holds a stack for `make up`: in the foreground, or detached from the terminal."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.local import people
from deploy.local.errors import HomeInUse, StackError
from deploy.local.home import Home
from deploy.local.signals import interrupt_on_signals
from deploy.local.stack import Stack

_STOP_TIMEOUT = 60


def run(stack: Stack, *, detached: bool) -> None:
    """Start, say where everything is, and stay until a signal stops it or a process dies.

    detached: what is said after the start goes to logs/supervisor.log, and stdout is let go.
    Raises: StackError.
    """
    interrupt_on_signals()
    try:
        with stack:
            _remember(stack)
            print(addresses(stack), flush=True)
            if detached:
                _leave_terminal(stack.home)
            else:
                print("Ctrl-C stops all.", flush=True)
            stack.watch()
    except KeyboardInterrupt:
        print("stopped", flush=True)
    except HomeInUse:
        raise  # what stands in state.json is the other's
    except StackError as error:
        _remember(stack, error=str(error))
        raise


def detach(arguments: Sequence[str], home: Home) -> int:
    """Run `up` with these arguments in a session of its own; returns its exit code, or 0 once all is ready."""
    command = [sys.executable, "-m", "deploy.local", "up", "--detached", *arguments]
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    assert child.stdout is not None
    try:
        for line in child.stdout:  # ends when the child lets go of its stdout: ready, or dead
            print(line.decode("utf-8", "replace"), end="", flush=True)
    except KeyboardInterrupt:
        child.terminate()
        return child.wait()
    return 0 if home.owner() == child.pid else child.wait()


def stop(home: Home) -> bool:
    """Stop whoever holds this home, and wait; False if nobody did."""
    owner = home.owner()
    if owner is None:
        return False
    os.kill(owner, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_TIMEOUT
    while home.owner() == owner:
        if time.monotonic() > deadline:
            os.kill(owner, signal.SIGKILL)
        time.sleep(0.05)
    return True


def state(home: Home) -> dict[str, Any]:
    """What the last supervisor of this home wrote down; {} if there was none."""
    try:
        found: dict[str, Any] = json.loads(_state(home).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found


def addresses(stack: Stack) -> str:
    """Where everything is, for people."""
    rows = {"inbox" if name == "mail" else name: url for name, url in stack.urls.items()}
    rows |= {"kafka": stack.kafka, "mongo": stack.mongo, "smtp": stack.smtp, "logs": str(stack.home.path / "logs")}
    if "provider" in stack.urls:
        rows["log in as"] = people.told()
    return "\n".join(f"  {name:<14} {where}" for name, where in rows.items())


def _remember(stack: Stack, error: str = "") -> None:
    what = {
        "pid": os.getpid(),
        "kafka": stack.kafka,
        "mongo": stack.mongo,
        "smtp": stack.smtp,
        "urls": stack.urls,
        "pids": stack.pids,
        "error": error,
    }
    if stack.home.run.exists():
        _state(stack.home).write_text(json.dumps(what, indent=2))


def _leave_terminal(home: Home) -> None:
    with home.log("supervisor").open("ab") as log:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)


def _state(home: Home) -> Path:
    return home.run / "state.json"
