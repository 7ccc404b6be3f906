"""A stack's directory: data, logs, remembered ports, the secret, and the lock that one stack holds."""

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import time
from pathlib import Path
from typing import IO

from mirakuru.base_env import processes_with_env

from deploy.local.errors import HomeInUse

# Every process of a stack carries it, with the home as value.
_MARK = "MIGLOBE_STACK_HOME"


class Home:
    """kafka/ mongo/ mail/ logs/ run/ secret under `path`, which must be absolute."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = path / "run"
        self.mail = path / "mail"
        self._lock: IO[str] | None = None

    @property
    def mark(self) -> dict[str, str]:
        """What the environment of each process of this home contains."""
        return {_MARK: f":{self.path}:"}

    def log(self, name: str) -> Path:
        """A component's log file."""
        return self.path / "logs" / f"{name}.log"

    def acquire(self) -> None:
        """Become the home's only user. Raises: HomeInUse, if a living process is."""
        self.run.mkdir(parents=True, exist_ok=True)
        lock = (self.run / "lock").open("a+")
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                owner = self.owner()
                if owner is not None:  # else it was only somebody asking for the owner
                    lock.close()
                    raise HomeInUse(f"A stack already runs in {self.path} (process {owner}).") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def release(self) -> None:
        """Let others use it."""
        if self._lock:
            self._lock.truncate(0)
            self._lock.close()
            self._lock = None

    def owner(self) -> int | None:
        """The id of the process that uses this home; None when nobody does."""
        try:
            with (self.run / "lock").open() as lock:
                while True:
                    try:
                        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    except BlockingIOError:
                        lock.seek(0)
                        if pid := lock.read():  # empty for the moment between taking it and signing it
                            return int(pid)
                    else:
                        return None
        except FileNotFoundError:
            return None

    def end_leftovers(self) -> None:
        """SIGKILL for what a killed owner left behind. Only for the present owner."""
        deadline = time.monotonic() + 10
        while (pids := processes_with_env(_MARK, self.mark[_MARK])) and time.monotonic() < deadline:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)

    def ports(self) -> dict[str, int]:
        """The ports of the last start."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            return {str(name): int(port) for name, port in json.loads(self._ports.read_text()).items()}
        return {}

    def remember(self, ports: dict[str, int]) -> None:
        """Keep them for the next start."""
        self._ports.write_text(json.dumps({**self.ports(), **ports}, indent=2))

    @property
    def _ports(self) -> Path:
        return self.run / "ports.json"

    def secret(self) -> str:
        """Made once, readable by its owner only; 43 characters."""
        path = self.path / "secret"
        if not path.exists():
            new = path.with_suffix(".new")
            new.touch(mode=0o600)
            new.write_text(secrets.token_urlsafe(32))
            new.rename(path)
        return path.read_text().strip()

    def clean(self) -> None:
        """Delete all but the lock, which others may be waiting for, and the tools."""
        for name in ("kafka", "mongo", "mail", "logs"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        for file in (self.path / "secret", self._ports, self.run / "state.json"):
            file.unlink(missing_ok=True)
