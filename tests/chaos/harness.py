"""One arena and its rounds: load, a fault, quiet, the comparison."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from deploy.local.stack import Stack
from tests.chaos.blame import suspected
from tests.chaos.checks import judge
from tests.chaos.checks.conduct import RECOVERY_SECONDS, Episode, Recovery, conduct
from tests.chaos.clients import Client, Mailbox, Told
from tests.chaos.erasing import Office, office
from tests.chaos.faults import Fault, Ground
from tests.chaos.health import Look, watch
from tests.chaos.load import Load, advisors_csv, loading
from tests.chaos.rounds import Round, Series
from tests.chaos.verdict import Verdict
from tests.chaos.world import SERVICES, Observer, World

SETTINGS = {
    "MIGLOBE_PARTITIONS": "3",
    "MIGLOBE_LIMIT_ADDRESS_MINUTE": "0",
    "MIGLOBE_LIMIT_EMAIL_DAY": "0",
    "MIGLOBE_MAIL_RETRY_SECONDS": "0.5",
    "MIGLOBE_MAIL_RETRY_CAP_SECONDS": "4",
    "MIGLOBE_LOG_LEVEL": "WARNING",
}
QUIET_SECONDS, HASTY_SECONDS = 240.0, 60.0
LOOKS = 3
CLIENT_SECONDS = 8.0
"""How long a client waits for an answer before it asks again."""


@dataclass
class Arena:
    """A running stack with its clients; everything ever told counts in each round's comparison."""

    ground: Ground
    stack: Stack
    observer: Observer
    told: Told
    client: Client
    office: Office
    mailbox: Mailbox
    seed: str
    rate: float
    slack: float
    hasty: bool
    """Consultations are left where they stand, not led to their end: enough where damage is certain to come."""
    poison: set[tuple[str, str]] = field(default_factory=set)
    number: int = 0
    last: dict[str, int] = field(default_factory=dict)
    """What was on its way at the last look before all was quiet."""

    async def play(self, fault: Fault) -> Round:
        """Load throughout; the fault in its midst; then quiet and the comparison."""
        before = len(self.told.requests)
        async with self._load() as (seed, looks):
            await asyncio.sleep(fault.after)
            await self._under_way(seed)
            seen = await self._strike(fault, looks)
        ended = time.monotonic()
        verdict = await self._judged()
        quiet = time.monotonic()
        conduct(verdict, seen, self.slack)
        name, waited = self.ground.name, ", ".join(f"{what} ({count})" for what, count in self.last.items())
        requests, mended = len(self.told.requests) - before, seen.mended
        return Round(self.number, name, fault, verdict, requests, seen.recovery, ended - mended, quiet - mended, waited)

    async def play_all(self, faults: Iterable[Fault], heard: Callable[[Episode], None]) -> Series:
        """One load throughout, the faults one after the other in its midst, and one comparison at the end.

        `heard` is told of each fault when all is well again.
        """
        before, episodes, epoch = len(self.told.requests), list[Episode](), time.time() - time.monotonic()
        async with self._load() as (seed, looks):
            await self._under_way(seed)
            for fault in faults:
                await asyncio.sleep(fault.after)
                episodes.append(await self._strike(fault, looks))
                heard(episodes[-1])
        found, verdict = await self._judged(), Verdict()
        quiet = time.monotonic() - episodes[-1].mended
        verdict.absorb(found, lambda text: suspected(text, episodes, epoch))
        for seen in episodes:
            conducted = Verdict()
            conduct(conducted, seen, self.slack)
            verdict.absorb(conducted, f"{seen.fault}: {{}}".format)
        return Series([seen.fault for seen in episodes], verdict, len(self.told.requests) - before, quiet)

    @asynccontextmanager
    async def _load(self) -> AsyncIterator[tuple[str, list[Look]]]:
        """Throughout the block; gives its seed, and what `/readyz` says meanwhile."""
        self.number += 1
        load = Load(self.client, self.office, self.mailbox, self.told, f"{self.seed}.{self.number}", self.rate)
        async with loading(load, to_the_end=not self.hasty), watch(self.stack.urls, self.slack) as looks:
            yield load.seed, looks

    async def _strike(self, fault: Fault, looks: Sequence[Look]) -> Episode:
        """Until all is well again."""
        began = time.monotonic()
        self.poison |= await self.ground.strike(fault, self.stack, self.observer)
        mended = time.monotonic()
        return Episode(fault, began, mended, self.told.attempts, looks, await self._recovery(mended, looks))

    async def _judged(self) -> Verdict:
        """The comparison, as soon as all is quiet."""
        restless = await self._until_quiet()
        verdict = judge(self.told, await self._look(), self.poison)
        verdict.hold("all came to rest", ["flow"], (f"{what}: {count}" for what, count in restless.items()))
        return verdict

    async def _look(self) -> World:
        """Tried again: on a machine that pants the servers may keep the one who asks waiting too."""
        for _ in range(LOOKS - 1):
            with suppress(PyMongoError, KafkaError):
                return await self.observer.look(self.told.erased)
        return await self.observer.look(self.told.erased)

    async def _under_way(self, seed: str) -> None:
        """Waits until the flow has reached every service: what strikes before that strikes nothing."""
        end = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < end:
            told = self.told.requests
            if await self.observer.arrived([told[number] for number in told if number.startswith(f"{seed}-")]):
                return
            await asyncio.sleep(0.1)

    async def _recovery(self, mended: float, looks: Sequence[Look]) -> Recovery:
        """Waits until all is well again, four times as long as is allowed."""
        answered = ready = flowing = None
        while time.monotonic() < mended + 4 * RECOVERY_SECONDS * self.slack:
            good = [one.ended for one in self.told.attempts if one.status == 201 and one.ended >= mended]
            answered = answered or min(good, default=None)
            ready = ready or _all_well(one for one in looks if one.began >= mended)
            if flowing is None and await self._arrived(mended):
                flowing = time.monotonic()
            if answered and ready and flowing:
                break
            await asyncio.sleep(0.2)
        return Recovery(*(moment and moment - mended for moment in (answered, ready, flowing)))

    async def _arrived(self, mended: float) -> bool:
        """Whether a request that was begun after `mended` has been through everything."""
        begun = (number for number, moment in self.told.begun.items() if moment >= mended)
        ids = [self.told.requests[number] for number in begun if number in self.told.requests]
        try:
            return bool(ids) and await self.observer.arrived(ids)
        except PyMongoError:
            return False

    async def _until_quiet(self) -> dict[str, int]:
        """Empty when the flow has come to rest, else what has not in good time."""
        patience = HASTY_SECONDS * self.slack if self.hasty else QUIET_SECONDS
        end, calm, self.last = time.monotonic() + patience, 0, {}
        while True:
            try:
                restless = await self.observer.restless()
            except Exception as error:
                restless = {f"{type(error).__name__}: {error}"[:200]: 1}
            calm = 0 if restless else calm + 1
            self.last = restless or self.last
            if calm == 2 or time.monotonic() > end:
                return restless
            await asyncio.sleep(0.5)


