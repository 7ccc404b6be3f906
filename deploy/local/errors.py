"""What can go wrong with the stack. Each message is one sentence that says what to do."""

from pathlib import Path


class StackError(Exception):
    """The stack can't do what was asked; str() is fit to be shown to a person as it is."""


class NotInstalled(StackError):
    """A program or file that the stack needs is missing."""


class PortInUse(StackError):
    """Somebody else listens where a component was to listen."""


class NotReachable(StackError):
    """A server elsewhere, named by the environment, doesn't answer."""


class HomeInUse(StackError):
    """Another stack holds the directory."""


class Aborted(StackError):
    """The start was given up because another component failed or a person asked for it."""


class ProcessDied(StackError):
    """A component ended by itself, or was not ready in time.

    Attributes: name; exit_code (negative = signal, None = was not ready in time); tail (last log lines).
    """

    def __init__(self, name: str, exit_code: int | None, log: Path, tail: str, waited: float = 0) -> None:
        self.name, self.exit_code, self.tail = name, exit_code, tail
        what = f"ended with exit code {exit_code}" if exit_code is not None else f"not ready after {waited:.0f} s"
        lines = "\n".join(f"    {line}" for line in tail.splitlines()) or "    (its log is empty)"
        super().__init__(f"{name} {what}; the last lines of {log}:\n{lines}")
