"""One instance, decided by the engine in a thread while an event loop beats, and by simpler rules. Prints JSON."""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Iterator

import numpy as np
import uvloop

from services.matching import problem as files
from services.matching.domain.governing import Rules
from services.matching.domain.policy import Limits, Policy
from services.matching.engine.choice import Verdict, decide
from services.matching.engine.instance import NOBODY, Columns, Instance, joined
from tests.matching.problems import problem

POLICY = Policy(limits=Limits(optimum_up_to=None), rules=Rules(starvation=None))
CAPACITIES = (2, 3)
"""As the sample advisors have them."""
BEAT = 0.002
SIMPLE_UP_TO = 1_000
"""Requests; beyond, the simple rules would take all columns there are."""


async def _beating(instance: files.Problem) -> tuple[Verdict, float, float]:
    """The verdict, its seconds, and the longest that a beat came late."""
    people, wishes = [one.candidate() for one in instance.advisors], [one.seeker() for one in instance.requests]
    late, began = 0.0, time.perf_counter()
    working = asyncio.create_task(asyncio.to_thread(decide, people, wishes, files.DAY, POLICY))
    while not working.done():
        before = time.perf_counter()
        await asyncio.sleep(BEAT)
        late = max(late, time.perf_counter() - before - BEAT)
    return working.result(), time.perf_counter() - began, late


class Simple:
    """The same points, given away more simply. A choice counts less its batch cost, as it is when it is made."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._step = instance.weights.batch_step

    def greedy(self) -> int:
        """Of all that is possible always the best."""
        columns = joined(ask.everything() for ask in self._instance.asks)
        used, open_rows, total = self._nobody_yet(), np.ones(len(self._instance.asks), bool), 0
        while True:
            net = np.where(open_rows[columns.row], self._net(columns, used), -1)
            best = int(net.argmax()) if len(net) else -1
            if best < 0 or net[best] < 0:
                return total
            total += int(net[best])
            open_rows[columns.row[best]] = False
            self._take(columns, best, used)

    def one_by_one(self) -> int:
        """Each request in its turn, the best that is left."""
        used, total = self._nobody_yet(), 0
        for columns in self._each():
            net = self._net(columns, used)
            if len(net) and (best := int(net.argmax())) >= 0 and net[best] >= 0:
                total += int(net[best])
                self._take(columns, best, used)
        return total

    def round_robin(self) -> int:
        """Each request in its turn, the advisor whose turn it is, alone."""
        used, total, turn, n = self._nobody_yet(), 0, 0, len(self._instance.people)
        for columns in self._each():
            alone = columns.of(columns.b == NOBODY)
            net = self._net(alone, used)
            able = np.flatnonzero(net >= 0)
            if len(able):
                best = int(able[np.argmin((alone.a[able] - turn) % n)])
                total, turn = total + int(net[best]), int(alone.a[best]) + 1
                self._take(alone, best, used)
        return total

    def _each(self) -> Iterator[Columns]:
        for ask in sorted(self._instance.asks, key=lambda one: one.wish.id):
            yield ask.everything()

    def _nobody_yet(self) -> np.ndarray:
        return np.zeros(len(self._instance.people) + 1, np.int64)

    def _net(self, columns: Columns, used: np.ndarray) -> np.ndarray:
        """Scores less what they cost now; -1 where a place is missing."""
        free = np.append(self._instance.free, 1)
        fits = (used[columns.a] < free[columns.a]) & (used[columns.b] < free[columns.b])
        net = columns.score - self._step * (used[columns.a] + used[columns.b])
        return np.where(fits, net, -1)

    def _take(self, columns: Columns, n: int, used: np.ndarray) -> None:
        for place in (columns.a[n], columns.b[n]):
            used[place] += place != NOBODY


def main() -> None:
    advisors, requests, seed = map(int, sys.argv[1:])
    decide([], [], files.DAY, POLICY)  # imported, as in a service that has decided before
    instance = files.read(json.dumps(problem(seed, advisors, requests, capacities=CAPACITIES)))
    verdict, seconds, late = uvloop.run(_beating(instance))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    others = {}
    if advisors * requests <= SIMPLE_UP_TO:
        laid_out = Instance(
            [one.candidate() for one in instance.advisors],
            [one.seeker() for one in instance.requests],
            files.DAY,
            POLICY,
        )
        rules = Simple(laid_out)
        others = {"greedy": rules.greedy(), "one by one": rules.one_by_one(), "round robin": rules.round_robin()}
    print(
        json.dumps(
            {
                "seconds": seconds,
                "blocked_ms": 1000 * late,
                "memory_mb": memory,
                "objective": verdict.objective,
                "optimal": verdict.optimal,
                "gap": verdict.gap,
                "others": others,
            }
        )
    )


if __name__ == "__main__":
    main()