def _all_well(looks: Iterable[Look]) -> float | None:
    """When the last of the services was first seen well."""
    first: dict[str, float] = {}
    for look in looks:
        if look.well:
            first.setdefault(look.service, look.ended)
    return max(first.values()) if len(first) == len(SERVICES) else None


@asynccontextmanager
async def arena(
    ground: Ground,
    stack: Stack,
    mail_dir: Path,
    prefix: str,
    seed: str,
    rate: float,
    slack: float = 1.0,
    *,
    hasty: bool = False,
) -> AsyncIterator[Arena]:
    """`stack` must run; gets advisors with room for everybody. `slack`: see `conduct`; `hasty`: see `Arena`."""
    people = stack.home.path / "advisors.csv"
    people.write_text(advisors_csv())
    command = [str(Path(sys.executable).with_name("miglobe")), "advisors", "import", str(people)]
    env = stack.env()
    done = await asyncio.to_thread(subprocess.run, command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = Told()
    observer = Observer(stack.kafka, stack.mongo, mail_dir, prefix)
    client = Client(stack.urls, stack.env()["MIGLOBE_SECRET"], told, CLIENT_SECONDS * slack)
    try:
        async with office(stack.mongo, prefix) as operator:
            yield Arena(ground, stack, observer, told, client, operator, Mailbox(mail_dir), seed, rate, slack, hasty)
    finally:
        await client.close()
        await observer.close()


async def rounds(
    one: Arena, faults: Iterable[Fault], heard: Callable[[Round], bool] = lambda result: True
) -> list[Round]:
    """Plays `faults` one after the other, as long as `heard` says to go on."""
    played = []
    for fault in faults:
        played.append(await one.play(fault))
        if not heard(played[-1]):
            break
    return played
