"""The processes of one home: start them, hurt them, stop them. What they are, a subclass knows.

All methods block; from async code call them by `asyncio.to_thread`.
"""

import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Self

from deploy.local import ports
from deploy.local.component import Component
from deploy.local.disk import need_space
from deploy.local.errors import StackError
from deploy.local.home import Home

_SPACE_MB = 800


class Crew(ABC):
    """Components by name, in a home that nobody else uses meanwhile.

    home: data, logs and ports; a second start with the same home finds its data again.
    report: gets one line per component that is ready.
    """

    servers: tuple[str, ...] = ()
    """Those that the others need: stopped after them."""

    def __init__(self, home: Path, report: Callable[[str], None] | None = None) -> None:
        self.home = Home(home.resolve())
        self._report = report or (lambda _: None)
        self._abort = threading.Event()
        self._components: dict[str, Component] = {}
        self._ports = ports.Ports({})
        self._pool: ThreadPoolExecutor | None = None

    @abstractmethod
    def _begin(self) -> None:
        """Choose ports and start all."""

    @abstractmethod
    def _build(self, name: str) -> Component | None:
        """A component that can be started; None when there is none of this name."""

    @abstractmethod
    def _where(self, name: str) -> str:
        """Where a component listens, for people."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each component that runs."""
        return {name: c.pid for name, c in self._components.items() if c.pid is not None}

    def start(self) -> Self:
        """Start all; returns when all is ready, raises with nothing left running.

        Raises: NotInstalled, PortInUse, NotReachable, ProcessDied, StackError.
        """
        self.home.acquire()
        try:
            self.home.end_leftovers()
            need_space(self.home.path, _SPACE_MB, "the stack's data")
            self._abort.clear()
            # Threads of a pool live until it is shut down, which Component.start asks for.
            self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="stack")
            self._begin()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End all, the servers last, with time to finish. Data stays. Does nothing twice."""
        self._abort.set()
        if self._pool:
            self._end(name for name in list(self._components) if name not in self.servers)
            self._end(self.servers)
            self._pool.shutdown()
            self._pool = None
        self._components.clear()
        self._ports.release()
        self.home.release()

    def start_one(self, name: str) -> None:
        """Start a component that was killed, or restarted; returns when it is ready. Raises: ProcessDied."""
        began = time.monotonic()
        component = self._component(name)
        if component.running():
            raise StackError(f"{name} runs already.")
        self._in_pool(component.start).result()
        self._report(f"{name:<14} ready in {time.monotonic() - began:4.1f} s   {self._where(name)}")

    def stop_one(self, name: str) -> None:
        """SIGTERM and wait for the end."""
        self._end([name])

    def kill(self, name: str) -> None:
        """SIGKILL, and wait for the end; watch() takes no offence at it."""
        self._component(name).kill()

    def restart(self, name: str) -> None:
        """stop_one and start_one."""
        self.stop_one(name)
        self.start_one(name)

    def pause(self, name: str) -> None:
        """SIGSTOP: it keeps its connections and says nothing."""
        self._component(name).signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """SIGCONT."""
        self._component(name).signal(signal.SIGCONT)

    def watch(self, until: threading.Event | None = None) -> None:
        """Block until `until` is set. Raises: ProcessDied, as soon as a component ends by itself."""
        until = until or threading.Event()
        while not until.wait(0.2):
            self.check_alive()

    def check_alive(self) -> None:
        """Raises: ProcessDied, if a component has ended by itself."""
        for component in list(self._components.values()):
            component.check_alive()

    def log_tail(self, name: str, lines: int = 20) -> str:
        """The last lines of a component's log."""
        return self._component(name).tail(lines)

    def _component(self, name: str) -> Component:
        if name not in self._components:
            component = self._build(name) if self._pool else None
            if component is None:
                raise StackError(f"{name} is not part of this stack, or the stack was not started.")
            self._components[name] = component
        return self._components[name]

    def _together(self, names: Iterable[str], act: Callable[[str], None]) -> None:
        """Run act(name) for all at once; the first failure gives up the others and is raised."""
        with ThreadPoolExecutor(max_workers=8) as waiters:
            tasks = [waiters.submit(act, name) for name in names]
            try:
                done, _ = wait(tasks, return_when=FIRST_EXCEPTION)
            except BaseException:
                self._abort.set()
                raise
            failures = [error for task in done if (error := task.exception())]
            if failures:
                self._abort.set()
                raise failures[0]

    def _end(self, names: Iterable[str]) -> None:
        components = [self._components[name] for name in names if name in self._components]
        for component in components:
            component.signal(signal.SIGCONT)  # a paused process doesn't hear SIGTERM
        wait([self._in_pool(component.stop) for component in components])

    def _in_pool(self, act: Callable[[], object]) -> Future[object]:
        if self._pool is None:
            raise StackError("The stack was not started.")
        return self._pool.submit(act)
