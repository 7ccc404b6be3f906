"""One call of `make chaos`: stack after stack, round after round, until enough was played."""

import asyncio
import json
import random
import secrets
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from deploy.local.signals import interrupt_on_signals
from deploy.local.stack import Stack
from tests.chaos import elsewhere
from tests.chaos.faults import Fault, Ground, sequence
from tests.chaos.harness import SETTINGS, arena, rounds
from tests.chaos.rounds import Round, broken
from tests.chaos.sabotage import SABOTAGES, environment

ROUNDS_PER_STACK = 20
"""Then a fresh one: what is compared grows with each round."""
FAILURES = 3
"""Stacks in a row on which nothing could be played: then something else is wrong."""


@dataclass
class Run:
    """Until `rounds` are played, or the clock stands at `until`, or what was sabotaged is found."""

    seed: str
    rate: float
    slack: float
    rounds: int | None = None
    until: float | None = None
    sabotage: str = ""
    servers: Mapping[str, str] = field(default_factory=dict)
    """The settings that name servers elsewhere."""
    played: list[Round] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def over(self) -> bool:
        late = self.until is not None and time.monotonic() > self.until
        enough = self.rounds is not None and len(self.played) + len(self.failures) >= self.rounds
        return late or enough or self.proven

    @property
    def proven(self) -> bool:
        """Whether what was sabotaged has come to light."""
        telling = SABOTAGES[self.sabotage].damage if self.sabotage else ()
        return any(one.verdict.damage.get(check) for one in self.played for check in telling)

    @property
    def sound(self) -> bool:
        return bool(self.played) and not self.failures and all(one.verdict.sound for one in self.played)

    def play(self, grounds: Sequence[Ground]) -> None:
        """Raises KeyboardInterrupt, with all rounds kept that came to their end."""
        fruitless = 0
        for number, (ground, faults) in enumerate(_stages(self.seed, grounds)):
            before = len(self.played)
            try:
                self._on_a_fresh_stack(ground, faults, number)
            except Exception as error:
                # a stack that can't be mended is damage too, and no reason to end a night
                self.failures.append(f"{type(error).__name__}: {error}")
                self._tell(f"   -  {ground.name}: {self.failures[-1]}", broken(ground.name, self.failures[-1]))
            fruitless = fruitless + 1 if len(self.played) == before else 0
            if self.over or fruitless == FAILURES:
                return

    def _on_a_fresh_stack(self, ground: Ground, faults: Sequence[Fault], number: int) -> None:
        prefix = f"chaos-{secrets.token_hex(3)}-{number}-" if self.servers else ""
        own = elsewhere.OWN | {"MIGLOBE_PREFIX": prefix}
        env = own | dict(self.servers) | SETTINGS | environment(*filter(None, [self.sabotage]))
        with tempfile.TemporaryDirectory(prefix="miglobe-chaos-") as home, ground.stack(Path(home), env) as stack:
            try:
                asyncio.run(self._rounds(ground, stack, prefix, faults, f"{self.seed}.{number}"))
            except asyncio.CancelledError:
                raise KeyboardInterrupt from None
            finally:
                interrupt_on_signals()
                if self.servers and (left := asyncio.run(elsewhere.tidy(stack, prefix))):
                    print(left, flush=True)

    async def _rounds(self, ground: Ground, stack: Stack, prefix: str, faults: Sequence[Fault], seed: str) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def stop() -> None:
            task.cancel()
            loop.call_later(1.0, stop)  # libraries swallow a cancellation now and then

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stop)
        hasty = bool(self.sabotage)
        place = (stack, stack.mail_dir, prefix, seed)
        async with arena(ground, *place, self.rate, self.slack, hasty=hasty) as one:
            await rounds(one, faults, self._heard)

    def _heard(self, result: Round) -> bool:
        """Tells of a round; whether another is to come."""
        self.played.append(result)
        self._tell(result.line(), result.document())
        return not self.over

    def _tell(self, line: str, document: Mapping[str, object]) -> None:
        print(line, flush=True)
        path = Path("out/chaos", f"{self.seed}.jsonl")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(document, ensure_ascii=False) + "\n")


def _stages(seed: str, grounds: Sequence[Ground]) -> Iterator[tuple[Ground, list[Fault]]]:
    """Grounds at random, those with more kinds more often; each with its next faults."""
    dice = random.Random(f"stages {seed}")
    going = [sequence(f"{seed} {ground.name}", ground.kinds) for ground in grounds]
    weights = [sum(len(kind.victims) for kind in ground.kinds) for ground in grounds]
    while True:
        place = dice.choices(range(len(grounds)), weights)[0]
        yield grounds[place], list(islice(going[place], ROUNDS_PER_STACK))
