"""A real daemon, the images, and the composition that runs on them; `make compose-test`."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.signals import interrupt_on_signals
from tests.compose.composition import Composition
from tests.compose.daemon import NoDocker, compose, daemon
from tests.compose.docker import Docker, DockerError
from tests.compose.images import Images
from tests.compose.telling import FIGURES, say


def pytest_sessionstart() -> None:
    """So that whoever ends the run ends the daemon and the containers with it."""
    interrupt_on_signals()


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    try:
        with daemon() as found:
            yield found
    except NoDocker as error:
        pytest.exit(str(error), returncode=1)


@pytest.fixture(scope="session")
def work() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="miglobe-compose-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def images(docker: Docker, work: Path) -> Iterator[Images]:
    made = Images(docker, work)
    try:
        made.provide()
        yield made
    except (DockerError, StackError) as error:
        pytest.exit(f"an image can't be had: {error}", returncode=1)
    finally:
        if not docker.own:  # of our own daemon nothing stays anyway
            made.remove()


@pytest.fixture(scope="session")
def built(docker: Docker, images: Images, work: Path) -> Composition:
    """Our image is there; nothing runs yet."""
    made = Composition(docker, images, compose(docker), work)
    made.build()
    return made


@pytest.fixture(scope="session")
def running(built: Composition) -> Iterator[Composition]:
    """All healthy, with the sample advisors imported."""
    try:
        built.up()
        built.inside("matching", "miglobe", "advisors", "import")
        yield built
    finally:
        built.down()
        say("composition: removed with its volumes")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section("measured")
    for line in FIGURES:
        terminalreporter.write_line(line)
