"""Plays trials of policies beside all else, one after the other in each process.

There is no list to go through: whoever asks for a trial, or looks at one that nobody is playing, has it taken up here.
So a trial outlives the process that had begun it, and a resting service does nothing.
"""

import asyncio

import structlog
from pymongo.errors import PyMongoError

from services.matching.domain.worklist import Rules
from services.matching.handlers import trials
from services.matching.store import Store
from shared.errors import Problem, Unavailable
from shared.mongo import is_transient
from shared.tasks import cancelled
from shared.telling import told

_log = structlog.get_logger(__name__)


class Simulator:
    def __init__(self, store: Store, rules: Rules) -> None:
        self._store = store
        self._rules = rules
        self._waiting: asyncio.Queue[str] = asyncio.Queue()
        self._taken: dict[str, asyncio.Event] = {}

    def take(self, trial_id: str) -> None:
        """Plays it as soon as those before it are done."""
        if trial_id not in self._taken:
            self._taken[trial_id] = asyncio.Event()
            self._waiting.put_nowait(trial_id)

    async def soon(self, trial_id: str, seconds: float) -> None:
        """Returns when it has been played here, and after `seconds` at the latest."""
        if trial_id in self._taken:
            await asyncio.wait({waiting := asyncio.ensure_future(self._taken[trial_id].wait())}, timeout=seconds)
            waiting.cancel()

    async def run(self) -> None:
        """Works until cancelled."""
        while not cancelled():
            await self._play(await self._waiting.get())

    async def _play(self, trial_id: str) -> None:
        try:
            await trials.play(self._store, trial_id, self._rules)
        except (Unavailable, PyMongoError) as error:
            if isinstance(error, PyMongoError) and not is_transient(error):
                raise
            _log.warning("trial_waits", trial=trial_id, error=told(error))
        except Exception as error:
            if not isinstance(error, Problem):
                _log.exception("trial_failed", trial=trial_id)
            await self._store.end_trial(trial_id, None)
        finally:
            self._taken.pop(trial_id).set()
