"""A short round of faults, and the proof that the harness sees damage; `make chaos` plays as many as one likes."""

import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import pytest

from deploy.local.stack import Stack
from tests.chaos.briefly import EACH
from tests.chaos.elsewhere import tidy
from tests.chaos.faults import Fault, Ground, sequence
from tests.chaos.grounds import EVERYTHING, GROUNDS, PLAIN, beside, only
from tests.chaos.harness import SETTINGS, arena, rounds
from tests.chaos.rounds import Round
from tests.chaos.sabotage import SABOTAGES, environment

PREFIX = "chaos-"
SLACK = 4.0
"""How much longer than on an idle machine everything may take."""

Serve = Callable[[Mapping[str, str]], Stack]


@pytest.fixture
def serve(stack: Stack) -> Iterator[Serve]:
    """Starts the four services on the run's own servers."""
    servers = {"MIGLOBE_KAFKA": stack.kafka, "MIGLOBE_MONGO": stack.mongo, "MIGLOBE_SMTP": stack.smtp}
    with tempfile.TemporaryDirectory(prefix="miglobe-chaos-") as home, ExitStack() as running:

        def start(env: Mapping[str, str]) -> Stack:
            settings = servers | SETTINGS | {"MIGLOBE_PREFIX": PREFIX, **env}
            return running.enter_context(Stack(Path(home), env=settings))

        yield start


@pytest.fixture
async def _tidy(stack: Stack) -> AsyncIterator[None]:
    yield
    assert await tidy(stack, PREFIX) == ""


@pytest.mark.timeout(1200)
def test_each_kind_of_fault_under_load_loses_nothing_and_repeats_nothing() -> None:
    env = {**os.environ, "EACH": "1", "RATE": "0.7", "SLACK": str(SLACK)}
    done = subprocess.run([sys.executable, "-m", "tests.chaos"], env=env, text=True, capture_output=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_kind_that_needs_no_cluster_is_among_those_played_briefly() -> None:
    assert {kind.name for kind in EVERYTHING.kinds} <= {fault.kind for fault in EACH}


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("_tidy")
async def test_guarantees_taken_out_are_found(serve: Serve, stack: Stack) -> None:
    """Without the inbox a repetition counts twice; of what is published before its commit a death leaves only that;
    and who was erased is still there where tombstones are passed over."""
    missed = {"inbox", "early", "keep"}

    def heard(result: Round) -> bool:
        wrong = {check for check, found in result.verdict.damage.items() if found}
        missed.difference_update({name for name in missed if SABOTAGES[name].damage & wrong})
        return bool(missed)

    faults = (Fault("repeat"), *(Fault("kill", "intake"), Fault("kill", "matching")) * 2)
    services = serve(environment(*missed))
    async with arena(PLAIN, services, stack.mail_dir, PREFIX, "broken", 3.0, SLACK, hasty=True) as one:
        played = await rounds(one, faults, heard)
    assert not missed, played[-1].line()


@pytest.mark.parametrize("ground", GROUNDS, ids=lambda ground: ground.name)
def test_the_same_seed_gives_the_same_faults(ground: Ground) -> None:
    def first(seed: str, count: int) -> list[Fault]:
        return list(islice(sequence(seed, ground.kinds), count))

    every = {(kind.name, victim) for kind in ground.kinds for victim in kind.victims}
    assert first("one", 40) == first("one", 40)
    assert first("one", 40) != first("two", 40)
    assert {(fault.kind, fault.victim) for fault in first("one", len(every))} == every


def test_servers_elsewhere_are_left_alone() -> None:
    ground = beside({"kafka", "mongo"})
    victims = {victim for kind in ground.kinds for victim in kind.victims}
    assert not victims & {"kafka", "mongo"}
    assert {kind.name for kind in PLAIN.kinds} - {kind.name for kind in ground.kinds} == {"minute-away"}


def test_kinds_are_chosen_by_name_by_victim_and_by_ground() -> None:
    def chosen(*wanted: str) -> set[tuple[str, str]]:
        return {(kind.name, victim) for kind in only(PLAIN, wanted).kinds for victim in kind.victims}

    assert chosen("kill:mongo", "repeat") == {("kill", "mongo"), ("repeat", "")}
    assert chosen("plain") == chosen()
    assert chosen("nothing") == set()


def test_each_sabotage_is_brought_to_light_by_faults_that_exist() -> None:
    for sabotage in SABOTAGES.values():
        assert all(only(PLAIN, [fault]).kinds for fault in sabotage.faults)
