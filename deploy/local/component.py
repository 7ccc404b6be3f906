"""One process of the stack: mirakuru's executor, with a log file and a clear word when it fails."""

import contextlib
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from mirakuru import Executor
from mirakuru.exceptions import ProcessFinishedWithError, TimeoutExpired

from deploy.local.errors import Aborted, ProcessDied

# Asks the kernel to end the child when the thread that started it ends: no orphans after a kill -9.
DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL")


class Component(Executor):
    """A process that is ready when `probe` says so.

    probe: returns True when the process does its work; an OSError counts as "not yet".
    start_timeout, stop_timeout: seconds; after the latter a process that ignores SIGTERM is killed. Services
        promise to end within 25.
    abort: when set, a start under way is given up with Aborted.

    start() must be called from a thread that outlives the process (see DIE_WITH_PARENT).
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        probe: Callable[[], bool],
        env: Mapping[str, str],
        abort: threading.Event,
        start_timeout: float = 120,
        stop_timeout: float = 28,
    ) -> None:
        super().__init__([*DIE_WITH_PARENT, *command], envvars=dict(env), sleep=0.05, stdin=subprocess.DEVNULL)
        self.name, self.log = name, log
        self._probe, self._abort = probe, abort
        self._start_timeout, self._stop_timeout = start_timeout, stop_timeout
        self._wanted = False

    @property
    def pid(self) -> int | None:
        """The process's id, also its group's; None when it is not running."""
        return self.process.pid if self.process else None

    def start(self) -> Self:
        """Start and wait until it is ready. Raises: ProcessDied, Aborted."""
        self._timeout, self._wanted = self._start_timeout, True
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as out:
            self._stdout, self._stderr = out, subprocess.STDOUT
            try:
                return super().start()
            except TimeoutExpired:
                raise ProcessDied(self.name, None, self.log, self.tail(), self._start_timeout) from None
            except BaseException:
                self.kill()
                raise

    def stop(self, stop_signal: int | None = None, expected_returncode: int | None = None) -> Self:
        """SIGTERM, wait, SIGKILL if need be. How it ended is in its log and of no interest here."""
        self._timeout, self._wanted = self._stop_timeout, False
        with contextlib.suppress(ProcessFinishedWithError):
            super().stop(stop_signal, expected_returncode)
        return self

    def kill(self, wait: bool = True, sig: int | None = None) -> Self:
        """SIGKILL for the whole process group."""
        self._wanted = False
        return super().kill(wait, sig)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole process group."""
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def check_alive(self) -> None:
        """Raises: ProcessDied, if it has ended by itself."""
        process = self.process
        code = process.poll() if process else None
        if code is not None and self._wanted:
            raise ProcessDied(self.name, code, self.log, self.tail())

    def tail(self, lines: int = 20) -> str:
        """The last lines of its log, all of its runs included."""
        try:
            with self.log.open(encoding="utf-8", errors="replace") as file:
                return "".join(deque(file, maxlen=lines)).rstrip()
        except FileNotFoundError:
            return ""

    def pre_start_check(self) -> bool:
        """Ports are checked for the whole stack before anything starts."""
        return False

    def check_subprocess(self) -> bool:
        """mirakuru's own check takes exit code 0 for "still starting"."""
        if self._abort.is_set():
            raise Aborted(f"The start of {self.name} was given up.")
        self.check_alive()
        return self.after_start_check()

    def after_start_check(self) -> bool:
        """Ask the process."""
        try:
            return self._probe()
        except OSError:
            return False
